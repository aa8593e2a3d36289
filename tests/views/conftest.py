"""Attention maps of made-up texts, hostile ones included."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from inspector.views import AttentionMaps

MakeMaps = Callable[..., AttentionMaps]


@pytest.fixture(scope="session")
def make_maps() -> MakeMaps:
    """Return a function: tokens → maps with random rows that sum to one."""

    def make(
        tokens: Sequence[str] | int = ("[CLS]", "the", "cat", "[SEP]"),
        n_layers: int = 2,
        n_heads: int = 3,
        text: str = "The cat",
        text_pair: str | None = None,
        sentence_b_start: int | None = None,
    ) -> AttentionMaps:
        names = [f"p{i}" for i in range(tokens)] if isinstance(tokens, int) else list(tokens)
        shape = (n_layers, n_heads, len(names), len(names))
        weights = np.random.default_rng(0).exponential(size=shape) ** 3
        probabilities = (weights / weights.sum(-1, keepdims=True)).astype(np.float32)
        return AttentionMaps(probabilities, names, text, text_pair, "tiny", sentence_b_start)

    return make


HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "<!--<script>",
    "{{constructor.constructor('alert(1)')()}}",
    "line\u2028separator",
    "PYTHON_PARAMS",
    "const params = ",
    "&lt;b&gt;",
    "\ud83d",
    "مرحبا",
    "👩‍👩‍👧",
]


@pytest.fixture(scope="session")
def hostile() -> list[str]:
    """Return tokens that would break out of a page that trusts them."""
    return list(HOSTILE)
