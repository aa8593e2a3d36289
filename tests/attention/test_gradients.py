"""Every gradient against finite differences, in float64."""

import pytest
import torch
from support.each import each
from torch.autograd import gradcheck

from inspector.attention import (
    LayerWeights,
    additive_scores,
    attention,
    causal_mask,
    dot_product_scores,
    general_scores,
    masked_softmax,
    multi_head_attention,
    scaled_dot_product_scores,
)

HOLED = torch.tensor([[True, False, True, True, False], [False] * 5, [True] * 5])
MASKS = {
    "none": None,
    "padding": torch.tensor([[True, True, True, False, False]]),
    "causal": causal_mask(3, 5),
    "with an empty row": HOLED,
}


def leaves(*shapes):
    generator = torch.Generator().manual_seed(11)
    return tuple(
        torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in shapes
    )


@each(
    ("score", "shapes"),
    [
        (dot_product_scores, [(2, 3, 7), (2, 5, 7)]),
        (scaled_dot_product_scores, [(2, 3, 7), (2, 5, 7)]),
        (general_scores, [(2, 3, 7), (2, 5, 2), (7, 2)]),
        (additive_scores, [(2, 3, 7), (2, 5, 2), (11, 7), (11, 2), (11,)]),
    ],
    ids=["dot", "scaled dot", "general", "additive"],
)
def test_scores(score, shapes):
    assert gradcheck(score, leaves(*shapes))


@each("mask", MASKS.values(), ids=MASKS)
def test_softmax(mask):
    assert gradcheck(lambda scores: masked_softmax(scores, mask), leaves((2, 3, 5)))


@each("mask", MASKS.values(), ids=MASKS)
def test_attention(mask):
    assert gradcheck(
        lambda q, k, v: tuple(attention(q, k, v, mask=mask)),
        leaves((2, 3, 7), (2, 5, 7), (2, 5, 2)),
    )


@each("n_kv_heads", [4, 2], ids=["heads", "grouped heads"])
@each("mask", MASKS.values(), ids=MASKS)
def test_multi_head(mask, n_kv_heads):
    narrow = 2 * n_kv_heads
    shapes = [(1, 3, 7), (1, 5, 7), (8, 7), (narrow, 7), (narrow, 7), (7, 8)]
    shapes += [(8,), (narrow,), (narrow,), (7,)]

    def run(target, source, *matrices):
        weights = LayerWeights(*matrices, n_heads=4, n_kv_heads=n_kv_heads, scaling=2**-0.5)
        batched = None if mask is None else mask[None]
        return tuple(multi_head_attention(target, source, weights, mask=batched))

    assert gradcheck(run, leaves(*shapes))


def test_control_a_wrong_gradient_is_noticed():
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(context, scores):
            return torch.softmax(scores, -1)

        @staticmethod
        def backward(context, gradient):
            return 1.001 * gradient

    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        gradcheck(Wrong.apply, leaves((2, 3, 5)))
