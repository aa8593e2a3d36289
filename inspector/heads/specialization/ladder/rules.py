"""Rules that need no model: the nearest word of a class, the k-th word of the sentence.

A class is a set of parts of speech.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Int, Int64

from inspector.heads.specialization.ladder.words import NOTHING, Pairs, WordTable

SIDES = ("left", "right", "either", "left-run", "right-run")
"""Nearest before, nearest after, nearest (of two the former), and the far end of the first run of
such words before or after."""
CLASSES: tuple[tuple[str, ...], ...] = (
    ("NOUN", "PROPN"),
    ("NOUN", "PRON", "PROPN"),
    ("DET", "NOUN", "PRON", "PROPN"),
    ("ADJ", "NOUN", "PROPN"),
    ("ADJ", "NOUN", "NUM", "PROPN"),
    ("AUX", "VERB"),
    ("ADJ", "VERB"),
    ("ADJ", "AUX", "VERB"),
    ("ADJ", "NOUN", "VERB"),
    ("ADJ", "ADV"),
    ("ADJ", "DET", "NUM"),
    ("ADP", "SCONJ"),
    ("ADP", "CCONJ", "PART", "SCONJ"),
    ("ADJ", "ADV", "NOUN", "NUM", "PRON", "PROPN", "VERB"),
)
"""Unions that are always tried, beside every tag by itself."""
_MOST_OF_TARGETS = 6


@dataclass(frozen=True)
class ClassRule:
    """A rule: which class, and on which side."""

    tags: tuple[str, ...]
    side: str

    def __str__(self) -> str:
        """Return its name, as 'NOUN+PROPN:left'."""
        return f"{'+'.join(self.tags)}:{self.side}"

    @classmethod
    def named(cls, name: str) -> "ClassRule":
        """Return the rule of a name.

        Example:
            >>> str(ClassRule.named("NOUN+PROPN:left"))
            'NOUN+PROPN:left'
        """
        tags, _, side = name.rpartition(":")
        return cls(tuple(tags.split("+")), side)


@dataclass(frozen=True, eq=False)
class Family:
    """The members, one a side, and the word that each finds from each asked word of some pairs."""

    rules: tuple[ClassRule, ...]
    words: Int[np.ndarray, "rule pair"]
    """NOTHING where there is no such word, or the mask forbids it."""


_BESIDE_STANDARD = 8


class ClassWords:
    """The word that each rule finds for each word of a corpus.

    It is kept for the classes that every relation is compared with, and for a few others: all that
    targets suggest would take more memory than the rest of the ladder.
    """

    def __init__(self, table: WordTable) -> None:
        """Start with no class.

        Args:
            table: The corpus.
        """
        self.table = table
        occurring = set(table.tags)
        unions = [tags for tags in CLASSES if len(occurring & {*tags}) > 1]
        self.standard = tuple((tag,) for tag in table.tags) + tuple(unions)
        self._kept = lru_cache(maxsize=len(self.standard) + _BESIDE_STANDARD)(self._of_class)

    @classmethod
    def of(cls, table: WordTable) -> "ClassWords":
        """Return those of a corpus, which all that ask about it share."""
        kept = vars(table)  # a property of the table, which must not know what is made of it
        if "class_words" not in kept:
            kept["class_words"] = cls(table)
        found: ClassWords = kept["class_words"]
        return found

    def of_class(self, tags: tuple[str, ...]) -> Int[np.ndarray, "side word"]:
        """Return the word that each side's rule finds for each word."""
        return self._kept(tags)

    def _of_class(self, tags: tuple[str, ...]) -> Int[np.ndarray, "side word"]:
        # The last is that of words without a tag, whose place is NOTHING.
        of_tag = np.array([tag in tags for tag in self.table.tags] + [False])
        inside = of_tag[self.table.tag] & self.table.is_read
        return class_words(inside, self.table).astype(np.min_scalar_type(-len(inside) - 1))

    def family(self, pairs: Pairs) -> Family:
        """Return the members that a relation and direction are compared with, one a side.

        Each with the class for which it is right most often in the selection split: of every tag,
        the standing unions, and the commonest tags of what is right there: the first one, the
        first two, and so on. Without parts of speech, or a pair in that split, there is none.
        """
        classes = self.candidates(pairs)
        if not classes:
            return Family((), np.zeros((0, len(pairs.asked)), dtype=np.int64))
        chosen = pairs.of(~pairs.is_test)
        right = np.stack(
            [(self.found_by(tags, chosen) == chosen.expected).sum(axis=1) for tags in classes]
        )
        best = right.argmax(axis=0)
        rules = tuple(ClassRule(classes[of], side) for of, side in zip(best, SIDES, strict=True))
        words = np.stack([self.found_by(rule.tags, pairs)[side] for side, rule in enumerate(rules)])
        return Family(rules, words)

    def candidates(self, pairs: Pairs) -> list[tuple[str, ...]]:
        """Return the classes of which a family is chosen on the selection split of some pairs."""
        if not self.table.tags or pairs.is_test.all():
            return []
        return list(dict.fromkeys(self.standard + self._of_targets(pairs)))

    def found_by(self, tags: tuple[str, ...], pairs: Pairs) -> Int[np.ndarray, "side pair"]:
        """Return what each side's rule finds for each pair; NOTHING where the mask forbids it."""
        words = pairs.found(self.of_class(tags))
        if not self.table.is_causal:
            return words
        return np.where(self.table.allowed(pairs.asked, words, pairs.side), words, NOTHING)

    def _of_targets(self, pairs: Pairs) -> tuple[tuple[str, ...], ...]:
        tags = self.table.tag[pairs.expected[~pairs.is_test]]
        counted = np.bincount(tags[tags != NOTHING], minlength=len(self.table.tags))
        order = np.argsort(-counted, kind="stable")[: (counted > 0).sum()]
        names = [self.table.tags[place] for place in order[:_MOST_OF_TARGETS]]
        return tuple(tuple(sorted(names[:size])) for size in range(1, len(names) + 1))


def class_words(
    inside: Bool[np.ndarray, " word"], table: WordTable
) -> Int64[np.ndarray, "side word"]:
    """Return what each side's rule finds for each word, in the order of SIDES.

    Args:
        inside: Which words are of the class.
        table: The corpus.
    """
    n_words = len(inside)
    place = np.arange(n_words)
    before = np.maximum.accumulate(np.where(inside, place, NOTHING))
    outside_before = np.maximum.accumulate(np.where(inside, NOTHING, place))
    after = np.minimum.accumulate(np.where(inside, place, n_words)[::-1])[::-1]
    outside_after = np.minimum.accumulate(np.where(inside, n_words, place)[::-1])[::-1]
    left = np.concatenate([[NOTHING], before[:-1]])
    right = np.concatenate([after[1:], [n_words]])
    left = np.where(left < table.start, NOTHING, left)
    right = np.where(right >= table.end, NOTHING, right)
    is_left = (left != NOTHING) & ((right == NOTHING) | (place - left <= right - place))
    run_start = np.maximum(outside_before[left], table.start - 1) + 1
    run_end = np.minimum(outside_after[right], table.end) - 1
    return np.stack(
        [
            left,
            right,
            np.where(is_left, left, right),
            np.where(left == NOTHING, NOTHING, run_start),
            np.where(right == NOTHING, NOTHING, run_end),
        ]
    )


def position_name(rank: int) -> str:
    """Return how a position is written: 'first', 'last', or its number, from the end below 0.

    Example:
        >>> [position_name(rank) for rank in (1, 2, -1, -2)]
        ['first', '2', 'last', '-2']
    """
    return {1: "first", -1: "last"}.get(rank, str(rank))


def position_rank(name: str) -> int:
    """Return the position that is written so.

    Example:
        >>> [position_rank(position_name(rank)) for rank in (1, 2, -1, -2)]
        [1, 2, -1, -2]
    """
    return {"first": 1, "last": -1}.get(name) or int(name)


def best_position(pairs: Pairs, table: WordTable) -> int:
    """Return the commonest position of the right word in the selection split; 0 without any pair.

    From the start it counts 1, 2, …, from the end -1, -2, …; of equal ones the nearest to an end,
    and of these the start.
    """
    word = pairs.expected[~pairs.is_test]
    if not len(word):
        return 0
    counted: dict[int, int] = {}
    for sign, ranks in ((1, word - table.start[word] + 1), (-1, table.end[word] - word)):
        for rank, count in enumerate(np.bincount(ranks)):
            counted[sign * rank] = int(count)
    return min(counted, key=lambda rank: (-counted[rank], abs(rank), rank < 0))


def position_words(rank: int, side: int, table: WordTable) -> Int64[np.ndarray, " word"]:
    """Return the word at a position of each word's sentence; NOTHING where there is none.

    Args:
        rank: As `best_position` gives it.
        side: 0 where the words look, 1 where they are looked at.
        table: The corpus.
    """
    place = np.arange(len(table.start))
    word = table.start + rank - 1 if rank > 0 else table.end + rank
    known = (word >= table.start) & (word < table.end) & (word != place)
    known &= table.allowed(place, word, side)
    return np.where(known, word, NOTHING)


def best_rule(family: Family, pairs: Pairs) -> int | None:
    """Return the member that is right most often in the selection split; the first of equals."""
    chosen = ~pairs.is_test
    if not family.rules or not chosen.any():
        return None
    right = (family.words[:, chosen] == pairs.expected[chosen]).sum(axis=1)
    return int(right.argmax())
