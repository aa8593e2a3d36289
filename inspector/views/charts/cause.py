"""Charts of cause: how far states drift with fewer heads.

Must not know: how a number came to be; Streamlit.
"""

import altair as alt
import pandas as pd

from inspector.views.charts.shared import CATEGORIES, columns_of
from inspector.views.names import Names, named

_ORDERS = ("importance", "random")


def robustness_curve(frame: pd.DataFrame, *, names: Names | None = None) -> alt.LayerChart:
    """Return the drift against the heads that are kept: by importance, and each random order.

    Bands are 95 % intervals over documents.

    Args:
        frame: `kept`, `order`, `seed`, `drift`, `ci_low`, `ci_high`.
        names: What the chart's words are called; in English where not given.

    Raises:
        InputError: If a column is missing.
    """
    columns = ["kept", "order", "seed", "drift", "ci_low", "ci_high"]
    shown = columns_of(frame, columns, "robustness_curve")
    shown["curve"] = shown["order"] + shown["seed"].astype(str)
    shown["order"] = [named(names, order) for order in shown["order"]]
    orders = [named(names, order) for order in _ORDERS]
    drift = named(names, "drift of the last state")
    kept = named(names, "heads kept in each layer")
    base = alt.Chart(shown).encode(
        x=alt.X(
            field="kept",
            type="quantitative",
            title=kept,
            axis=alt.Axis(tickMinStep=1, format="d"),
        ),
        color=alt.Color(
            field="order",
            type="nominal",
            scale=alt.Scale(domain=orders, range=list(CATEGORIES[: len(orders)])),
            # As strong as the lines, where the bands would lend it their own faintness.
            legend=alt.Legend(orient="top", title=None, symbolOpacity=1),
        ),
        detail=alt.Detail(field="curve", type="nominal"),
    )
    band = base.mark_area(opacity=0.12).encode(
        y=alt.Y(field="ci_low", type="quantitative", title=drift),
        y2=alt.Y2(field="ci_high"),
    )
    line = base.mark_line(point=True).encode(
        y=alt.Y(field="drift", type="quantitative", title=drift),
        tooltip=[
            alt.Tooltip(field="kept", type="quantitative", title=kept),
            alt.Tooltip(field="order", type="nominal", title=named(names, "order")),
            alt.Tooltip(field="seed", type="quantitative", title=named(names, "seed")),
            alt.Tooltip(field="drift", type="quantitative", format=".3f", title=drift),
        ],
    )
    return alt.LayerChart(layer=[band, line]).properties(
        height=300, description="drift of the last state against the heads kept in each layer"
    )
