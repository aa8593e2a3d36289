"""What is wrong with an implementation: the mistake that reproduces its numbers, or none.

A mistake is named only where it reproduces every number that was returned to within rounding;
otherwise the nearest is given as the nearest, with its distance, and never as the answer.
Must not know: models, how a diagnosis is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from inspector.verification.diagnosis.catalogue import CATALOGUE
from inspector.verification.diagnosis.evaluation import REFERENCE
from inspector.verification.diagnosis.half_precision import likely_precision
from inspector.verification.diagnosis.layer import Layer, Probe
from inspector.verification.diagnosis.plan_comparison import Comparison, Observation
from inspector.verification.diagnosis.random_answers import RandomFinding, explain_randomness
from inspector.verification.diagnosis.search import Candidate, Search

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
    details: tuple[str | None, ...]
    """For each mistake the number that was found, where it leaves one open."""
    distance: float
    """Root mean square distance to what was returned, relative to the stages' scales."""

    @property
    def name(self) -> str:
        """Return the mistakes by name."""
        return " and ".join(self.mistakes)

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation as plain data."""
        return {
            "mistakes": list(self.mistakes),
            "fix": " ".join(self.fixes),
            "equation": "; ".join(self.equations),
            "details": [detail for detail in self.details if detail],
            "distance": self.distance,
        }


@dataclass(frozen=True)
class Diagnosis:
    """What a wrong implementation does instead."""

    verdict: str
    """'named', 'stored' (right, in a coarser dtype), or 'unknown'."""
    explanation: Explanation | None
    """What reproduces the numbers; None where nothing known does."""
    indistinguishable: tuple[Explanation, ...]
    """What reproduces them just as well."""
    nearest: Explanation | None
    """Where nothing does: what comes nearest, which is not the answer; None where nothing is
    clearly nearer than the right result on every input."""
    distance: float
    """Of what was returned from the right result, as `Explanation.distance`."""
    likely_cause: str | None
    """What the size of the differences alone suggests."""
    tried: int = 2
    """How many mistakes made together were tried; 0 where small inputs show none."""

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Return the names of the mistakes found; none where the mistake is unknown."""
        named = self.verdict == "named" and self.explanation is not None
        return self.explanation.mistakes if named and self.explanation else ()

    @property
    def fix(self) -> str:
        """Return how it is fixed; empty where the mistake is unknown."""
        return " ".join(self.explanation.fixes) if self.explanation else ""

    @property
    def equation(self) -> str:
        """Return the line of the equations that it is in; empty where it is unknown."""
        return "; ".join(self.explanation.equations) if self.explanation else ""

    def __str__(self) -> str:
        """Return the diagnosis in words."""
        if self.explanation is None:
            return self._unknown()
        found = self.explanation
        details = [detail for detail in found.details if detail]
        told = f"{found.name} ({'; '.join(details)})" if details else found.name
        if self.verdict == "stored":
            return f"The equations are right; {told}. {self.fix}"
        lines = [f"{told}. {self.fix} As it should be: {self.equation}."]
        if self.indistinguishable:
            others = "; ".join(other.name for other in self.indistinguishable)
            lines.append(f"On these inputs the same as: {others}.")
        return " ".join(lines)

    def _unknown(self) -> str:
        lines = [_TRIED[self.tried]]
        if self.nearest is not None:
            lines.append(
                f"The nearest, which is not the answer: {self.nearest.name}, at a relative "
                f"distance of {self.nearest.distance:.2g}, where the right result is at "
                f"{self.distance:.2g}."
            )
        if self.likely_cause:
            lines.append(self.likely_cause)
        return " ".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the diagnosis as plain data."""
        return {
            "verdict": self.verdict,
            "mistakes": list(self.mistakes),
            "fix": self.fix,
            "equation": self.equation,
            "details": [d for d in self.explanation.details if d] if self.explanation else [],
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
        nearer = filter(search.is_clearly_nearer, sorted(near, key=_distance))
        nearest = next(nearer, None)
        return Diagnosis(
            verdict="unknown",
            explanation=None,
            indistinguishable=(),
            nearest=None if nearest is None else explain(nearest, layer),
            distance=distance,
            likely_cause=likely_precision(comparisons[0]),
            tried=2 if pairs else 1,
        )
    harmless = [c for c in found if all(mistake.harmless for mistake in c.mistakes)]
    first = harmless[0] if harmless else found[0]
    others = {_names(candidate): candidate for candidate in reversed(found)}
    others.pop(_names(first))
    return Diagnosis(
        verdict="stored" if harmless else "named",
        explanation=explain(first, layer),
        indistinguishable=()
        if harmless
        else tuple(explain(other, layer) for other in reversed(others.values())),
        nearest=None,
        distance=distance,
        likely_cause=None,
    )


def unknown(likely_cause: str, distance: float) -> Diagnosis:
    """Return that no mistake is known to be it, and what the circumstances suggest."""
    return Diagnosis(
        verdict="unknown",
        explanation=None,
        indistinguishable=(),
        nearest=None,
        distance=distance,
        likely_cause=likely_cause,
        tried=0,
    )


def diagnose_randomness(
    layer: Layer, probe: Probe, outputs: Float[Tensor, "call batch token d_model"] | None
) -> Diagnosis:
    """Return why an implementation answers differently each time.

    Args:
        layer: What it should compute.
        probe: On what it was called.
        outputs: What it gave, call by call; None where it gives no output.
    """
    ways = [
        (mistake, REFERENCE.changed(changes))
        for mistake in CATALOGUE
        if mistake.applies(layer) and not mistake.harmless
        for changes in mistake.ways(layer)
    ]
    found = (
        explain_randomness(layer, probe, outputs, ways)
        if outputs is not None
        else RandomFinding((), "", 0.0)
    )
    explanation = Explanation(
        mistakes=tuple(mistake.name for mistake in found.mistakes),
        fixes=tuple(mistake.fix for mistake in found.mistakes),
        equations=tuple(dict.fromkeys(mistake.equation for mistake in found.mistakes)),
        details=(*(None for _ in found.mistakes[1:]), found.detail),
        distance=0.0,
    )
    return Diagnosis(
        verdict="named" if found.mistakes else "unknown",
        explanation=explanation if found.mistakes else None,
        indistinguishable=(),
        nearest=None,
        distance=0.0,
        likely_cause=None if found.mistakes else _RANDOM,
    )


def explain(candidate: Candidate, layer: Layer) -> Explanation:
    """Return a candidate in words."""
    details = [
        way.mistake.parameter.shown(value, layer)
        if way.mistake.parameter is not None and value is not None
        else way.mistake.told(way.changes)
        for way, value in zip(candidate.ways, candidate.values, strict=True)
    ]
    return Explanation(
        mistakes=tuple(mistake.name for mistake in candidate.mistakes),
        fixes=tuple(dict.fromkeys(mistake.fix for mistake in candidate.mistakes)),
        equations=tuple(dict.fromkeys(mistake.equation for mistake in candidate.mistakes)),
        details=tuple(details),
        distance=candidate.distance,
    )


def _distance(candidate: Candidate) -> float:
    return candidate.distance


def _names(candidate: Candidate) -> frozenset[str]:
    return frozenset(mistake.name for mistake in candidate.mistakes)
