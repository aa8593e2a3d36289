"""BertViz's page made into one document that asks no host for anything and trusts no token.

BertViz draws; this module takes its script, writes the data into it once and escaped, puts
d3 (from the installed mpld3) and a few functions of our own in front of it, and allows by the
page's policy those scripts alone, named by their hashes. The same input gives the same bytes.
"""

import base64
import colorsys
import hashlib
import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from inspector.errors import InspectorError, extra
from inspector.html import escape

D3_SHA256 = "bdad5585ef9a965ff25458738309b006058c55f2c78d794d25fbecae35014609"
"""The hash of d3 5.7.0's d3.min.js, the version that BertViz 1.4 is written for."""

_LOADER = re.compile(r"require\.config\(\{.*?\}\);", re.DOTALL)
"""Where BertViz would have its libraries from: a host that we do not ask."""
_PARAMETERS = "const params = "
_OPENING = '<script type="text/javascript">'
_CLOSING = "</script>"

_STYLE = """
:root { color-scheme: light; }
body { margin: 0; padding: 10px 14px; background: #fff; color: #111; font-family: sans-serif; }
h1 { margin: 0 0 4px; font-size: 15px; white-space: nowrap; overflow: hidden;
     text-overflow: ellipsis; }
p { margin: 0 0 8px; font-size: 13px; line-height: 18px; color: #444; }
select { font: inherit; }
#vis svg { overflow: visible; }
[data-view=model] #vis svg { max-width: 100%; height: auto; }
#vis rect[role=checkbox] { cursor: pointer; }
#vis rect[role=checkbox]:focus-visible { outline: 2px solid #111; outline-offset: -2px; }
#vis .number { font-size: 12px; text-anchor: middle; pointer-events: none; fill: #111;
               stroke: #fff; stroke-width: 2.5px; paint-order: stroke; }
"""

# BertViz draws in black: on a dark page its lightness is turned round, and its hues are kept.
_DARK = """
:root { color-scheme: dark; background: #191919; }
body { background: #e6e6e6; filter: invert(1) hue-rotate(180deg); }
"""


@dataclass(frozen=True)
class Drawing:
    """What to say around BertViz's drawing."""

    view: str
    """"head" or "model"."""
    title: str
    note: str
    """One sentence on how to use the view."""
    n_colors: int
    margin: int
    """Free space on the left of the drawing, in pixels, for long tokens."""
    words: Mapping[str, str] = field(default_factory=dict)
    """What BertViz's own words are to be called."""
    dark: bool = False
    """Whether it stands on a dark page."""


def offline_page(bertviz_page: str, drawing: Drawing) -> str:
    """Return a whole HTML document that draws the same with the network cut.

    Args:
        bertviz_page: What BertViz returns with `html_action="return"`.
        drawing: What to say around it.

    Raises:
        InspectorError: If BertViz's page is not built as expected, or d3 is not there.
    """
    markup, script = _take_apart(bertviz_page)
    scripts = [
        d3_source(),
        (
            f"const palette = {json.dumps(colors(drawing.n_colors))};\n"
            f"const called = {script_json(dict(drawing.words))};\n{_asset('before.js')}"
        ),
        script,
        _asset("after.js"),
    ]
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; "
        f"script-src {' '.join(_hash_source(source) for source in scripts)}"
    )
    title, style = escape(drawing.title), _STYLE + _DARK * drawing.dark
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{title}</title>",
            f"<style>{style}#vis {{ padding: 6px 0 0 {drawing.margin}px; }}</style>",
            "</head>",
            f'<body data-view="{escape(drawing.view)}">',
            f'<h1 dir="auto" title="{title}">{title}</h1>',
            f"<p>{escape(drawing.note)}</p>",
            "<noscript><p>This view is drawn by JavaScript, which is switched off.</p></noscript>",
            markup,
            *(f"<script>{source}</script>" for source in scripts),
            "</body>",
            "</html>",
            "",
        ]
    )


def d3_source() -> str:
    """Return the text of d3 5.7.0, from the installed mpld3, which is not imported.

    Raises:
        InspectorError: If mpld3 or its d3 is missing, or is another d3.
    """
    spec = importlib.util.find_spec("mpld3")
    folders = (spec.submodule_search_locations or []) if spec else []
    found = [path for folder in folders if (path := Path(folder, "js", "d3.v5.min.js")).is_file()]
    if not found:
        raise InspectorError(
            "d3 (mpld3/js/d3.v5.min.js), which draws BertViz's views, is not installed: "
            f"{extra('views')}."
        )
    source = found[0].read_bytes()
    digest = hashlib.sha256(source).hexdigest()
    if digest != D3_SHA256:
        raise InspectorError(
            f"d3 (mpld3/js/d3.v5.min.js, sha256 {digest[:8]}…) is not d3 5.7.0 "
            f"(sha256 {D3_SHA256[:8]}…): install mpld3>=0.5.10,<0.6 again."
        )
    return source.decode("utf-8")


def colors(number: int) -> list[str]:
    """Return as many different colours, dark enough to be seen on white.

    The hues go once round the wheel; neighbours differ in lightness too.

    Example:
        >>> colors(2)
        ['#a62828', '#43bfbf']
    """
    rgb = (
        colorsys.hls_to_rgb(index / number, (0.405, 0.505)[index % 2], (0.61, 0.49)[index % 2])
        for index in range(number)
    )
    return ["#" + "".join(f"{round(255 * part):02x}" for part in color) for color in rgb]


def _take_apart(page: str) -> tuple[str, str]:
    """Return BertViz's markup and its script, the data in it written once and escaped."""
    # Up to the data nothing is the user's; after it anything may look like a tag.
    before, _, rest = page.partition(_OPENING)
    markup = before.rpartition(_CLOSING)[2].strip()
    script = rest.rpartition(_CLOSING)[0]
    head, marker, tail = script.partition(_PARAMETERS)
    head, found = _LOADER.subn("", head)
    if not markup or not marker or found != 1:
        raise InspectorError(
            "bertviz's page is not built as inspector expects: install bertviz>=1.4.1,<1.5."
        )
    parameters, end = json.JSONDecoder().raw_decode(tail)
    # The rest of the line is a comment, which holds the data a second time.
    code = tail[end:].partition("\n")[2]
    given_id = parameters["root_div_id"]
    parameters["root_div_id"] = "attention"
    return (
        markup.replace(given_id, "attention"),
        f"{head}{marker}{script_json(parameters)};\n{code}",
    )


def script_json(data: object) -> str:
    r"""Return JSON that may stand inside a script element: plain ASCII without <, > and &.

    Example:
        >>> script_json(["</script>"])
        '["\\u003c/script\\u003e"]'
    """
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def _asset(name: str) -> str:
    return files("inspector.views").joinpath("assets", name).read_text(encoding="utf-8")


def _hash_source(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
