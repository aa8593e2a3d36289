"""Tiny layers of four kinds, and what somebody's implementation of them returned."""

from types import SimpleNamespace

import pytest
import torch
from support.implementations.hand_written import attend
from support.tiny.layers import KINDS, make_layer


@pytest.fixture(autouse=True)
def _fast(one_thread):
    """All layers of this room are tiny."""


@pytest.fixture(scope="session", params=KINDS[1:])  # minilm is a bert
def tiny_layer(request):
    return make_layer(request.param)


@pytest.fixture(scope="session")
def layers():
    return {kind: make_layer(kind) for kind in KINDS}


@pytest.fixture(scope="session")
def minilm_layer(minilm):
    """Return layer 2 of the real model, and a function that observes an implementation of it."""
    from inspector.verification.implementation.layer_inputs import tried_layers

    return tried_layers(minilm, [2])[0]


@pytest.fixture(scope="session")
def probes():
    """Return a function: layer → its random inputs, and one without padding."""
    from inspector.verification.diagnosis import Probe
    from inspector.verification.implementation.layer_inputs import random_probes

    def made(layer):
        generator = torch.Generator().manual_seed(5)
        text = torch.randn(1, 13, layer.weights.d_model, generator=generator)
        return [*random_probes(layer, 1.0), Probe("sentence", text)]

    return made


@pytest.fixture(scope="session")
def observe(probes):
    """Return a function: layer and switches → what the hand-written attention returned."""
    from inspector.verification.diagnosis import Observation

    def observed(layer, inputs=None, stages=("output",), **wrong):
        found = []
        for probe in inputs or probes(layer):
            made = attend(layer, probe.hidden, probe.padding, **wrong)
            tensors = {stage: torch.from_numpy(made[stage].copy()) for stage in stages}
            found.append(Observation(probe, tensors, {}))
        return found

    return observed


@pytest.fixture(scope="session")
def tools():
    """Return what the tests of this room call, imported after jaxtyping's hook."""
    from inspector.verification import diagnosis
    from inspector.verification.diagnosis import search

    return SimpleNamespace(**{**vars(diagnosis), "search": search})
