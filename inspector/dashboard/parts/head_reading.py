"""What one head does with a text: its weights, by probability or by norm, and its queries and keys.

The model's own computation is watched; words are merged as in every other view.
"""

import unicodedata
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from inspector.attention import capped_scores
from inspector.corpora.formats.plain_text import text_surface
from inspector.corpora.surface import Surface
from inspector.dashboard import walkthrough
from inspector.errors import InputError
from inspector.models import LayerCall, PretrainedModel
from inspector.models.forward.text_maps import merged_to_words, word_groups

WEIGHT, NORM = "weight", "norm"
SPECIAL, PUNCTUATION = 1, 2
"""Kinds of tokens that a reader may hide; the script has the same numbers."""
_MARKS = "▁ĠĊ"
"""How tokenizers write a space or a line's end."""


@dataclass(frozen=True)
class Products:
    """What a head compares, dimension by dimension, and what it makes of the sum."""

    query: Float32[np.ndarray, "query d_head"]
    key: Float32[np.ndarray, "key d_head"]
    scores: Float32[np.ndarray, "query key"]
    """What the softmax is given: scaled, capped, with what is added; −∞ where a mask forbids."""


@dataclass(frozen=True)
class HeadReading:
    """One head's attention on a text."""

    weights: Float[np.ndarray, "query key"]
    """Rows sum to 1."""
    tokens: list[str]
    """Tokens, or words."""
    kinds: list[int]
    """0, SPECIAL or PUNCTUATION of each."""
    products: Products | None
    """None of words: queries and keys are of tokens."""


def read_head(
    model: PretrainedModel,
    text: str | Surface,
    head: tuple[int, int],
    *,
    pair: str | None = None,
    by: str = WEIGHT,
    words: bool = False,
) -> HeadReading:
    """Return what a head does with a text.

    Args:
        model: What reads.
        text: What is read; where its words were changed, with their places.
        head: Layer and head.
        pair: A second text.
        by: 'weight', the probabilities; or 'norm', the share of each in the length of what is
            moved, ‖p f(x)‖ (Kobayashi et al. 2020).
        words: Whether tokens are merged to words.

    Raises:
        InputError: If the text cannot be read, or there is no such head.
    """
    layer, number = head[0], model.check_head(head[1])
    read = text if isinstance(text, Surface) else text_surface(text)
    call, tokens = walkthrough.layer_call(model, read.text, layer, pair)
    weights = call.attention.probabilities[0, number].double()
    if by == NORM:
        weights = _by_norm(weights, _values(call, number), model, head)
    kinds = [_kind(token, model) for token in tokens]
    numbers = weights.cpu().numpy()
    if not words:
        return HeadReading(numbers, tokens, kinds, _products(call, number))
    second = None if pair is None else text_surface(pair)
    found = word_groups(model, tokens, read, second)
    merged = merged_to_words(numbers[None, None].astype(np.float32), found.groups)[0, 0]
    of_words = [
        kinds[own[0]] if len(own) == 1 else PUNCTUATION * _is_punctuation(label)
        for own, label in zip(found.groups, found.labels, strict=True)
    ]
    return HeadReading(merged, found.labels, of_words, None)


def _by_norm(
    weights: Float[Tensor, "query key"],
    values: Float[Tensor, "key d_value"],
    model: PretrainedModel,
    head: tuple[int, int],
) -> Float[Tensor, "query key"]:
    """Return each key's share in the length of what a query is given."""
    output = model.layer_weights(head[0]).by_head().W_O[head[1]].double()
    moved = weights * torch.linalg.vector_norm(values @ output.mT, dim=-1)
    total = moved.sum(-1, keepdim=True).clamp(min=torch.finfo(moved.dtype).tiny)
    share: Float[Tensor, "query key"] = moved / total
    return share


def _values(call: LayerCall, head: int) -> Float[Tensor, "key d_value"]:
    return _of_group(call.attention.value, call, head)


def _of_group(
    grouped: Float[Tensor, "batch kv_head key width"], call: LayerCall, head: int
) -> Float[Tensor, "key width"]:
    """Return what a query head is given by its group of key/value heads."""
    group = head * grouped.shape[1] // call.attention.probabilities.shape[1]
    return grouped[0, group].double()


def _products(call: LayerCall, head: int) -> Products:
    attention = call.attention
    query, key = attention.query[0, head].double(), _of_group(attention.key, call, head)
    scores = query @ key.mT * attention.scaling
    if attention.softcap is not None:
        scores = capped_scores(scores, attention.softcap)
    if attention.bias is not None:
        scores = scores + _of_head(attention.bias, head)
    if attention.mask is not None:
        scores = scores.masked_fill(~_of_head(attention.mask, head), -torch.inf)
    return Products(*(one.float().cpu().numpy() for one in (query, key, scores)))


def _of_head(given: Tensor, head: int) -> Tensor:
    """Return a head's own part of what may stand once for all of them."""
    return given[0, min(head, given.shape[1] - 1)]


def _kind(token: str, model: PretrainedModel) -> int:
    tokenizer = model.tokenizer
    special = set(tokenizer.all_special_tokens) - {tokenizer.unk_token, tokenizer.mask_token}
    if token in special:
        return SPECIAL
    return PUNCTUATION * _is_punctuation(token)


def _is_punctuation(token: str) -> bool:
    """Return whether a token is punctuation alone.

    Example:
        >>> _is_punctuation("Ġ,"), _is_punctuation("##s"), _is_punctuation("。")
        (True, False, True)
    """
    bare = token.removeprefix("##") if len(token) > 2 else token
    bare = bare.strip(_MARKS)
    return bool(bare) and all(unicodedata.category(letter)[0] in "PS" for letter in bare)


def words_in(text: str) -> list[str]:
    """Return the words of a text that may be replaced.

    Example:
        >>> words_in("The cat sat.")
        ['The', 'cat', 'sat', '.']
    """
    return [text[slice(*span)] for span in text_surface(text).spans]


def with_word(model: PretrainedModel, text: str, place: int, word: str) -> Surface:
    """Return a text in which a word is another, or the model's mask where none is given.

    What is put there counts as one word, so that both texts have equally many.

    Raises:
        InputError: If there is no such word.
    """
    spans = text_surface(text).spans
    if not 0 <= place < len(spans):
        raise InputError(f"word ({place}) must be from 0 to {len(spans) - 1}: choose one.")
    start, end = spans[place]
    tokenizer = model.tokenizer
    put = word or tokenizer.mask_token or tokenizer.unk_token or "…"
    longer = len(put) - (end - start)
    after = ((first + longer, last + longer) for first, last in spans[place + 1 :])
    moved = (*spans[:place], (start, start + len(put)), *after)
    return Surface(text[:start] + put + text[end:], moved)
