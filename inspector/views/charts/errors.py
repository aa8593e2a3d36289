"""The chart of a verification: how far ours is from theirs, layer by layer, stage by stage.

Must not know: how errors are judged; Streamlit.
"""

import altair as alt
import pandas as pd

from inspector.views.charts.shared import CELL, MARK, check_columns

STAGES = ("query", "key", "value", "probabilities", "context", "output")
"""The stages of a layer, in the order in which they are computed."""


def error_grid(frame: pd.DataFrame, *, limit: float = 32.0) -> alt.LayerChart:
    """Return a grid of verification errors, layers downwards and stages across.

    Each cell says its error in units of u, the dtype's unit roundoff; a failed one has a frame.

    Args:
        frame: A row per layer and stage: `layer`, `stage`, `error_in_u`, `passed`.
        limit: The error that must not be exceeded, where the colours end.

    Raises:
        InputError: If a column is missing.
    """
    columns = ["layer", "stage", "error_in_u", "passed"]
    check_columns(frame, columns, "error_grid")
    present = frame["stage"].drop_duplicates().tolist()
    stages = sorted(present, key=lambda name: STAGES.index(name) if name in STAGES else len(STAGES))
    base = alt.Chart(frame[columns]).encode(
        x=alt.X(field="stage", type="nominal", sort=stages, axis=alt.Axis(labelAngle=0)),
        y=alt.Y(field="layer", type="ordinal"),
        tooltip=[
            alt.Tooltip(field="layer", type="ordinal"),
            alt.Tooltip(field="stage", type="nominal"),
            alt.Tooltip(field="error_in_u", type="quantitative", format=".4g", title="error in u"),
            alt.Tooltip(field="passed", type="nominal"),
        ],
    )
    cells = base.mark_rect(stroke=MARK).encode(
        color=alt.Color(
            field="error_in_u",
            type="quantitative",
            title="error in u",
            scale=alt.Scale(scheme="cividis", type="sqrt", domain=[0, limit], clamp=True),
        ),
        strokeWidth=alt.when(alt.datum.passed).then(alt.value(0)).otherwise(alt.value(3)),
    )
    # The middle of a square-root scale lies at a quarter: above it the cells are light.
    text = base.mark_text(fontSize=12).encode(
        text=alt.Text(field="error_in_u", type="quantitative", format=".2f"),
        color=alt.when(alt.datum.error_in_u > limit / 4)
        .then(alt.value("#000000"))
        .otherwise(alt.value("#ffffff")),
    )
    return alt.LayerChart(layer=[cells, text]).properties(
        width=alt.Step(96),
        height=alt.Step(CELL),
        description="errors of every layer and stage, in units of the dtype's roundoff",
    )
