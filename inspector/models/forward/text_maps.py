"""Every head's attention on texts, token by token or word by word."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32

from inspector.models.forward.capture import attention_probabilities
from inspector.models.forward.sentence_batches import MOST_TOKENS
from inspector.models.forward.within_memory import one_text
from inspector.models.pretrained import Batch, PretrainedModel
from inspector.models.tokenizing.guarded import tokenized
from inspector.models.tokenizing.sentence_tokens import Words, as_text, spans_of, words_of_tokens

_LESS = (
    "of half as many tokens the maps take a quarter, of fewer layers less, and the largest weights "
    "alone (attend_top, attend --top 10) take no map"
)


@dataclass(frozen=True, eq=False)
class TextMaps:
    """The probabilities of heads on one text, and what stands on their axes."""

    probabilities: Float32[np.ndarray, "layer head query key"]
    tokens: list[str]
    """Tokens, or words where they were merged."""
    pair_start: int | None
    """Where the second text begins, None without one."""


def text_maps(
    model: PretrainedModel,
    texts: Sequence[tuple[Words, Words | None]],
    *,
    layers: Sequence[int],
    heads: Sequence[int],
    words: bool = False,
) -> list[TextMaps]:
    """Return the maps of some heads on each text, or pair of texts.

    Texts of equally many tokens are read together, so that none is padded and each gets the
    figures that it gets alone.

    Args:
        model: What reads.
        texts: A text and its second one, or None.
        layers: The layers that are kept, in order.
        heads: The heads of each.
        words: Whether tokens are merged to words (`merged_to_words`).

    Raises:
        InputError: If a text is no string, empty, too long, or not valid Unicode.
        DeviceMemoryError: If there is no memory for the maps.
    """
    batches = [
        model.encode([as_text(one)], None if other is None else [as_text(other)])
        for one, other in texts
    ]
    found: dict[int, TextMaps] = {}
    for places in _together([batch.input_ids.shape[1] for batch in batches]):
        joined = _joined([batches[place] for place in places])
        with one_text(joined.input_ids.shape[1], model.device, _LESS):
            maps = attention_probabilities(model, joined, layers)[:, :, list(heads)]
            kept = maps.float().cpu().numpy()
        for row, place in enumerate(places):
            batch = batches[place]
            own = kept[:, row]
            found[place] = TextMaps(own, batch.tokens[0], batch.pair_starts[0])
    ordered = [found[place] for place in range(len(texts))]
    if not words:
        return ordered
    return [_of_words(model, one, *pair) for one, pair in zip(ordered, texts, strict=True)]


def merged_to_words(
    probabilities: Float32[np.ndarray, "layer head query key"], groups: Sequence[Sequence[int]]
) -> Float32[np.ndarray, "layer head query_word key_word"]:
    """Return word-to-word attention: to a word the sum over its tokens, from it their mean.

    Args:
        probabilities: Of tokens; rows that sum to 1 do so afterwards.
        groups: The tokens of each word; each token is of one.

    Source: Clark et al. (2019), arXiv:1906.04341, sec. 4.1.

    Example:
        >>> maps = np.array([[[[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]]]], np.float32)
        >>> merged_to_words(maps, [[0, 1], [2]])[0, 0].tolist()
        [[0.75, 0.25], [0.0, 1.0]]
    """
    members = np.zeros((len(groups), probabilities.shape[-1]))
    for word, tokens in enumerate(groups):
        members[word, list(tokens)] = 1
    means = members / members.sum(axis=1, keepdims=True)
    merged: Float32[np.ndarray, "layer head query_word key_word"] = (
        means @ probabilities.astype(np.float64) @ members.T
    ).astype(np.float32)
    return merged


def _together(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield places of equal length, as many as make a batch."""
    alike: dict[int, list[int]] = defaultdict(list)
    for place, length in enumerate(lengths):
        alike[length].append(place)
    for length, places in alike.items():
        most = max(1, MOST_TOKENS // length)
        for start in range(0, len(places), most):
            yield places[start : start + most]


def _joined(batches: Sequence[Batch]) -> Batch:
    kinds = [one.token_type_ids for one in batches if one.token_type_ids is not None]
    return Batch(
        torch.cat([one.input_ids for one in batches]),
        torch.cat([one.attention_mask for one in batches]),
        torch.cat(kinds) if kinds else None,
    )


@dataclass(frozen=True)
class WordGroups:
    """How the tokens of a text are merged to words."""

    groups: list[list[int]]
    """The tokens of each word; a token of no word, such as [CLS], stands by itself."""
    labels: list[str]
    pair_start: int | None
    """The first word of the second text."""


def word_groups(
    model: PretrainedModel, tokens: Sequence[str], text: Words, pair: Words | None = None
) -> WordGroups:
    """Return the words of a text, or of a pair, and the tokens of each.

    Args:
        model: Whose tokenizer made the tokens.
        tokens: What it made.
        text: What it made them of.
        pair: The second text.
    """
    sides = [text] if pair is None else [text, pair]
    encoded = tokenized(
        model.tokenizer, *([as_text(side)] for side in sides), return_offsets_mapping=True
    )
    side_of, offsets = encoded.sequence_ids(0), encoded["offset_mapping"][0]
    owners = [(-1, token) for token in range(len(tokens))]
    for number, side in enumerate(sides):
        other = [of != number for of in side_of]
        words = words_of_tokens(as_text(side), spans_of(side), offsets, other)
        for token, word in enumerate(words):
            if word >= 0:
                owners[token] = (number, word)
    groups: dict[tuple[int, int], list[int]] = {}
    for token, owner in enumerate(owners):
        groups.setdefault(owner, []).append(token)
    labels = [
        as_text(sides[number])[slice(*spans_of(sides[number])[place])]
        if number >= 0
        else tokens[place]
        for number, place in groups
    ]
    second = (at for at, own in enumerate(groups.values()) if side_of[own[0]] == 1)
    return WordGroups(list(groups.values()), labels, next(second, None))


def _of_words(model: PretrainedModel, maps: TextMaps, text: Words, pair: Words | None) -> TextMaps:
    """Return maps of words."""
    found = word_groups(model, maps.tokens, text, pair)
    merged = merged_to_words(maps.probabilities, found.groups)
    return TextMaps(merged, found.labels, found.pair_start)
