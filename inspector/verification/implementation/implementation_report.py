"""What was found of a user's implementation: a frame for people who compute, words for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from inspector.frames import dtypes
from inspector.html import escape, table
from inspector.records import records
from inspector.verification.diagnosis import Diagnosis
from inspector.verification.implementation.differences import Difference
from inspector.verification.scope import Scope

IMPLEMENTATION_COLUMNS = dtypes("implementation")
"""Column → dtype of `frame`, a row per layer × stage × input."""


@dataclass(frozen=True, repr=False)
class ImplementationReport:
    """The outcome of verifying a user's implementation against a model.

    Example:
        >>> report = inspector.verify_implementation("my.py:build", "minilm")  # doctest: +SKIP
        >>> report.passed, report.first_difference, report.diagnosis  # doctest: +SKIP
    """

    implementation: str
    model: str
    dtype: str
    frame: pd.DataFrame
    first_difference: Difference | None
    """Where it differs; None where it does not."""
    diagnosis: Diagnosis | None
    """What it does instead, or that it is right but stored coarsely; None where right."""
    unseen: tuple[str, ...]
    """Known mistakes that what was returned could not have shown."""
    notes: tuple[str, ...]
    """What else a user should know."""
    distances: Mapping[str | None, float]
    """How far what was returned is from each known mistake, and from the right result (None): root
    mean square, relative to the stages' scales."""
    scope: Scope
    """For which inputs, and of which model, the outcome holds."""

    @property
    def passed(self) -> bool:
        """Return whether it computes what the model computes, to within rounding."""
        stored = self.diagnosis is not None and self.diagnosis.verdict == "stored"
        return not self.frame.empty and (self.first_difference is None or stored)

    def summary(self) -> str:
        """Return the outcome in one or two sentences."""
        layers = self.frame["layer"].nunique()
        stages = ", ".join(dict.fromkeys(self.frame["stage"]))
        inputs = self.frame["input"].nunique()
        what = f"{self.implementation} and {self.model} ({self.dtype})"
        if self.first_difference is None:
            worst = self.frame["error_in_u"].max()
            return (
                f"{what} are the same: {layers} layer{'s' * (layers != 1)} × {inputs} inputs, "
                f"{stages} within rounding (at most {worst:.1f} u from the truth)."
            )
        if self.passed:
            return f"{what} are the same, but for how tensors are stored. {self.diagnosis}"
        wrong = self.frame.loc[~self.frame["passed"], "layer"].nunique()
        of_all = f"{wrong} of {layers} layer{'s' * (layers > 1)}"
        return (
            f"{what} differ in {of_all}, {self.first_difference}. "
            f"{'' if self.diagnosis is None else f'Diagnosis: {self.diagnosis}'}"
        ).rstrip()

    def __str__(self) -> str:
        """Return the summary, and what else there is to know."""
        return "\n".join([self.summary(), *self.remarks()])

    def __repr__(self) -> str:
        """Return the summary: the frame is shown by its own name."""
        return f"<ImplementationReport: {self.summary()}>"

    def remarks(self) -> list[str]:
        """Return what this verification could not see, and the notes."""
        lines = [*self.scope.lines(), *self.scope.file_lines(), *self.notes]
        if self.passed and self.unseen:
            lines.append(
                f"Not to be seen in what was returned: {', '.join(self.unseen)}. "
                "Return more stages to have them checked."
            )
        return lines

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data; NaN becomes None, so that it is JSON."""
        return {
            "model": self.model,
            "implementation": self.implementation,
            "dtype": self.dtype,
            "passed": self.passed,
            "layers": records(self.frame),
            "first_difference": self.first_difference and self.first_difference.as_dict(),
            "diagnosis": self.diagnosis and self.diagnosis.as_dict(),
            "unseen": list(self.unseen),
            "notes": list(self.notes),
            "distances": [
                {"mistake": name, "distance": distance} for name, distance in self.distances.items()
            ],
            **self.scope.as_dict(),
        }

    def _repr_html_(self) -> str:
        """Return the report for a notebook: no script, nothing from another host."""
        errors = self.frame.groupby(["layer", "stage"], sort=False)
        rows = [
            [
                layer,
                stage,
                f"{group['error_in_u'].max():.3g}",
                "yes" if all(group["passed"]) else "NO",
            ]
            for (layer, stage), group in errors
        ]
        stages = table(
            ["layer", "stage", "largest error in u·scale", "within rounding"],
            rows,
            "returned - truth, worst of all inputs (u: unit roundoff; scale: largest |truth|)",
        )
        remarks = "".join(f"<p>{escape(line)}</p>" for line in self.remarks())
        return f"<p><strong>{escape(self.summary())}</strong></p>{self._found()}{remarks}{stages}"

    def _found(self) -> str:
        if self.diagnosis is None or self.diagnosis.explanation is None:
            return ""
        found = self.diagnosis
        rows = [
            ("mistake", " and ".join(found.mistakes)),
            ("fix", found.fix),
            ("equation", found.equation),
        ]
        return table(["diagnosis", ""], rows) if found.mistakes else ""
