"""The chart of a verification: how far ours is from theirs, layer by layer, stage by stage."""

import altair as alt
import pandas as pd

from inspector.plot.colors import MARK
from inspector.plot.names import Names, named
from inspector.plot.shared import CELL, check_columns, columns_of

STAGES = ("query", "key", "value", "probabilities", "context", "output")
"""The stages of a layer, in the order in which they are computed."""
_NARROW = 480
"""Pixels of all stages."""
_COLUMNS = ["layer", "stage", "error_in_u", "passed"]


def error_grid(
    frame: pd.DataFrame,
    *,
    limit: float = 32.0,
    by_module: bool = False,
    names: Names | None = None,
) -> alt.LayerChart:
    """Return a grid of verification errors, layers downwards and stages across.

    Each cell says its error in units of u, the dtype's unit roundoff; a failed one has a frame.

    Args:
        frame: A row per layer and stage: `layer`, `stage`, `error_in_u`, `passed`; its `module`,
            where it has one, stands in the tooltip.
        limit: The error that must not be exceeded, where the colours end.
        by_module: Whether rows are labelled with the modules' names.
        names: What the chart's words and stages are called; in English where not given.

    Raises:
        InputError: If a column is missing.
    """
    check_columns(frame, _COLUMNS, "error_grid")
    columns = [*_COLUMNS, *(["module"] if by_module or "module" in frame else [])]
    shown = columns_of(frame, columns, "error_grid")
    present = frame["stage"].drop_duplicates().tolist()
    ordered = sorted(
        present, key=lambda name: STAGES.index(name) if name in STAGES else len(STAGES)
    )
    stages = [named(names, name) for name in ordered]
    shown["stage"] = [named(names, name) for name in frame["stage"]]
    base = alt.Chart(shown).encode(
        x=alt.X(
            "stage:N",
            sort=stages,
            title=named(names, "stage"),
            axis=_stage_axis(),
        ),
        y=_rows(shown, by_module, names),
        tooltip=[
            alt.Tooltip("layer:O", title=named(names, "layer")),
            *(
                alt.Tooltip(field=name, type="nominal", title=named(names, name))
                for name in columns[len(_COLUMNS) :]
            ),
            alt.Tooltip("stage:N", title=named(names, "stage")),
            alt.Tooltip("error_in_u:Q", format=".4g", title=named(names, "error in u")),
            alt.Tooltip("passed:N", title=named(names, "passed")),
        ],
    )
    return alt.LayerChart(layer=_cells(base, limit, named(names, "error in u"))).properties(
        width=alt.Step(96),
        height=alt.Step(CELL),
        description="errors of every layer and stage, in units of the dtype's roundoff",
    )


def _stage_axis() -> alt.Axis:
    """Return the axis across, whose words are slanted where they would run into each other."""
    is_narrow = f"width < {_NARROW}"
    return alt.Axis(
        labelFlush=False,
        labelOverlap=False,
        labelAngle=alt.ExprRef(f"{is_narrow} ? -35 : 0"),
        labelAlign=alt.ExprRef(f"{is_narrow} ? 'right' : 'center'"),
    )


def _rows(frame: pd.DataFrame, by_module: bool, names: Names | None) -> alt.Y:
    """Return the axis downwards: layers by their numbers, or modules in the order of theirs."""
    if not by_module:
        return alt.Y("layer:O", title=named(names, "layer"), axis=alt.Axis(labelFlush=False))
    modules = frame.sort_values("layer", kind="stable")["module"].drop_duplicates().tolist()
    return alt.Y(
        "module:N",
        sort=modules,
        title=None,
        axis=alt.Axis(labelLimit=360, labelOverlap=False, labelFlush=False),
    )


def _cells(base: alt.Chart, limit: float, title: str) -> list[alt.Chart]:
    cells = base.mark_rect(stroke=MARK).encode(
        color=alt.Color(
            "error_in_u:Q",
            title=title,
            scale=alt.Scale(scheme="cividis", type="sqrt", domain=[0, limit], clamp=True),
        ),
        strokeWidth=alt.when(alt.datum.passed).then(alt.value(0)).otherwise(alt.value(3)),
    )
    # The middle of a square-root scale lies at a quarter: above it the cells are light.
    text = base.mark_text(fontSize=12).encode(
        text=alt.Text("error_in_u:Q", format=".2f"),
        color=alt.when(alt.datum.error_in_u > limit / 4)
        .then(alt.value("#000000"))
        .otherwise(alt.value("#ffffff")),
    )
    return [cells, text]
