"""What all charts share: how categories are told apart, and the columns that they need."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from inspector.errors import InputError
from inspector.plot.colors import CATEGORIES, REFERENCE
from inspector.plot.names import Names, named

CELL = 26
"""Side of a cell, in pixels."""


def category(
    frame: pd.DataFrame,
    name: str,
    channel: type[alt.Color | alt.Shape | alt.StrokeDash],
    *,
    reference: str | None = None,
) -> Any:
    """Return how names are distinguished: in the frame's own order, the legend above the chart.

    Colours are such that the colour-blind tell them apart; a reference comes last, in grey.
    """
    names = frame[name].drop_duplicates().tolist()
    colors = [CATEGORIES[index % len(CATEGORIES)] for index in range(len(names))]
    if reference is not None:
        names, colors = [*names, reference], [*colors, REFERENCE]
    return channel(
        field=name,
        type="nominal",
        scale=alt.Scale(domain=names, range=colors if channel is alt.Color else alt.Undefined),
        legend=alt.Legend(orient="top", title=None),
    )


def number_tooltips(forms: Mapping[str, str], names: Names | None) -> list[alt.Tooltip]:
    """Return what a mark tells of columns of numbers.

    Args:
        forms: Column → how it is written.
        names: What to call them.
    """
    return [
        alt.Tooltip(
            field=name,
            type="quantitative",
            format=form,
            title=named(names, name.replace("_", " ")),
        )
        for name, form in forms.items()
    ]


def columns_of(frame: Any, columns: Sequence[str], chart: str) -> pd.DataFrame:
    """Return the columns that a chart draws, without what is noted of the frame.

    A note that is not a number cannot be read by the browsers that some hosts hand it to.

    Raises:
        InputError: If a column is missing.
    """
    check_columns(frame, columns, chart)
    shown: pd.DataFrame = frame[list(columns)].copy()
    shown.attrs = {}
    return shown


def check_columns(frame: Any, columns: Sequence[str], chart: str) -> None:
    """Refuse a frame that lacks a column, and what is no frame.

    Raises:
        InputError: If a column is missing, or all of it.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(
            f"frame ({type(frame).__name__}) must be a DataFrame with the columns "
            f"{', '.join(columns)}, which {chart} draws; a run draws its own, by run.plot."
        )
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        given = ", ".join(str(name) for name in frame.columns)
        raise InputError(
            f"frame ({given}) lacks {', '.join(missing)}: "
            f"{chart} draws the columns {', '.join(columns)}."
        )
