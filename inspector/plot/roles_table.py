"""Every head's roles as a table: HTML without script, for a notebook's stored output."""

import pandas as pd

from inspector.html import escape
from inspector.plot.colors import FAMILIES, FAMILY_COLORS, family_of

_CELL = "width: 26px; height: 22px; padding: 0; text-align: center; border: 1px solid #8884"


def roles_table(roles: pd.DataFrame, heads: pd.DataFrame, caption: str) -> str:
    """Return a cell per head, layers downwards and heads across, shaded by its roles' families.

    A cell's title lists its roles; the legend names the families that occur. Of several corpora
    the roles of all are in a cell.

    Args:
        roles: `layer`, `head`, `role`.
        heads: A row per head of the model: `layer`, `head`.
        caption: What stands above it.
    """
    of_head: dict[tuple[int, int], list[str]] = {}
    for layer, head, role in zip(roles["layer"], roles["head"], roles["role"], strict=True):
        if role not in of_head.setdefault((layer, head), []):
            of_head[layer, head].append(role)
    n_layers, n_heads = (int(heads[name].max()) + 1 if len(heads) else 0
                         for name in ("layer", "head"))  # fmt: skip
    header = "".join(f'<th scope="col">{head}</th>' for head in range(n_heads))
    rows = "".join(
        f'<tr><th scope="row">{layer}</th>'
        + "".join(_cell(layer, head, of_head.get((layer, head), [])) for head in range(n_heads))
        + "</tr>"
        for layer in range(n_layers)
    )
    present = {family_of(role) for own in of_head.values() for role in own}
    legend = " ".join(
        f'<span style="white-space: nowrap"><span style="display: inline-block; width: 12px; '
        f'height: 12px; background: {FAMILY_COLORS[family]}"></span> {escape(family)}</span>'
        for family in FAMILIES
        if family in present
    )
    return (
        f'<figure style="margin: 0"><figcaption>{escape(caption)}</figcaption>'
        '<table style="border-collapse: collapse; font-size: 12px">'
        f"<thead><tr><th>layer</th>{header}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p>{legend}</p></figure>"
    )


def _cell(layer: int, head: int, roles: list[str]) -> str:
    families = [family for family in FAMILIES if family in {family_of(role) for role in roles}]
    colors = [FAMILY_COLORS[family] for family in families]
    shade = ""
    if colors:
        share = 100 / len(colors)
        stops = ", ".join(
            f"{color} {place * share:.0f}% {(place + 1) * share:.0f}%"
            for place, color in enumerate(colors)
        )
        shade = f"; background: linear-gradient(to right, {stops})"
    title = escape(f"{layer}-{head}: {', '.join(roles) or 'none'}")
    return f'<td title="{title}" style="{_CELL}{shade}"></td>'
