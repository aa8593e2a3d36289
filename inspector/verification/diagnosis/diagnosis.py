"""What is wrong with an implementation: the mistake that reproduces its numbers, or none.

A mistake is named only where it reproduces every number that was returned to within rounding;
otherwise the nearest is given as the nearest, with its distance, and never as the answer.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from inspector.verification.diagnosis.catalogue import CATALOGUE
from inspector.verification.diagnosis.evaluation import REFERENCE
from inspector.verification.diagnosis.layer import Layer, Mistake, Probe, bind
from inspector.verification.diagnosis.plan_comparison import Comparison, Observation
from inspector.verification.diagnosis.random_answers import explain_randomness
from inspector.verification.diagnosis.search import Candidate, Search
from inspector.verification.diagnosis.wrong_steps import WRONG_STEPS
from inspector.verification.diagnosis.wrong_weights import rounded, rounded_weights

# How many times larger or smaller than the rounding of all steps a difference may be.
_ALIKE = 4.0


def likely_precision(comparison: Comparison) -> str | None:
    """Return in words which half precision differences as large as these come from, if any."""
    distance = comparison.distance(REFERENCE)
    for name in ("float16", "bfloat16"):
        if torch.finfo(getattr(torch, name)).eps <= torch.finfo(comparison.dtype).eps:
            continue
        rounding, softmax = bind(rounded, name), bind(WRONG_STEPS["half_softmax"], name)
        everything = {
            "hidden": (bind(WRONG_STEPS["rounded_hidden"], name),),
            "weights": (bind(rounded_weights, name),),
            "heads_rounding": rounding,
            "softmax": softmax,
            "context_rounding": rounding,
        }
        whole = comparison.between(REFERENCE.changed(everything), REFERENCE)
        of_softmax = comparison.between(REFERENCE.changed({"softmax": softmax}), REFERENCE)
        if of_softmax / 2.0 < distance < 2.0 * of_softmax:
            return f"The size of the differences is that of a softmax in {name}."
        if whole / _ALIKE < distance < _ALIKE * whole:
            return f"The size of the differences is that of computing in {name}."
    return None


_RANDOM = (
    "Two calls on the same input differ, and not as dropout would make them: look for a random "
    "number, for memory that is read before it is written, or for state that is kept."
)


_TRIED = (
    "No mistake was looked for: those that are known show on small inputs, where it is right.",
    "No known mistake reproduces these numbers; two together were not looked for.",
    "No known mistake, nor two in different steps, reproduces these numbers.",
)


@dataclass(frozen=True)
class Explanation:
    """One mistake, or two made together."""

    mistakes: tuple[str, ...]
    fixes: tuple[str, ...]
    equations: tuple[str, ...]
    """For each mistake the line of the equations that it is in, as it should be."""
    details: tuple[str, ...]
    """The numbers that were found, where the mistakes leave some open."""
    distance: float
    """Root mean square distance to what was returned, relative to the stages' scales."""

    @property
    def name(self) -> str:
        """Return the mistakes by name."""
        return " and ".join(self.mistakes)

    @property
    def fix(self) -> str:
        """Return how it is fixed."""
        return " ".join(self.fixes)

    @property
    def equation(self) -> str:
        """Return the lines of the equations that it is in."""
        return "; ".join(self.equations)

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation as plain data."""
        return {
            "mistakes": list(self.mistakes),
            "fix": self.fix,
            "equation": self.equation,
            "details": list(self.details),
            "distance": self.distance,
        }


@dataclass(frozen=True)
class Diagnosis:
    """What a wrong implementation does instead."""

    verdict: str
    """'named', 'stored' (right, in a coarser dtype), or 'unknown'."""
    distance: float
    """Of what was returned from the right result, as `Explanation.distance`."""
    explanation: Explanation | None = None
    """What reproduces the numbers; None where nothing known does."""
    indistinguishable: tuple[Explanation, ...] = ()
    """What reproduces them just as well."""
    nearest: Explanation | None = None
    """Where nothing does: what comes nearest, which is not the answer; None where nothing is
    clearly nearer than the right result on every input."""
    likely_cause: str | None = None
    """What the size of the differences alone suggests."""
    tried: int = 2
    """How many mistakes made together were tried; 0 where small inputs show none."""

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Return the names of the mistakes found; none where the mistake is unknown."""
        return self.explanation.mistakes if self.explanation and self.verdict == "named" else ()

    @property
    def fix(self) -> str:
        """Return how it is fixed; empty where the mistake is unknown."""
        return self.explanation.fix if self.explanation else ""

    @property
    def equation(self) -> str:
        """Return the line of the equations that it is in; empty where it is unknown."""
        return self.explanation.equation if self.explanation else ""

    def __str__(self) -> str:
        """Return the diagnosis in words."""
        found = self.explanation
        if found is None:
            return " ".join(self._unknown())
        told = f"{found.name} ({'; '.join(found.details)})" if found.details else found.name
        if self.verdict == "stored":
            return f"The equations are right; {told}. {found.fix}"
        said = f"{told}. {found.fix} As it should be: {found.equation}."
        others = "; ".join(other.name for other in self.indistinguishable)
        return f"{said} On these inputs the same as: {others}." if others else said

    def _unknown(self) -> Iterator[str]:
        yield _TRIED[self.tried]
        if self.nearest is not None:
            yield (
                f"The nearest, which is not the answer: {self.nearest.name}, at a relative "
                f"distance of {self.nearest.distance:.2g}, where the right result is at "
                f"{self.distance:.2g}."
            )
        if self.likely_cause:
            yield self.likely_cause

    def as_dict(self) -> dict[str, Any]:
        """Return the diagnosis as plain data."""
        return {
            "verdict": self.verdict,
            "mistakes": list(self.mistakes),
            "fix": self.fix,
            "equation": self.equation,
            "details": list(self.explanation.details) if self.explanation else [],
            "indistinguishable": [other.as_dict() for other in self.indistinguishable],
            "nearest": self.nearest.as_dict() if self.nearest else None,
            "distance": self.distance,
            "likely_cause": self.likely_cause,
            "sentence": str(self),
        }


def diagnose(
    layer: Layer,
    observations: Sequence[Observation],
    dtype: torch.dtype,
    *,
    pairs: bool = True,
) -> Diagnosis | None:
    """Return what is wrong with an implementation of a layer; None where nothing is.

    Args:
        layer: What it should compute.
        observations: What it returned. Everything is tried on the first one first, so that a
            small one with padding in every text should stand there.
        dtype: In which it was asked to compute.
        pairs: Whether two mistakes made together are looked for where one alone does not do.
    """
    comparisons = [Comparison(layer, each, dtype) for each in observations]
    search = Search(layer, comparisons)
    if search.follows(REFERENCE):
        return None
    distance = search.distance(REFERENCE)
    near: list[Candidate] = []
    found: list[Candidate] = []
    for tried in search.tries(pairs):
        found = search.explaining(tried)
        if found:
            break
        near += tried[:1]
    if not found:
        near.sort(key=lambda candidate: candidate.distance)
        nearest = next(filter(search.is_clearly_nearer, near), None)
        return Diagnosis(
            "unknown",
            distance,
            nearest=None if nearest is None else _explained(nearest),
            likely_cause=likely_precision(comparisons[0]),
            tried=2 if pairs else 1,
        )
    harmless = [c for c in found if all(mistake.harmless for mistake in c.mistakes)]
    if harmless:
        return Diagnosis("stored", distance, _explained(harmless[0]))
    first, *_ = found
    others = {_names(candidate): candidate for candidate in reversed(found)}
    del others[_names(first)]
    indistinguishable = tuple(_explained(other) for other in reversed(others.values()))
    return Diagnosis("named", distance, _explained(first), indistinguishable)


def unknown(likely_cause: str, distance: float) -> Diagnosis:
    """Return that no mistake is known to be it, and what the circumstances suggest."""
    return Diagnosis("unknown", distance, likely_cause=likely_cause, tried=0)


def diagnose_randomness(
    layer: Layer, probe: Probe, outputs: Float[Tensor, "call batch token d_model"] | None
) -> Diagnosis:
    """Return why an implementation answers differently each time."""
    ways = [
        (mistake, REFERENCE.changed(changes))
        for mistake in CATALOGUE
        if mistake.applies(layer) and not mistake.harmless
        for changes in mistake.ways(layer)
        if mistake.parameter is None
    ]
    mistakes, detail = (
        ((), "") if outputs is None else explain_randomness(layer, probe, outputs, ways)
    )
    if not mistakes:
        return Diagnosis("unknown", 0.0, likely_cause=_RANDOM)
    return Diagnosis("named", 0.0, _explanation(mistakes, (detail,), 0.0))


def _explained(candidate: Candidate) -> Explanation:
    """Return a candidate in words."""
    details = [
        way.mistake.parameter.shown(value)
        if way.mistake.parameter is not None and value is not None
        else way.mistake.told(way.changes)
        for way, value in zip(candidate.ways, candidate.values, strict=True)
    ]
    return _explanation(candidate.mistakes, filter(None, details), candidate.distance)


def _explanation(
    mistakes: Sequence[Mistake], details: Iterable[str], distance: float
) -> Explanation:
    return Explanation(
        tuple(mistake.name for mistake in mistakes),
        tuple(dict.fromkeys(mistake.fix for mistake in mistakes)),
        tuple(dict.fromkeys(mistake.equation for mistake in mistakes)),
        tuple(details),
        distance,
    )


def _names(candidate: Candidate) -> frozenset[str]:
    return frozenset(mistake.name for mistake in candidate.mistakes)
