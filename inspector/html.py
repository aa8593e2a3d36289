"""HTML for notebooks and pages: the one place where data becomes markup, escaped."""

from collections.abc import Iterable, Sequence
from html import escape as _escape


def escape(data: object) -> str:
    """Return the text of anything, safe between tags and inside quoted attributes.

    Example:
        >>> escape('<b title="x">')
        '&lt;b title=&quot;x&quot;&gt;'
    """
    return _escape(str(data), quote=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """Return an HTML table of plain data; every cell is escaped.

    Example:
        >>> table(["layer"], [["<0>"]]).split("<tbody>")[1]
        '<tr><td>&lt;0&gt;</td></tr></tbody></table>'
    """
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
