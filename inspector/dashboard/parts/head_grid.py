"""The head grid: every head as a cell that can be pointed at, walked to by keys, and chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from inspector import words
from inspector.dashboard import address
from inspector.dashboard.parts.component import component
from inspector.plot.colors import FAMILIES, FAMILY_COLORS, SIGNED, family_of

_COMPONENT = component(Path(__file__).parent, "head_grid")

Head = tuple[int, int]

_VIRIDIS = (
    "#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30",
    "#fde725",
)  # fmt: skip
_AROUND_ZERO = ("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b")
_NONE = "color-mix(in srgb, var(--st-text-color) 9%, transparent)"
_LEAST = 0.35
"""Share of its colour that the weakest role has."""
_FULL = 0.6
"""Share of a colour above which what is written on it is seen against the colour."""
_SYMBOLS = {
    "syntactic": "▲", "positional": "⇄", "special-token": "○", "broad": "≈",
    "duplicate-token": "=", "semantic": "◆", "logical": "∧", "position": "⊢", "word-class": "■",
    "keyword": "✱", "discourse-cue": "»", "previous-token": "←", "induction": "↻",
    "successor": "+", "name-mover": "@", "copy-suppression": "⊖", "retrieval": "?", "sink": "▼",
    "no-op": "∅",
}  # fmt: skip
_FOLLOWS, _FAILED = "●", "◯"

Cell = tuple[str, str, str, str]
"""Fill, symbol, the symbol's colour, and what is said of the head."""


@dataclass(frozen=True)
class HeadCells:
    """What a grid shows: a cell for each layer × head, and what its colours mean."""

    cells: list[list[Cell]]
    legend: list[dict[str, Any]]


def show(shown: HeadCells, key: str, name: str, chosen: Head, language: str) -> None:
    """Show a grid of heads; the head that the reader chooses in it is that of all pages.

    Args:
        shown: The cells and their legend.
        key: Of the element.
        name: What the grid shows, to be read aloud.
        chosen: Layer and head that are chosen now.
        language: Of the page.
    """
    t = words.of("parts", language)
    data = {
        "cells": shown.cells,
        "legend": shown.legend,
        "chosen": list(chosen),
        "name": name,
        "layer": t["layer"],
        "head": t["head"],
        "corner": t["corner"],
        "hint": t["grid_hint"],
    }
    _COMPONENT(key=key, data=data, on_chosen_change=lambda: _choose(key))


def _choose(key: str) -> None:
    """Make the head that was chosen in a grid that of all pages."""
    place = st.session_state[key].chosen
    if place:
        address.set_choice("layer", int(place[0]))
        address.set_choice("head", int(place[1]))


def of_numbers(frame: pd.DataFrame, column: str, says: str) -> HeadCells:
    """Return a grid of one number a head, coloured from the least to the largest.

    Args:
        frame: `layer`, `head` and the column; a head that is not there has no figure.
        column: Of numbers.
        says: What the legend calls it.
    """
    values = frame.pivot_table(index="layer", columns="head", values=column, dropna=False)
    numbers = values.to_numpy(dtype=np.float64)
    ramp, low, high = _scale(numbers, column)
    cells = [
        [(_NONE, "", "", "–") if np.isnan(one) else _of_number(one, ramp, low, high) for one in row]
        for row in numbers
    ]
    bar = f"linear-gradient(to right, {', '.join(ramp)})"
    named = f"{_figure(high)} · {says}"
    legend = [{"fill": bar, "bar": True, "before": _figure(low), "name": named}]
    if np.isnan(numbers).any():
        legend.append({"fill": _NONE, "name": "–"})
    return HeadCells(cells, legend)


def _scale(numbers: np.ndarray, column: str) -> tuple[tuple[str, ...], float, float]:
    """Return the colours, and the numbers at their ends: around 0 for what may be negative."""
    known = numbers[~np.isnan(numbers)]
    if column.endswith(SIGNED):
        return _AROUND_ZERO, -1.0, 1.0
    if not known.size:
        return _VIRIDIS, 0.0, 1.0
    if (known < 0).any():
        reach = float(np.abs(known).max())
        return _AROUND_ZERO, -reach, reach
    return _VIRIDIS, float(known.min()), float(known.max())


def _of_number(number: float, ramp: tuple[str, ...], low: float, high: float) -> Cell:
    share = (number - low) / (high - low) if high > low else 0.5
    return (_mixed(ramp, min(max(share, 0.0), 1.0)), "", "", _figure(number))


def _mixed(ramp: tuple[str, ...], share: float) -> str:
    """Return the colour at a share of a ramp's length.

    Example:
        >>> _mixed(("#000000", "#ffffff"), 0.5)
        '#808080'
    """
    stops = np.linspace(0, 1, len(ramp))
    parts = [[int(color[at : at + 2], 16) for color in ramp] for at in (1, 3, 5)]
    mixed = [round(float(np.interp(share, stops, part))) for part in parts]
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def _figure(number: float) -> str:
    return f"{number:.4g}".replace("-", "−")


def of_categories(
    frame: pd.DataFrame,
    column: str,
    named: Mapping[str, str],
    colors: Mapping[str, str],
    symbols: Mapping[str, str],
) -> HeadCells:
    """Return a grid of one word a head; heads of none are empty.

    Args:
        frame: `layer`, `head` of every head, and the column: a word, or NaN for none.
        column: Of words.
        named: Word → what it is called; the one for none is ''.
        colors: Word → its colour.
        symbols: Word → its mark, in the legend's order.
    """
    cells = {
        (row["layer"], row["head"]): (
            (_NONE, "", "", named[""])
            if pd.isna(row[column])
            else (colors[row[column]], symbols[row[column]], "#ffffff", named[row[column]])
        )
        for row in frame.to_dict("records")
    }
    legend = [
        {"fill": colors[word], "symbol": symbol, "ink": "#ffffff", "name": named[word]}
        for word, symbol in symbols.items()
    ]
    return HeadCells(_rows(cells), [*legend, {"fill": _NONE, "name": named[""]}])


def of_roles(
    roles: pd.DataFrame,
    heads: pd.DataFrame,
    named: Mapping[str, str],
    marked: Mapping[Head, bool] | None = None,
) -> HeadCells:
    """Return a grid of what heads may be called: a stripe a family, the stronger the fuller.

    Args:
        roles: The roles frame.
        heads: A row per head of the model: `layer`, `head`.
        named: What families are called, and 'none'; and roles, where they have words of their own.
        marked: Heads with a dot in the place of their symbol: filled where True.
    """
    strongest = roles.sort_values("effect", ascending=False, kind="stable")
    of_head = dict(list(strongest.groupby(["layer", "head"])))
    cells = {}
    for head in heads[["layer", "head"]].itertuples(index=False, name=None):
        fill, symbol, ink, said = _of_role(of_head.get(head), named)
        if marked and head in marked:
            symbol, ink = (_FOLLOWS if marked[head] else _FAILED), "var(--st-text-color)"
        cells[head] = (fill, symbol, ink, said)
    present = {family_of(role) for role in roles["role"]}
    legend = [
        {
            "fill": FAMILY_COLORS[family],
            "symbol": _SYMBOLS[family],
            "ink": _ink(FAMILY_COLORS[family]),
            "name": named.get(family, family),
        }
        for family in FAMILIES
        if family in present
    ]
    return HeadCells(_rows(cells), [*legend, {"fill": _NONE, "name": named["none"]}])


def _rest(role: str) -> str:
    return role.removeprefix(family_of(role))


def _of_role(own: pd.DataFrame | None, named: Mapping[str, str]) -> Cell:
    if own is None:
        return (_NONE, "", "", named["none"])
    strength: dict[str, float] = {}
    for role, effect in zip(own["role"], own["effect"], strict=True):
        strength.setdefault(family_of(role), min(max(float(effect), 0.0), 1.0))
    colors = [
        f"color-mix(in srgb, {FAMILY_COLORS[family]} {100 * _shade(effect):.0f}%, transparent)"
        for family, effect in strength.items()
    ]
    step = 100 / len(colors)
    stripes = ", ".join(
        f"{color} {place * step:.0f}% {(place + 1) * step:.0f}%"
        for place, color in enumerate(colors)
    )
    first = next(iter(strength))
    seen_on_it = _shade(strength[first]) > _FULL and len(colors) == 1
    said = "; ".join(
        f"{named.get(role) or named.get(family_of(role), family_of(role)) + _rest(role)} "
        f"{100 * effect:.0f} %"
        for role, effect in zip(own["role"], own["effect"], strict=True)
    )
    return (
        f"linear-gradient(to right, {stripes})",
        _SYMBOLS[first],
        _ink(FAMILY_COLORS[first]) if seen_on_it else "var(--st-text-color)",
        said,
    )


def _shade(effect: float) -> float:
    return _LEAST + (1 - _LEAST) * effect


def _ink(color: str) -> str:
    """Return black or white, whichever is read better on a colour.

    Example:
        >>> _ink("#f0e442"), _ink("#0072b2")
        ('#000000', '#ffffff')
    """
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"


def _rows(cells: Mapping[Head, Cell]) -> list[list[Cell]]:
    n_layers, n_heads = (max(head[side] for head in cells) + 1 for side in (0, 1))
    empty: Cell = (_NONE, "", "", "–")
    return [
        [cells.get((layer, head), empty) for head in range(n_heads)] for layer in range(n_layers)
    ]
