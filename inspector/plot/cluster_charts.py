"""Which heads look alike: a tree that joins the nearest, and a plane on which they stand near."""

import altair as alt
import pandas as pd

from inspector.plot.clustering import average_linkage, head_matrix, leaf_order, plane
from inspector.plot.colors import REFERENCE
from inspector.plot.names import Names, named

_LEAF = 14


def dendrogram(
    distances: pd.DataFrame, roles: pd.DataFrame | None = None, *, names: Names | None = None
) -> alt.LayerChart:
    """Return the heads as leaves of a tree: the height of a join is a mean distance, in nats.

    Clusters are joined by the mean distance of their heads (average linkage).

    Args:
        distances: `layer, head, other_layer, other_head, distance_nats`: a row for each pair.
        roles: What the tooltip says of a head: `layer`, `head`, `role`.
        names: What the chart's words are called; in English where not given.

    Raises:
        InputError: If a column or a pair is missing.

    Source: Clark et al. (2019), arXiv:1906.04341, sec. 6.
    """
    heads, matrix = head_matrix(distances)
    steps = average_linkage(matrix)
    order = leaf_order(steps)
    at = {int(leaf): (float(place), 0.0) for place, leaf in enumerate(order)}
    corners = []
    for step, (one, other, height, _) in enumerate(steps):
        left, right = sorted((at[int(one)], at[int(other)]))
        at[len(heads) + step] = ((left[0] + right[0]) / 2, float(height))
        path = (left, (left[0], height), (right[0], height), right)
        corners += [
            {"join": step, "corner": corner, "place": place, "distance_nats": nats}
            for corner, (place, nats) in enumerate(path)
        ]
    leaves = _heads(heads, roles).iloc[order].reset_index(drop=True)
    leaves["place"] = leaves.index.astype(float)
    leaves["bottom"] = 0.0
    distance = named(names, "mean Jensen–Shannon divergence (nats)")
    scale = alt.Scale(domain=[-1, len(heads)], nice=False)
    x = alt.X("place:Q", scale=scale, axis=None)
    lines = (
        alt.Chart(pd.DataFrame(corners))
        .mark_line(color=REFERENCE, strokeWidth=1.2)
        .encode(
            x=x,
            y=alt.Y("distance_nats:Q", title=distance),
            detail=alt.Detail("join:N"),
            order=alt.Order("corner:Q"),
        )
    )
    base = alt.Chart(leaves).encode(
        x=x, y=alt.Y("bottom:Q", title=distance), tooltip=_tooltip(names)
    )
    points = base.mark_point(filled=True, size=55, opacity=1).encode(color=_color(names))
    labels = base.mark_text(angle=270, align="right", dx=-6, fontSize=10, color=REFERENCE).encode(
        text=alt.Text("name:N")
    )
    return alt.LayerChart(layer=[lines, points, labels]).properties(
        width=_LEAF * (len(heads) + 1),
        height=280,
        padding={"left": 5, "top": 5, "right": 5, "bottom": 40},
        description="tree of heads, joined by the mean distance of their attention",
    )


def head_map(
    distances: pd.DataFrame, roles: pd.DataFrame | None = None, *, names: Names | None = None
) -> alt.LayerChart:
    """Return the heads on a plane, near each other where they look alike, coloured by layer.

    Classical multidimensional scaling of the Jensen–Shannon divergences, as nats.

    Args:
        distances: `layer, head, other_layer, other_head, distance_nats`: a row for each pair.
        roles: What the tooltip says of a head: `layer`, `head`, `role`.
        names: What the chart's words are called; in English where not given.

    Raises:
        InputError: If a column or a pair is missing.

    Source: Clark et al. (2019), arXiv:1906.04341, figure 6.
    """
    heads, matrix = head_matrix(distances)
    frame = _heads(heads, roles)
    frame[["x", "y"]] = plane(matrix)
    base = alt.Chart(frame).encode(
        x=alt.X("x:Q", title=named(names, "first dimension (nats)")),
        y=alt.Y("y:Q", title=named(names, "second dimension (nats)")),
        tooltip=_tooltip(names),
    )
    points = base.mark_point(filled=True, size=90, opacity=0.9).encode(color=_color(names))
    labels = base.mark_text(dy=-10, fontSize=9, color=REFERENCE).encode(text=alt.Text("name:N"))
    return alt.LayerChart(layer=[points, labels]).properties(
        width=480,
        height=420,
        description="heads on a plane, near each other where their attention is alike",
    )


def _heads(heads: list[tuple[int, int]], roles: pd.DataFrame | None) -> pd.DataFrame:
    """Return a row for each head, with its roles."""
    called: dict[tuple[int, int], list[str]] = {}
    if roles is not None:
        for layer, head, role in roles[["layer", "head", "role"]].itertuples(index=False):
            called.setdefault((layer, head), []).append(role)
    return pd.DataFrame(
        {
            "layer": [layer for layer, _ in heads],
            "head": [head for _, head in heads],
            "name": [f"{layer}-{head}" for layer, head in heads],
            "roles": [", ".join(called.get(head, [])) for head in heads],
        }
    )


def _color(names: Names | None) -> alt.Color:
    return alt.Color("layer:O", title=named(names, "layer"), scale=alt.Scale(scheme="viridis"))


def _tooltip(names: Names | None) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title=named(names, "head")),
        alt.Tooltip("roles:N", title=named(names, "roles")),
    ]
