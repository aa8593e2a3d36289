"""A model is run again from the middle only where that gives what whole passes give."""

import pytest
import torch
from support.tiny.decoders import save_tiny_decoder
from support.tiny.models import TEXTS

from inspector.models import load
from inspector.models.forward.partial_forward import PartialForward, runs_in_parts


@pytest.mark.parametrize(("name", "can"), [("gpt2", True), ("olmo", True), ("t5", False)])
def test_it_is_tried(tmp_path, name, can):
    """OLMo clips what projections give in place; T5's layers hand on more than states."""
    model = load(save_tiny_decoder(tmp_path / name, name))
    forwards = {name: module.forward for name, module in model.model.named_modules()}
    assert runs_in_parts(model, model.encode(TEXTS)) is can
    assert {name: module.forward for name, module in model.model.named_modules()} == forwards


def test_control_states_that_are_others_are_told(tiny, monkeypatch):
    model = tiny("bert")
    batch = model.encode(TEXTS)
    assert runs_in_parts(model, batch)
    own = PartialForward.states
    monkeypatch.setattr(
        PartialForward, "states", lambda self, *given: own(self, *given) + 0.01 * torch.randn(32)
    )
    assert not runs_in_parts(model, batch)
