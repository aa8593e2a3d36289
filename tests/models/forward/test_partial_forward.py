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


def test_it_is_tried_on_two_texts_however_many_there_are(tiny, monkeypatch):
    """It is tried again for every few batches: on all texts it would cost what four passes do."""
    model, tried = tiny("bert"), []
    own = PartialForward.clean
    monkeypatch.setattr(
        PartialForward, "clean", lambda self, batch: (tried.append(batch), own(self, batch))[1]
    )
    batch = model.encode(TEXTS)
    assert runs_in_parts(model, batch)
    (found,) = tried
    assert found.input_ids.tolist() == batch.input_ids[[0, -1]].tolist()
    assert found.attention_mask.tolist() == batch.attention_mask[[0, -1]].tolist()
    assert found.tokens == [batch.tokens[0], batch.tokens[-1]]
    assert len(TEXTS) > 2


def test_one_text_is_tried_once(tiny, monkeypatch):
    model, tried = tiny("bert"), []
    own = PartialForward.clean
    monkeypatch.setattr(
        PartialForward, "clean", lambda self, batch: (tried.append(batch), own(self, batch))[1]
    )
    batch = model.encode(TEXTS[:1])
    assert runs_in_parts(model, batch)
    assert tried[0].input_ids.tolist() == batch.input_ids.tolist()
