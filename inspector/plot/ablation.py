"""Charts of ablation: how far states move, and how much loss grows, with fewer heads."""

from typing import Literal

import altair as alt
import pandas as pd

from inspector.errors import InputError
from inspector.plot.colors import CATEGORIES
from inspector.plot.names import Names, named
from inspector.plot.shared import columns_of

_ORDERS = ("importance", "random")
_FIGURES = {
    "state_change": ("change of the last hidden state", "ci_low", "ci_high"),
    "loss_increase": ("loss beyond the whole model's", "loss_ci_low", "loss_ci_high"),
}


def robustness_curve(
    frame: pd.DataFrame,
    figure: Literal["state_change", "loss_increase"] = "state_change",
    *,
    names: Names | None = None,
) -> alt.LayerChart:
    """Return a figure against the heads that are kept: by importance, and each random order.

    Bands are 95 % intervals over documents.

    Args:
        frame: `kept`, `order`, `seed`, the figure and its interval: `state_change`, `ci_low`,
            `ci_high`, or `loss_increase`, `loss_ci_low`, `loss_ci_high`.
        figure: Which of the two.
        names: What the chart's words are called; in English where not given.

    Raises:
        InputError: If a column is missing, or there is no such figure.
    """
    if figure not in _FIGURES:
        raise InputError(
            f"figure ({figure}) must be one of these. Available: {', '.join(_FIGURES)}."
        )
    title, low, high = _FIGURES[figure]
    shown = columns_of(frame, ["kept", "order", "seed", figure, low, high], "robustness_curve")
    shown["curve"] = shown["order"] + shown["seed"].astype(str)
    shown["order"] = [named(names, order) for order in shown["order"]]
    orders = [named(names, order) for order in _ORDERS]
    measured = named(names, title)
    kept = named(names, "heads kept in each layer")
    base = alt.Chart(shown).encode(
        x=alt.X("kept:Q", title=kept, axis=alt.Axis(tickMinStep=1, format="d")),
        color=alt.Color(
            field="order",
            type="nominal",
            scale=alt.Scale(domain=orders, range=list(CATEGORIES[: len(orders)])),
            # As strong as the lines, where the bands would lend it their own faintness.
            legend=alt.Legend(orient="top", title=None, symbolOpacity=1),
        ),
        detail=alt.Detail("curve:N"),
    )
    band = base.mark_area(opacity=0.12).encode(
        y=alt.Y(field=low, type="quantitative", title=measured),
        y2=alt.Y2(field=high),
    )
    line = base.mark_line(point=True).encode(
        y=alt.Y(field=figure, type="quantitative", title=measured),
        tooltip=[
            alt.Tooltip("kept:Q", title=kept),
            alt.Tooltip("order:N", title=named(names, "order")),
            alt.Tooltip("seed:Q", title=named(names, "seed")),
            alt.Tooltip(field=figure, type="quantitative", format=".3f", title=measured),
        ],
    )
    return alt.LayerChart(layer=[band, line]).properties(
        height=300, description=f"{title} against the heads kept in each layer"
    )
