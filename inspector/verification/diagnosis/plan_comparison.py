"""What somebody's implementation returned, compared with what a plan computes.

The truth is the plan in float64. An implementation follows a plan if it is no farther from that
truth than right computations in its dtype are: torch's own, the real layer's where there is one,
and the same sums in other orders.
"""

import math
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from inspector.attention.functional import unchanged
from inspector.attention.softmax import SoftmaxOver, over_the_keys
from inspector.verification.diagnosis.arithmetic import ORDERS, Arithmetic, right_orders
from inspector.verification.diagnosis.evaluation import (
    REFERENCE,
    Evaluator,
    Plan,
    Stages,
    mask_with_infinity,
    mask_with_nothing,
)
from inspector.verification.diagnosis.layer import STAGES, Layer, Probe
from inspector.verification.judge import (
    NOTHING,
    PADDING_SHARE,
    TURNED_SHARE,
    Distance,
    Size,
    largest,
    size_of,
    unit_roundoff,
    user_share,
)

# A plan that leaves more queries than this without a key is compared with too little.
_DEFINED = 0.5
# The axis of the queries in stages that have one.
_QUERY_AXIS = {"scores": 2, "probabilities": 2, "context": 1, "output": 1}
# Stages of many plans are compared in parts of about so many numbers.
_NUMBERS_AT_ONCE = 1_000_000
# The stages whose numbers belong to queries alone, not to heads or keys.
_BY_QUERY = {"context", "output"}
_TOKEN_AXIS = {"query": 2, "key": 2, "value": 2, **_QUERY_AXIS}


@dataclass(frozen=True, eq=False)
class Observation:
    """What an implementation made of one input."""

    probe: Probe
    stages: dict[str, Tensor]
    """Stage → what was returned, in any floating dtype."""
    theirs: dict[str, Tensor]
    """Stage → what the real layer computed, where there is one."""


class Comparison:
    """Compares one observation with plans, each computed once."""

    def __init__(self, layer: Layer, observation: Observation, dtype: torch.dtype) -> None:
        """Prepare the truth and the right ways of computing in the dtype."""
        self.dtype, self._layer = dtype, layer
        self._exact = Evaluator(layer, observation.probe, torch.float64)
        self._ways: dict[Any, Evaluator] = {(torch.float64, 0): self._exact}
        self._reference = self._exact(REFERENCE)
        self._observe(observation)

    def _observe(self, observation: Observation) -> None:
        self.observation = observation
        self._given = {
            stage: observation.stages[stage].double()
            for stage in STAGES
            if stage in observation.stages
        }
        self.not_a_number = self._rows_of_nan()

    def _if_it_were(self, plan: Plan) -> "Comparison":
        """Return the same of an implementation that returns exactly what a plan does.

        What is computed of the layer is computed once for both.
        """
        other, stages = copy(self), self._exact(plan)
        made = {stage: getattr(stages, stage) for stage in self._given}
        other._observe(replace(self.observation, stages=made))
        return other

    @property
    def n_finite(self) -> int:
        """Return the number of real queries without NaN."""
        return int((self.observation.probe.real & ~self.not_a_number).sum())

    def residuals(self, plan: Plan) -> Tensor:
        """Return all differences to a plan in one row, each stage in units of its scale."""
        truth = self._exact(plan)
        rows = self.observation.probe.real & ~self.not_a_number
        if int((truth.defined & rows).sum()) <= _DEFINED * int(rows.sum()):
            return torch.full((1,), math.inf, dtype=torch.float64)
        if not self._fits(truth):
            return torch.full((1,), math.inf, dtype=torch.float64)
        parts = []
        for stage, given in self._given.items():
            ours, exact = (
                self._select(each, stage, truth) for each in (given, getattr(truth, stage))
            )
            scale = max(largest(exact), largest(ours))
            parts.append((ours - exact).flatten() / (scale or 1.0) / math.sqrt(exact.numel() or 1))
        return torch.cat(parts)

    def distance(self, plan: Plan) -> float:
        """Return the root mean square distance to a plan, relative to the stages' scales."""
        residuals = self.residuals(plan)
        return float(residuals.norm()) if bool(residuals.isfinite().all()) else math.inf

    def distances(self, plans: Sequence[Plan]) -> list[float]:
        """Return the `distance` of each plan; of many at once, where the stages allow it."""
        if not self._given.keys() <= _BY_QUERY:
            return [self.distance(plan) for plan in plans]
        numbers = max(given.numel() for given in self._given.values())
        size = max(1, _NUMBERS_AT_ONCE // numbers)
        parts = (tuple(plans[start : start + size]) for start in range(0, len(plans), size))
        return [distance for part in parts for distance in self._distances(part)]

    def _distances(self, plans: tuple[Plan, ...]) -> list[float]:
        every = self._every(plans)
        defined = every["defined"]
        rows = self.observation.probe.real & ~self.not_a_number
        enough = (defined & rows).sum((1, 2)) > _DEFINED * int(rows.sum())
        keep = (defined & rows & self._reference.defined)[..., None]
        total = torch.zeros(len(plans), dtype=torch.float64)
        for stage, given in self._given.items():
            exact = every[stage].where(keep, 0.0)
            ours = given.where(keep, 0.0)
            scale = torch.maximum(exact.abs().amax((1, 2, 3)), ours.abs().amax((1, 2, 3)))
            scale = scale.where(scale != 0.0, 1.0)
            count = keep.sum((1, 2, 3)).clamp(min=1) * given.shape[-1]
            total += (ours - exact).square().sum((1, 2, 3)) / scale.square() / count
        found = total.sqrt().where(enough & total.isfinite(), math.inf)
        distances: list[float] = found.tolist()
        return distances

    def _every(self, plans: tuple[Plan, ...]) -> dict[str, Tensor]:
        """Return the stages that were given of each plan, (plan, batch, query, …), in float64."""
        names = ("defined", *self._given)
        made = [[getattr(stages, name) for name in names] for stages in map(self._exact, plans)]
        columns = zip(*made, strict=True)
        return {name: torch.stack(column) for name, column in zip(names, columns, strict=True)}

    def between(self, plan: Plan, other: Plan) -> float:
        """Return how far a plan is from another, as `distance`, in the stages that were given."""
        return self._if_it_were(plan).distance(other)

    def tells_apart(self, plan: Plan) -> bool:
        """Return whether an implementation that followed a plan would not pass for a right one."""
        return not (self._fits(self._exact(plan)) and self._if_it_were(plan).follows(REFERENCE))

    def stages(self, plan: Plan) -> list[Distance]:
        """Return, stage by stage, how far a plan is, and whether rounding explains it."""
        truth = self._exact(plan)
        name = self.observation.probe.name
        if not self._fits(truth):
            inf = math.inf
            return [Distance(stage, name, inf, inf, 0.0, inf, inf) for stage in self._given]
        smooth = without_rounding(plan)
        unrounded_truth = None if smooth == plan else self._exact(smooth)
        explained = self._nan_explained(plan)
        found = []
        for stage, given in self._given.items():
            ours, exact = (
                self._select(each, stage, truth) for each in (given, getattr(truth, stage))
            )
            error, scale = size_of(ours - exact), largest(exact)
            unit = unit_roundoff(self.dtype) * scale
            turned = NOTHING
            if unrounded_truth is not None:
                effect = exact - self._select(getattr(unrounded_truth, stage), stage, truth)
                turned = Size(TURNED_SHARE * size_of(effect).rms, 2.0 * largest(effect))
            share = math.inf
            if explained:
                ways = self._right_ways(plan, stage, exact, truth)
                share = user_share(error, ways, unit, turned, largest(truth.scores))
            found.append(Distance.of(stage, name, error, scale, unit, share))
        return found

    def _fits(self, truth: Stages) -> bool:
        """Return whether a plan's stages have the shapes of those that were given."""
        made = ((given, getattr(truth, stage)) for stage, given in self._given.items())
        return all(self._shared(given, exact).shape == exact.shape for given, exact in made)

    def _right_ways(self, plan: Plan, stage: str, exact: Tensor, truth: Stages) -> Iterator[Size]:
        """Yield how far right ways are: the real layer first, the slow ones last."""

        def size(values: Tensor) -> Size:
            return size_of(self._select(values.double(), stage, truth) - exact)

        given = self.observation.theirs.get(stage) if plan is REFERENCE else None
        theirs = NOTHING if given is None else size(given)
        for dtype, order in right_orders(lambda *how: self._way(*how)(plan).scores, self.dtype):
            found = size(getattr(self._way(dtype, order)(plan), stage))
            yield Size(max(found.rms, theirs.rms), max(found.most, theirs.most))

    def _way(self, dtype: torch.dtype, order: Arithmetic) -> Evaluator:
        """Return what computes so; kept where it is asked for again."""
        number = next((n for n, kept in enumerate(ORDERS) if kept is order), None)
        if number is None:
            return Evaluator(self._layer, self.observation.probe, dtype, order)
        key = (dtype, number)
        if key not in self._ways:
            self._ways[key] = Evaluator(self._layer, self.observation.probe, dtype, order)
        return self._ways[key]

    def follows(self, plan: Plan) -> bool:
        """Return whether every stage that was given is within rounding of a plan."""
        return all(stage.passed for stage in self.stages(plan))

    def agrees_on_padding(self, plan: Plan) -> bool:
        """Return whether a plan also reproduces what padding got, which nobody reads.

        A query without a key may have got nothing, the mean of all values, or no number.
        """
        truth = self._exact(plan)
        blank = [
            self._exact(replace(plan, masking=masking))
            for masking in (mask_with_nothing, mask_with_infinity)
        ]
        for stage in self._given.keys() & _QUERY_AXIS.keys() - {"scores"}:
            given, exact, *others = (
                self._shared(values, getattr(truth, stage)).movedim(_TOKEN_AXIS[stage], 1)
                for values in (
                    self._given[stage],
                    *(getattr(stages, stage) for stages in (truth, *blank)),
                )
            )
            near = PADDING_SHARE * largest(exact)
            padding = ~self.observation.probe.real
            fits = (given - exact).abs().flatten(2).amax(-1) <= near
            for other in others:
                apart = (given - other).abs().flatten(2).amax(-1)
                fits |= ~truth.defined & (
                    (apart <= near) | (given.isnan() & other.isnan()).flatten(2).any(-1)
                )
            if not bool(fits[padding].all()):
                return False
        return True

    def rows(self, stage: str, plan: Plan = REFERENCE) -> tuple[Tensor, Tensor, Tensor]:
        """Return (error, truth, real): a stage's errors, batch and token first, all rows."""
        truth = getattr(self._exact(plan), stage)
        axis = _TOKEN_AXIS[stage]
        error = (self._shared(self._given[stage], truth) - truth).movedim(axis, 1)
        return error, truth.movedim(axis, 1), self.observation.probe.real

    def _select(self, values: Tensor, stage: str, truth: Stages) -> Tensor:
        values = self._shared(values, getattr(truth, stage))
        keep = self.observation.probe.real
        if stage in _QUERY_AXIS:
            keep = keep & truth.defined & self._reference.defined & ~self.not_a_number
        if stage == "scores":
            # A score that the mask hides may hold the mask, or not: it is not compared.
            for allowed in (truth.allowed, self._reference.allowed):
                if allowed is not None:
                    values = values.masked_fill(~allowed, 0.0)
        return values.movedim(_TOKEN_AXIS[stage], 1)[keep]

    def _shared(self, values: Tensor, like: Tensor) -> Tensor:
        """Return one key or value head of each group, where all query heads' were given."""
        if values.ndim == 4 and values.shape[1] != like.shape[1]:
            return values[:, :: values.shape[1] // like.shape[1]]
        return values

    def _rows_of_nan(self) -> Tensor:
        rows = torch.zeros_like(self.observation.probe.real)
        for stage, values in self._given.items():
            if stage in _QUERY_AXIS and stage != "scores":
                rows |= (~values.isfinite()).movedim(_QUERY_AXIS[stage], 1).flatten(2).any(-1)
        return rows & self.observation.probe.real

    def _nan_explained(self, plan: Plan) -> bool:
        """Return whether a plan, masked with −∞, gives no number wherever none was given."""
        if not bool(self.not_a_number.any()):
            return True
        output = self._exact(replace(plan, masking=mask_with_infinity)).output
        return not bool((self.not_a_number & ~output.isnan().any(-1)).any())


def without_rounding(plan: Plan) -> Plan:
    """Return the plan with nothing rounded on the way."""
    axis: int = getattr(plan.softmax, "axis", -1)
    return replace(
        plan,
        rounding=unchanged,
        heads_rounding=unchanged,
        context_rounding=unchanged,
        softmax=over_the_keys if axis == -1 else SoftmaxOver(axis),
    )
