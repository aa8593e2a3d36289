"""Matched pairs: the same target from another source, and another target from the same source.

The other word has the same part of speech, lies on the same side at the same distance ± 2 words,
and stands in no relation to the word that is held.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Int64

from inspector.heads.specialization.ladder.words import Pairs, WordTable

REACH = (-2, -1, 1, 2)
"""How much further or nearer, in words, a matched word may be."""
PARTS = 12
"""A multiple of every number of matches from 1 to 4: a difference is kept in twelfths."""


@dataclass(frozen=True, eq=False)
class Matches:
    """For each pair the words that could stand in for one of its two."""

    word: Int64[np.ndarray, "reach pair"]
    exists: Bool[np.ndarray, "reach pair"]

    @property
    def has_any(self) -> Bool[np.ndarray, " pair"]:
        """Return which pairs have a match."""
        return np.asarray(self.exists.any(axis=0))


def other_sources(pairs: Pairs, table: WordTable, *, any_class: bool = False) -> Matches:
    """Return other words to ask about, for the same right word: of pairs that have one.

    Args:
        pairs: Of the test split.
        table: The corpus.
        any_class: Whether their part of speech may be another one.
    """
    matches = _matches(pairs.asked, pairs.expected, table, any_class=any_class)
    return Matches(matches.word, matches.exists & pairs.is_single)


def other_targets(pairs: Pairs, table: WordTable) -> Matches:
    """Return other words that could have been right, for the same word asked."""
    matches = _matches(pairs.expected, pairs.asked, table)
    return Matches(matches.word, matches.exists & pairs.is_single)


def source_differences(
    pairs: Pairs, matches: Matches, predicted: Int[np.ndarray, "head word"]
) -> Int64[np.ndarray, "head pair"]:
    """Return, in twelfths, hit − the share of other sources that find the same word."""
    hit = predicted[:, pairs.asked] == pairs.expected
    there = (predicted[:, matches.word] == pairs.expected) & matches.exists
    return _twelfths(hit, there, matches)


def target_differences(
    pairs: Pairs, matches: Matches, predicted: Int[np.ndarray, "head word"]
) -> Int64[np.ndarray, "head pair"]:
    """Return, in twelfths, hit − the share of other targets that are found."""
    found = predicted[:, pairs.asked]
    there = (found[:, None] == matches.word) & matches.exists
    return _twelfths(found == pairs.expected, there, matches)


def _matches(
    varied: Int64[np.ndarray, " pair"],
    held: Int64[np.ndarray, " pair"],
    table: WordTable,
    *,
    any_class: bool = False,
) -> Matches:
    word = varied[None] + np.array(REACH)[:, None]
    exists = (word >= table.start[varied]) & (word < table.end[varied])
    word = np.where(exists, word, varied)
    if not any_class:
        exists &= (table.tag[word] == table.tag[varied]) & (table.tag[varied] >= 0)
    exists &= table.is_read[word] & (np.sign(word - held) == np.sign(varied - held))
    exists &= ~table.is_related(word, np.broadcast_to(held, word.shape))
    return Matches(word, exists)


def _twelfths(
    hit: Bool[np.ndarray, "head pair"],
    there: Bool[np.ndarray, "head reach pair"],
    matches: Matches,
) -> Int64[np.ndarray, "head pair"]:
    each = PARTS // np.maximum(matches.exists.sum(axis=0), 1)
    apart = PARTS * hit - there.sum(axis=1) * each
    return np.asarray(apart * matches.has_any, dtype=np.int64)
