"""A matrix as a table that is read: numbers, shades, labels and the true shape.

HTML without script. The shades are half transparent over the page's own colour and the numbers
in its own text colour, so that both can be read on light and dark pages.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Shaped

from inspector.errors import InputError
from inspector.html import escape
from inspector.plot.names import Names, named

MAX_CELLS = 12
"""How many rows and columns are shown; of a larger matrix its upper left corner."""

CORNER = ", first {rows} × {columns} shown"

_POSITIVE, _NEGATIVE = "230, 159, 0", "0, 114, 178"
_STRONGEST = 0.55
_CELL = "padding: 2px 7px; text-align: right; font-variant-numeric: tabular-nums"
_HEADER = "padding: 2px 7px; text-align: right; font-weight: 600; white-space: pre"
_MORE = '<td style="padding: 2px 7px; text-align: right">…</td>'


def matrix_html(
    matrix: Shaped[np.ndarray, "row column"],
    row_labels: Sequence[str] | None,
    column_labels: Sequence[str] | None,
    caption: str,
    shape_names: tuple[str, str],
    names: Names | None = None,
    most: int = MAX_CELLS,
) -> str:
    """Return a matrix as an HTML table: its corner of at most 12 × 12, shaded, shape named.

    Orange is positive, blue negative, the strongest the largest finite number of the matrix.

    Args:
        matrix: Numbers or truth values (shown as 1 and 0).
        row_labels: One label per row; their numbers where not given.
        column_labels: One label per column; their numbers where not given.
        caption: What the matrix is.
        shape_names: What rows and columns are, such as ("query", "key").
        names: What the caption's words are called; in English where not given.
        most: Rows and columns of the corner.

    Raises:
        InputError: If labels and matrix differ in number.

    Example:
        >>> html = matrix_html(np.eye(1), ["cat"], ["sat"], "P", ("query", "key"))
        >>> "P: query × key = 1 × 1" in html
        True
    """
    rows_as, columns_as = (
        [str(index) for index in range(n)] if labels is None else list(labels)
        for labels, n in zip((row_labels, column_labels), matrix.shape, strict=True)
    )
    expected = (len(rows_as), len(columns_as))
    if matrix.shape != expected:
        raise InputError(
            f"matrix has shape {matrix.shape}, "
            f"expected ({', '.join(shape_names)}) = {expected}, one label each."
        )
    n_rows, n_columns = (min(n, most) for n in expected)
    corner = np.asarray(matrix[:n_rows, :n_columns])
    more_columns = expected[1] > n_columns
    axes = " × ".join(named(names, name) for name in shape_names)
    shape = f"{axes} = {' × '.join(map(str, expected))}"
    shown = ""
    if corner.shape != expected:
        shown = named(names, "corner", CORNER).format(rows=n_rows, columns=n_columns)
    header = "".join(_header(label, "col") for label in columns_as[:n_columns])
    strongest, whole = _strongest(matrix), corner.dtype.kind in "biu"
    rows = [
        f"<tr>{_header(label, 'row')}"
        + "".join(_cell(value, whole, strongest) for value in row)
        + (_MORE if more_columns else "")
        + "</tr>"
        for label, row in zip(rows_as, corner.astype(np.float64).tolist(), strict=False)
    ]
    if expected[0] > n_rows:
        rows.append(
            f'<tr><th scope="row" style="{_HEADER}">…</th>{_MORE * (n_columns + more_columns)}</tr>'
        )
    return (
        f'<div tabindex="0" role="region" aria-label="{escape(caption)}" '
        'style="overflow: auto; max-width: 100%; max-height: 30rem">'
        '<table style="border-collapse: collapse; font-size: 13px; width: auto">'
        f'<caption style="caption-side: top; text-align: left; padding: 4px 0">'
        f"{escape(caption)}: {escape(shape)}{escape(shown)}</caption>"
        f"<thead><tr><td></td>{header}{_MORE if more_columns else ''}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _header(label: str, scope: str) -> str:
    return f'<th scope="{scope}" style="{_HEADER}">{escape(label)}</th>'


def _cell(value: float, whole: bool, strongest: float) -> str:
    shade = ""
    if np.isfinite(value) and strongest > 0:
        opacity = _STRONGEST * abs(value) / strongest
        shade = f"; background: rgba({_NEGATIVE if value < 0 else _POSITIVE}, {opacity:.3f})"
    return f'<td style="{_CELL}{shade}">{_number(value, whole, strongest)}</td>'


def _strongest(matrix: Shaped[np.ndarray, "row column"]) -> float:
    finite = np.abs(matrix[np.isfinite(matrix)].astype(np.float64))
    return float(finite.max(initial=0.0))


def _number(value: float, whole: bool, strongest: float) -> str:
    """Return the number with the places that its matrix needs, and a true minus sign."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        text = "-∞" if value < 0 else "∞"
    elif whole:
        text = str(int(value))
    elif strongest >= 1e5 or 0 < strongest < 1e-3:
        text = f"{value:.1e}"
    else:
        text = f"{value:.{3 if strongest < 10 else 1}f}"
    return text.replace("-", "−")
