"""A picture of every head of a text, small, as SVG without script: for notebooks.

Each cell is shaded by its probability in three steps; what is under the lowest is not drawn.
The colour is the text's own, so that it can be seen on light and dark pages.
Must not know: what the pieces are; BertViz.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from inspector.html import escape

_STEPS = ((0.1, 0.3, 0.25), (0.3, 0.6, 0.55), (0.6, np.inf, 1.0))
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
) -> str:
    """Return a figure of one small map per head: layers downwards, heads across.

    Queries go down and keys across within a map. Maps of more than 48 pieces show the highest
    probability of each block of pieces.

    Args:
        probabilities: What to draw.
        caption: What it is, in words.
        layers: The layers' numbers; from 0 where not given.
    """
    n_layers, n_heads = probabilities.shape[:2]
    numbers = range(n_layers) if layers is None else layers
    step = _SIZE + _GAP
    parts = [_label(_MARGIN + h * step + _SIZE / 2, 24.0, str(h)) for h in range(n_heads)]
    parts.append(_label(_MARGIN + n_heads * step / 2 - _GAP / 2, 10.0, "head"))
    for row, layer in enumerate(numbers):
        y = _MARGIN - 6 + row * step
        parts.append(_label(18.0, y + _SIZE / 2 + 4, str(layer)))
        parts.extend(
            _thumbnail(probabilities[row, head], _MARGIN + head * step, y, layer, head)
            for head in range(n_heads)
        )
    middle = _MARGIN + n_layers * step / 2
    parts.append(
        f'<text x="8" y="{middle:g}" transform="rotate(-90 8 {middle:g})" '
        'text-anchor="middle">layer</text>'
    )
    width, height = _MARGIN + n_heads * step, _MARGIN + n_layers * step
    shades = "shades: probability from 0.1, 0.3 and 0.6"
    return (
        '<figure style="margin: 0; max-width: 100%; overflow-x: auto">'
        f'<svg role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'fill="currentColor" font-size="11" font-family="sans-serif">'
        f"<title>{escape(_short(caption))}</title>{''.join(parts)}</svg>"
        f"<figcaption>{escape(_short(caption))}; query downwards, key across; {shades}"
        "</figcaption></figure>"
    )


def _label(x: float, y: float, text: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="middle">{text}</text>'


def _thumbnail(
    probabilities: Float[np.ndarray, "query key"], x: int, y: int, layer: int, head: int
) -> str:
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
        f'<g transform="translate({x} {y}) scale({scale})">'
        f"<title>layer {layer}, head {head}</title>"
        f'<rect width="{n_columns}" height="{n_rows}" fill="currentColor" '
        f'fill-opacity="0.06"/>{"".join(paths)}</g>'
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


def _short(text: str) -> str:
    """Return the text, cut where it is too long for a caption."""
    return text if len(text) <= 300 else f"{text[:300]}…"
