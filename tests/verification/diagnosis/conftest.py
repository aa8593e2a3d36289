"""Tiny layers of four kinds, and what somebody's implementation of them returned."""

from types import SimpleNamespace

import pytest
import torch
from hand_written import attend

KINDS = ("bert", "gpt2", "llama", "t5")
N_HEADS, D_HEAD, D_MODEL, LONGEST = 4, 8, 32, 24


@pytest.fixture(autouse=True)
def _fast(one_thread):
    """All layers of this room are tiny."""


def make_layer(kind, seed=3):
    """Return a layer as that kind of model has them, attention far from uniform."""
    from inspector.attention import LayerWeights
    from inspector.verification.diagnosis import Layer, Norm

    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    groups = 2 if kind == "llama" else N_HEADS
    biased = kind in ("bert", "gpt2")
    wide, narrow = N_HEADS * D_HEAD, groups * D_HEAD
    extra = {}
    if kind == "llama":
        pace = 1.0 / 10000 ** (torch.arange(0, D_HEAD, 2) / D_HEAD)
        angles = torch.arange(LONGEST)[:, None] * pace
        angles = torch.cat([angles, angles], -1)
        extra = {"rotary_cos": angles.cos(), "rotary_sin": angles.sin()}
    if kind == "t5":
        offsets = torch.arange(LONGEST)[None] - torch.arange(LONGEST)[:, None] + LONGEST - 1
        extra = {"relative_bias": draw(N_HEADS, 2 * LONGEST - 1)[:, offsets]}
    steep = 1.5 * D_MODEL**-0.5
    weights = LayerWeights(
        W_Q=steep * draw(wide, D_MODEL),
        W_K=steep * draw(narrow, D_MODEL),
        W_V=steep * draw(narrow, D_MODEL),
        W_O=steep * draw(D_MODEL, wide),
        b_Q=0.3 * draw(wide) if biased else None,
        b_K=0.3 * draw(narrow) if biased else None,
        b_V=0.3 * draw(narrow) if biased else None,
        b_O=0.3 * draw(D_MODEL) if biased else None,
        n_heads=N_HEADS,
        n_kv_heads=groups,
        scaling=1.0 if kind == "t5" else D_HEAD**-0.5,
        causal=kind in ("gpt2", "llama"),
        **extra,
    )
    centred = kind not in ("llama", "t5")
    bias = 0.1 * draw(D_MODEL) if centred else None
    return Layer(weights, Norm(1 + 0.1 * draw(D_MODEL), bias, 1e-6, centred))


@pytest.fixture(scope="session", params=KINDS[1:])  # minilm is a bert
def tiny_layer(request):
    return make_layer(request.param)


@pytest.fixture(scope="session")
def layers():
    return {kind: make_layer(kind) for kind in KINDS}


@pytest.fixture(scope="session")
def minilm_layer(minilm):
    """Return layer 2 of the real model, and a function that observes an implementation of it."""
    from inspector.verification.implementation.inputs import tried_layers

    return tried_layers(minilm, [2])[0]


@pytest.fixture(scope="session")
def probes():
    """Return a function: layer → its random inputs, and one without padding."""
    from inspector.verification.diagnosis import Probe
    from inspector.verification.implementation.inputs import random_probes

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
