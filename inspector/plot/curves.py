"""Charts of numbers along an axis: spectra, eigenvalues, time against length."""

import altair as alt
import numpy as np
import pandas as pd

from inspector.errors import InputError
from inspector.plot.colors import REFERENCE
from inspector.plot.names import Names, named
from inspector.plot.shared import category, columns_of


def spectrum(frame: pd.DataFrame, *, names: Names | None = None) -> alt.Chart:
    """Return the singular values of matrices, largest first, a line per matrix.

    Args:
        frame: `matrix` (its name), `index` (from 0), `singular_value`.
        names: What the chart's words are called; in English where not given.

    Raises:
        InputError: If a column is missing.
    """
    columns = ["matrix", "index", "singular_value"]
    shown = columns_of(frame, columns, "spectrum")
    value = named(names, "singular value")
    chart: alt.Chart = (
        alt.Chart(shown)
        .mark_line(point=True)
        .encode(
            x=alt.X(
                "index:Q", title=named(names, "index"), axis=alt.Axis(tickMinStep=1, format="d")
            ),
            y=alt.Y("singular_value:Q", title=value),
            color=category(frame, "matrix", alt.Color),
            strokeDash=category(frame, "matrix", alt.StrokeDash),
            tooltip=[
                alt.Tooltip("matrix:N", title=named(names, "matrix")),
                alt.Tooltip("index:Q", title=named(names, "index")),
                alt.Tooltip("singular_value:Q", format=".4g", title=value),
            ],
        )
        .properties(height=260, description="singular values, from the largest to the smallest")
    )
    return chart


def eigenvalue_plane(frame: pd.DataFrame, *, names: Names | None = None) -> alt.LayerChart:
    """Return the eigenvalues of matrices as points of the complex plane, both axes alike.

    Args:
        frame: `matrix` (its name), `real`, `imaginary`.
        names: What the chart's words are called; in English where not given.

    Raises:
        InputError: If a column is missing.
    """
    columns = ["matrix", "real", "imaginary"]
    shown = columns_of(frame, columns, "eigenvalue_plane")
    real, imaginary = named(names, "real part"), named(names, "imaginary part")
    reach = float(np.abs(frame[["real", "imaginary"]].to_numpy(np.float64)).max(initial=0.0)) or 1.0
    scale = alt.Scale(domain=[-1.05 * reach, 1.05 * reach], nice=False)
    points = (
        alt.Chart(shown)
        .mark_point(filled=True, size=45, opacity=0.75)
        .encode(
            x=alt.X("real:Q", scale=scale, title=real),
            y=alt.Y("imaginary:Q", scale=scale, title=imaginary),
            color=category(frame, "matrix", alt.Color),
            shape=category(frame, "matrix", alt.Shape),
            tooltip=[
                alt.Tooltip("matrix:N", title=named(names, "matrix")),
                alt.Tooltip("real:Q", format=".4g", title=real),
                alt.Tooltip("imaginary:Q", format=".4g", title=imaginary),
            ],
        )
    )
    zero = pd.DataFrame({"zero": [0.0]})
    lines = alt.Chart(zero).mark_rule(color=REFERENCE, strokeDash=[4, 4])
    return alt.LayerChart(
        layer=[
            lines.encode(x=alt.X("zero:Q", title=real)),
            lines.encode(y=alt.Y("zero:Q", title=imaginary)),
            points,
        ]
    ).properties(width=300, height=300, description="eigenvalues in the complex plane")


def cost_curve(frame: pd.DataFrame, *, names: Names | None = None) -> alt.LayerChart:
    """Return measured times against length, both logarithmic, beside a line that grows as n².

    The n² line goes through the slowest measurement of the longest text.

    Args:
        frame: `tokens`, `seconds`, `series` (what was measured).
        names: What the chart's words are called; in English where not given.

    Raises:
        InputError: If a column is missing, or a number is not positive.
    """
    columns = ["tokens", "seconds", "series"]
    shown = columns_of(frame, columns, "cost_curve")
    if frame.empty or not (frame[["tokens", "seconds"]] > 0).all(axis=None):
        raise InputError(
            "cost_curve needs positive tokens and seconds in every row: "
            "a logarithm has no place for others."
        )
    longest = frame["tokens"].max()
    slowest = frame.loc[frame["tokens"] == longest, "seconds"].max()
    lengths = np.sort(frame["tokens"].unique())
    shown["series"] = [named(names, name) for name in shown["series"]]
    square = named(names, "n² line")
    reference = pd.DataFrame(
        {"tokens": lengths, "seconds": slowest * (lengths / longest) ** 2, "series": square}
    )
    tokens, seconds = named(names, "tokens"), named(names, "seconds")
    x = alt.X("tokens:Q", scale=alt.Scale(type="log", nice=False), title=tokens)
    # Every power of ten has a line, not every tenth of it as well.
    y = alt.Y("seconds:Q", scale=alt.Scale(type="log"), axis=alt.Axis(tickCount=6), title=seconds)
    color = category(shown, "series", alt.Color, reference=square)
    tooltip = [
        alt.Tooltip("series:N", title=named(names, "series")),
        alt.Tooltip("tokens:Q", title=tokens),
        alt.Tooltip("seconds:Q", format=".3s", title=seconds),
    ]
    measured = alt.Chart(shown).mark_line(point=True).encode(x=x, y=y, color=color, tooltip=tooltip)
    line = (
        alt.Chart(reference)
        .mark_line(strokeDash=[6, 4])
        .encode(x=x, y=y, color=color, tooltip=tooltip)
    )
    return alt.LayerChart(layer=[line, measured]).properties(
        height=280, description="seconds against tokens, measured, beside a line that grows as n²"
    )
