"""The attention of one text: every probability of every head, to be shown or taken as a frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float32

from inspector.errors import InputError
from inspector.frames import dtypes
from inspector.views.bertviz import head_view_page, model_view_page
from inspector.views.page import Page
from inspector.views.thumbnails import thumbnails_html
from inspector.views.view_names import Names
from inspector.vocabulary import Vocabulary

FRAME_DTYPES = dtypes("attention")
"""The columns of `AttentionMaps.frame`, in their order, and their dtypes."""


@dataclass(frozen=True, eq=False, repr=False)
class AttentionMaps:
    """The probabilities of every head on one text, or on a pair of texts."""

    probabilities: Float32[np.ndarray, "layer head query key"]
    tokens: list[str]
    text: str
    text_pair: str | None
    model: str
    sentence_b_start: int | None
    """Index of the first token of the second text."""
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    """How much of the texts the model's vocabulary knows; of nothing where it was not asked."""

    def __post_init__(self) -> None:
        """Refuse what does not fit together.

        Raises:
            InputError: If tokens and probabilities differ in number, a probability is not finite,
                or the second text does not start within the tokens.
        """
        n = len(self.tokens)
        n_layers, n_heads, n_query, n_key = self.probabilities.shape
        if (n_query, n_key) != (n, n) or 0 in (n_layers, n_heads, n):
            raise InputError(
                f"probabilities have shape {self.probabilities.shape}, "
                f"expected (layer, head, query, key) with query = key = {n}, one for each token."
            )
        if not np.isfinite(self.probabilities).all():
            raise InputError(
                "probabilities hold NaN or infinity: verify the model, its weights may be broken."
            )
        if self.sentence_b_start is not None and not 0 < self.sentence_b_start < n:
            raise InputError(
                f"sentence_b_start ({self.sentence_b_start}) must lie between 1 and {n - 1}: "
                "both texts have at least one token."
            )

    @property
    def pieces(self) -> list[str]:  # former name of `tokens`
        """Return the tokens."""
        return self.tokens

    def __repr__(self) -> str:
        """Return what was read and how much there is to see, in a line."""
        n_layers, n_heads, n_tokens, _ = self.probabilities.shape
        known = f"; {self.vocabulary}" if self.vocabulary.words else ""
        return (
            f"<AttentionMaps {self.title!r}: {n_layers} × {n_heads} heads, {n_tokens} tokens"
            f"{known}>"
        )

    @property
    def title(self) -> str:
        """Return the model and the text in one line, with ? for what no file can hold."""
        texts = [self.text] if self.text_pair is None else [self.text, self.text_pair]
        line = f"{self.model}: {' | '.join(' '.join(text.split()) for text in texts)}"
        return line.encode("utf-8", errors="replace").decode("utf-8")

    def frame(self, layers: Sequence[int] | None = None) -> pd.DataFrame:
        """Return a row per layer, head, query and key, in this order.

        Columns: `layer, head, query, key` (int32, from 0), `query_token, key_token` (category,
        the tokens at these places), `probability` (float32).

        Args:
            layers: The layers to take; all where not given.

        Raises:
            InputError: If a layer is not there.

        Example:
            >>> maps = AttentionMaps(
            ...     np.full((1, 1, 1, 1), 1, np.float32), ["Hi"], "Hi", None, "m", None
            ... )
            >>> maps.frame()
               layer  head  query  key query_token key_token  probability
            0      0     0      0    0          Hi        Hi          1.0
        """
        chosen = self._layers(layers)
        probabilities = self.probabilities[chosen]
        index = np.indices(probabilities.shape, dtype=np.int32).reshape(4, -1)
        # A token may occur at several places; the categories are the tokens without repetition.
        categories = list(dict.fromkeys(self.tokens))
        places = {token: code for code, token in enumerate(categories)}
        codes = np.array([places[token] for token in self.tokens])
        dtype = pd.CategoricalDtype(categories)
        return pd.DataFrame(
            {
                "layer": np.array(chosen, dtype=np.int32)[index[0]],
                "head": index[1],
                "query": index[2],
                "key": index[3],
                "query_token": pd.Categorical.from_codes(codes[index[2]], dtype=dtype),
                "key_token": pd.Categorical.from_codes(codes[index[3]], dtype=dtype),
                "probability": probabilities.reshape(-1),
            }
        )

    def head_view(
        self,
        layers: Sequence[int] | None = None,
        *,
        layer: int | None = None,
        heads: Sequence[int] | None = None,
        names: Names | None = None,
    ) -> Page:
        """Return BertViz's head view as a page: lines between the tokens, a colour per head.

        Args:
            layers: The layers to choose from; all where not given.
            layer: The layer shown first; the first of `layers` where not given.
            heads: The heads shown first; all where not given.
            names: What the page's words are called; in English where not given.

        Raises:
            InputError: If a layer or head is not there, or there is too much to draw.

        Source: Vig (2019), arXiv:1906.05714.
        """
        chosen = self._layers(layers)
        if layer is not None and layer not in chosen:
            raise InputError(f"layer ({layer}) must be one of the layers shown: {_listed(chosen)}.")
        return head_view_page(
            self.probabilities,
            self.tokens,
            title=self.title,
            layers=chosen,
            layer=layer,
            heads=self._heads(heads),
            sentence_b_start=self.sentence_b_start,
            names=names,
        )

    def model_view(
        self, layers: Sequence[int] | None = None, *, names: Names | None = None
    ) -> Page:
        """Return BertViz's model view as a page: a thumbnail of every head, layer by layer.

        Args:
            layers: The layers to show; all where not given.
            names: What the page's words are called; in English where not given.

        Raises:
            InputError: If a layer is not there, or there is too much to draw.

        Source: Vig (2019), arXiv:1906.05714.
        """
        return model_view_page(
            self.probabilities,
            self.tokens,
            title=self.title,
            layers=self._layers(layers),
            sentence_b_start=self.sentence_b_start,
            names=names,
        )

    def _repr_html_(self) -> str:
        """Return a thumbnail of every head, without any script."""
        return thumbnails_html(self.probabilities, f"{len(self.tokens)} tokens, {self.title}")

    def _layers(self, layers: Sequence[int] | None) -> list[int]:
        return _chosen("layers", layers, self.probabilities.shape[0])

    def _heads(self, heads: Sequence[int] | None) -> list[int] | None:
        return None if heads is None else _chosen("heads", heads, self.probabilities.shape[1])


def _chosen(name: str, given: Sequence[int] | None, available: int) -> list[int]:
    """Return the chosen numbers in order and without repetition."""
    if given is None:
        return list(range(available))
    chosen = sorted({int(number) for number in given})
    if not chosen or chosen[0] < 0 or chosen[-1] >= available:
        raise InputError(
            f"{name} ({_listed(chosen) or 'none'}) must name at least one of "
            f"the model's {available} {name}: give numbers from 0 to {available - 1}."
        )
    return chosen


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(str(number) for number in numbers)
