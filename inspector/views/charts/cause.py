"""Charts of cause: how far states drift with fewer heads.

Must not know: how a number came to be; Streamlit.
"""

import altair as alt
import pandas as pd

from inspector.views.charts.shared import CATEGORIES, check_columns


def robustness_curve(frame: pd.DataFrame) -> alt.LayerChart:
    """Return the drift against the heads that are kept: by importance, and each random order.

    Bands are 95 % intervals over documents.

    Args:
        frame: `kept`, `order`, `seed`, `drift`, `ci_low`, `ci_high`.

    Raises:
        InputError: If a column is missing.
    """
    columns = ["kept", "order", "seed", "drift", "ci_low", "ci_high"]
    check_columns(frame, columns, "robustness_curve")
    shown = frame[columns].assign(curve=frame["order"] + frame["seed"].astype(str))
    base = alt.Chart(shown).encode(
        x=alt.X(
            field="kept",
            type="quantitative",
            title="heads kept in each layer",
            axis=alt.Axis(tickMinStep=1, format="d"),
        ),
        color=alt.Color(
            field="order",
            type="nominal",
            scale=alt.Scale(domain=["importance", "random"], range=list(CATEGORIES[:2])),
            legend=alt.Legend(orient="top", title=None),
        ),
        detail=alt.Detail(field="curve", type="nominal"),
    )
    band = base.mark_area(opacity=0.12).encode(
        y=alt.Y(field="ci_low", type="quantitative", title="drift of the last state"),
        y2=alt.Y2(field="ci_high"),
    )
    line = base.mark_line(point=True).encode(
        y=alt.Y(field="drift", type="quantitative", title="drift of the last state"),
        tooltip=[
            alt.Tooltip(field="kept", type="quantitative"),
            alt.Tooltip(field="order", type="nominal"),
            alt.Tooltip(field="seed", type="quantitative"),
            alt.Tooltip(field="drift", type="quantitative", format=".3f"),
        ],
    )
    return alt.LayerChart(layer=[band, line]).properties(
        height=300, description="drift of the last state against the heads kept in each layer"
    )
