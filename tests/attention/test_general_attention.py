"""What real models add to attention: bias, cap, sinks, shared heads, the softmax's own precision.

Every combination against loops over floats; every single one left out, as a control.
"""

import itertools
from functools import partial

import pytest
import torch
from support.each import each
from support.slow.attention import slow_general_attention
from support.tolerances import TOLERANCE

from inspector.attention import (
    attention,
    capped_scores,
    masked_softmax,
    repeat_key_value_heads,
    scaled_dot_product_scores,
)
from inspector.attention.masks import check_broadcasts

N_BATCH, N_HEADS, N_QUERY, N_KEY, D_HEAD, D_VALUE = 2, 6, 5, 7, 11, 13
SCALING = 0.4


@pytest.fixture
def heads(draw):
    """Return a function: number of key/value heads → query, key, value."""

    def drawn(n_kv_heads):
        return (
            draw(N_BATCH, N_HEADS, N_QUERY, D_HEAD),
            draw(N_BATCH, n_kv_heads, N_KEY, D_HEAD),
            draw(N_BATCH, n_kv_heads, N_KEY, D_VALUE),
        )

    return drawn


def arbitrary_mask():
    mask = torch.rand(N_BATCH, 1, N_QUERY, N_KEY, generator=torch.Generator().manual_seed(7)) < 0.5
    mask[1, 0, 3] = False  # a query without a key
    return mask


BIASES = {
    "no bias": lambda draw: None,
    "bias for all texts": lambda draw: draw(1, N_HEADS, N_QUERY, N_KEY),
    "bias of each text": lambda draw: draw(N_BATCH, 1, N_QUERY, N_KEY),
    "bias of keys": lambda draw: draw(1, N_HEADS, 1, N_KEY),
}
SINKS = {
    "no sinks": lambda draw: None,
    "sinks of heads": lambda draw: draw(1, N_HEADS, 1, 1),
    "sinks of queries": lambda draw: draw(N_BATCH, N_HEADS, N_QUERY, 1),
}


def assert_attended(attended, expected):
    output, probabilities = expected
    tolerance = TOLERANCE[attended.output.dtype]
    dtype = attended.output.dtype
    torch.testing.assert_close(attended.probabilities, probabilities.to(dtype), **tolerance)
    torch.testing.assert_close(attended.output, output.to(dtype), **tolerance)


def ours(query, key, value, *, scaling, **options):
    score = partial(scaled_dot_product_scores, scaling=scaling)
    return attention(query, key, value, score=score, **options)


@each(
    ("bias", "softcap", "sinks", "masked", "n_kv_heads"),
    [
        *itertools.product(BIASES, (None, 0.7), SINKS, (True,), (2,)),
        *itertools.product(BIASES, (0.7,), SINKS, (False,), (1, 6)),
    ],
)
def test_every_combination_equals_loops(heads, draw, bias, softcap, sinks, masked, n_kv_heads):
    options = {
        "mask": arbitrary_mask() if masked else None,
        "bias": BIASES[bias](draw),
        "softcap": softcap,
        "sinks": SINKS[sinks](draw),
        "scaling": SCALING,
    }
    inputs = heads(n_kv_heads)
    attended = ours(*inputs, **options)
    assert_attended(attended, slow_general_attention(*inputs, **options))
    assert attended.output.shape == (N_BATCH, N_HEADS, N_QUERY, D_VALUE)
    if masked:
        assert not attended.probabilities[1, :, 3].any()
        assert not attended.output[1, :, 3].any()


@each("left_out", ["mask", "bias", "softcap", "sinks", "scaling", "tiled"])
def test_control_what_is_left_out_is_noticed(heads, draw, left_out):
    options = {
        "mask": arbitrary_mask(),
        "bias": draw(1, N_HEADS, N_QUERY, N_KEY),
        "softcap": 0.7,
        "sinks": draw(1, N_HEADS, 1, 1),
        "scaling": SCALING,
    }
    query, key, value = heads(2)
    expected = slow_general_attention(query, key, value, **options)
    if left_out == "tiled":  # heads in turn, not in groups
        key, value = key.repeat(1, 3, 1, 1), value.repeat(1, 3, 1, 1)
    else:
        options[left_out] = 1.0 if left_out == "scaling" else None
    with pytest.raises(AssertionError, match="not close"):
        assert_attended(ours(query, key, value, **options), expected)


def test_the_cap_is_applied_before_the_bias(heads, draw):
    """A bias beyond the cap keeps its whole size, as in T5Gemma's masks."""
    inputs, bias = heads(6), 10.0 * draw(1, 1, N_QUERY, N_KEY)
    options = {"mask": None, "bias": bias, "softcap": 0.5, "sinks": None, "scaling": SCALING}
    assert_attended(ours(*inputs, **options), slow_general_attention(*inputs, **options))
    bent = capped_scores(inputs[0] @ inputs[1].mT * SCALING + bias, 0.5).softmax(-1)
    assert (ours(*inputs, **options).probabilities - bent).abs().max() > 0.1


def test_sinks_take_their_share_and_give_nothing(draw):
    scores, sinks = draw(3, 5), draw(3, 1)
    with_sinks = masked_softmax(scores, sinks=sinks)
    shares = torch.cat([scores, sinks], dim=-1).softmax(-1)
    torch.testing.assert_close(with_sinks, shares[:, :-1], **TOLERANCE[scores.dtype])
    assert bool((with_sinks.sum(-1) < 1.0).all())


def test_gradients_are_finite_with_everything_and_a_row_without_a_key(heads, draw):
    query, key, value = (tensor.requires_grad_() for tensor in heads(2))
    bias, sinks = (draw(1, N_HEADS, *shape).requires_grad_() for shape in ((5, 7), (1, 1)))
    attended = ours(
        query, key, value,
        mask=arbitrary_mask(), bias=bias, softcap=0.7, sinks=sinks, scaling=SCALING,
    )  # fmt: skip
    attended.output.square().sum().backward()
    for tensor in (query, key, value, bias, sinks):
        assert bool(tensor.grad.isfinite().all())
        assert bool(tensor.grad.any())


class TestPrecision:
    def test_a_softmax_in_float32_rounds_what_float64_keeps(self):
        scores = torch.randn(5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        rounded = masked_softmax(scores, dtype=torch.float32)
        assert rounded.dtype == torch.float64
        assert torch.equal(rounded, scores.float().softmax(-1).double())
        assert not torch.equal(rounded, masked_softmax(scores))

    def test_a_softmax_in_a_half_type_when_asked_for(self):
        scores = torch.randn(5, 7, generator=torch.Generator().manual_seed(0)).bfloat16()
        asked = masked_softmax(scores, dtype=torch.bfloat16)
        assert torch.equal(asked, scores.softmax(-1))

    def test_attention_hands_the_precision_on(self, draw):
        query, key, value = draw(2, 5, 11), draw(2, 7, 11), draw(2, 7, 3)
        attended = attention(query, key, value, softmax_dtype=torch.float32)
        expected = masked_softmax(scaled_dot_product_scores(query, key), dtype=torch.float32)
        assert torch.equal(attended.probabilities, expected)


class TestRefused:
    @each("softcap", [0.0, -1.0, float("nan")])
    def test_a_cap_that_is_not_positive(self, draw, softcap):
        with pytest.raises(ValueError, match="softcap") as caught:
            capped_scores(draw(2, 3), softcap)
        assert str(caught.value) == (
            f"softcap ({softcap}) must be positive: scores are soft-capped at it."
        )

    def test_heads_that_do_not_divide(self, draw):
        with pytest.raises(ValueError, match="n_heads") as caught:
            repeat_key_value_heads(draw(1, 4, 3, 2), 6)
        assert str(caught.value) == (
            "n_heads (6) must be divisible by n_kv_heads (4): "
            "every key/value head serves the same number of query heads."
        )

    def test_what_does_not_broadcast(self):
        with pytest.raises(ValueError, match="broadcast") as caught:
            check_broadcasts("bias", torch.zeros(3, 7), torch.Size([2, 6, 5, 7]))
        assert str(caught.value) == (
            "bias has shape (3, 7), which does not broadcast to (…, query, key) = (2, 6, 5, 7)."
        )
        with pytest.raises(ValueError, match=r"^sinks has shape \(6, 1\), .* \(…, query, 1\) = "):
            check_broadcasts("sinks", torch.zeros(6, 1), torch.Size([2, 6, 5, 1]), "(…, query, 1)")

    @pytest.mark.parametrize(("option", "shape"), [("bias", (3, 7)), ("sinks", (6, 1))])
    def test_attention_refuses_it_too(self, heads, draw, option, shape):
        with pytest.raises((ValueError, TypeError)):
            attention(*heads(6), **{option: draw(*shape)})

    def test_texts_are_not_taken_for_groups_of_heads(self, draw):
        """Without an axis of heads there is nothing to share: another number is a mistake."""
        with pytest.raises((RuntimeError, ValueError, TypeError)):
            attention(draw(6, 5, 11), draw(2, 7, 11), draw(2, 7, 13))
