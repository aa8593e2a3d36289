"""The elements of the page: the steps in a row, and the matrices of one of them."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from torch import Tensor

from inspector import words
from inspector.dashboard import address, widgets
from inspector.dashboard.drawing.panes import Pane, Step, map_of, picture
from inspector.dashboard.parts import exports
from inspector.dashboard.parts.component import component

_HERE = Path(__file__).parent
_STEPPER = component(_HERE, "stepper", style="drawing")
_PANES = component(_HERE, "panes", style="drawing", shown="drawing")


def step_chooser(steps: Sequence[Step], language: str) -> Step:
    """Show the steps in a row, of which the reader chooses one, and show what that one is."""
    t = words.of("concepts", language)
    numbers = range(1, len(steps) + 1)
    at = address.choose("step", numbers, 1)

    def turned() -> None:
        chosen = st.session_state["stepper"].get("at")
        if chosen is not None:
            address.set_choice("step", int(chosen) + 1)

    data = {
        "label": t["steps"],
        "hint": t["steps_hint"],
        "at": at - 1,
        "steps": [
            {
                "name": t[f"step_{step.name}"],
                "symbol": step.symbol,
                "picture": picture(step.panes[-1].values),
            }
            for step in steps
        ],
    }
    _STEPPER(key="stepper", data=data, on_at_change=turned)
    return steps[at - 1]


def draw(
    panes: Sequence[Pane], key: str, language: str, lines: str, *, position: int | None = None
) -> None:
    """Show matrices whole; a click on a row of a text's makes its token the one that looks.

    Args:
        panes: The matrices.
        key: Of the element.
        language: Of the page.
        lines: The Python that makes the step which they are of.
        position: The token that looks.
    """

    def clicked() -> None:
        row = st.session_state[key].get("position")
        if row is not None:
            address.set_choice("position", int(row))

    names = words.of("charts", language)
    data = {
        "panes": [pane.as_data(names) for pane in panes],
        "position": position,
        "words": words.of("drawing", language),
    }
    _PANES(key=key, data=data, on_position_change=clicked)
    if st.toggle(words.of("drawing", language)["as_tables"], key=f"{key}-tables"):
        for pane in panes:
            widgets.matrix(
                pane.values, pane.name, pane.axes, pane.rows, pane.columns, language=language
            )
    frames = {pane.name: lambda pane=pane: pane.frame for pane in panes}
    exports.frames(frames, lambda name: f"{lines}[{name!r}].frame", language)


def pictures(
    maps: Tensor,
    tokens: Sequence[str],
    labels: Sequence[str],
    key: str,
    language: str,
    chosen: int | None = None,
) -> None:
    """Show the map of each head, (head, query, key); where one is chosen, a click chooses another.

    Without a choice they are larger, and their cells can be pointed at.
    """

    def clicked() -> None:
        head = st.session_state[key].get("pick")
        if head is not None:
            address.set_choice("head", int(head))

    names, t = words.of("charts", language), words.of("drawing", language)
    panes = []
    for number, (label, probabilities) in enumerate(zip(labels, maps, strict=True)):
        small, shown = map_of(probabilities, tokens)
        pane = Pane(label, small, ("query", "key"), shown, shown).as_data(names)
        pane |= {"map": True, "by_position": False, "shape": ""}
        panes.append({**pane, "pick": chosen is not None, "chosen": number == chosen})
    data = {
        "panes": panes,
        "position": None,
        "pictures": "wide" if chosen is None else "small",
        "words": t if chosen is None else {**t, "hint": t["pick"]},
    }
    _PANES(key=key, data=data, on_pick_change=clicked)
