"""Charts in notebooks and files, without a script from any host: as data, and as a picture.

Altair's own standard would have the reader's browser load scripts from a public host.
"""

from importlib.util import find_spec
from typing import Any

import altair as alt

from inspector.errors import InputError, extra

_NAME = "inspector"
MIME = f"application/vnd.vegalite.{alt.SCHEMA_VERSION.partition('.')[0]}+json"
"""What JupyterLab and editors draw themselves, interactive."""
# Room is measured with the widest font that a reader's machine is likely to have: Verdana's letters
# are as wide, and a label that was measured with a narrower one is cut off.
_LOOK = {"font": "DejaVu Sans, Verdana, sans-serif", "axis": {"labelSeparation": 6}}


def svg(chart: Any) -> str:
    """Return a chart as a picture, made on this machine.

    Raises:
        InputError: If what draws it is not installed, or it is no chart.
    """
    if not isinstance(chart, alt.TopLevelMixin):
        raise InputError(
            f"chart ({type(chart).__name__}) must be one of Altair's, such as run.plot.roles()."
        )
    if find_spec("vl_convert") is None:
        raise InputError(
            "picture (svg) must be drawn by vl-convert-python, which is not installed: "
            f"{extra('notebook')}."
        )
    return _drawn(chart.to_dict())


def png(chart: Any) -> bytes:
    """Return a chart as pixels, two a point, made on this machine; `svg` says what it needs."""
    import vl_convert

    pixels: bytes = vl_convert.vegalite_to_png(chart.to_dict(), scale=2, config=_LOOK)
    return pixels


def page(chart: Any) -> str:
    """Return a chart as a page that asks no host for anything; `svg` says what it needs."""
    whole: str = chart.to_html(inline=True)
    return whole


def notebook_bundle(spec: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Return what a notebook keeps of a chart: its data, and its picture where it can be drawn."""
    description = spec.get("description", "chart")
    bundle: dict[str, Any] = {MIME: spec, "text/plain": f"<{description}>"}
    if find_spec("vl_convert") is not None:
        bundle["image/svg+xml"] = _drawn(spec)
    return bundle


def show_without_hosts() -> None:
    """Let notebooks show Altair's charts so, unless the user has chosen a renderer himself."""
    alt.renderers.register(_NAME, notebook_bundle)
    if alt.renderers.active == "default":
        alt.renderers.enable(_NAME)


def _drawn(spec: dict[str, Any]) -> str:
    import vl_convert

    picture: str = vl_convert.vegalite_to_svg(spec, config=_LOOK)
    return picture
