"""The chart of roles: every head as a cell, coloured by what it may be called."""

from collections.abc import Mapping
from typing import TypeVar

import altair as alt
import pandas as pd

from inspector.plot.colors import FAMILIES, FAMILY_COLORS, MARK
from inspector.plot.names import Names, named
from inspector.plot.shared import check_columns

Axis = TypeVar("Axis", alt.X, alt.Y)

NO_ROLE = "none"

_CELL = 34
_GAP = 0.04
_LEAST = 0.4
"""Opacity of the weakest role."""
_NOTHING = "rgba(138, 138, 138, 0.18)"
"""Of a cell without a role, and in the legend: on white and on black fainter than any role."""
_COLUMNS = ["layer", "head", "role", "evidence", "effect"]


def role_grid(
    roles: pd.DataFrame,
    heads: pd.DataFrame,
    *,
    selected: tuple[int, int] | None = None,
    marked: Mapping[tuple[int, int], bool] | None = None,
    names: Names | None = None,
) -> alt.LayerChart:
    """Return a grid of heads coloured by role, layers downwards and heads across.

    A head with roles of several families has a stripe for each. A click chooses a head: the
    selection is named "head" and gives `layer` and `head`.

    Args:
        roles: The roles frame: `layer`, `head`, `role`, `evidence`, `effect`.
        heads: A row per head of the model: `layer`, `head`.
        selected: The layer and head that have a frame.
        marked: Heads with a dot: filled where True, hollow where False.
        names: What families and the chart's words are called; their own names where not given.

    Raises:
        InputError: If a column is missing.
    """
    check_columns(roles, _COLUMNS, "role_grid")
    check_columns(heads, ["layer", "head"], "role_grid")
    called = {family: named(names, family) for family in (*FAMILIES, NO_ROLE)}
    stripes = _stripes(roles, heads, called)
    n_layers, n_heads = (int(heads[name].max()) + 1 for name in ("layer", "head"))
    x = _axis(alt.X, "left", named(names, "head"), n_heads)
    y = _axis(alt.Y, "top", named(names, "layer"), n_layers)
    cells = _cells(stripes, called, x, y).encode(tooltip=_tooltip(names))
    return alt.LayerChart(
        layer=[cells, *_frames(selected, x, y), *_dots(marked or {}, x, y)]
    ).properties(
        width=_CELL * n_heads,
        height=_CELL * n_layers,
        # Else the legend and the axes would be taken from the cells' height.
        autosize=alt.AutoSizeParams(type="pad"),
        description="roles of every head, layers downwards and heads across",
    )


def _cells(stripes: pd.DataFrame, called: Mapping[str, str], x: alt.X, y: alt.Y) -> alt.Chart:
    """Return the coloured cells, which can be clicked."""
    choice = alt.selection_point(name="head", fields=["layer", "head"], empty=False)
    present = [called[name] for name in (*FAMILIES, NO_ROLE) if called[name] in set(stripes["is"])]
    colors = {called[family]: color for family, color in FAMILY_COLORS.items()}
    cells: alt.Chart = (
        alt.Chart(stripes)
        .mark_rect(cursor="pointer")
        .encode(
            x=x,
            x2="right",
            y=y,
            y2="bottom",
            color=alt.Color(
                "is:N",
                scale=alt.Scale(
                    domain=present, range=[colors.get(name, _NOTHING) for name in present]
                ),
                legend=alt.Legend(orient="top", title=None, columns=4, symbolType="square"),
            ),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
            description=alt.Description(field="label", type="nominal"),
        )
        .add_params(choice)
    )
    return cells


def _tooltip(names: Names | None) -> list[alt.Tooltip]:
    titles = {"name": "head", "roles": "roles", "evidence": "evidence"}
    return [
        alt.Tooltip(field=field, type="nominal", title=named(names, title))
        for field, title in titles.items()
    ]


def _stripes(roles: pd.DataFrame, heads: pd.DataFrame, called: Mapping[str, str]) -> pd.DataFrame:
    """Return a row per stripe of a cell: one for each family of the head's roles."""
    rows = []
    of_head = dict(list(roles.groupby(["layer", "head"])))
    for layer, head in heads[["layer", "head"]].itertuples(index=False):
        own = of_head.get((layer, head), roles.iloc[:0])
        families = own["role"].str.partition(":")[0] if len(own) else pd.Series(dtype=object)
        present = [family for family in FAMILIES if (families == family).any()] or [NO_ROLE]
        width = (1 - 2 * _GAP) / len(present)
        for place, family in enumerate(present):
            of_family = own[families == family].sort_values("effect", ascending=False)
            listed = ", ".join(of_family["role"]) or called[NO_ROLE]
            rows.append(
                {
                    "layer": int(layer),
                    "head": int(head),
                    "name": f"{layer}-{head}",
                    "is": called[family],
                    "roles": listed,
                    "evidence": of_family["evidence"].iloc[0] if len(of_family) else "",
                    "label": f"layer: {layer}; head: {head}; {listed}",
                    "opacity": _strength(of_family),
                    "left": head + _GAP + place * width,
                    "right": head + _GAP + (place + 1) * width,
                    "top": layer + _GAP,
                    "bottom": layer + 1 - _GAP,
                }
            )
    return pd.DataFrame(rows)


def _strength(roles: pd.DataFrame) -> float:
    """Return how strong a colour is: full at an effect of 1, and where there is no role."""
    if roles.empty:
        return 1.0
    effect = float(roles["effect"].max())
    return round(_LEAST + (1 - _LEAST) * min(max(effect, 0.0), 1.0), 3)


def _axis(channel: type[Axis], field: str, title: str, count: int) -> Axis:
    """Return an axis of whole cells: cell i reaches from i to i + 1 and is labelled in between."""
    return channel(
        field=field,
        type="quantitative",
        title=title,
        scale=alt.Scale(domain=[0, count], nice=False, reverse=channel is alt.Y),
        axis=alt.Axis(
            values=[place + 0.5 for place in range(count)],
            labelExpr="floor(datum.value)",
            labelOverlap=False,
            grid=False,
            ticks=False,
            domain=False,
        ),
    )


def _frames(selected: tuple[int, int] | None, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    if selected is None:
        return []
    layer, head = selected
    frame = pd.DataFrame(
        {
            "layer": [layer],
            "head": [head],
            "left": [head],
            "right": [head + 1],
            "top": [layer],
            "bottom": [layer + 1],
        }
    )
    return [
        alt.Chart(frame)
        .mark_rect(fillOpacity=0, stroke=MARK, strokeWidth=3)
        .encode(x=x, x2="right", y=y, y2="bottom")
    ]


def _dots(marked: Mapping[tuple[int, int], bool], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Return white dots with a dark rim, some hollow: they show on every colour.

    Layer and head stand with each, so that a click on a dot chooses its head too.
    """
    if not marked:
        return []
    frame = pd.DataFrame(
        [
            {"layer": layer, "head": head, "left": head + 0.5, "top": layer + 0.5, "filled": filled}
            for (layer, head), filled in marked.items()
        ]
    )
    dots = alt.Chart(frame).encode(x=x, y=y)
    filled = dots.transform_filter("datum.filled")
    hollow = dots.transform_filter("!datum.filled")
    return [
        filled.mark_point(
            size=120, filled=True, fill="#ffffff", stroke="#000000", strokeWidth=2, opacity=1
        ),
        hollow.mark_point(size=120, filled=False, stroke="#000000", strokeWidth=5, opacity=1),
        hollow.mark_point(size=120, filled=False, stroke="#ffffff", strokeWidth=2.5, opacity=1),
    ]
