"""Weight statistics of folders that `load` does not take: any family of the table."""

import json
import math

import pytest
import torch
from support.each import each

import inspector
from inspector.errors import UnsupportedModelError
from inspector.heads import MODULES_WEIGHTS_COLUMNS, WEIGHTS_COLUMNS
from inspector.models.any_model.any_model import AnyModel, load_for_weights, proved_weights
from inspector.models.tiny_models import configuration
from inspector.models.weight_layouts.layout import UNDECLARED

# Configuration → attention modules, heads of each, and whether queries are seen as they meet.
FOLDERS = {
    "t5": (6, 4, True),
    "vit": (2, 4, True),
    "whisper": (6, 4, True),
    "clip": (4, 4, True),
    "wavlm": (2, 4, False),
    "xlnet": (2, 4, False),
    "longformer": (2, 4, False),
    "qwen3_next": (1, 4, True),
    "mimo_v2_flash": (2, 4, True),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    root = tmp_path_factory.mktemp("any weights")

    def made(name):
        folder = root / name
        if not folder.exists():
            configuration(name).build().save_pretrained(folder)
        return folder

    return made


@each("name", FOLDERS)
def test_a_folder_without_a_tokenizer_has_weights(saved, name):
    n_modules, n_heads, seen = FOLDERS[name]
    frame = inspector.weight_statistics(saved(name))
    assert dict(frame.dtypes.astype(str)) == MODULES_WEIGHTS_COLUMNS
    assert list(frame)[:-1] == list(WEIGHTS_COLUMNS)
    assert frame["module"].nunique() == n_modules
    assert len(frame) == n_modules * n_heads
    assert frame["layer"].tolist() == [n for n in range(n_modules) for _ in range(n_heads)]
    assert frame.attrs.get("not_seen", False) == (not seen)
    assert "left_out" not in frame.attrs
    assert (frame["qk_spectral_norm"] > 0).all()


def test_figures_are_those_of_the_parameters():
    """XLNet's tensors (d_model, head, d_head), head by head, by a full product in float64."""
    network = configuration("xlnet").build()
    frame = inspector.weight_statistics(AnyModel.of(network))
    module = network.get_submodule("layer.1.rel_attn")
    for row in frame[frame["layer"] == 1].itertuples():
        q, k, v, o = (getattr(module, name)[:, row.head].detach().double() for name in "qkvo")
        qk, ov = q @ k.T, o @ v.T
        assert row.module == "layer.1.rel_attn"
        assert row.q_norm == pytest.approx(math.sqrt(float((q**2).sum())), rel=1e-6)
        assert row.qk_spectral_norm == pytest.approx(
            torch.linalg.matrix_norm(qk, 2).item(), rel=1e-10
        )
        assert row.ov_frobenius_norm == pytest.approx(float((ov**2).sum().sqrt()), rel=1e-10)
        trace = float(torch.diagonal(qk @ qk).sum() / (qk**2).sum())
        assert row.qk_symmetry == pytest.approx(trace, rel=1e-8)


def test_a_model_with_a_tokenizer_is_loaded_as_ever(tiny_folder):
    folder = tiny_folder("bert")
    assert list(inspector.weight_statistics(folder)) == list(WEIGHTS_COLUMNS)
    assert isinstance(load_for_weights(folder), inspector.models.PretrainedModel)


def test_modules_that_do_not_run_are_left_out():
    network = configuration("led").build()
    network.spare = configuration("bert").build().encoder.layer[0].attention
    found, left = proved_weights(AnyModel.of(network))
    assert len(found) == 6
    assert left == {"spare.self": "it was not called, or does not return its probabilities"}


def test_weights_that_no_layout_can_name_are_refused(saved):
    with pytest.raises(UnsupportedModelError) as caught:
        inspector.weight_statistics(saved("yoso"))
    reason = UNDECLARED["YosoSelfAttention"]
    assert str(caught.value) == (
        f"model ({saved('yoso')}, yoso) has no attention module whose W_Q, W_K, W_V and W_O are "
        f"proved to be where the table says (encoder.layer.0.attention.self: {reason}; "
        f"encoder.layer.1.attention.self: {reason})."
    )


class TestCommand:
    def test_modules_stand_in_the_last_column(self, command, saved, tmp_path):
        result = command("weights", saved("t5"), "--json")
        rows = json.loads(result.out)["weights"]
        assert (result.code, len(rows)) == (0, 24)
        assert list(rows[0])[-1] == "module"
        assert rows[-1]["module"] == "decoder.block.1.layer.1.EncDecAttention"

    def test_what_is_not_known_is_said(self, command, saved, tmp_path):
        result = command("weights", saved("longformer"), "-o", tmp_path / "weights.csv")
        assert result.code == 0
        said = " ".join(result.err.split())
        assert "Whether queries and keys are rotated or normed before they meet was not" in said
