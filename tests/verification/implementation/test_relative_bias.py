"""Layers that add a bias to their scores: T5's and MPNet's tables, ALiBi's slopes."""

import pytest
import torch
from support.tiny.decoders import save_tiny_decoder
from torch.nn.functional import linear

from inspector.errors import UnsupportedModelError
from inspector.models import load
from inspector.verification import verify_implementation

BIASED = ("t5", "mpnet", "bloom")


@pytest.fixture(scope="module", params=BIASED)
def biased_model(request, tmp_path_factory):
    """Return a tiny random model whose layers have a bias, loaded."""
    return load(save_tiny_decoder(tmp_path_factory.mktemp(request.param), request.param))


def attention(weights, *, bias="right"):
    """Return torch attention with the bias, without it, or with it turned round."""
    w = weights

    def layer(hidden, padding):
        n = hidden.shape[1]
        q, k, v = (
            linear(hidden, getattr(w, f"W_{c}"), getattr(w, f"b_{c}"))
            .unflatten(-1, (w.n_heads, -1))
            .transpose(1, 2)
            for c in "QKV"
        )
        scores = q @ k.transpose(-1, -2) * w.scaling
        if bias != "omitted":
            table = w.relative_bias[:, :n, :n]
            scores = scores + (table if bias == "right" else table.transpose(-1, -2))
        if padding is not None:
            scores = scores.masked_fill(~padding[:, None, None], -1e9)
        if w.causal:
            scores = scores.masked_fill(torch.ones(n, n).triu(1).bool(), -1e9)
        return linear((scores.softmax(-1) @ v).transpose(1, 2).flatten(-2), w.W_O, w.b_O)

    return layer


def test_a_right_one_is_right(biased_model):
    report = verify_implementation(attention, biased_model)
    assert report.passed, str(report)
    assert report.frame["layer"].nunique() == 2
    # The model's own layers were run, not only random inputs.
    assert {"one sentence", "padded batch"} <= set(report.frame["input"])


@pytest.mark.parametrize(
    ("bias", "mistake"),
    [("omitted", "relative bias omitted"), ("turned", "relative bias transposed")],
)
def test_the_mistake_is_named(biased_model, bias, mistake):
    report = verify_implementation(
        lambda weights: attention(weights, bias=bias), biased_model, layers=[1], pairs=False
    )
    assert not report.passed
    assert report.diagnosis.mistakes == (mistake,)


def model_and_bias(folder, layer):
    """Return the tiny model that the folder is named after, and the bias that a layer's user gets.

    With it a right implementation is found right.
    """
    model, given = load(save_tiny_decoder(folder, folder.name)), []

    def build(weights):
        given.append(weights.relative_bias.clone())
        return attention(weights)

    assert verify_implementation(build, model, layers=[layer]).passed
    return model, given[-1]


def test_the_table_is_the_models_own(tmp_path):
    """T5's rows of the embedding by the bucket of each distance, counted by its paper's rule."""
    model, bias = model_and_bias(tmp_path / "t5", layer=1)
    table = model.model.block[0].layer[0].SelfAttention.relative_attention_bias.weight
    for i in range(8):
        for j in range(8):  # so near, each distance has a bucket of its own
            bucket = (16 if j > i else 0) + abs(i - j)
            assert bias[:, i, j].tolist() == table[bucket].tolist()


def test_alibi_is_a_slope_times_the_distance(tmp_path):
    _, bias = model_and_bias(tmp_path / "bloom", layer=0)
    for head in range(4):
        for i in range(12):
            for j in range(i + 1):
                expected = 2.0 ** (-2.0 * (head + 1)) * (j - i)
                assert bias[head, i, j].item() == pytest.approx(expected, abs=1e-6)


def test_a_bias_that_follows_from_the_text_is_no_weight(tmp_path):
    """DeBERTa's is made of its queries and keys."""
    model = load(save_tiny_decoder(tmp_path / "deberta", "deberta-v2"))
    with pytest.raises(UnsupportedModelError, match="computes more than its weights say"):
        verify_implementation(attention, model, layers=[0])
