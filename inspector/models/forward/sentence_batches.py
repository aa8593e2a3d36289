"""Sentences of words as batches of tokens, and which token belongs to which word.

Batches are fixed by the sentences alone: sorted by length, small, and cut where padding and calls
together cost least, so that hardly any padding is computed and no long sentence has many beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from inspector.models.pretrained import Batch, PretrainedModel
from inspector.models.tokenizing.sentence_tokens import (
    Reading,
    Words,
    as_text,
    read_sentences,
    unknown_id,
)
from inspector.vocabulary import Vocabulary

MOST_TOKENS = 1300
"""Tokens of a batch of several texts: fewer than a cache holds, more than calls cost."""
_MOST_CELLS = 40_000
"""Cells of a head's maps of such a batch: of twelve heads, what a cache holds."""
BATCH_COST = 64
"""Tokens that cost about what a batch more does: padding is computed where it saves a batch."""


class BatchSize(NamedTuple):
    """How much a batch may hold."""

    texts: int
    """Texts, at most."""
    tokens: int = MOST_TOKENS
    """Tokens of several texts, at most, padding among them; a longer text stands alone."""


@dataclass(frozen=True)
class WordBatch:
    """Some of the sentences, as one padded batch."""

    batch: Batch
    sentences: tuple[int, ...]
    """For each row, the sentence's place in the list that was given."""
    word_of_token: Int[Tensor, "batch token"]
    """The word that a token belongs to; -1 for special tokens, padding, and a space by itself."""
    special: Bool[Tensor, "batch token"]
    """Special tokens, padding not among them."""
    separator: Bool[Tensor, "batch token"]
    """Separator tokens ([SEP] in BERT)."""
    unknown: Bool[Tensor, "batch token"]
    """Tokens that stand for what the vocabulary lacks ([UNK] in BERT)."""


@dataclass(frozen=True)
class WordBatches:
    """Sentences as batches, and which of them the model cannot take."""

    batches: list[WordBatch]
    too_long: tuple[int, ...]
    """Places of the sentences with more tokens than the model takes."""
    without_tokens: tuple[int, ...]
    """Places of the sentences of which the tokenizer makes nothing."""
    vocabulary: Vocabulary
    """How much of the sentences in the batches the tokenizer knows."""


def word_batches(
    model: PretrainedModel,
    sentences: Sequence[Words],
    batch_size: int | BatchSize,
    *,
    batch_cost: int = BATCH_COST,
) -> WordBatches:
    """Return sentences as batches, the shortest first; those that cannot be read left out.

    Args:
        model: Whose tokenizer and length limit count.
        sentences: Each with at least one word.
        batch_size: Sentences in a batch, at most, or these and its tokens; fewer where they are
            long.
        batch_cost: Tokens that cost what a batch more does: the more, the fewer batches are made,
            and the more padding stands in them.
    """
    encoded, readings = read_sentences(model.tokenizer, sentences)
    lengths = [len(reading.ids) for reading in readings]
    too_long = tuple(i for i, length in enumerate(lengths) if length > model.max_tokens)
    nothing = tuple(i for i, reading in enumerate(readings) if not reading.n_tokens)
    fitting = sorted({*range(len(lengths))} - {*too_long, *nothing}, key=lambda i: (lengths[i], i))
    unknown = unknown_id(model.tokenizer)
    size = BatchSize(batch_size) if isinstance(batch_size, int) else batch_size
    runs = _cheapest_runs([lengths[i] for i in fitting], size, batch_cost)
    batches = [_batch(model, encoded, readings, tuple(fitting[run]), unknown) for run in runs]
    known = sum((readings[i].vocabulary(unknown) for i in fitting), Vocabulary())
    return WordBatches(batches, too_long, nothing, known)


def vocabulary_of(model: PretrainedModel, sentences: Sequence[Words]) -> Vocabulary:
    """Return how much of some sentences the tokenizer knows.

    Args:
        model: Whose tokenizer.
        sentences: Each with at least one word.

    Example:
        >>> from inspector.models import load
        >>> print(vocabulary_of(load("minilm"), [("ሰላም", "means", "peace")]))
        unknown to the vocabulary: 1 of 3 words (33.3 %), 1 of 3 tokens (33.3 %)
    """
    unknown = unknown_id(model.tokenizer)
    _, readings = read_sentences(model.tokenizer, sentences)
    return sum((reading.vocabulary(unknown) for reading in readings), Vocabulary())


def token_counts(
    model: PretrainedModel, sentences: Sequence[Words], *, going_on: bool = False
) -> tuple[list[int], int]:
    """Return how many tokens each sentence makes, and how many special ones a text has.

    Args:
        model: Whose tokenizer counts.
        sentences: Each with at least one word.
        going_on: Whether it may stand within a text too, after a space: then the larger number.
    """
    if not sentences:
        return [], 0
    _, alone = read_sentences(model.tokenizer, sentences)
    counts = [reading.n_tokens for reading in alone]
    if going_on:
        _, after = read_sentences(model.tokenizer, [[f" {as_text(one)}"] for one in sentences])
        counts = [max(n, reading.n_tokens) for n, reading in zip(counts, after, strict=True)]
    return counts, len(alone[0].ids) - alone[0].n_tokens


def tokens_of_words(model: PretrainedModel, sentence: Words) -> list[int]:
    """Return how many tokens each word of a text makes, those of no word with the word before.

    Example:
        >>> from inspector.models import load
        >>> tokens_of_words(load("minilm"), ["unflappable", "cats"])
        [4, 1]
    """
    (reading,) = read_sentences(model.tokenizer, [sentence])[1]
    counts, word = [0] * reading.n_words, 0
    for found, special in zip(reading.words, reading.special, strict=True):
        word = max(word, found)
        counts[word] += not special
    return counts


def _cheapest_runs(lengths: Sequence[int], size: BatchSize, batch_cost: int) -> list[slice]:
    """Return runs of texts that are small and, padding and their number counted, the cheapest.

    Args:
        lengths: Tokens of each, sorted.
        size: Texts and tokens of a run, at most.
        batch_cost: Of a run, in tokens.

    Formula:
        cost(j) = min over i < j of cost(i) + (j − i) · length(j − 1) + batch_cost

    Example:
        >>> runs = _cheapest_runs([5, 5, 5, 9, 40, 41, 700, 700], BatchSize(32), batch_cost=64)
        >>> [(run.start, run.stop) for run in runs]
        [(0, 4), (4, 6), (6, 7), (7, 8)]
    """
    cells = _MOST_CELLS * size.tokens / MOST_TOKENS
    costs, starts = [0], [0]
    for end, length in enumerate(lengths, 1):
        most = min(size.texts, end, size.tokens // length, int(cells / length**2))
        cost, start = min(
            (costs[first] + (end - first) * length, first)
            for first in range(end - max(most, 1), end)
        )
        costs.append(cost + batch_cost)
        starts.append(start)
    runs, end = [], len(lengths)
    while end:
        runs.append(slice(starts[end], end))
        end = starts[end]
    return runs[::-1]


def _batch(
    model: PretrainedModel,
    encoded: Any,
    readings: Sequence[Reading],
    rows: tuple[int, ...],
    unknown: int | None,
) -> WordBatch:
    columns = {name: [encoded[name][row] for row in rows] for name in encoded}
    padded = model.tokenizer.pad(columns, return_tensors="pt", verbose=False)
    ids, attended = padded["input_ids"], padded["attention_mask"]
    kinds = padded.get("token_type_ids")
    words = torch.full(ids.shape, -1)
    special = torch.zeros(ids.shape, dtype=torch.bool)
    for place, row in enumerate(rows):
        here = attended[place].bool()
        words[place, here] = torch.tensor(readings[row].words)
        special[place, here] = torch.tensor(readings[row].special)
    device = model.device
    of_text = attended.bool() & ~special
    lacking = torch.zeros_like(special) if unknown is None else of_text & (ids == unknown)
    return WordBatch(
        batch=Batch(
            ids.to(device),
            attended.to(device),
            None if kinds is None else kinds.to(device),
        ),
        sentences=rows,
        word_of_token=words.to(device),
        special=special.to(device),
        separator=(special & (ids == model.tokenizer.sep_token_id)).to(device),
        unknown=lacking.to(device),
    )
