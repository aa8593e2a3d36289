"""The attention of one text: every probability of every head, to be shown or taken as a frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float32

from inspector.arguments import is_whole, shown
from inspector.errors import InputError
from inspector.frames import dtypes
from inspector.head_names import chosen_numbers, head_list
from inspector.plot.names import Names
from inspector.views.bertviz import head_view_page, model_view_page
from inspector.views.page import Page
from inspector.views.thumbnails import thumbnails_html
from inspector.vocabulary import Vocabulary

if TYPE_CHECKING:
    import altair as alt

FRAME_DTYPES = dtypes("attention")
"""The columns of `AttentionMaps.frame`, in their order, and their dtypes."""


@dataclass(frozen=True, eq=False, repr=False)
class AttentionMaps:
    """The probabilities of every head on one text, or on a pair of texts.

    Example:
        >>> import inspector
        >>> maps = inspector.attend("minilm", "The cat sat.")
        >>> maps.tokens, maps[2, 8].shape
        (['[CLS]', 'the', 'cat', 'sat', '.', '[SEP]'], (6, 6))
    """

    probabilities: Float32[np.ndarray, "layer head query key"]
    tokens: list[str]
    text: str
    text_pair: str | None
    model: str
    sentence_b_start: int | None
    """Index of the first token of the second text."""
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    """How much of the texts the model's vocabulary knows; of nothing where it was not asked."""
    layers: tuple[int, ...] = ()
    """The layers that are kept, in order; all from 0 where not given."""
    heads: tuple[int, ...] = ()
    """The heads of each; all from 0 where not given."""
    unit: Literal["tokens", "words"] = "tokens"
    """What stands on the axes: the tokenizer's tokens, or words that they were merged to."""

    def __post_init__(self) -> None:
        """Refuse what does not fit together.

        Raises:
            InputError: If tokens and probabilities differ in number, a probability is not finite,
                or the second text does not start within the tokens.
        """
        n = len(self.tokens)
        n_layers, n_heads, n_query, n_key = self.probabilities.shape
        object.__setattr__(self, "layers", tuple(self.layers) or tuple(range(n_layers)))
        object.__setattr__(self, "heads", tuple(self.heads) or tuple(range(n_heads)))
        if (len(self.layers), len(self.heads)) != (n_layers, n_heads):
            raise InputError(
                f"layers and heads ({len(self.layers)} and {len(self.heads)}) must be as many as "
                f"probabilities have: {n_layers} and {n_heads}."
            )
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
            f"<AttentionMaps {self.title!r}: {n_layers} × {n_heads} heads, {n_tokens} {self.unit}"
            f"{known}>"
        )

    def __getitem__(self, head: Any) -> Float32[np.ndarray, "..."]:
        """Return the map of a head, (query, key), or of a layer number all heads' of that layer.

        Args:
            head: A layer and a head, as in `maps[2, 8]`; '2-8'; or a layer alone.

        Raises:
            InputError: If it is not kept.

        Example:
            >>> one = AttentionMaps(
            ...     np.full((1, 1, 1, 1), 1, np.float32), ["Hi"], "Hi", None, "m", None
            ... )
            >>> one[0, 0].shape, one["0-0"].shape, one[0].shape
            ((1, 1), (1, 1), (1, 1, 1))
        """
        if is_whole(head):
            place: tuple[int, ...] = (self._layers([head])[0],)
        else:
            layer, number = self._numbers(head)
            place = (self.layers.index(layer), self.heads.index(number))
        chosen: Float32[np.ndarray, ...] = self.probabilities[place]
        return chosen

    def _numbers(self, given: object) -> tuple[int, int]:
        heads = head_list(given)
        layer, head = heads[0]
        if len(heads) != 1 or layer not in self.layers or head not in self.heads:
            raise InputError(
                f"head ({shown(given)}) must be one that these maps have: layers "
                f"{_listed(self.layers)}; heads {_listed(self.heads)}."
            )
        return layer, head

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
                "layer": np.array(self.layers, dtype=np.int32)[chosen][index[0]],
                "head": np.array(self.heads, dtype=np.int32)[index[1]],
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
        dark: bool = False,
    ) -> Page:
        """Return BertViz's head view as a page: lines between the tokens, a colour per head.

        Args:
            layers: The layers to choose from; all where not given.
            layer: The layer shown first; the first of `layers` where not given.
            heads: The heads shown first; all where not given.
            names: What the page's words are called; in English where not given.
            dark: Whether it stands on a dark page.

        Raises:
            InputError: If a layer or head is not there, or there is too much to draw.

        Source: Vig (2019), arXiv:1906.05714.
        """
        chosen = chosen_numbers("layers", layers, self.layers)
        if layer is not None and layer not in chosen:
            raise InputError(f"layer ({layer}) must be one of the layers shown: {_listed(chosen)}.")
        whole = self._at_their_numbers()
        kept = heads is None and whole is self.probabilities
        page = head_view_page(
            whole,
            self.tokens,
            title=self.title,
            layers=chosen,
            layer=layer,
            heads=None if kept else chosen_numbers("heads", heads, self.heads),
            sentence_b_start=self.sentence_b_start,
            names=names,
            dark=dark,
        )
        return replace(page, picture=self._picture(chosen, names))

    def model_view(
        self,
        layers: Sequence[int] | None = None,
        *,
        names: Names | None = None,
        dark: bool = False,
    ) -> Page:
        """Return BertViz's model view as a page: a thumbnail of every head, layer by layer.

        Args:
            layers: The layers to show; all where not given.
            names: What the page's words are called; in English where not given.
            dark: Whether it stands on a dark page.

        Raises:
            InputError: If a layer is not there, or there is too much to draw.

        Source: Vig (2019), arXiv:1906.05714.
        """
        chosen = chosen_numbers("layers", layers, self.layers)
        page = model_view_page(
            self._at_their_numbers(),
            self.tokens,
            title=self.title,
            layers=chosen,
            heads=self.heads,
            sentence_b_start=self.sentence_b_start,
            names=names,
            dark=dark,
        )
        return replace(page, picture=self._picture(chosen, names))

    def plot(self, layer: Any, head: int | None = None) -> "alt.Chart":
        """Return the map of a head as an Altair chart: queries downwards, keys across.

        Args:
            layer: Of the head; or the head, such as '2-8'.
            head: Its number.

        Raises:
            InputError: If it is not kept, or there are more than 70 tokens.
        """
        from inspector.plot import attention_matrix

        place = self._numbers(layer if head is None else (layer, head))
        chart = attention_matrix(self[place], self.tokens, self.tokens)
        return chart.properties(title=f"Head {place[0]}-{place[1]}, {self.title}")

    def _repr_html_(self) -> str:
        """Return a thumbnail of every head, without any script."""
        return self._picture(self.layers)

    def _picture(self, layers: Sequence[int], names: Names | None = None) -> str:
        """Return a thumbnail of every head of some layers."""
        return thumbnails_html(
            self.probabilities[self._layers(layers)],
            f"{len(self.tokens)} {self.unit}, {self.title}",
            layers=layers,
            heads=self.heads,
            names=names,
        )

    def _layers(self, layers: Sequence[int] | None) -> list[int]:
        """Return where the chosen layers stand in the array."""
        return [self.layers.index(layer) for layer in chosen_numbers("layers", layers, self.layers)]

    def _at_their_numbers(self) -> Float32[np.ndarray, "layer head query key"]:
        """Return an array in which layer i has place i, and zeros stand for what is not kept."""
        n_layers, n_heads = self.layers[-1] + 1, self.heads[-1] + 1
        if (n_layers, n_heads) == self.probabilities.shape[:2]:
            return self.probabilities
        whole = np.zeros((n_layers, n_heads, *self.probabilities.shape[2:]), dtype=np.float32)
        whole[np.ix_(self.layers, self.heads)] = self.probabilities
        return whole


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(str(number) for number in numbers)
