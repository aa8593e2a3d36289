"""Deliberate mistakes: attention as people get it wrong, each one a control of verification.

A mutation has the signature of `multi_head_attention` and returns all stages. A verification
that does not notice one of them proves nothing. Must not know: models, the rule.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from inspector.attention import (
    LayerWeights,
    MultiHeadStages,
    combine_heads,
    masked_softmax,
    multi_head_attention,
    project_heads,
    repeat_key_value_heads,
    scaled_dot_product_scores,
)

Change = Callable[[LayerWeights], LayerWeights]
Applies = Callable[[LayerWeights], bool]


@dataclass(frozen=True)
class Mutation:
    """One mistake, by name."""

    name: str
    weights: Change = lambda weights: weights
    """What the mistake does to the weights or the scaling."""
    mask: Callable[[Tensor | None], Tensor | None] = lambda mask: mask
    """What it does to the mask."""
    over_queries: bool = False
    """Whether the softmax runs over the queries."""
    applies: Applies = lambda weights: True
    """Whether it is a mistake at all in such a layer."""

    def __call__(
        self,
        target: Tensor,
        source: Tensor,
        weights: LayerWeights,
        *,
        mask: Tensor | None,
        dropout: float,
    ) -> MultiHeadStages:
        """Return all stages, computed with the mistake."""
        changed, changed_mask = self.weights(weights), self.mask(mask)
        if self.over_queries:
            return _softmax_over_queries(target, source, changed, changed_mask)
        return multi_head_attention(target, source, changed, mask=changed_mask, dropout=dropout)


def _softmax_over_queries(
    target: Tensor, source: Tensor, weights: LayerWeights, mask: Tensor | None
) -> MultiHeadStages:
    query, key, value = project_heads(target, source, weights)
    keys = repeat_key_value_heads(key, weights.n_heads)
    values = repeat_key_value_heads(value, weights.n_heads)
    scores = scaled_dot_product_scores(query, keys, weights.scaling)
    if mask is not None:
        scores = scores.masked_fill(~mask.unsqueeze(1), torch.finfo(scores.dtype).min)
    probabilities = masked_softmax(scores.transpose(-1, -2)).transpose(-1, -2)
    context, output = combine_heads(torch.matmul(probabilities, values), weights)
    return MultiHeadStages(query, key, value, probabilities, context, output)


def _scale_by(factor: Callable[[LayerWeights], float]) -> Change:
    return lambda weights: replace(weights, scaling=factor(weights))


def _without(bias: str) -> tuple[Change, Applies]:
    def drop(weights: LayerWeights) -> LayerWeights:
        without: dict[str, Any] = {bias: torch.zeros_like(getattr(weights, bias))}
        return replace(weights, **without)

    return drop, lambda weights: getattr(weights, bias) is not None


def _reorder_heads(order: Callable[[Tensor, int], Tensor]) -> Change:
    """Return a change of which rows of W_Q, W_K, W_V belong to which head; W_O stays."""

    def change(weights: LayerWeights) -> LayerWeights:
        n_groups = {"Q": weights.n_heads, "K": weights.n_kv_heads, "V": weights.n_kv_heads}
        reordered: dict[str, Any] = {
            f"{kind}_{letter}": order(tensor, n_heads)
            for letter, n_heads in n_groups.items()
            for kind in "Wb"
            if (tensor := getattr(weights, f"{kind}_{letter}")) is not None
        }
        return replace(weights, **reordered)

    return change


def _reversed_rows(tensor: Tensor, n_heads: int) -> Tensor:
    return torch.unflatten(tensor, 0, (n_heads, -1)).flip(0).flatten(0, 1)


def _interleaved_rows(tensor: Tensor, n_heads: int) -> Tensor:
    return torch.unflatten(tensor, 0, (-1, n_heads)).transpose(0, 1).flatten(0, 1)


def _many_heads(weights: LayerWeights) -> bool:
    return weights.n_heads > 1


def _many_wide_heads(weights: LayerWeights) -> bool:
    # With one feature a head, taking every n-th row is taking them in order.
    return weights.n_heads > 1 and weights.d_head > 1


def _transpose(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else mask.expand(-1, mask.shape[-1], -1).transpose(-1, -2)


_DROP_Q, _HAS_Q = _without("b_Q")
_DROP_K, _HAS_K = _without("b_K")
_DROP_V, _HAS_V = _without("b_V")
_DROP_O, _HAS_O = _without("b_O")

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "scale omitted",
        _scale_by(lambda weights: 1.0),
        applies=lambda weights: weights.scaling != 1.0,
    ),
    Mutation(
        "scale of d_model",
        _scale_by(lambda weights: weights.d_model**-0.5),
        applies=_many_heads,
    ),
    Mutation("scale off by 0.01 %", _scale_by(lambda weights: 1.0001 * weights.scaling)),
    Mutation("mask dropped", mask=lambda mask: None),
    Mutation("mask transposed", mask=_transpose),
    Mutation("softmax over queries", over_queries=True),
    Mutation("heads reversed", _reorder_heads(_reversed_rows), applies=_many_heads),
    Mutation("heads interleaved", _reorder_heads(_interleaved_rows), applies=_many_wide_heads),
    Mutation("query bias dropped", _DROP_Q, applies=_HAS_Q),
    Mutation("key bias dropped", _DROP_K, applies=_HAS_K),
    Mutation("value bias dropped", _DROP_V, applies=_HAS_V),
    Mutation("output bias dropped", _DROP_O, applies=_HAS_O),
    Mutation(
        "W_O transposed",
        lambda weights: replace(weights, W_O=weights.W_O.T),
        applies=lambda weights: weights.W_O.shape[0] == weights.W_O.shape[1],
    ),
    Mutation(
        "query and key swapped",
        lambda weights: replace(
            weights, W_Q=weights.W_K, b_Q=weights.b_K, W_K=weights.W_Q, b_K=weights.b_Q
        ),
        applies=lambda weights: weights.n_heads == weights.n_kv_heads,
    ),
    Mutation(
        "value taken from key",
        lambda weights: replace(weights, W_V=weights.W_K, b_V=weights.b_K),
    ),
)
