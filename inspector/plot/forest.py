"""The forest plot of claims: each lift over its baseline with its interval, accuracy beside."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from inspector.plot.colors import CATEGORIES, REFERENCE
from inspector.plot.names import Names, named
from inspector.plot.shared import columns_of, number_tooltips

VERDICTS = ("supported", "explained", "not supported", "underpowered")
"""In the order of the legend."""
MARKED_LIFT = 0.10
"""The lift that counts as following, a line beside the one at 0."""

_COLORS = (CATEGORIES[0], CATEGORIES[1], CATEGORIES[4], REFERENCE)
_SHAPES = ("circle", "square", "cross", "diamond")
_ROW = 19
_COLUMNS = [
    "relation", "direction", "layer", "head", "n", "accuracy", "baseline_accuracy", "lift",
    "ci_low", "ci_high", "q_value", "verdict",
]  # fmt: skip


def claims_forest(claims: pd.DataFrame, *, names: Names | None = None) -> alt.LayerChart:
    """Return a line per claim: its lift, the lift's interval, and accuracy beside baseline.

    Supported claims come first, the largest lift before the others; a claim without any has a line
    of its own and no mark.

    Args:
        claims: The claims frame, or some of its rows.
        names: What directions, verdicts and the chart's words are called; their own names where
            not given.

    Raises:
        InputError: If a column is missing.
    """
    claims = columns_of(claims, _COLUMNS, "claims_forest")
    called = {name: named(names, name) for name in (*VERDICTS, *claims["direction"].unique())}
    lift = named(names, "lift")
    frame = _rows(claims, called)
    rows = frame["claim"].tolist()
    y = alt.Y(
        field="claim",
        type="nominal",
        sort=rows,
        scale=alt.Scale(domain=rows),
        axis=alt.Axis(
            title=None, labelLimit=400, labelOverlap=False, labelFlush=False, ticks=False, grid=True
        ),
    )
    # Above the rows: there may be hundreds.
    axis = alt.Axis(format="+.0%", grid=False, orient="top")
    x = alt.X(field="lift", type="quantitative", title=lift, axis=axis)
    color, shape = _of_verdict(frame, called)
    base = alt.Chart(frame).encode(y=y, tooltip=_tooltip(names))
    known = base.transform_filter("isValid(datum.lift)")
    intervals = known.mark_rule(strokeWidth=2).encode(
        x=alt.X(field="ci_low", type="quantitative", title=lift), x2="ci_high", color=color
    )
    points = known.mark_point(size=70, filled=True, opacity=1).encode(x=x, color=color, shape=shape)
    shares = base.mark_text(align="left", dx=8, fontSize=11, color=REFERENCE).encode(
        x=alt.value("width"), text=alt.Text(field="shares", type="nominal")
    )
    return alt.LayerChart(
        layer=[
            _line(0.0, [1, 0], lift),
            _line(MARKED_LIFT, [4, 4], lift),
            intervals,
            points,
            shares,
        ]
    ).properties(
        height=alt.Step(_ROW),
        padding={"left": 5, "top": 5, "bottom": 5, "right": 100},
        description="lift of every claim over its baseline, with its 95 % interval",
    )


def _rows(claims: pd.DataFrame, called: Mapping[str, str]) -> pd.DataFrame:
    """Return a row per claim in the chart's order, with what the chart says of it."""
    frame = claims[_COLUMNS].sort_values("lift", ascending=False, kind="stable", na_position="last")
    frame = frame.sort_values("verdict", key=lambda names: names.map(VERDICTS.index), kind="stable")
    rows = frame.to_dict("records")
    return frame.assign(
        claim=[
            f"{row['relation']} · {called[row['direction']]} · {row['layer']}-{row['head']}"
            for row in rows
        ],
        said=[called[row["verdict"]] for row in rows],
        shares=[
            f"{_percent(row['accuracy'])} | {_percent(row['baseline_accuracy'])}" for row in rows
        ],
    )


def _of_verdict(frame: pd.DataFrame, called: Mapping[str, str]) -> tuple[alt.Color, alt.Shape]:
    """Return colour and shape of the verdicts that occur, in one legend."""
    present = [place for place, name in enumerate(VERDICTS) if name in set(frame["verdict"])]
    domain = [called[VERDICTS[place]] for place in present]
    legend = alt.Legend(orient="top", title=None)
    colors = alt.Scale(domain=domain, range=[_COLORS[place] for place in present])
    shapes = alt.Scale(domain=domain, range=[_SHAPES[place] for place in present])
    return (
        alt.Color(field="said", type="nominal", scale=colors, legend=legend),
        alt.Shape(field="said", type="nominal", scale=shapes, legend=legend),
    )


def _line(at: float, dash: list[int], title: str) -> alt.Chart:
    frame = pd.DataFrame({"at": [at]})
    line: alt.Chart = (
        alt.Chart(frame)
        .mark_rule(color=REFERENCE, strokeDash=dash)
        .encode(x=alt.X(field="at", type="quantitative", title=title))
    )
    return line


def _tooltip(names: Names | None) -> list[alt.Tooltip]:
    shown = {"lift": "+.3f", "ci_low": "+.3f", "ci_high": "+.3f", "accuracy": ".3f",
             "baseline_accuracy": ".3f", "n": "d", "q_value": ".2g"}  # fmt: skip
    return [
        alt.Tooltip(field="claim", type="nominal", title=named(names, "claim")),
        alt.Tooltip(field="said", type="nominal", title=named(names, "verdict")),
        *number_tooltips(shown, names),
    ]


def _percent(share: float) -> str:
    return "–" if pd.isna(share) else f"{100 * share:.0f} %"
