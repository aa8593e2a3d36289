"""Charts of heads: a statistic of every head, their accuracy on a relation, the map of one."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from jaxtyping import Float

from inspector.arguments import are_several
from inspector.errors import InputError
from inspector.plot.colors import (
    MARK,
    NEEDED_COLORS,
    NEEDED_MARKS,
    REFERENCE,
    SIGNED,
)
from inspector.plot.names import Names, named
from inspector.plot.shared import CELL, check_columns, columns_of, number_tooltips

MAX_MATRIX_TOKENS = 70
"""A chart holds at most 5,000 cells, and 70 × 70 are 4,900."""

_RELATION_COLUMNS = [
    "layer", "head", "relation", "direction", "n", "correct", "accuracy", "baseline_offset",
    "baseline_accuracy",
]  # fmt: skip


def head_grid(
    frame: pd.DataFrame,
    statistic: str,
    *,
    selected: tuple[int, int] | None = None,
    names: Names | None = None,
) -> alt.Chart:
    """Return a grid of one statistic, layers downwards and heads across.

    A click chooses a head: the selection is named "head" and gives `layer` and `head`.

    Args:
        frame: A row per layer and head, with the columns `layer`, `head` and the statistic.
        statistic: The column to show.
        selected: The layer and head that are chosen at first.
        names: What the chart's words are called; in English where not given.

    Raises:
        InputError: If the frame has no such column of numbers.
    """
    check_columns(frame, ["layer", "head"], "head_grid")
    numbers = [
        str(name) for name in frame.select_dtypes("number").columns if name not in ("layer", "head")
    ]
    if statistic not in numbers:
        raise InputError(
            f"statistic ({statistic}) must be a column of numbers of the frame. "
            f"Available: {', '.join(numbers)}."
        )
    start = [{"layer": selected[0], "head": selected[1]}] if selected else alt.Undefined
    choice = alt.selection_point(name="head", fields=["layer", "head"], empty=False, value=start)
    title = named(names, statistic.replace("_", " "))
    chart: alt.Chart = (
        alt.Chart(columns_of(frame, ["layer", "head", statistic], "head_grid"))
        .mark_rect(cursor="pointer", stroke=MARK)
        .encode(
            **_cells(names),
            color=alt.Color(
                field=statistic, type="quantitative", scale=_scale(frame, statistic), title=title
            ),
            strokeWidth=alt.when(choice).then(alt.value(3)).otherwise(alt.value(0)),
            tooltip=[
                alt.Tooltip("layer:O", title=named(names, "layer")),
                alt.Tooltip("head:O", title=named(names, "head")),
                alt.Tooltip(field=statistic, type="quantitative", format=".4g", title=title),
            ],
        )
        .add_params(choice)
        .properties(
            width=alt.Step(CELL),
            height=alt.Step(CELL),
            description=f"{title} of every head, layers downwards and heads across",
        )
    )
    return chart


def needed_by_head(claims: pd.DataFrame, heads: pd.DataFrame) -> pd.DataFrame:
    """Return for every head whether it is needed for what it follows: the strongest verdict.

    Args:
        claims: The claims frame, with `needed`.
        heads: A row per head of the model: `layer`, `head`.

    Returns:
        `layer`, `head` and `needed`, NaN where no claim of the head was asked.
    """
    check_columns(claims, ["layer", "head", "needed"], "needed_grid")
    asked = claims[claims["needed"].isin(list(NEEDED_MARKS))]
    order = asked["needed"].map(list(NEEDED_MARKS).index)
    best = asked.loc[order.sort_values(kind="stable").index].drop_duplicates(["layer", "head"])
    return heads[["layer", "head"]].merge(
        best[["layer", "head", "needed"]], on=["layer", "head"], how="left"
    )


def needed_grid(
    claims: pd.DataFrame, heads: pd.DataFrame, *, names: Names | None = None
) -> alt.LayerChart:
    """Return a grid of whether heads are needed for what they follow, as ablation found.

    Args:
        claims: The claims frame, with `needed`.
        heads: A row per head of the model: `layer`, `head`.
        names: What verdicts and the chart's words are called; their own names where not given.

    Raises:
        InputError: If a column is missing.
    """
    frame = needed_by_head(claims, heads)
    frame["mark"] = frame["needed"].map(NEEDED_MARKS).fillna("")
    called = {word: f"{mark} {named(names, word)}" for word, mark in NEEDED_MARKS.items()}
    frame["needed"] = frame["needed"].map(called).fillna(named(names, "not asked"))
    colors = alt.Scale(
        domain=[*called.values(), named(names, "not asked")],
        range=[*NEEDED_COLORS.values(), f"{REFERENCE}40"],
    )
    legend = alt.Legend(title=named(names, "needed"), labelLimit=260, symbolType="square")
    cells = (
        alt.Chart(frame)
        .mark_rect(stroke="#ffffff", strokeWidth=1)
        .encode(
            **_cells(names),
            color=alt.Color(field="needed", type="nominal", scale=colors, legend=legend),
        )
    )
    marks = (
        alt.Chart(frame)
        .mark_text(color="#ffffff")
        .encode(**_cells(names), text=alt.Text(field="mark", type="nominal"))
    )
    return alt.LayerChart(layer=[cells, marks]).properties(
        width=alt.Step(CELL),
        height=alt.Step(CELL),
        description="whether every head is needed, layers downwards and heads across",
    )


def attention_matrix(
    probabilities: Float[np.ndarray, "query key"],
    query_tokens: Sequence[str],
    key_tokens: Sequence[str],
    *,
    names: Names | None = None,
) -> alt.Chart:
    """Return one head's map: queries downwards, keys across, tokens labelled with their index.

    Args:
        probabilities: The map of one head.
        query_tokens: What looks, one per row.
        key_tokens: What is looked at, one per column.
        names: What the chart's words are called; in English where not given.

    Raises:
        InputError: If tokens and map differ in number, or there are more than 70 of them.
    """
    _check_matrix(probabilities, query_tokens, key_tokens)
    queries = [f"{index} {token}" for index, token in enumerate(query_tokens)]
    keys = [f"{index} {token}" for index, token in enumerate(key_tokens)]
    frame = pd.DataFrame(
        {
            "query": np.repeat(np.array(queries, dtype=object), len(keys)),
            "key": np.tile(np.array(keys, dtype=object), len(queries)),
            "probability": probabilities.reshape(-1),
        }
    )
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_rect()
        .encode(
            x=alt.X(
                "key:N",
                sort=keys,
                title=named(names, "key"),
                axis=alt.Axis(labelAngle=-60, labelOverlap=False, labelFlush=False),
            ),
            y=alt.Y(
                "query:N",
                sort=queries,
                title=named(names, "query"),
                axis=alt.Axis(labelOverlap=False, labelFlush=False),
            ),
            color=alt.Color(
                "probability:Q",
                title=named(names, "probability"),
                scale=alt.Scale(scheme="viridis", domain=[0, 1]),
            ),
            tooltip=[
                alt.Tooltip("query:N", title=named(names, "query")),
                alt.Tooltip("key:N", title=named(names, "key")),
                alt.Tooltip("probability:Q", format=".4f", title=named(names, "probability")),
            ],
        )
        .properties(
            width=alt.Step(18),
            height=alt.Step(18),
            description="attention of one head: queries downwards, keys across",
        )
    )
    return chart


def relation_grid(
    relations: pd.DataFrame,
    relation: str,
    *,
    direction: str | None = None,
    names: Names | None = None,
) -> alt.Chart:
    """Return each head's accuracy on a relation, layers downwards and heads across.

    Args:
        relations: The relations frame.
        relation: Which one, such as obj.
        direction: One of its directions; a grid for each where not given.
        names: What directions and the chart's words are called; their own names where not given.

    Raises:
        InputError: If a column is missing, or there is no such relation or direction.
    """
    frame = columns_of(relations, _RELATION_COLUMNS, "relation_grid")
    shown = _rows_of(frame, "relation", relation)
    if direction is not None:
        shown = _rows_of(shown, "direction", direction)
    shown = shown.assign(
        direction=[named(names, one) for one in shown["direction"]],
        lift=shown["accuracy"] - shown["baseline_accuracy"],
    )
    title = named(names, "accuracy")
    chart: alt.Chart = (
        alt.Chart(shown)
        .mark_rect()
        .encode(
            **_cells(names),
            color=alt.Color(
                "accuracy:Q", title=title, scale=alt.Scale(scheme="viridis", domain=[0, 1])
            ),
            column=alt.Column("direction:N", title=None, sort=None),
            tooltip=_relation_tooltip(names),
        )
        .properties(
            width=alt.Step(CELL),
            height=alt.Step(CELL),
            description=f"accuracy of every head on {relation}",
        )
    )
    return chart


def _scale(frame: pd.DataFrame, statistic: str) -> alt.Scale:
    if statistic.endswith(SIGNED):
        return alt.Scale(scheme="blueorange", domain=[-1, 1], domainMid=0)
    reach = float(frame[statistic].abs().max())
    if (frame[statistic] < 0).any():
        return alt.Scale(scheme="blueorange", domain=[-reach, reach], domainMid=0)
    return alt.Scale(scheme="viridis", zero=False, nice=False)


def _check_matrix(probabilities: Any, query_tokens: Any, key_tokens: Any) -> None:
    given = (probabilities, query_tokens, key_tokens)
    if not isinstance(probabilities, np.ndarray) or not all(map(are_several, given[1:])):
        raise InputError(
            f"probabilities ({', '.join(type(one).__name__ for one in given)}) must be an array, "
            "with the tokens of its queries and keys, such as maps[2, 8], maps.tokens and "
            "maps.tokens; or call maps.plot(2, 8)."
        )
    expected = (len(query_tokens), len(key_tokens))
    if probabilities.shape != expected:
        raise InputError(
            f"probabilities have shape {probabilities.shape}, expected (query, key) = {expected}, "
            "one for each token."
        )
    if max(expected) > MAX_MATRIX_TOKENS:
        raise InputError(
            f"tokens ({max(expected)}) must be at most {MAX_MATRIX_TOKENS} for the map of one "
            "head: give a shorter text."
        )


def _rows_of(frame: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    shown = frame[frame[column] == value]
    if shown.empty:
        measured = ", ".join(sorted(map(str, frame[column].unique())))
        available = measured or "none, as the text had no trees"
        raise InputError(
            f"{column} ({value}) must be one that was measured. Available: {available}."
        )
    return shown


def _cells(names: Names | None) -> dict[str, alt.X | alt.Y]:
    """Return where a head's cell stands: heads across, layers downwards."""
    return {
        "x": alt.X(
            "head:O", title=named(names, "head"), axis=alt.Axis(labelAngle=0, labelFlush=False)
        ),
        "y": alt.Y("layer:O", title=named(names, "layer"), axis=alt.Axis(labelFlush=False)),
    }


def _relation_tooltip(names: Names | None) -> list[alt.Tooltip]:
    forms = {"n": "d", "accuracy": ".3f", "baseline_offset": "+d", "baseline_accuracy": ".3f",
             "lift": "+.3f"}  # fmt: skip
    return [
        alt.Tooltip("layer:O", title=named(names, "layer")),
        alt.Tooltip("head:O", title=named(names, "head")),
        *number_tooltips(forms, names),
    ]
