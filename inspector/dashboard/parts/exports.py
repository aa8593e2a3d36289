"""What goes out of a page: files of frames and figures, the Python lines that make them, a link."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from inspector import words
from inspector.dashboard.parts.component import component
from inspector.records import FRAME_WRITERS

_LINK = component(Path(__file__).parent, "copy_link")
_MIME = {
    ".csv": "text/csv", ".parquet": "application/vnd.apache.parquet", ".json": "application/json",
    ".svg": "image/svg+xml", ".png": "image/png", ".html": "text/html",
}  # fmt: skip


def frames(shown: Mapping[str, Any], lines: Callable[[str], str], language: str) -> None:
    """Offer frames as CSV, Parquet and JSON, and the lines of Python that make them.

    Args:
        shown: Name → frame, or what makes it when it is asked for.
        lines: A frame's name → the Python that makes it.
        language: Of the page.
    """
    t = words.of("parts", language)
    with st.container(horizontal=True):
        for name, frame in shown.items():
            with st.popover(f"{t['export']} ({name})", icon=":material/download:"):
                for suffix, write in FRAME_WRITERS.items():
                    _file(f"{name}{suffix}", partial(_made, write, frame))
                st.caption(t["python"])
                st.code(lines(name), language="python", wrap_lines=True)


def chart(
    drawing: Any, key: str, language: str, lines: str = "", data: pd.DataFrame | None = None
) -> None:
    """Offer a chart as SVG, PNG and a page, its figures as CSV and Parquet, and what makes it.

    Args:
        drawing: The chart, or what makes it when it is asked for.
        key: What its files are called.
        language: Of the page.
        lines: The Python that makes the chart.
        data: Its figures, where the chart does not hold them itself.
    """
    t = words.of("parts", language)
    with st.popover(t["export_chart"], icon=":material/download:", type="tertiary"):
        if find_spec("vl_convert") is None:
            st.caption(t["no_pictures"])
        else:
            for suffix in (".svg", ".png", ".html"):
                _file(f"{key}{suffix}", partial(_made, partial(_drawn, suffix), drawing))
        data = _figures(drawing) if data is None else data
        if data is not None:
            for suffix in (".csv", ".parquet"):
                _file(f"{key}{suffix}", partial(FRAME_WRITERS[suffix], data))
        if lines:
            st.caption(t["python"])
            st.code(lines, language="python", wrap_lines=True)


def _figures(drawing: Any) -> pd.DataFrame | None:
    """Return the figures of a chart, of layers those of the first that has any."""
    held = (getattr(one, "data", None) for one in (drawing, *getattr(drawing, "layer", ())))
    return next((one for one in held if isinstance(one, pd.DataFrame)), None)


def _made(write: Callable[[Any], str | bytes], shown: Any) -> str | bytes:
    return write(shown if hasattr(shown, "to_dict") else shown())


def _drawn(suffix: str, chart: Any) -> str | bytes:
    from inspector.plot import picture  # imports Altair, for which no page is to wait

    if suffix == ".png":
        return picture.png(chart)
    return picture.svg(chart) if suffix == ".svg" else picture.page(chart)


def _file(name: str, make: Callable[[], str | bytes]) -> None:
    suffix = Path(name).suffix
    st.download_button(
        suffix.removeprefix(".").upper(), make, name, _MIME[suffix],
        key=f"export-{name}", on_click="ignore",
    )  # fmt: skip


def of_run(folder: str, then: str) -> str:
    """Return the lines of Python that open a run and do something with it.

    Example:
        >>> print(of_run("run", "passport(3, 1)"))
        import inspector
        <BLANKLINE>
        run = inspector.Run.open('run')
        run.passport(3, 1)
    """
    return f"import inspector\n\nrun = inspector.Run.open({folder!r})\nrun.{then}"


def link(language: str, texts: Mapping[str, str]) -> None:
    """Offer to copy the page's address; what the reader typed goes with it only when asked.

    Args:
        language: Of the page.
        texts: Name of a field → what stands in it.
    """
    t = words.of("parts", language)
    said = {name: t[name] for name in ("copy_link", "copied", "with_texts")}
    _LINK(key="copy-link", data={"words": said, "texts": dict(texts)})
