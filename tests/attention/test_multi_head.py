"""Multi-head attention against single heads, against loops, and against torch's two own."""

import math
from dataclasses import replace

import pytest
import support.slow.attention as slow
import torch
from support.each import each
from support.tolerances import TOLERANCE
from torch.nn.functional import linear, scaled_dot_product_attention

from inspector.attention import (
    LayerWeights,
    attention,
    causal_mask,
    combine_heads,
    merge_heads,
    multi_head_attention,
    project_heads,
    repeat_key_value_heads,
    split_heads,
)


def arbitrary_mask():
    mask = torch.rand(2, 7, 11, generator=torch.Generator().manual_seed(7)) < 0.5
    mask[..., 0] = True
    return mask


MASKS = {
    "none": lambda: None,
    "padding": lambda: (torch.arange(11) < torch.tensor([[4], [11]]))[:, None, :],
    "causal": lambda: causal_mask(7, 11)[None],
    "arbitrary": arbitrary_mask,
}


each_mask = each("mask", [make() for make in MASKS.values()], ids=MASKS)


def assert_stages(stages, expected):
    for name, tensor in expected.items():
        ours = getattr(stages, name)
        torch.testing.assert_close(
            ours, tensor.to(ours.dtype), **TOLERANCE[ours.dtype], msg=lambda m, n=name: f"{n}: {m}"
        )


def rows_of(head, weights, kv=False):
    """Return the rows of W_Q (or of W_K and W_V) that belong to a head."""
    number = head // (weights.n_heads // weights.n_kv_heads) if kv else head
    return slice(number * weights.d_head, (number + 1) * weights.d_head)


def head_output(layer, head, mask):
    """Return one head's context: an attention of its own, on its own rows of the matrices."""
    weights = layer.weights

    def project(hidden, letter, kv):
        rows = rows_of(head, weights, kv)
        bias = getattr(weights, f"b_{letter}")
        weight = getattr(weights, f"W_{letter}")[rows]
        return linear(hidden, weight, None if bias is None else bias[rows])

    return attention(
        project(layer.target, "Q", False),
        project(layer.source, "K", True),
        project(layer.source, "V", True),
        mask=mask,
    ).output


@each_mask
def test_every_stage_against_plain_loops(layer, mask):
    stages = multi_head_attention(layer.target, layer.source, layer.weights, mask=mask)
    expected = slow.slow_multi_head(layer.target, layer.source, layer.weights, mask)
    assert_stages(stages, expected)


def test_self_attention_against_plain_loops(layer):
    mask = causal_mask(7)[None]
    stages = multi_head_attention(layer.target, layer.target, layer.weights, mask=mask)
    expected = slow.slow_multi_head(layer.target, layer.target, layer.weights, mask)
    assert_stages(stages, expected)


def test_shapes_of_every_stage(layer):
    n, kv = layer.weights.n_heads, layer.weights.n_kv_heads
    stages = multi_head_attention(layer.target, layer.source, layer.weights)
    assert {name: tuple(tensor.shape) for name, tensor in stages._asdict().items()} == {
        "query": (2, n, 7, 5),
        "key": (2, kv, 11, 5),
        "value": (2, kv, 11, 5),
        "probabilities": (2, n, 7, 11),
        "context": (2, 7, 5 * n),
        "output": (2, 7, 17),
    }


@each_mask
def test_equals_single_heads_concatenated_then_w_o(layer, mask):
    weights = layer.weights
    heads = [head_output(layer, head, mask) for head in range(weights.n_heads)]
    context = torch.cat(heads, dim=-1)
    stages = multi_head_attention(layer.target, layer.source, weights, mask=mask)
    output = linear(context, weights.W_O, weights.b_O)
    assert_stages(stages, {"context": context, "output": output})


@each_mask
def test_output_is_the_sum_over_heads_of_context_times_w_o_plus_bias(layer, mask):
    weights = layer.weights
    stages = multi_head_attention(layer.target, layer.source, weights, mask=mask)
    output = torch.zeros_like(stages.output)
    for head in range(weights.n_heads):
        columns = rows_of(head, weights)
        output = output + head_output(layer, head, mask) @ weights.W_O[:, columns].T
    if weights.b_O is not None:
        output = output + weights.b_O
    assert_stages(stages, {"output": output})


@each_mask
def test_equals_torch_scaled_dot_product_attention(layer, mask):
    weights = layer.weights
    query, key, value = project_heads(layer.target, layer.source, weights)
    heads = scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=None if mask is None else mask[:, None],
        enable_gqa=weights.n_kv_heads != weights.n_heads,
    )
    stages = multi_head_attention(layer.target, layer.source, weights, mask=mask)
    context, output = combine_heads(heads, weights)
    assert_stages(stages, {"context": context, "output": output})


@each("bias", [True, False], ids=["bias", "no bias"])
@each("crossed", [True, False], ids=["cross", "self"])
@each("masked", ["none", "padding", "arbitrary"])
def test_equals_torch_multi_head_attention(draw, dtype, bias, crossed, masked):
    theirs = torch.nn.MultiheadAttention(15, 3, bias=bias, batch_first=True, dtype=dtype)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.copy_(draw(*parameter.shape) / 2)
    theirs.eval()
    in_weights, in_biases = theirs.in_proj_weight.chunk(3), (None, None, None)
    if bias:
        in_biases = theirs.in_proj_bias.chunk(3)
    weights = LayerWeights(
        **dict(zip(("W_Q", "W_K", "W_V"), in_weights, strict=True)),
        **dict(zip(("b_Q", "b_K", "b_V"), in_biases, strict=True)),
        W_O=theirs.out_proj.weight,
        b_O=theirs.out_proj.bias,
        n_heads=3,
        n_kv_heads=3,
        scaling=5**-0.5,
    )
    target = draw(2, 7, 15)
    source = draw(2, 11, 15) if crossed else target
    n_key = source.shape[1]
    mask = None if masked == "none" else MASKS[masked]()[..., :n_key]
    # Theirs says True for a key that may not be looked at.
    arguments = {
        "none": {},
        "padding": {"key_padding_mask": None if mask is None else ~mask[:, 0]},
        "arbitrary": {"attn_mask": None if mask is None else (~mask).repeat_interleave(3, 0)},
    }[masked]
    output, probabilities = theirs(target, source, source, average_attn_weights=False, **arguments)
    stages = multi_head_attention(target, source, weights, mask=mask)
    assert_stages(stages, {"probabilities": probabilities, "output": output})


def test_grouped_heads_are_their_groups_heads_repeated(draw, dtype):
    weights = {name: draw(10, 17) / 3 for name in ("W_K", "W_V")}
    biases = {"b_K": draw(10), "b_V": draw(10)}
    shared = {
        "W_Q": draw(30, 17) / 3,
        "W_O": draw(17, 30) / 3,
        "b_Q": draw(30),
        "b_O": draw(17),
        "n_heads": 6,
        "scaling": 5**-0.5,
    }

    def repeated(tensor):
        """Return each group of five rows three times, next to one another."""
        return torch.cat([tensor[group : group + 5] for group in (0, 0, 0, 5, 5, 5)])

    grouped = LayerWeights(**shared, **weights, **biases, n_kv_heads=2)
    full = {name: repeated(tensor) for name, tensor in {**weights, **biases}.items()}
    ungrouped = LayerWeights(**shared, **full, n_kv_heads=6)
    target, source = draw(2, 7, 17), draw(2, 11, 17)
    one = multi_head_attention(target, source, grouped)
    other = multi_head_attention(target, source, ungrouped)
    torch.testing.assert_close(one.output, other.output, **TOLERANCE[dtype])
    torch.testing.assert_close(repeat_key_value_heads(one.key, 6), other.key, **TOLERANCE[dtype])


def test_repeat_gives_head_h_the_group_of_h():
    groups = torch.arange(2.0).reshape(1, 2, 1, 1)
    assert repeat_key_value_heads(groups, 6).flatten().tolist() == [0, 0, 0, 1, 1, 1]
    assert repeat_key_value_heads(groups, 2) is groups


def test_split_takes_consecutive_features(draw):
    features = draw(2, 7, 15)
    heads = split_heads(features, 3)
    for head in range(3):
        assert torch.equal(heads[:, head], features[..., 5 * head : 5 * head + 5])
    assert torch.equal(merge_heads(heads), features)


def test_the_scale_is_that_of_the_weights(layer):
    halved = replace(layer.weights, scaling=0.5 * layer.weights.scaling)
    expected = slow.slow_multi_head(layer.target, layer.source, halved, None)
    assert_stages(multi_head_attention(layer.target, layer.source, halved), expected)


def test_dropout_falls_on_the_probabilities_of_every_head(layer, dtype):
    torch.manual_seed(3)
    stages = multi_head_attention(layer.target, layer.source, layer.weights, dropout=0.3)
    plain = multi_head_attention(layer.target, layer.source, layer.weights)
    torch.manual_seed(3)
    dropped = torch.nn.functional.dropout(plain.probabilities, p=0.3)
    assert torch.equal(stages.probabilities, dropped)
    values = repeat_key_value_heads(stages.value, layer.weights.n_heads)
    torch.testing.assert_close(stages.context, merge_heads(dropped @ values), **TOLERANCE[dtype])


def test_weights_in_another_dtype_are_the_same_weights(layer):
    other = layer.weights.to(torch.float32)
    assert other.W_Q.dtype == other.W_O.dtype == torch.float32
    assert torch.equal(other.W_K, layer.weights.W_K.float())
    assert (other.b_Q is None) == (layer.weights.b_Q is None)
    same = ("n_heads", "n_kv_heads", "scaling", "d_head", "d_model")
    assert [getattr(other, name) for name in same] == [
        getattr(layer.weights, name) for name in same
    ]


@each(
    ("change", "sentence"),
    [
        (
            {"n_heads": 4, "n_kv_heads": 4},
            (
                "d_model (15) must be divisible by n_heads (4): "
                "every head gets d_model / n_heads features."
            ),
        ),
        (
            {"n_heads": 0},
            (
                "d_model (15) must be divisible by n_heads (0): "
                "every head gets d_model / n_heads features."
            ),
        ),
        (
            {"n_kv_heads": 2},
            (
                "n_heads (3) must be divisible by n_kv_heads (2): "
                "every key/value head serves the same number of query heads."
            ),
        ),
        (
            {"n_kv_heads": 0},
            (
                "n_heads (3) must be divisible by n_kv_heads (0): "
                "every key/value head serves the same number of query heads."
            ),
        ),
        (
            {"n_kv_heads": 1},
            "W_K has 15 rows, expected n_kv_heads × d_head = 1 × 5 = 5.",
        ),
    ],
)
def test_head_counts_that_do_not_fit_are_refused(change, sentence):
    square = torch.ones(15, 15)
    weights = LayerWeights(square, square, square, square, *[None] * 4, 3, 3, 1.0)
    with pytest.raises(ValueError, match=r"must be divisible|rows, expected") as caught:
        replace(weights, **change)
    assert str(caught.value) == sentence


def test_splitting_into_heads_that_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="divisible") as caught:
        split_heads(torch.ones(2, 7, 15), 4)
    assert str(caught.value) == (
        "d_model (15) must be divisible by n_heads (4): every head gets d_model / n_heads features."
    )


def _reversed_heads(tensor):
    return None if tensor is None else tensor.unflatten(0, (-1, 5)).flip(0).flatten(0, 1)


@each(
    "mistake",
    [
        pytest.param(lambda w: replace(w, scaling=1.0), id="scale omitted"),
        pytest.param(lambda w: replace(w, scaling=1 / math.sqrt(17)), id="scale of d_model"),
        pytest.param(lambda w: replace(w, scaling=1.0001 * w.scaling), id="scale off by 0.01 %"),
        pytest.param(lambda w: replace(w, W_Q=_reversed_heads(w.W_Q)), id="heads reversed"),
        pytest.param(lambda w: replace(w, W_V=w.W_K), id="value taken from key"),
        pytest.param(lambda w: replace(w, W_O=w.W_O.roll(5, 1)), id="W_O of other heads"),
    ],
)
def test_control_a_mistake_is_noticed(layer, mistake):
    expected = slow.slow_multi_head(layer.target, layer.source, layer.weights, None)
    stages = multi_head_attention(layer.target, layer.source, mistake(layer.weights))
    with pytest.raises(AssertionError, match="not close"):
        assert_stages(stages, {"output": expected["output"]})
