"""What a verification found: frames for people who compute, a page for people who read.

`frame` has one row per layer × stage, the worst of all cases; `cases` has every case.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

import pandas as pd

from inspector.frames import dtypes
from inspector.html import escape, table
from inspector.records import records
from inspector.verification.controls import Control
from inspector.verification.judge import Judgement
from inspector.verification.scope import Scope, some

VERIFICATION_COLUMNS = dtypes("verification")
"""Column → dtype of `frame` and `cases`."""

WHOLE_MODEL_COLUMNS = dtypes("whole_model")
"""Columns of `whole_model`; the row 'sdpa - eager' is the noise and is not judged (passed)."""


Route = Literal["backend", "custom score term", "backend and custom score term", "none"]
"""How our attention was put beside the model's own.

By transformers' attention interface; by hooks around an attention of its own, whose score term
ours has; by both; or not at all.
"""


class Coverage(TypedDict):
    """Which attention modules a verification reached."""

    reached: int
    total: int
    not_reached: list[str]


@dataclass(frozen=True, repr=False)
class VerificationReport:
    """The outcome of verifying one model.

    Example:
        >>> report = inspector.verify("minilm")  # doctest: +SKIP
        >>> report.passed, report.coverage["reached"], len(report.controls)  # doctest: +SKIP
    """

    model: str
    dtype: str
    frame: pd.DataFrame
    cases: pd.DataFrame
    whole_model: pd.DataFrame
    coverage: Coverage
    controls: list[Control]
    controls_note: str | None
    """What had to be changed for the controls to mean anything, where something had."""
    route: Route = "backend"
    reason: str | None = None
    """Why the model is not verified, where that shows in no figure."""
    not_run: tuple[str, ...] = ()
    """What the model could not be run on, and what it said."""
    not_from_weights: Mapping[str, str] = field(default_factory=dict)
    """Module → why its query, key, value and output were not judged, where they were not."""
    scope: Scope = field(default_factory=lambda: Scope(0, 0))
    """For which inputs, and of which files, the outcome holds."""

    @property
    def passed(self) -> bool:
        """Return whether every part holds: stages, whole model, coverage, controls."""
        return not self.failures()

    def failures(self) -> list[str]:
        """Return one sentence for each part that does not hold."""
        found = [] if self.reason is None else [self.reason]
        if self.frame.empty:
            found.append("No layer was compared.")
        failed = self.frame[~self.frame["passed"]]
        if len(failed):
            worst = failed.sort_values("error_in_u", na_position="first").iloc[-1]
            found.append(
                f"{len(failed)} of {len(self.frame)} layer stages differ, the most in layer "
                f"{worst['layer']}, {worst['stage']} "
                f"({worst['error_in_u']:.3g} u, {worst['case']})."
            )
        if not self.whole_model["passed"].all():
            wrong = self.whole_model[~self.whole_model["passed"]]
            found.append(
                "The whole model with our attention differs: "
                + "; ".join(f"{row.comparison} on {row.case}" for row in wrong.itertuples())
                + "."
            )
        if self.coverage["not_reached"] or self.coverage["reached"] < self.coverage["total"]:
            found.append(
                f"Reached {self.coverage['reached']} of {self.coverage['total']} attention "
                f"modules; not reached: {', '.join(self.coverage['not_reached'])}."
            )
        missed = [control["mutation"] for control in self.controls if control["caught"] is False]
        if missed:
            found.append(f"Deliberate mistakes went unnoticed: {', '.join(missed)}.")
        if not self.frame.empty and not any(control["caught"] for control in self.controls):
            found.append("No deliberate mistake was caught.")
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data; NaN becomes None, so that it is JSON."""
        return {
            "model": self.model,
            "dtype": self.dtype,
            "passed": self.passed,
            "route": self.route,
            "reason": self.reason,
            "failures": self.failures(),
            "layers": records(self.frame),
            "whole_model": records(self.whole_model),
            "coverage": dict(self.coverage),
            "controls": [dict(control) for control in self.controls],
            "controls_note": self.controls_note,
            "not_run": list(self.not_run),
            "not_from_weights": dict(self.not_from_weights),
            **self.scope.as_dict(),
        }

    def summary(self) -> str:
        """Return the outcome in one sentence."""
        caught = sum(control["caught"] is True for control in self.controls)
        verdict = "verified" if self.passed else "NOT verified"
        worst = self.frame["error_in_u"].max()
        distance = "equal to the last bit" if worst == 0.0 else f"at most {worst:.1f} u apart"
        if self.frame.empty:
            return f"{self.model} ({self.dtype}) {verdict}: nothing was compared."
        return (
            f"{self.model} ({self.dtype}) {verdict}: {int(self.frame['passed'].sum())} of "
            f"{len(self.frame)} layer stages within rounding ({distance}), "
            f"{self.coverage['reached']} of {self.coverage['total']} attention modules reached, "
            f"{caught} of {len(self.controls)} deliberate mistakes caught."
        )

    def __repr__(self) -> str:
        """Return the summary: the frames are shown by their own names."""
        return f"<VerificationReport: {self.summary()}>"

    def __str__(self) -> str:
        """Return the summary, what does not hold, and what was not judged."""
        return "\n".join(
            [self.summary(), *self.failures(), *self._not_judged(), *self.scope.lines()]
        )

    def _not_judged(self) -> Iterator[str]:
        if self.not_run:
            yield f"The model refused: {some(self.not_run, between='; ')}."
        if not self.not_from_weights:
            return
        first, reason = next(iter(self.not_from_weights.items()))
        yield (
            f"Query, key, value and output are not judged in {len(self.not_from_weights)} of "
            f"{self.coverage['reached']} modules, the first of them {first}: {reason}."
        )

    def _repr_html_(self) -> str:
        """Return the report for a notebook: no script, nothing from another host."""
        failures = "".join(f"<p><strong>{escape(line)}</strong></p>" for line in self.failures())
        lines = [*self._not_judged(), *self.scope.lines()]
        failures += "".join(f"<p>{escape(line)}</p>" for line in lines)
        files = "".join(f"<p>{escape(line)}</p>" for line in self.scope.file_lines())
        failures += f"<details><summary>files</summary>{files}</details>" if files else ""
        if self.frame.empty:
            return f"<p>{escape(self.summary())}</p>{failures}"
        errors = self.frame.pivot_table(
            index="layer", columns="stage", values="error_in_u", sort=False
        )
        stages = table(
            ["layer", *errors.columns],
            ([layer, *(f"{value:.1f}" for value in row)] for layer, row in errors.iterrows()),
            "max |ours - theirs| in u·scale (u: unit roundoff; scale: largest |theirs|)",
        )
        controls = table(
            ["deliberate mistake", "caught", "first in"],
            (
                [
                    control["mutation"],
                    {True: "yes", False: "NO", None: "below rounding"}[control["caught"]],
                    "" if control["layer"] is None else f"{control['layer']}, {control['stage']}",
                ]
                for control in self.controls
            ),
        )
        return f"<p>{escape(self.summary())}</p>{failures}{stages}{controls}"


def typed_frame(rows: list[dict[str, Any]], columns: dict[str, str]) -> pd.DataFrame:
    """Return rows as a frame with exactly the given columns, in order and in dtype."""
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def rows_of(
    layer: int,
    module: str,
    case: str,
    judged: Mapping[str, Judgement],
    *,
    rows_left_out: int,
    noise: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    """Return the rows of `cases` that one run of one module makes, a row for each stage."""
    return [
        {
            "layer": layer,
            "module": module,
            "stage": stage,
            "case": case,
            **vars(judgement),
            "rms_ratio": judgement.rms_ratio,
            "noise_max_abs_error": (noise or {}).get(stage, float("nan")),
            "rows_left_out": rows_left_out,
        }
        for stage, judgement in judged.items()
    ]


def worst_rows(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return one row per layer × stage: a failing case if there is one, else the largest error."""
    worst: dict[tuple[int, str], dict[str, Any]] = {}
    for row in rows:
        place = (row["layer"], row["stage"])
        if place not in worst or _badness(row) > _badness(worst[place]):
            worst[place] = row
    ordered = sorted(worst.values(), key=lambda row: row["layer"])
    return typed_frame(ordered, VERIFICATION_COLUMNS)


def _badness(row: dict[str, Any]) -> tuple[bool, bool, float]:
    error = row["error_in_u"]
    return not row["passed"], error != error, error
