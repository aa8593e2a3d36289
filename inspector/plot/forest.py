"""The forest plot of claims, and of one claim its ladder of simpler explanations.

Each difference with its interval, the shares that it is of beside it.
"""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from inspector.plot.colors import CATEGORIES, REFERENCE, VERDICTS
from inspector.plot.names import Names, named, rung_label
from inspector.plot.shared import columns_of, number_tooltips

MARKED_LIFT = 0.10
"""The lift that counts as following, a line beside the one at 0."""

_COLORS = (CATEGORIES[0], CATEGORIES[1], CATEGORIES[4], REFERENCE)
_SHAPES = ("circle", "square", "cross", "diamond")
_ROW = 19
_BESIDE: dict[str, Any] = {"align": "left", "dx": 8, "fontSize": 11, "color": REFERENCE}
"""How figures beside the rows, and what they are called above them, are written."""
_POINTS: dict[str, Any] = {"labelExpr": "format(100 * datum.value, '+.0f')"}
"""How an axis says differences of shares: in points, which its title names."""
_COLUMNS = [
    "relation", "direction", "layer", "head", "n", "accuracy", "baseline_accuracy", "lift",
    "ci_low", "ci_high", "q_value", "verdict",
]  # fmt: skip
_RUNG_COLUMNS = ["rung", "rule", "n", "accuracy", "difference", "ci_low", "ci_high"]


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
    lift = named(names, "lift in points")
    frame = _rows(claims, called)
    rows = frame["claim"].tolist()
    y = alt.Y(
        "claim:N",
        sort=rows,
        scale=alt.Scale(domain=rows),
        axis=alt.Axis(
            title=None, labelLimit=400, labelOverlap=False, labelFlush=False, ticks=False, grid=True
        ),
    )
    # Above the rows: there may be hundreds.
    axis = alt.Axis(**_POINTS, grid=False, orient="top")
    x = alt.X("lift:Q", title=lift, axis=axis)
    color, shape = _of_verdict(frame, called)
    base = alt.Chart(frame).encode(y=y, tooltip=_tooltip(names))
    known = base.transform_filter("isValid(datum.lift)")
    intervals = known.mark_rule(strokeWidth=2).encode(
        x=alt.X("ci_low:Q", title=lift), x2="ci_high", color=color
    )
    points = known.mark_point(size=70, filled=True, opacity=1).encode(x=x, color=color, shape=shape)
    shares = base.mark_text(**_BESIDE).encode(x=alt.value("width"), text=alt.Text("shares:N"))
    return alt.LayerChart(
        layer=[
            _line(0.0, [1, 0], lift),
            _line(MARKED_LIFT, [4, 4], lift),
            intervals,
            points,
            shares,
            _heading(named(names, "accuracy | baseline")),
        ]
    ).properties(
        height=alt.Step(_ROW),
        padding={"left": 5, "top": 5, "bottom": 5, "right": 110},
        description="lift of every claim over its baseline, with its 95 % interval",
    )


def claim_ladder(controls: pd.DataFrame, *, names: Names | None = None) -> alt.LayerChart:
    """Return a line per simpler explanation of a claim: how far the head is ahead of it.

    Each with its 95 % interval where it has one, and with the share that it finds itself where it
    is asked of all pairs; a mark for those that the head is ahead of, another for the rest. One
    that was not asked has a line and no mark.

    Args:
        controls: The controls frame's rows of one head, relation and direction.
        names: What the chart's words are called; in English where not given.

    Raises:
        InputError: If a column is missing.
    """
    frame = columns_of(controls, _RUNG_COLUMNS, "claim_ladder")
    ahead, level = named(names, "the head is ahead"), named(names, "it is not, or that is open")
    frame["rung"] = [rung_label(row, names) for row in frame.to_dict("records")]
    frame["said"] = (frame["ci_low"] > 0).map({True: ahead, False: level})
    frame["share"] = frame["accuracy"].map(_percent)
    rows = frame["rung"].tolist()
    lead = named(names, "points ahead")
    axis = alt.Axis(title=None, labelLimit=190, labelOverlap=False, labelFlush=False, ticks=False)
    base = alt.Chart(frame).encode(
        y=alt.Y('rung:N', scale=alt.Scale(domain=rows), sort=rows, axis=axis),
        tooltip=[
            alt.Tooltip('rung:N', title=named(names, 'simpler explanation')),
            *number_tooltips({"difference": "+.3f", "ci_low": "+.3f", "ci_high": "+.3f",
                              "accuracy": ".3f", "n": "d"}, names),
        ],
    )  # fmt: skip
    known = base.transform_filter("isValid(datum.difference) && datum.n > 0")
    x = {
        name: alt.X(field=name, type="quantitative", title=lead, axis=alt.Axis(**_POINTS))
        for name in ("difference", "ci_low")
    }
    color = alt.Color(
        "said:N",
        scale=alt.Scale(domain=[ahead, level], range=list(_COLORS[:2])),
        legend=alt.Legend(orient="top", title=None, direction="vertical", labelLimit=300),
    )
    shape = alt.Shape("said:N", scale=alt.Scale(domain=[ahead, level], range=_SHAPES[:2]))
    shares = base.mark_text(**_BESIDE).encode(x=alt.value("width"), text=alt.Text("share:N"))
    heading = _heading(named(names, "the rule finds"))
    intervals = known.mark_rule(strokeWidth=2).encode(x=x["ci_low"], x2="ci_high", color=color)
    points = known.mark_point(size=70, filled=True, opacity=1)
    points = points.encode(x=x["difference"], color=color, shape=shape)
    layers = [_line(0.0, [1, 0], lead), intervals, points, shares, heading]
    return alt.LayerChart(layer=layers).properties(
        height=alt.Step(_ROW + 3),
        padding={"left": 5, "top": 5, "bottom": 5, "right": 80},
        description="how far a head is ahead of each simpler explanation, with 95 % intervals",
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
        alt.Color("said:N", scale=colors, legend=legend),
        alt.Shape("said:N", scale=shapes, legend=legend),
    )


def _line(at: float, dash: list[int], title: str) -> alt.Chart:
    frame = pd.DataFrame({"at": [at]})
    line: alt.Chart = (
        alt.Chart(frame)
        .mark_rule(color=REFERENCE, strokeDash=dash)
        .encode(x=alt.X("at:Q", title=title))
    )
    return line


def _heading(said: str) -> alt.Chart:
    """Return what the figures beside the rows are called, above the first of them."""
    heading: alt.Chart = (
        alt.Chart(pd.DataFrame({"said": [said]}))
        .mark_text(**_BESIDE, dy=-10)
        .encode(x=alt.value("width"), y=alt.value(0), text=alt.Text("said:N"))
    )
    return heading


def _tooltip(names: Names | None) -> list[alt.Tooltip]:
    shown = {"lift": "+.3f", "ci_low": "+.3f", "ci_high": "+.3f", "accuracy": ".3f",
             "baseline_accuracy": ".3f", "n": "d", "q_value": ".2g"}  # fmt: skip
    return [
        alt.Tooltip("claim:N", title=named(names, "claim")),
        alt.Tooltip("said:N", title=named(names, "verdict")),
        *number_tooltips(shown, names),
    ]


def _percent(share: float) -> str:
    return "–" if pd.isna(share) else f"{100 * share:.0f} %"
