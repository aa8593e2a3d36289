"""A picture of every head of a text, small, as an SVG image: for notebooks and pages.

Each cell is shaded by its probability in three steps; what is under the lowest is not drawn.
The image stands in the page as data, for hosts drop inline SVG, and within an image nothing can
run; its colours can be seen on light and dark pages.
"""

import base64
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from inspector.html import escape
from inspector.plot.names import Names, named

LEGEND = "query downwards, key across; shades: probability from 0.1, 0.3 and 0.6"
"""What stands below the figure, after its caption."""
_ALT = "Attention of every head"

_CELLS, _LABELS = "#3584c4", "#7a7a7a"
_STEPS = ((0.1, 0.3, 0.35), (0.3, 0.6, 0.65), (0.6, np.inf, 1.0))
"""From, below, and how dark."""
_SIZE = 56
_GAP = 8
_MARGIN = 36
_MAX_CELLS = 48


def thumbnails_html(
    probabilities: Float[np.ndarray, "layer head query key"],
    caption: str,
    *,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    names: Names | None = None,
) -> str:
    """Return a figure of one small map per head: layers downwards, heads across.

    Queries go down and keys across within a map. Maps of more than 48 tokens show the highest
    probability of each block of tokens.

    Args:
        probabilities: What to draw.
        caption: What it is, in words.
        layers: The layers' numbers; from 0 where not given.
        heads: The heads' numbers; from 0 where not given.
        names: What the figure's words are called; in English where not given.
    """
    n_layers, n_heads = probabilities.shape[:2]
    numbers = range(n_layers) if layers is None else layers
    step = _SIZE + _GAP
    parts = [
        _label(_MARGIN + place * step + _SIZE / 2, 24.0, str(head))
        for place, head in enumerate(range(n_heads) if heads is None else heads)
    ]
    parts.append(
        _label(_MARGIN + n_heads * step / 2 - _GAP / 2, 10.0, escape(named(names, "head")))
    )
    for row, layer in enumerate(numbers):
        y = _MARGIN - 6 + row * step
        parts.append(_label(20.0, y + _SIZE / 2 + 4, str(layer)))
        parts.extend(
            _thumbnail(probabilities[row, head], _MARGIN + head * step, y)
            for head in range(n_heads)
        )
    middle = _MARGIN + n_layers * step / 2
    parts.append(
        f'<text x="11" y="{middle:g}" transform="rotate(-90 11 {middle:g})" '
        f'text-anchor="middle">{escape(named(names, "layer"))}</text>'
    )
    width, height = _MARGIN + n_heads * step, _MARGIN + n_layers * step
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-size="11" font-family="sans-serif" '
        f'fill="{_LABELS}">{"".join(parts)}</svg>'
    )
    source = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    legend = escape(named(names, "legend", LEGEND))
    short = escape(caption if len(caption) <= 300 else f"{caption[:300]}…")
    return (
        '<figure style="margin: 0; max-width: 100%">'
        f'<img src="data:image/svg+xml;base64,{source}" width="{width}" height="{height}" '
        f'style="max-width: 100%; height: auto" alt="{escape(named(names, _ALT))}: {short}">'
        f"<figcaption>{short}; {legend}</figcaption></figure>"
    )


def _label(x: float, y: float, text: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="middle">{text}</text>'


def _thumbnail(probabilities: Float[np.ndarray, "query key"], x: int, y: int) -> str:
    cells = _pooled(probabilities)
    n_rows, n_columns = cells.shape
    scale = f"{_SIZE / n_columns:.4g} {_SIZE / n_rows:.4g}"
    paths = []
    for low, high, opacity in _STEPS:
        rows, columns = np.nonzero((cells >= low) & (cells < high))
        if len(rows):
            drawn = "".join(
                f"M{column} {row}h1v1h-1z" for row, column in zip(rows, columns, strict=True)
            )
            paths.append(f'<path opacity="{opacity}" d="{drawn}"/>')
    return (
        f'<g transform="translate({x} {y}) scale({scale})" fill="{_CELLS}">'
        f'<rect width="{n_columns}" height="{n_rows}" fill="{_LABELS}" '
        f'fill-opacity="0.12"/>{"".join(paths)}</g>'
    )


def _pooled(
    probabilities: Float[np.ndarray, "query key"],
) -> Float[np.ndarray, "row column"]:
    """Return the highest value of each block, where there are more cells than can be seen."""
    for axis, n in enumerate(probabilities.shape):
        if n > _MAX_CELLS:
            starts = np.linspace(0, n, _MAX_CELLS, endpoint=False).astype(int)
            probabilities = np.maximum.reduceat(probabilities, starts, axis=axis)
    return probabilities
