"""The whole proof on every family of the table."""

import pytest
from support.each import each
from support.tiny.models import FAMILIES, N_LAYERS, TEXTS, save_tiny_model

from inspector.models import attention_probabilities, load
from inspector.verification import STAGES, verify


def verified(folder, dtype):
    report = verify(load(str(folder), dtype=dtype))
    assert report.passed, str(report)
    assert len(report.frame) == N_LAYERS * (len(STAGES) + 1)  # and the gradient
    assert report.coverage == {"reached": N_LAYERS, "total": N_LAYERS, "not_reached": []}
    assert len(report.controls) == 15
    assert all(control["caught"] is True for control in report.controls)
    assert report.controls_note is None
    assert "training, same seed" in set(report.cases["case"])


@each("family", FAMILIES)
def test_every_family_is_verified(tiny_folder, family):
    """In float64, which the real model is verified in too, each where there is time."""
    verified(tiny_folder(family), "float32")


@pytest.mark.full
@each("family", FAMILIES)
def test_every_family_is_verified_in_float64(tiny_folder, family):
    verified(tiny_folder(family), "float64")


def test_a_causal_model_is_verified(tmp_path):
    """A BERT that is a decoder looks back only, with padding and without."""
    model = load(str(save_tiny_model(tmp_path / "bert", is_decoder=True)))
    report = verify(model)
    assert report.passed, str(report)
    probabilities = attention_probabilities(model, model.encode(TEXTS[1:2]))
    assert not probabilities.triu(1).any()
    assert probabilities.tril(-1).any()
