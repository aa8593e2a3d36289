"""Which words of a batch take part in which relation, and which are like them but do not."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int, Int64
from torch import Tensor

from inspector.corpora import Relation, Sentence
from inspector.heads.observers.batch import AnnotatedBatch

ENDS = ("dependent", "head")
"""The two words of a relation: the one it comes from, and the one it goes to."""
ALL_WORDS, ANY_WORD = "(all)", "(any)"
"""Relation and word of the row that is of all words."""

_CONTENT = frozenset({"NOUN", "PROPN", "VERB", "ADJ", "ADV", "NUM"})
_UNMATCHED = frozenset({"PUNCT", "SYM", "X"})


def n_cells(names: Sequence[str]) -> int:
    """Return how many (relation, word) there are: both ends of each, and all words."""
    return len(ENDS) * len(names) + 1


@dataclass(frozen=True)
class Marks:
    """The measured and the matched words of a batch, as sparse sums.

    A group is a document's words at one end of one relation: the sum of some figure over them is
    Σ weight · figure[word] over the group's entries.
    """

    document: Int64[np.ndarray, " group"]
    cell: Int64[np.ndarray, " group"]
    """Place of (relation, end): relation · 2 + end; the last cell is that of all words."""
    n: Int64[np.ndarray, " group"]
    """Measured words."""
    measured: "Entries"
    matched: "Entries"


@dataclass(frozen=True)
class Entries:
    """Words by group, with their weights."""

    group: Int[Tensor, " entry"]
    word: Int[Tensor, " entry"]
    """Row · words of the longest sentence + word."""
    weight: Float64[Tensor, " entry"]
    n_groups: int

    def sums(self, figure: Float64[Tensor, "variant word"]) -> Float64[Tensor, "variant group"]:
        """Return the weighted sum of a figure over each group's words."""
        total = figure.new_zeros(len(figure), self.n_groups)
        return total.index_add_(1, self.group, figure[:, self.word] * self.weight)


def marks(batch: AnnotatedBatch, known: Bool[Tensor, "batch word"] | None = None) -> Marks:
    """Return which words are measured, and with which they are compared.

    Measured are the words that stand at one end of a relation. Each is matched with the words of
    its own sentence that take no part in this relation, at neither end, and are of its class:
    content words (nouns, names, verbs, adjectives, adverbs, numerals) or function
    words, by their universal tags; where a sentence has no tags, all its words are of one class.
    Punctuation, symbols and what has no class are matched with nothing. A word for which its
    sentence has no match is not measured; n counts those that are.

    Args:
        batch: Sentences with their relations.
        known: Words of which there is a figure: others are neither measured nor matched with;
            those with a token where not given.
    """
    found = _Found()
    present = (batch.has_tokens if known is None else known).tolist()
    for row, (sentence, document) in enumerate(zip(batch.sentences, batch.documents, strict=True)):
        classes = [
            kind if present[row][word] else None for word, kind in enumerate(_classes(sentence))
        ]
        start = row * batch.n_words
        here = [word for word in range(len(sentence.words)) if present[row][word]]
        if not batch.across:  # windows are of sentences that are counted by themselves
            found.add(document, len(ENDS) * len(batch.names), [start + word for word in here], [])
        for name, ends, part in _relations(sentence, batch):
            free: dict[str, list[int]] = defaultdict(list)
            for word, kind in enumerate(classes):
                if kind is not None and word not in part:
                    free[kind].append(start + word)
            for end, words in enumerate(ends):
                of_kind: dict[str, list[int]] = defaultdict(list)
                for word in sorted(words):
                    kind = classes[word]
                    if kind is not None and free[kind]:
                        of_kind[kind].append(start + word)
                for kind, members in of_kind.items():
                    found.add(document, len(ENDS) * name + end, members, free[kind])
    return found.marks(batch.words.word_of_token.device)


def _relations(
    sentence: Sentence, batch: AnnotatedBatch
) -> list[tuple[int, tuple[set[int], set[int]], set[int]]]:
    """Return (name, words at each end, words that take part) of a sentence's relations."""
    by_name: dict[int, list[Relation]] = defaultdict(list)
    for relation in sentence.relations:
        if relation.label in batch.names and (batch.across or relation.is_plain):
            by_name[batch.names[relation.label]].append(relation)
    return [
        (
            name,
            ({one.source for one in found}, {one.target for one in found}),
            {word for one in found for word in (one.source, *one.targets)},
        )
        for name, found in sorted(by_name.items())
    ]


def _classes(sentence: Sentence) -> list[str | None]:
    if sentence.upos is None:
        return ["word"] * len(sentence.words)
    return [
        None if tag in _UNMATCHED else "content" if tag in _CONTENT else "function"
        for tag in sentence.upos
    ]


class _Found:
    """Groups and their entries, as they are found."""

    def __init__(self) -> None:
        self._groups: dict[tuple[int, int], int] = {}
        self._n: list[int] = []
        self._measured: list[tuple[int, int, float]] = []
        self._matched: list[tuple[int, int, float]] = []

    def add(self, document: int, cell: int, members: list[int], free: list[int]) -> None:
        group = self._groups.setdefault((document, cell), len(self._groups))
        if group == len(self._n):
            self._n.append(0)
        self._n[group] += len(members)
        self._measured += [(group, word, 1.0) for word in members]
        self._matched += [(group, word, len(members) / len(free)) for word in free]

    def marks(self, device: torch.device) -> Marks:
        places = np.array(list(self._groups), dtype=np.int64).reshape(-1, 2)
        n_groups = len(places)
        return Marks(
            document=places[:, 0],
            cell=places[:, 1],
            n=np.array(self._n, dtype=np.int64),
            measured=_entries(self._measured, n_groups, device),
            matched=_entries(self._matched, n_groups, device),
        )


def _entries(rows: list[tuple[int, int, float]], n_groups: int, device: torch.device) -> Entries:
    def column(place: int, dtype: torch.dtype) -> Tensor:
        return torch.tensor([row[place] for row in rows], dtype=dtype, device=device)

    return Entries(column(0, torch.long), column(1, torch.long), column(2, torch.float64), n_groups)
