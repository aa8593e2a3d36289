"""Sentences of words as batches of pieces, and which piece belongs to which word.

Words are given to the tokenizer one by one; a word that it makes nothing of has no piece and
shifts no other. Batches are fixed by the sentences alone: sorted by length, cut in equal parts.
Must not know: what the words mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from inspector.models.pretrained import Batch, PretrainedModel
from inspector.models.tokenizer import as_in_text


@dataclass(frozen=True)
class WordBatch:
    """Some of the sentences, as one padded batch."""

    batch: Batch
    sentences: tuple[int, ...]
    """For each row, the sentence's place in the list that was given."""
    word_of_piece: Int[Tensor, "batch piece"]
    """The word that a piece belongs to; -1 for special pieces and padding."""
    special: Bool[Tensor, "batch piece"]
    """Special pieces, padding not among them."""
    separator: Bool[Tensor, "batch piece"]
    """Separator pieces ([SEP] in BERT)."""


@dataclass(frozen=True)
class WordBatches:
    """Sentences as batches, and which of them the model cannot take."""

    batches: list[WordBatch]
    too_long: tuple[int, ...]
    """Places of the sentences with more pieces than the model takes."""


def word_batches(
    model: PretrainedModel, sentences: Sequence[Sequence[str]], batch_size: int
) -> WordBatches:
    """Return sentences as batches, the shortest first; those that are too long left out.

    Args:
        model: Whose tokenizer and length limit count.
        sentences: The words of each sentence, at least one a sentence.
        batch_size: Sentences in a batch, at most.
    """
    encoded = model.tokenizer(
        as_in_text(model.tokenizer, sentences), is_split_into_words=True, verbose=False
    )
    lengths = [len(ids) for ids in encoded["input_ids"]]
    fitting = [i for i, length in enumerate(lengths) if length <= model.max_pieces]
    fitting.sort(key=lambda i: (lengths[i], i))
    batches = [
        _batch(model, encoded, tuple(fitting[start : start + batch_size]))
        for start in range(0, len(fitting), batch_size)
    ]
    too_long = tuple(i for i, length in enumerate(lengths) if length > model.max_pieces)
    return WordBatches(batches, too_long)


def piece_counts(
    model: PretrainedModel, sentences: Sequence[Sequence[str]]
) -> tuple[list[int], int]:
    """Return how many pieces the words of each sentence make, and how many special ones a text has.

    Args:
        model: Whose tokenizer counts.
        sentences: The words of each sentence, at least one a sentence.
    """
    if not sentences:
        return [], 0
    encoded = model.tokenizer(
        as_in_text(model.tokenizer, sentences), is_split_into_words=True, verbose=False
    )
    words = [encoded.word_ids(row) for row in range(len(sentences))]
    counts = [sum(word is not None for word in of_pieces) for of_pieces in words]
    return counts, len(words[0]) - counts[0]


def _batch(model: PretrainedModel, encoded: Any, rows: tuple[int, ...]) -> WordBatch:
    columns = {name: [encoded[name][row] for row in rows] for name in encoded}
    padded = model.tokenizer.pad(columns, return_tensors="pt", verbose=False)
    ids, attended = padded["input_ids"], padded["attention_mask"]
    kinds = padded.get("token_type_ids")
    left = model.tokenizer.padding_side == "left"
    words = torch.full(ids.shape, -1)
    special = torch.zeros(ids.shape, dtype=torch.bool)
    for place, row in enumerate(rows):
        of_pieces = encoded.word_ids(row)
        start = ids.shape[1] - len(of_pieces) if left else 0
        span = slice(start, start + len(of_pieces))
        words[place, span] = torch.tensor([-1 if w is None else w for w in of_pieces])
        special[place, span] = torch.tensor([w is None for w in of_pieces])
    device = model.device
    return WordBatch(
        batch=Batch(
            ids.to(device),
            attended.to(device),
            None if kinds is None else kinds.to(device),
            [],
            [None] * len(rows),
        ),
        sentences=rows,
        word_of_piece=words.to(device),
        special=special.to(device),
        separator=(special & (ids == model.tokenizer.sep_token_id)).to(device),
    )
