"""The attention view: one or two readings of a head, drawn in the browser.

Weights travel as 16-bit numbers, a 65,535th each; so 512 tokens are half a megabyte.
"""

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inspector import words
from inspector.dashboard.parts.component import component
from inspector.dashboard.parts.head_reading import HeadReading

LINES, MATRIX, PRODUCTS = VIEWS = ("lines", "matrix", "products")
_COMPONENT = component(Path(__file__).parent, "attention_view")
_STEPS = 65535
_CHINESE = range(0x2E80, 0xA000)
_WORDS = (
    "hint", "keys", "special", "punctuation", "renormalise", "horizontal", "difference",
    "unlike", "threshold", "save", "looks", "looked", "asks", "sum", "score", "weight", "dimension",
)  # fmt: skip


def show(view: str, text: str, readings: dict[str, HeadReading], language: str) -> None:
    """Show readings side by side.

    Args:
        view: One of `VIEWS`; of 'products' the first reading is shown.
        text: What the first one is of.
        readings: Title → reading, one or two.
        language: Of the page.
    """
    t = words.of("attention_view", language)
    first = next(iter(readings.values()))
    data: dict[str, Any] = {
        "view": view,
        "panels": [_panel(title, one) for title, one in readings.items()],
        "alike": _alike(*(one.tokens for one in readings.values())),
        "horizontal": _is_chinese(text),
        "query": next((place for place, kind in enumerate(first.kinds) if not kind), 0),
        "words": {name: t[name] for name in _WORDS},
        "products": None,
    }
    if view == PRODUCTS and first.products is not None:
        given = first.products
        data["products"] = {
            "tokens": first.tokens,
            "query": _coded(given.query),
            "key": _coded(given.key),
            "width": given.query.shape[1],
            "scores": _coded(given.scores),
        }
    _COMPONENT(key="attention-view", data=data)


def _alike(one: Sequence[str], other: Sequence[str] = ()) -> bool:
    """Return whether two texts can be subtracted: as long, most tokens in the same places.

    Example:
        >>> _alike(["the", "cat", "sat"], ["the", "dog", "sat"]), _alike(["a", "b"], ["b", "a"])
        (True, False)
    """
    same = sum(a == b for a, b in zip(one, other, strict=False))
    return len(one) == len(other) and 2 * same > len(one)


def _panel(title: str, reading: HeadReading) -> dict[str, Any]:
    steps = np.rint(np.clip(reading.weights, 0, 1) * _STEPS).astype("<u2")
    return {
        "title": title,
        "tokens": reading.tokens,
        "kinds": reading.kinds,
        "map": b64encode(steps.tobytes()).decode("ascii"),
    }


def _coded(numbers: np.ndarray) -> str:
    return b64encode(np.ascontiguousarray(numbers, dtype="<f4").tobytes()).decode("ascii")


def _is_chinese(text: str) -> bool:
    """Return whether most letters are Chinese: then tokens stand side by side, as they are read.

    Example:
        >>> _is_chinese("银行在河边 bank"), _is_chinese("the bank")
        (True, False)
    """
    letters = [letter for letter in text if letter.isalpha()]
    return 2 * sum(ord(letter) in _CHINESE for letter in letters) > len(letters)
