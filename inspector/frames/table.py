"""What frames.yaml holds, checked when it is read."""

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
    formula: str | None = None


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
