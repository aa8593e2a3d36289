"""Every frame and its columns: dtype, unit and meaning, as frames.yaml has them.

`python -m inspector.frames` prints the reference page, docs/frames.md.
Must not know: how a figure is computed, which page shows it.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from inspector.yaml_file import read_own_yaml

Dtype = Literal["int64", "int32", "float64", "float32", "str", "bool", "category"]
ENGLISH = "en"
"""The language that every meaning has."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Column(_Strict):
    """One column."""

    dtype: Dtype
    unit: str = ""
    """Of its figures; a share is from 0 to 1. '' where there is none."""
    meaning: dict[str, str]
    """Language → what it says, in one sentence."""
    formula: str = ""
    """In LaTeX."""

    def says(self, language: str = ENGLISH) -> str:
        """Return the meaning in a language, in English where nobody wrote it."""
        return self.meaning.get(language, self.meaning[ENGLISH])


class _Here(_Strict):
    """What a column is in one frame, where that differs."""

    dtype: Dtype | None = None
    unit: str | None = None
    meaning: dict[str, str] | None = None


class Frame(_Strict):
    """One frame."""

    rows: dict[str, str]
    """Language → what a row is."""
    columns: list[str]
    optional: list[str] = []
    """Columns that it has only where they were asked for, last."""
    here: dict[str, _Here] = {}


class Frames(_Strict):
    """The whole table."""

    columns: dict[str, Column]
    frames: dict[str, Frame]

    def column(self, frame: str, name: str) -> Column:
        """Return what a column of a frame is."""
        common = self.columns[name]
        here = self.frames[frame].here.get(name)
        return common.model_copy(update=here.model_dump(exclude_none=True)) if here else common


@cache
def frames() -> Frames:
    """Return the table, read once.

    Example:
        >>> frames().column("roles", "effect").says()
        'The figure that earned the role: a share, a mass or a lift.'
    """
    return Frames.model_validate(read_own_yaml(Path(__file__).with_name("frames.yaml")))


def dtypes(frame: str) -> dict[str, str]:
    """Return column → dtype of a frame, in order, without optional columns.

    Example:
        >>> dtypes("kinds")
        {'relation': 'str', 'kind': 'str'}
    """
    table = frames()
    return {name: table.column(frame, name).dtype for name in table.frames[frame].columns}


def meanings(frame: str, language: str = ENGLISH) -> Mapping[str, str]:
    """Return column → meaning of a frame, optional columns too.

    Example:
        >>> meanings("claims", "zh")["lift"]
        '准确率减基线准确率。'
    """
    table = frames()
    listed = table.frames[frame]
    names = [*listed.columns, *listed.optional]
    return {name: table.column(frame, name).says(language) for name in names}


def reference() -> str:
    """Return docs/frames.md: every frame, a table of its columns each."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    table = frames()
    yield "# Frames"
    yield ""
    yield "Made of frames.yaml by `python -m inspector.frames`; not written by hand."
    yield "A share is from 0 to 1; no figure is rounded. Columns in brackets are optional."
    for name, frame in table.frames.items():
        yield from ("", f"## {name}", "", frame.rows[ENGLISH], "")
        yield from ("| column | dtype | unit | meaning |", "|---|---|---|---|")
        for column in (*frame.columns, *frame.optional):
            row = table.column(name, column)
            shown = f"`{column}`" if column in frame.columns else f"(`{column}`)"
            cells = (shown, row.dtype, row.unit, row.says().replace("|", r"\|"))
            yield f"| {' | '.join(cells)} |"
