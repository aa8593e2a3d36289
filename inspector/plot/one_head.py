"""The chart of one head: where it looks, and which relations it is right on."""

import altair as alt
import pandas as pd

from inspector.errors import InputError
from inspector.plot.colors import CATEGORIES, MARK
from inspector.plot.names import Names, named
from inspector.plot.shared import category, check_columns

MASSES = (
    "first_mass", "separator_mass", "special_mass", "self_mass", "previous_mass", "next_mass",
    "punctuation_mass", "duplicate_mass",
)  # fmt: skip
"""Where attention may go, as the behaviour frame calls it."""
MOST_RELATIONS = 12
"""How many relations are drawn at most, those with the largest lift."""
_ROW = 18
_RELATIONS = ["relation", "direction", "n", "accuracy", "baseline_accuracy"]


def head_profile(
    behaviour: pd.DataFrame,
    relations: pd.DataFrame,
    layer: int,
    head: int,
    *,
    names: Names | None = None,
) -> alt.HConcatChart:
    """Return where a head looks, by weight and by norm, beside its relations and their baselines.

    Args:
        behaviour: The behaviour frame.
        relations: The relations frame.
        layer: Of the head.
        head: Its number.
        names: What the chart's words are called; in English where not given.

    Raises:
        InputError: If a column is missing, or there is no such head.
    """
    check_columns(behaviour, ["layer", "head", *MASSES], "head_profile")
    check_columns(relations, ["layer", "head", *_RELATIONS], "head_profile")
    own = behaviour[(behaviour["layer"] == layer) & (behaviour["head"] == head)]
    if own.empty:
        raise InputError(
            f"head ({layer}-{head}) must be one that was measured: layers 0 to "
            f"{behaviour['layer'].max()}, heads 0 to {behaviour['head'].max()}."
        )
    followed = relations[(relations["layer"] == layer) & (relations["head"] == head)]
    return alt.HConcatChart(
        hconcat=[_looks(own.iloc[0], names), _follows(followed[_RELATIONS], names)]
    ).properties(description=f"where head {layer}-{head} looks, and what it follows")


def _looks(row: "pd.Series[float]", names: Names | None) -> alt.Chart:
    by_weight, by_norm = named(names, "by weight"), named(names, "by norm")
    rows = [
        {"where": named(names, mass.removesuffix("_mass")), "share": float(row[column]), "by": by}
        for mass in MASSES
        for column, by in ((mass, by_weight), (f"norm_{mass}", by_norm))
        if column in row
    ]
    frame = pd.DataFrame(rows)
    share = named(names, "mean share of attention")
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("share:Q", title=share, scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("where:N", title=None, sort=None),
            yOffset=alt.YOffset("by:N", sort=None),
            color=category(frame, "by", alt.Color),
            tooltip=[
                alt.Tooltip("where:N"),
                alt.Tooltip("by:N"),
                alt.Tooltip("share:Q", format=".3f", title=share),
            ],
        )
        .properties(width=260, height=alt.Step(_ROW))
    )
    return chart


def _follows(relations: pd.DataFrame, names: Names | None) -> alt.LayerChart:
    frame = relations[relations["n"] > 0]
    frame = frame.assign(lift=frame["accuracy"] - frame["baseline_accuracy"])
    frame = frame.nlargest(MOST_RELATIONS, "lift").reset_index(drop=True)
    frame["asked"] = [
        f"{one.relation} · {named(names, str(one.direction))}" for one in frame.itertuples()
    ]
    accuracy = named(names, "accuracy; mark: best fixed offset")
    y = alt.Y("asked:N", title=None, sort=None, axis=alt.Axis(labelLimit=260))
    base = alt.Chart(frame).encode(
        y=y,
        tooltip=[
            alt.Tooltip("asked:N", title=named(names, "relation")),
            alt.Tooltip("n:Q", title="n"),
            *(
                alt.Tooltip(
                    field=name,
                    type="quantitative",
                    format=".3f",
                    title=named(names, name.replace("_", " ")),
                )
                for name in ("accuracy", "baseline_accuracy", "lift")
            ),
        ],
    )
    scale = alt.Scale(domain=[0, 1])
    bars = base.mark_bar(color=CATEGORIES[0]).encode(
        x=alt.X("accuracy:Q", title=accuracy, scale=scale)
    )
    ticks = base.mark_tick(color=MARK, thickness=3).encode(
        x=alt.X("baseline_accuracy:Q", title=accuracy, scale=scale)
    )
    return alt.LayerChart(layer=[bars, ticks]).properties(width=260, height=alt.Step(_ROW * 1.3))
