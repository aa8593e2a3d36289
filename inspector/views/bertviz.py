"""The head view and the model view of one text, drawn by BertViz, capped in size.

A browser draws a line per head, query and key: beyond some 150,000 it takes minutes.
"""

import warnings
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
from jaxtyping import Float32

from inspector.errors import InputError, extra
from inspector.plot.names import Names, named
from inspector.views.offline import Drawing, offline_page
from inspector.views.page import Page

MAX_TOKENS = {"head": 64, "model": 32}
"""How many tokens each view shows at most."""

MAX_LINES = 160_000
"""How many lines either view draws at once at most."""

_DECIMALS = 3
TITLES = {"head": "Head view of {title}", "model": "Model view of {title}"}
WORDS = ("Layer:", "Layers", "Heads")
"""What BertViz itself writes around its drawings."""
NOTES = {
    "head": (
        "Lines join a token on the left with the tokens it looks at; a stronger line is a higher "
        "probability. Point at a token to see its lines alone. Click a head's box to hide or show "
        "the head, double-click it to see that head alone."
    ),
    "model": (
        "One picture per head. Lines join a token on the left with the tokens it looks at. "
        "Click a picture to enlarge it, click it again to close it."
    ),
}


def head_view_page(
    probabilities: Float32[np.ndarray, "layer head token token"],
    tokens: Sequence[str],
    *,
    title: str,
    layers: Sequence[int],
    layer: int | None = None,
    heads: Sequence[int] | None = None,
    sentence_b_start: int | None = None,
    names: Names | None = None,
    dark: bool = False,
) -> Page:
    """Return the head view of the given layers, `layer` and `heads` chosen at first.

    Raises:
        InputError: If there are more than 64 tokens, or too many lines.
    """
    n_heads, n_tokens = probabilities.shape[1:3]
    _check_drawable("head", n_tokens, n_heads, 1)
    # BertViz leaves the file that it reads to the garbage collector.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        from bertviz import head_view

        page = head_view(
            attention=_layers_for_bertviz(probabilities),
            tokens=list(tokens),
            sentence_b_start=sentence_b_start,
            prettify_tokens=False,
            layer=layer,
            heads=None if heads is None else list(heads),
            include_layers=list(layers),
            html_action="return",
        )
    drawing = _drawing("head", title, tokens, n_heads, names, dark)
    return Page(drawing.title, offline_page(page.data, drawing), 180 + round(22.5 * n_tokens))


def model_view_page(
    probabilities: Float32[np.ndarray, "layer head token token"],
    tokens: Sequence[str],
    *,
    title: str,
    layers: Sequence[int],
    heads: Sequence[int],
    sentence_b_start: int | None = None,
    names: Names | None = None,
    dark: bool = False,
) -> Page:
    """Return the model view of the given layers and heads.

    Raises:
        InputError: If there are more than 32 tokens, or too many lines.
    """
    n_heads, n_tokens = len(heads), len(tokens)
    _check_drawable("model", n_tokens, n_heads, len(layers))
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        from bertviz import model_view

        page = model_view(
            attention=_layers_for_bertviz(probabilities),
            tokens=list(tokens),
            sentence_b_start=sentence_b_start,
            prettify_tokens=False,
            display_mode="light",
            include_layers=list(layers),
            include_heads=list(heads),
            html_action="return",
        )
    drawing = _drawing("model", title, tokens, 10, names, dark)
    thumbnails = 41 + len(layers) * (n_tokens * 84 / n_heads + 10)
    enlarged = 55 + 18 * n_tokens
    height = 130 + round(max(thumbnails, enlarged))
    return Page(drawing.title, offline_page(page.data, drawing), height)


def _check_drawable(view: str, n_tokens: int, n_heads: int, n_layers: int) -> None:
    if find_spec("bertviz") is None:
        raise InputError(
            f"{view} view is drawn by BertViz, which is not installed: {extra('views')}."
        )
    if n_tokens > MAX_TOKENS[view]:
        raise InputError(
            f"tokens ({n_tokens}) must be at most {MAX_TOKENS[view]} for the {view} view: "
            "give a shorter text, or take the numbers of a long one from frame()."
        )
    lines = n_layers * n_heads * n_tokens**2
    if lines > MAX_LINES:
        layers = "fewer layers or " if n_layers > 1 else ""
        raise InputError(
            f"lines ({lines:,}) must be at most {MAX_LINES:,} for the {view} view: "
            f"give {layers}a shorter text."
        )


def _layers_for_bertviz(
    probabilities: Float32[np.ndarray, "layer head token token"],
) -> list[object]:
    """Return a batch of one per layer, as doubles, which are short once rounded."""
    import torch

    rounded = probabilities.astype(np.float64).round(_DECIMALS)
    return [torch.from_numpy(layer[np.newaxis]) for layer in rounded]


def _drawing(
    view: str,
    title: str,
    tokens: Sequence[str],
    n_colors: int,
    names: Names | None,
    dark: bool,
) -> Drawing:
    # BertViz leaves 102 pixels for a token on the left, of some 8 pixels a character.
    longest = max(len(token) for token in tokens) if view == "head" else 0
    margin = min(max(0, 8 * longest - 96), 320)
    return Drawing(
        view,
        named(names, f"{view} view", TITLES[view]).format(title=title),
        named(names, f"{view} view note", NOTES[view]),
        n_colors,
        margin,
        {word: named(names, word) for word in WORDS},
        dark,
    )
