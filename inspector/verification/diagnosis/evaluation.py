"""A plan, and what it makes of a layer and an input: all stages, whatever was changed.

A plan is the steps of `inspector.attention` with some of them replaced; what computes is
attention itself. What two plans have in common is computed once. The arithmetic may be exchanged,
too: another right order of the same sums shows how far rounding alone can go.
Must not know: mistakes, models.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from inspector.attention import LayerWeights, Steps, attend_heads, combine_heads, project_heads
from inspector.attention.softmax import Softmax, mask_before_softmax, over_keys
from inspector.verification.diagnosis.arithmetic import PLAIN, Arithmetic
from inspector.verification.diagnosis.layer import Layer, Probe
from inspector.verification.diagnosis.steps import hide_padding

_KEPT = 128


@dataclass(frozen=True)
class Plan(Steps):
    """One way of computing a layer: a function for each step; those of the equations by default."""

    hidden: tuple[Callable[[Tensor, Layer], Tensor], ...] = ()
    """What is done with the hidden states first, in turn."""
    weights: tuple[Callable[[LayerWeights], LayerWeights], ...] = ()
    """What is done with the weights first, in turn."""
    padding: Callable[[Tensor, int], Tensor | None] = hide_padding
    """(which tokens are real, their number) → where queries may look."""
    finish: tuple[Callable[[Tensor, Tensor, Layer], Tensor], ...] = ()
    """What is done with the output, in turn: (output, hidden states, layer) → output."""

    def changed(self, changes: dict[str, Any]) -> "Plan":
        """Return the plan with other steps; what is done in turn is added at the end."""
        added: dict[str, Any] = {
            name: (*getattr(self, name), *step) if isinstance(step, tuple) else step
            for name, step in changes.items()
        }
        return replace(self, **added)


REFERENCE = Plan()
STEPS = tuple(field.name for field in fields(Plan))
# What a part of the computation does not depend on.
_AFTER_HEADS = ("merge", "context_rounding", "combine", "finish")
_AFTER_PROJECTION = (
    *_AFTER_HEADS, "share", "masking", "softmax", "rounding", "mix", "factor", "score", "bias",
    "order", "padding",
)  # fmt: skip


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


class _Heads(NamedTuple):
    """What a plan's heads take home, and how they came to it."""

    scores: Tensor
    allowed: Tensor | None
    probabilities: Tensor
    output: Tensor


class Evaluator:
    """Computes plans of one layer on one input, in one dtype and arithmetic."""

    def __init__(
        self, layer: Layer, probe: Probe, dtype: torch.dtype, arithmetic: Arithmetic = PLAIN
    ) -> None:
        """Keep what all plans start from, in the dtype given."""
        self.layer = replace(layer, weights=layer.weights.to(dtype))
        self.probe, self._arithmetic = probe, arithmetic
        self._hidden = probe.hidden.to(dtype)
        self._weights_of = lru_cache(_KEPT)(self._changed_weights)
        self._projected_by = lru_cache(_KEPT)(self._projected)
        self._attended_by = lru_cache(_KEPT)(self._attended)

    def __call__(self, plan: Plan) -> Stages:
        """Return every stage of the plan."""
        computed = self._in_arithmetic(plan)
        query, key, value = self._projected_by(_without(computed, _AFTER_PROJECTION))
        heads = self._attended_by(_without(computed, _AFTER_HEADS))
        context, output = combine_heads(heads.output, self._weights_of(plan.weights), computed)
        if self.layer.residual:
            output = output + self._hidden
        for step in plan.finish:
            output = step(output, self._hidden, self.layer)
        defined = self._defined(plan, heads.allowed)
        return Stages(
            query, key, value, heads.scores, heads.probabilities, context, output, heads.allowed,
            defined,
        )  # fmt: skip

    def _in_arithmetic(self, plan: Plan) -> Plan:
        """Return the plan with its sums taken in this order, where it changes none of them."""
        changes = {
            name: step
            for name, step in self._arithmetic.items()
            if getattr(plan, name) is getattr(REFERENCE, name)
        }
        return replace(plan, **changes)

    def _changed_weights(self, changes: tuple[Callable[..., LayerWeights], ...]) -> LayerWeights:
        weights = self.layer.weights
        for change in changes:
            weights = change(weights)
        return weights

    def _projected(self, plan: Plan) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self._hidden
        for step in plan.hidden:
            hidden = step(hidden, self.layer)
        return project_heads(hidden, hidden, self._weights_of(plan.weights), plan)

    def _attended(self, plan: Plan) -> _Heads:
        seen: list[tuple[Tensor, Tensor | None]] = []

        def masking(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
            seen.append((scores, allowed))
            return plan.masking(scores, allowed, softmax)

        padding = self.probe.padding
        output, probabilities = attend_heads(
            *self._projected_by(_without(plan, _AFTER_PROJECTION)),
            self._weights_of(plan.weights),
            mask=None if padding is None else plan.padding(padding, padding.shape[1]),
            steps=replace(plan, masking=masking),
        )
        scores, allowed = seen[0]
        return _Heads(scores, allowed, probabilities, output)

    def _defined(self, plan: Plan, allowed: Tensor | None) -> Tensor:
        batch, query = self._hidden.shape[:2]
        if allowed is None or plan.masking is not mask_before_softmax:
            return torch.ones(batch, query, dtype=torch.bool)
        if not over_keys(plan.softmax):
            return torch.ones(batch, query, dtype=torch.bool)
        rows = allowed.any(-1)
        rows = rows if rows.ndim == 1 else rows[:, 0]
        return rows.expand(batch, query)


def _without(plan: Plan, later: tuple[str, ...]) -> Plan:
    """Return the plan with its later steps as the equations have them."""
    own: dict[str, Any] = {name: getattr(REFERENCE, name) for name in later}
    return replace(plan, **own)
