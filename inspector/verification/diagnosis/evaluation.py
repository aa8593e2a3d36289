"""A plan, and what it makes of a layer and an input: all stages, whatever was changed.

What two plans have in common is computed once. The arithmetic may be exchanged, too: another
right order of the same sums shows how far rounding alone can go.
Must not know: mistakes, models.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from inspector.attention import LayerWeights, merge_heads, repeat_key_value_heads, split_heads
from inspector.verification.diagnosis.arithmetic import PLAIN, Arithmetic
from inspector.verification.diagnosis.layer import Layer, Probe
from inspector.verification.diagnosis.steps import (
    Softmax,
    hide_later,
    hide_padding,
    mask_before_softmax,
    over_keys,
    over_the_keys,
    own_bias,
    own_factor,
    rotate_query_and_key,
    unrounded,
)

_KEPT = 128


def apply_output(context: Tensor, weights: LayerWeights, arithmetic: Arithmetic) -> Tensor:
    """Return the context after W_O."""
    return arithmetic.linear(context, weights.W_O, weights.b_O)


@dataclass(frozen=True)
class Plan:
    """One way of computing a layer: a function for each step; those of the equations by default."""

    hidden: tuple[Callable[[Tensor, Layer], Tensor], ...] = ()
    weights: tuple[Callable[[LayerWeights], LayerWeights], ...] = ()
    split: Callable[[Tensor, int], Tensor] = split_heads
    rotate: Callable[..., tuple[Tensor, Tensor, Tensor]] = rotate_query_and_key
    heads_rounding: Callable[[Tensor], Tensor] = unrounded
    share: Callable[[Tensor, int], Tensor] = repeat_key_value_heads
    factor: Callable[[LayerWeights], float] = own_factor
    bias: Callable[[LayerWeights, int], Tensor | None] = own_bias
    padding: Callable[[Tensor, int], Tensor | None] = hide_padding
    causal: Callable[[bool, int], Tensor | None] = hide_later
    masking: Callable[[Tensor, Tensor | None, Softmax], Tensor] = mask_before_softmax
    softmax: Softmax = over_the_keys
    rounding: Callable[[Tensor], Tensor] = unrounded
    merge: Callable[[Tensor], Tensor] = merge_heads
    context_rounding: Callable[[Tensor], Tensor] = unrounded
    combine: Callable[[Tensor, LayerWeights, Arithmetic], Tensor] = apply_output
    finish: tuple[Callable[[Tensor, Tensor, Layer], Tensor], ...] = ()

    def changed(self, changes: dict[str, Any]) -> "Plan":
        """Return the plan with other steps; what is done in turn is added at the end."""
        added: dict[str, Any] = {
            name: (*getattr(self, name), *step) if isinstance(step, tuple) else step
            for name, step in changes.items()
        }
        return replace(self, **added)


REFERENCE = Plan()
STEPS = tuple(field.name for field in fields(Plan))


class Stages(NamedTuple):
    """What a plan computes."""

    query: Tensor
    key: Tensor
    value: Tensor
    scores: Tensor
    probabilities: Tensor
    context: Tensor
    output: Tensor
    allowed: Tensor | None
    """Where queries may look, (batch or 1, 1, query, key) or (query, key); None for everywhere."""
    defined: Tensor
    """(batch, query): whether the query may look anywhere at all."""


class Evaluator:
    """Computes plans of one layer on one input, in one dtype and arithmetic."""

    def __init__(
        self, layer: Layer, probe: Probe, dtype: torch.dtype, arithmetic: Arithmetic = PLAIN
    ) -> None:
        """Keep what all plans start from, in the dtype given."""
        self.layer = replace(layer, weights=layer.weights.to(dtype))
        self.probe, self.arithmetic = probe, arithmetic
        self._hidden = probe.hidden.to(dtype)
        self._weights_of = lru_cache(_KEPT)(self._changed_weights)
        self._projected_by = lru_cache(_KEPT)(self._projected)
        self._products_by = lru_cache(_KEPT)(self._products)
        self._attended_by = lru_cache(_KEPT)(self._attended)

    def __call__(self, plan: Plan) -> Stages:
        """Return every stage of the plan."""
        weights = self._weights_of(plan.weights)
        projection = (plan.hidden, plan.weights, plan.split, plan.rotate, plan.heads_rounding)
        query, key, value = self._projected_by(*projection)
        scores, allowed, probabilities = self._attended_by(
            projection, plan.share, plan.factor, plan.bias, plan.padding, plan.causal,
            plan.masking, plan.softmax, plan.rounding,
        )  # fmt: skip
        values = plan.share(value, weights.n_heads)
        heads = self.arithmetic.matmul(probabilities, values)
        context = plan.context_rounding(plan.merge(heads))
        output = plan.combine(context, weights, self.arithmetic)
        if self.layer.residual:
            output = output + self._hidden
        for step in plan.finish:
            output = step(output, self._hidden, self.layer)
        defined = self._defined(plan, allowed)
        return Stages(query, key, value, scores, probabilities, context, output, allowed, defined)

    def _changed_weights(self, changes: tuple[Callable[..., LayerWeights], ...]) -> LayerWeights:
        weights = self.layer.weights
        for change in changes:
            weights = change(weights)
        return weights

    def _projected(
        self,
        hidden_steps: tuple[Callable[..., Tensor], ...],
        changes: tuple[Callable[..., LayerWeights], ...],
        split: Callable[..., Tensor],
        rotate: Callable[..., tuple[Tensor, Tensor, Tensor]],
        rounding: Callable[[Tensor], Tensor],
    ) -> tuple[Tensor, Tensor, Tensor]:
        weights, hidden = self._weights_of(changes), self._hidden
        for step in hidden_steps:
            hidden = step(hidden, self.layer)
        linear = self.arithmetic.linear
        query = split(linear(hidden, weights.W_Q, weights.b_Q), weights.n_heads)
        key = split(linear(hidden, weights.W_K, weights.b_K), weights.n_kv_heads)
        value = split(linear(hidden, weights.W_V, weights.b_V), weights.n_kv_heads)
        if weights.rotary_cos is not None and weights.rotary_sin is not None:
            n = hidden.shape[1]
            query, key, value = rotate(
                query, key, value, weights.rotary_cos[:n], weights.rotary_sin[:n]
            )
        return rounding(query), rounding(key), rounding(value)

    def _products(
        self, projection: tuple[Any, ...], share: Callable[..., Tensor], factor: float | None
    ) -> Tensor:
        query, key, _ = self._projected_by(*projection)
        keys = share(key, query.shape[1]).transpose(-1, -2)
        return self.arithmetic.matmul(query if factor is None else query * factor, keys)

    def _attended(
        self,
        projection: tuple[Any, ...],
        share: Callable[..., Tensor],
        factor_of: Callable[[LayerWeights], float],
        bias_of: Callable[..., Tensor | None],
        padding: Callable[..., Tensor | None],
        causal: Callable[..., Tensor | None],
        masking: Callable[..., Tensor],
        softmax: Callable[[Tensor], Tensor],
        rounding: Callable[[Tensor], Tensor],
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        weights = self._weights_of(projection[1])
        factor = factor_of(weights)
        if self.arithmetic.scale_first:
            scores = self._products_by(projection, share, factor)
        else:
            scores = self._products_by(projection, share, None) * factor
        n = scores.shape[-1]
        bias = bias_of(weights, n)
        if bias is not None:
            scores = scores + bias
        allowed = causal(weights.causal, n)
        if self.probe.padding is not None:
            unpadded = padding(self.probe.padding, n)
            if unpadded is not None:
                allowed = unpadded if allowed is None else allowed & unpadded
        own = self.arithmetic.softmax
        probabilities = masking(
            scores, allowed, own if own and softmax is over_the_keys else softmax
        )
        return scores, allowed, rounding(probabilities)

    def _defined(self, plan: Plan, allowed: Tensor | None) -> Tensor:
        batch, query = self._hidden.shape[:2]
        if allowed is None or plan.masking is not mask_before_softmax:
            return torch.ones(batch, query, dtype=torch.bool)
        if not over_keys(plan.softmax):
            return torch.ones(batch, query, dtype=torch.bool)
        rows = allowed.any(-1)
        rows = rows if rows.ndim == 1 else rows[:, 0]
        return rows.expand(batch, query)
