"""Deliberate mistakes: attention as people get it wrong, each one a control of verification.

A mutation has the signature of `multi_head_attention` and returns all stages. A verification
that does not notice one of them proves nothing. Must not know: models, the rule.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from inspector.attention import STEPS, LayerWeights, MultiHeadStages, Steps, multi_head_attention
from inspector.attention.softmax import SoftmaxOver
from inspector.verification.weight_changes import (
    Applies,
    Change,
    are_square,
    has,
    interleaved_rows,
    many_heads,
    many_wide_heads,
    no_groups,
    reorder_heads,
    reversed_rows,
    scale_by,
    swap_query_and_key,
    transposed,
    value_from_key,
    without,
)


@dataclass(frozen=True)
class Mutation:
    """One mistake, by name."""

    name: str
    weights: Change = lambda weights: weights
    """What the mistake does to the weights or the scaling."""
    mask: Callable[[Tensor | None], Tensor | None] = lambda mask: mask
    """What it does to the mask."""
    steps: Steps = STEPS
    """The steps that it computes with."""
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
        return multi_head_attention(
            target,
            source,
            self.weights(weights),
            mask=self.mask(mask),
            dropout=dropout,
            steps=self.steps,
        )


def _without_order(weights: LayerWeights) -> LayerWeights:
    """Return the weights of a layer that hides nothing by itself: the mask says it all."""
    return replace(weights, causal=False, window=None)


def _transpose(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else mask.expand(-1, mask.shape[-1], -1).transpose(-1, -2)


MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "scale omitted",
        scale_by(lambda weights: 1.0),
        applies=lambda weights: weights.scaling != 1.0,
    ),
    Mutation(
        "scale of d_model", scale_by(lambda weights: weights.d_model**-0.5), applies=many_heads
    ),
    Mutation("scale off by 0.01 %", scale_by(lambda weights: 1.0001 * weights.scaling)),
    Mutation("mask dropped", _without_order, mask=lambda mask: None),
    Mutation("mask transposed", _without_order, mask=_transpose),
    Mutation("softmax over queries", steps=replace(STEPS, softmax=SoftmaxOver(-2))),
    Mutation("heads reversed", reorder_heads(reversed_rows), applies=many_heads),
    Mutation("heads interleaved", reorder_heads(interleaved_rows), applies=many_wide_heads),
    Mutation("query bias dropped", without("b_Q"), applies=has("b_Q")),
    Mutation("key bias dropped", without("b_K"), applies=has("b_K")),
    Mutation("value bias dropped", without("b_V"), applies=has("b_V")),
    Mutation("output bias dropped", without("b_O"), applies=has("b_O")),
    Mutation("W_O transposed", transposed("O"), applies=are_square("O")),
    Mutation("query and key swapped", swap_query_and_key, applies=no_groups),
    Mutation("value taken from key", value_from_key),
)
