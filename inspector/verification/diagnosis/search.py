"""The search for the mistake, or the two, that reproduce what an implementation returned.

Every way of making every mistake is computed on one small input, then every two that fit
together; what comes near is compared with all inputs by the rule of rounding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isfinite

import torch

from inspector.verification.diagnosis.catalogue import CATALOGUE
from inspector.verification.diagnosis.evaluation import REFERENCE, Plan
from inspector.verification.diagnosis.fitting import fit
from inspector.verification.diagnosis.layer import Changes, Layer, Mistake, Parameter
from inspector.verification.diagnosis.plan_comparison import Comparison
from inspector.verification.judge import unit_roundoff

# What is farther than this, relative to the stages' scales, is not compared with the rule.
_NEAR, _NEAR_IN_U = 1e-3, 64.0
_FINALISTS = 12
# A fit of a pair goes on from its best start only where it is this near to begin with.
_PROMISING = 0.5
# What is no nearer than this share of the right result's distance says nothing.
_CLEARLY = 0.5


@dataclass(frozen=True, eq=False)
class Way:
    """One way of making one mistake: fixed steps, or steps with a number left open."""

    mistake: Mistake
    changes: Changes

    @property
    def parameter(self) -> Parameter | None:
        """Return the number left open, where there is one."""
        return self.mistake.parameter


@dataclass(frozen=True, eq=False)
class Candidate:
    """Mistakes with their numbers fitted, and how far they are from what was seen."""

    ways: tuple[Way, ...]
    mistakes: tuple[Mistake, ...]
    plan: Plan
    values: tuple[float | None, ...]
    """For each mistake the number fitted, where it leaves one open."""
    distance: float


class Search:
    """Mistakes tried on one layer's observations."""

    def __init__(
        self,
        layer: Layer,
        comparisons: Sequence[Comparison],
        catalogue: Sequence[Mistake] = CATALOGUE,
    ) -> None:
        """Choose the input on which everything is tried first."""
        self.layer, self.comparisons = layer, comparisons
        self._screen = next((c for c in comparisons if c.n_finite > 1), comparisons[0])
        self._near = max(_NEAR, _NEAR_IN_U * unit_roundoff(self._screen.dtype))
        self._place = {mistake.name: place for place, mistake in enumerate(catalogue)}
        self.ways = [
            Way(mistake, changes)
            for mistake in catalogue
            if mistake.applies(layer)
            for changes in _ways(mistake, layer)
        ]

    def tries(self, pairs: bool) -> Iterator[list[Candidate]]:
        """Yield what is tried, nearest first: one mistake, then two, without numbers to fit first.

        A number that is fitted explains less than a mistake without one, and takes longer.
        """
        counts: list[Sequence[Sequence[Way]]] = [[(way,) for way in self.ways]]
        if pairs:
            counts.append(list(pairs_of(self.ways)))
        for ways in counts:
            fixed = [w for w in ways if not any(way.parameter for way in w)]
            open_ones = [w for w in ways if any(way.parameter for way in w)]
            yield self._nearest(fixed)
            yield _sorted([self._candidate(each) for each in open_ones])

    def _nearest(self, choices: Sequence[Sequence[Way]]) -> list[Candidate]:
        """Return the nearest of mistakes without numbers to fit, all compared with the input."""
        if not choices:
            return []
        distances = self._screen.distances([plan_of(ways, ()) for ways in choices])
        order = sorted(range(len(choices)), key=distances.__getitem__)[:_FINALISTS]
        return _sorted([self._with_values(choices[number], ()) for number in order])

    def explaining(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return those that reproduce every observation to within rounding, in catalogue order.

        What padding got decides where nothing else can.
        """
        near = [self._fitted_to_all(c) for c in candidates[:_FINALISTS] if c.distance <= self._near]
        found = [c for c in near if self.follows(c.plan)]
        agreeing = [c for c in found if all(o.agrees_on_padding(c.plan) for o in self.comparisons)]
        return sorted(agreeing or found, key=lambda c: [self._place[m.name] for m in c.mistakes])

    def follows(self, plan: Plan) -> bool:
        """Return whether a plan reproduces every observation to within rounding."""
        return all(comparison.follows(plan) for comparison in self.comparisons)

    def distance(self, plan: Plan) -> float:
        """Return how far a plan is, where everything is tried first."""
        return self._screen.distance(plan)

    def is_clearly_nearer(self, candidate: Candidate) -> bool:
        """Return whether a candidate is much nearer than the right result, on every input."""
        return all(
            each.distance(candidate.plan) <= _CLEARLY * each.distance(REFERENCE)
            for each in self.comparisons
            if each.n_finite
        )

    def distances(self) -> dict[str | None, float]:
        """Return how far what was returned is from each mistake, and from the right result (None).

        Nearest first, by the nearest of a mistake's ways; those with a number to fit are left out.
        """
        fixed = [way for way in self.ways if way.parameter is None and not way.mistake.harmless]
        plans = [REFERENCE, *(plan_of((way,), ()) for way in fixed)]
        names = [None, *(way.mistake.name for way in fixed)]
        found: dict[str | None, float] = {}
        for name, distance in zip(names, self._screen.distances(plans), strict=True):
            found[name] = min(distance, found.get(name, distance))
        order = sorted(found, key=lambda name: found[name])
        return {name: found[name] for name in order if isfinite(found[name])}

    def unseen(self) -> list[Mistake]:
        """Return the mistakes that no observation could have shown, in any of their ways."""
        seen = {way.mistake.name for way in self.ways if self._shows(way)}
        mistakes = {way.mistake.name: way.mistake for way in self.ways}
        return [mistake for name, mistake in mistakes.items() if name not in seen]

    def _shows(self, way: Way) -> bool:
        if way.parameter is not None or way.mistake.harmless:
            return True
        changed = REFERENCE.changed(way.changes)
        return any(comparison.tells_apart(changed) for comparison in self.comparisons)

    def _fitted_to_all(self, candidate: Candidate) -> Candidate:
        """Return the candidate with its numbers fitted to all observations, from where they are."""
        ways, values = candidate.ways, [v for v in candidate.values if v is not None]
        if not values:
            return candidate
        refined = fit(
            lambda numbers: torch.cat(
                [each.residuals(plan_of(ways, numbers)) for each in self.comparisons]
            ),
            [[value] for value in values],
        )
        return self._with_values(ways, refined)

    def _candidate(self, ways: Sequence[Way]) -> Candidate:
        fitted = [way.parameter for way in ways if way.parameter is not None]
        values: tuple[float, ...] = ()
        if fitted:
            values = fit(
                lambda numbers: self._screen.residuals(plan_of(ways, numbers)),
                # Where two are tried there are many; half the starts are near enough.
                [parameter.starts[:: len(ways)] for parameter in fitted],
                promising=_PROMISING if len(ways) > 1 else None,
            )
        return self._with_values(ways, values)

    def _with_values(self, ways: Sequence[Way], values: tuple[float, ...]) -> Candidate:
        plan = plan_of(ways, values)
        remaining = iter(values)
        return Candidate(
            ways=tuple(ways),
            mistakes=tuple(way.mistake for way in ways),
            plan=plan,
            values=tuple(None if way.parameter is None else next(remaining) for way in ways),
            distance=self._screen.distance(plan),
        )


def _ways(mistake: Mistake, layer: Layer) -> tuple[Changes, ...]:
    return mistake.ways(layer)


def plan_of(ways: Sequence[Way], values: Sequence[float]) -> Plan:
    """Return the plan with the mistakes in it, their open numbers set to the values."""
    numbers = iter(values)
    plan = REFERENCE
    for way in ways:
        changes = way.changes if way.parameter is None else way.parameter.changes(next(numbers))
        plan = plan.changed(changes)
    return plan


def pairs_of(ways: Sequence[Way]) -> Iterator[tuple[Way, Way]]:
    """Yield every two ways of different mistakes that leave each other's steps alone.

    Steps that are done in turn can be done in either turn. Two that say different things of one
    step, such as two scales, cannot both be made: the step is done once.
    """
    for first, second in combinations(ways, 2):
        common = first.changes.keys() & second.changes.keys()
        if first.mistake is second.mistake or any(
            not isinstance(first.changes[step], tuple) for step in common
        ):
            continue
        yield first, second
        if common:
            yield second, first


def _sorted(candidates: list[Candidate]) -> list[Candidate]:
    finite = [c for c in candidates if isfinite(c.distance)]
    return sorted(finite, key=lambda candidate: candidate.distance)
