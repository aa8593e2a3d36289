"""A plan, and what it makes of a layer and an input: all stages, whatever was changed.

A plan is the steps of `inspector.attention` with some of them replaced; what computes is
attention itself. What two plans have in common is computed once. The arithmetic may be exchanged,
too: another right order of the same sums shows how far rounding alone can go.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from inspector.attention import LayerWeights, Steps, attend_heads, combine_heads, project_heads
from inspector.attention.softmax import Softmax, mask_before_softmax, over_keys
from inspector.verification.diagnosis.arithmetic import PLAIN, Arithmetic
from inspector.verification.diagnosis.layer import Layer, Probe


def hide_padding(padding: Tensor, n_tokens: int) -> Tensor | None:
    """Return where queries may look, (batch, 1, query, key), given which tokens are real."""
    return padding[:, None, None, :].expand(-1, -1, n_tokens, -1)


def mask_with_infinity(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
    """Return the same as one who fills with −∞ and thinks no further: NaN where no key is left."""
    return softmax(scores if allowed is None else scores.masked_fill(~allowed, float("-inf")))


def mask_with_nothing(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
    """Return the same as one who fills with the smallest number: uniform where no key is left."""
    least = torch.finfo(scores.dtype).min
    return softmax(scores if allowed is None else scores.masked_fill(~allowed, least))


# So many results are kept, and of long texts no more than hold so many scores together.
_KEPT, _SCORES_KEPT = 128, 2**24
Made = TypeVar("Made")


@dataclass(frozen=True)
class Plan(Steps):
    """One way of computing a layer: a function for each step; those of the equations by default."""

    hidden: tuple[Callable[[Tensor, Layer], Tensor], ...] = ()
    """What is done with the hidden states first, in turn."""
    weights: tuple[Callable[[LayerWeights], LayerWeights], ...] = ()
    """What is done with the weights first, in turn."""
    terms: tuple[Callable[[Any], Any], ...] = ()
    """What is done, in turn, with the terms of an attention call, where that is all one knows."""
    padding: Callable[[Tensor, int], Tensor | None] = hide_padding
    """(which tokens are real, their number) → where queries may look."""
    batch_first: bool = True
    """Whether the first axis is the batch; else it is taken for the tokens, the second for it."""
    heads: tuple[Callable[[Tensor], Tensor], ...] = ()
    """What is done with the heads' outputs before they are merged, in turn."""
    finish: tuple[Callable[[Tensor, Tensor, Layer], Tensor], ...] = ()
    """What is done with the output, in turn: (output, hidden states, layer) → output."""

    def changed(self, changes: dict[str, Any]) -> "Plan":
        """Return the plan with other steps; what is done in turn is added at the end."""
        added: dict[str, Any] = {
            name: (*getattr(self, name), *step) if isinstance(step, tuple) else step
            for name, step in changes.items()
        }
        return replace(self, **added)

    def weights_of(self, weights: LayerWeights) -> LayerWeights:
        """Return the weights that it computes with."""
        for change in self.weights:
            weights = change(weights)
        return weights


REFERENCE = Plan()
# What queries, keys and values follow from, and what the heads' outputs do.
_PROJECTING = attrgetter(
    "batch_first", "hidden", "weights", "linear", "split", "norm", "rotate", "heads_rounding"
)  # fmt: skip
_ATTENDING = attrgetter(
    "share", "factor", "score", "bias", "order", "padding", "masking", "softmax", "rounding", "mix"
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
        self._weights_of = lru_cache(_KEPT)(
            lambda changes: Plan(weights=changes).weights_of(self.layer.weights)
        )
        texts, longest = probe.hidden.shape[:2]
        scores = texts * layer.weights.n_heads * longest**2
        self._n_kept = max(1, min(_KEPT, _SCORES_KEPT // scores))
        self._projected_by: dict[Any, tuple[Tensor, Tensor, Tensor]] = {}
        self._attended_by: dict[Any, _Heads] = {}

    def __call__(self, plan: Plan) -> Stages:
        """Return every stage of the plan."""
        computed = self._in_arithmetic(plan)
        projection, projecting = self._projected(computed)
        heads = _kept(
            self._attended_by,
            (projecting, _ATTENDING(computed)),
            lambda: self._attended(computed, projection),
            self._n_kept,
        )
        mixed = heads.output
        for change in plan.heads:
            mixed = change(mixed)
        context, output = combine_heads(mixed, self._weights_of(plan.weights), computed)
        defined = self._defined(plan, heads)
        if not plan.batch_first:
            context, output, defined = (each.transpose(0, 1) for each in (context, output, defined))
            query, key, value = (each.transpose(0, 2) for each in projection)
            projection = query, key, value
        if self.layer.residual:
            output = output + self._hidden
        for step in plan.finish:
            output = step(output, self._hidden, self.layer)
        return Stages(
            *projection, heads.scores, heads.probabilities, context, output, heads.allowed, defined
        )

    def _in_arithmetic(self, plan: Plan) -> Plan:
        """Return the plan with its sums taken in this order, where it changes none of them."""
        changes = {
            name: step
            for name, step in self._arithmetic.items()
            if getattr(plan, name) is getattr(REFERENCE, name)
        }
        return replace(plan, **changes) if changes else plan

    def _projected(self, plan: Plan) -> tuple[tuple[Tensor, Tensor, Tensor], Any]:
        """Return queries, keys and values, and all that they follow from."""
        projecting = _PROJECTING(plan)

        def compute() -> tuple[Tensor, Tensor, Tensor]:
            hidden = self._hidden if plan.batch_first else self._hidden.transpose(0, 1)
            for step in plan.hidden:
                hidden = step(hidden, self.layer)
            return project_heads(hidden, hidden, self._weights_of(plan.weights), plan)

        return _kept(self._projected_by, projecting, compute, _KEPT), projecting

    def _attended(self, plan: Plan, projection: tuple[Tensor, Tensor, Tensor]) -> _Heads:
        seen: list[tuple[Tensor, Tensor | None]] = []

        def masking(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
            seen.append((scores, allowed))
            return plan.masking(scores, allowed, softmax)

        padding = self.probe.padding
        if padding is not None and not plan.batch_first:
            padding = padding.T
        output, probabilities = attend_heads(
            *projection,
            self._weights_of(plan.weights),
            mask=None if padding is None else plan.padding(padding, padding.shape[1]),
            steps=replace(plan, masking=masking),
        )
        scores, allowed = seen[0]
        return _Heads(scores, allowed, probabilities, output)

    def _defined(self, plan: Plan, heads: _Heads) -> Tensor:
        batch, _, query, _ = heads.output.shape
        everywhere = torch.ones(batch, query, dtype=torch.bool)
        if heads.allowed is None or plan.masking is not mask_before_softmax:
            return everywhere
        if not over_keys(plan.softmax):
            return everywhere
        rows = heads.allowed.any(-1)
        rows = rows if rows.ndim == 1 else rows.all(1)
        return rows.expand(batch, query)


def _kept(kept: dict[Any, Made], key: Any, compute: Callable[[], Made], most: int) -> Made:
    """Return what was computed for a key; the last few are kept."""
    made = kept.pop(key, None)
    if made is None:
        made = compute()
        if len(kept) >= most:
            del kept[next(iter(kept))]
    kept[key] = made
    return made
