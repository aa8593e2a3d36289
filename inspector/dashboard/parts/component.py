"""How a component of our own is made: a script and a style from its folder, none from elsewhere."""

from pathlib import Path
from typing import Any

import streamlit as st

_ELEMENTS = Path(__file__).with_name("elements.js")
"""What scripts have in common; it stands before each of them."""


def component(folder: Path, name: str, *, style: str = "", shown: str = "") -> Any:
    """Return the component whose script is `name`.js.

    Args:
        folder: Where script and style are.
        name: Of the component.
        style: Name of the style; the component's where not given.
        shown: Class of the element that it fills; the component's name where not given.
    """
    scripts = (_ELEMENTS, folder / f"{name}.js")
    return st.components.v2.component(
        f"inspector.{name}",
        html=f'<div class="{shown or name.replace("_", "-")}"></div>\n',
        css=(folder / f"{style or name}.css").read_text(encoding="utf-8"),
        js="\n".join(one.read_text(encoding="utf-8") for one in scripts),
    )
