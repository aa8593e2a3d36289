"""The report of `inspector verify --implementation … --json`, read as something hostile."""

import json
from typing import Annotated, NoReturn

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inspector.errors import InputError

MOST_BYTES = 16 * 1024 * 1024
_SHORT, _LONG = 300, 4000
_MOST_ROWS, _MOST_NAMES = 50_000, 400

Name = Annotated[str, Field(max_length=_SHORT)]
Sentence = Annotated[str, Field(max_length=_LONG)]
Names = Annotated[list[Name], Field(max_length=_MOST_NAMES)]
# As large as a float32 can be wrong by, and then some; what is no number is null.
Figure = Annotated[float, Field(ge=0.0, le=1e300, allow_inf_nan=False)] | None


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Row(_Part):
    """A layer × stage × input."""

    layer: Annotated[int, Field(ge=0, le=10_000)]
    stage: Name
    input: Name
    error_in_u: Figure
    passed: bool


class Difference(_Part):
    """Where it differs first."""

    layer: Annotated[int, Field(ge=0, le=10_000)]
    stage: Name
    input: Name
    error_in_u: Figure
    rows: Sentence
    heads: Annotated[list[int], Field(max_length=_MOST_NAMES)] | None


class Nearest(_Part):
    """What comes nearest where nothing known is the answer."""

    mistakes: Names
    distance: Figure


class Diagnosis(_Part):
    """What it does instead."""

    verdict: Name
    mistakes: Names
    fix: Sentence
    equation: Sentence
    details: Annotated[list[Sentence], Field(max_length=_MOST_NAMES)]
    nearest: Nearest | None
    likely_cause: Sentence | None


class Distance(_Part):
    """How far what was returned is from a mistake; from the right result where none is named."""

    mistake: Name | None
    distance: Figure


class Report(_Part):
    """What the page shows of a report; what else is in it is passed by."""

    model: Name
    implementation: Sentence
    dtype: Name
    passed: bool
    layers: Annotated[list[Row], Field(min_length=1, max_length=_MOST_ROWS)]
    first_difference: Difference | None
    diagnosis: Diagnosis | None
    distances: Annotated[list[Distance], Field(max_length=_MOST_NAMES)]
    unseen: Names
    notes: Annotated[list[Sentence], Field(max_length=_MOST_NAMES)]

    @property
    def frame(self) -> pd.DataFrame:
        """Return its rows; an error that was no number is NaN."""
        rows = pd.DataFrame([row.model_dump() for row in self.layers])
        return rows.assign(error_in_u=rows["error_in_u"].astype("float64"))


def read_report(name: str, data: bytes) -> Report:
    """Return the report in a file's bytes.

    Raises:
        InputError: If it is too large, no JSON, or not such a report.
    """
    if len(data) > MOST_BYTES:
        _refuse(name, f"at most {MOST_BYTES // 1024**2} MiB, not {len(data) / 1024**2:.0f}")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        _refuse(name, "JSON")
    try:
        return Report.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))[:80] or "the file"
        _refuse(name, f"such a report ({where}: {first['msg'][:120]})")


def _refuse(name: str, what: str) -> NoReturn:
    raise InputError(
        f"report ({name[:80]}) must be {what}: save what `inspector verify --implementation "
        "FILE.py:NAME --json` prints."
    )
