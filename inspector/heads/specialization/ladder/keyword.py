"""Heads that look at one word, whatever its relation to the word that looks."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int, Int64

from inspector.heads.specialization.inference import Draws, ratio_intervals
from inspector.heads.specialization.ladder.matched import (
    PARTS,
    Matches,
    other_sources,
    source_differences,
)
from inspector.heads.specialization.ladder.rules import SIDES, ClassWords
from inspector.heads.specialization.ladder.sums import by_document
from inspector.heads.specialization.ladder.words import NOTHING, Pairs
from inspector.heads.specialization.lift import MIN_LIFT, MIN_PAIRS

ONE_WORD = 0.80
"""Share of a relation's right words that must be one form before a keyword is asked for."""


@dataclass(frozen=True)
class Keyword:
    """What a head shows of one keyword, in the test split."""

    word: str
    n: int
    """Pairs that have a word beside their own, as far from the keyword ± 2, unrelated to it."""
    accuracy: float
    """Share of the pairs in which the related word finds it, or another word of its form."""
    unrelated_accuracy: float
    """Share in which the unrelated ones do."""
    effect: float
    """That − what the commonest fixed offset of these words finds."""
    ci_low: float
    ci_high: float


def keyword_of(pairs: Pairs, classes: ClassWords, head: int, weights: Draws) -> Keyword | None:
    """Return the keyword that a head of a relation looks at, None where it does not.

    Of a relation whose right words are one form in at least 80 %: words of any class on the same
    side, at the same distance ± 2 and in no relation to it find that form as often as the related
    ones (the paired difference's interval does not lie above 0), ten points more often than the
    best fixed offset (with an interval above 0); and where another word of the keyword's class is
    nearer, the head does not look at that one instead.

    Args:
        pairs: Of the relation and direction, both splits.
        classes: Words of a class, in the corpus.
        head: Of all layers together.
        weights: Resamples of the test documents.
    """
    table, test = classes.table, pairs.of(pairs.is_test & pairs.is_single)
    word = _one_form(test, table.forms)
    if word is None:
        return None
    matches = other_sources(test, table, any_class=True)
    test, matches = test.of(matches.has_any), _of(matches, matches.has_any)
    if len(test.asked) < MIN_PAIRS:
        return None
    predicted = table.predicted[pairs.side, head][None]
    documents = weights.shape[1]
    wholes = by_document(np.full(len(test.asked), PARTS), test.document, documents)

    def interval(twelfths: Int64[np.ndarray, "1 pair"]) -> tuple[float, float]:
        parts = by_document(twelfths, test.document, documents)
        low, high = ratio_intervals(parts, wholes, weights)[0]
        return float(low), float(high)

    # Any word of the form will do: a sentence may have several.
    is_form = np.array(table.forms) == word
    one = np.where(is_form, is_form.argmax(), np.arange(len(is_form)))
    by_form = replace(test, expected=one[test.expected])
    looked = np.where(predicted == NOTHING, NOTHING, one[predicted])
    apart = source_differences(by_form, matches, looked)
    hits = looked[0][test.asked] == by_form.expected
    found = PARTS * hits - apart[0]
    over_offset = (found - _found_by_offset(test, matches))[None]
    low, high = interval(over_offset)
    effect = float(over_offset.sum() / (PARTS * len(hits)))
    nothing_above = interval(apart)[0] <= 0
    if not (nothing_above and effect >= MIN_LIFT and low > 0):
        return None
    if _looks_at_class(test, matches, classes, predicted[0]):
        return None
    unrelated = float(found.sum() / (PARTS * len(hits)))
    return Keyword(word, len(hits), float(hits.mean()), unrelated, effect, low, high)


def _one_form(pairs: Pairs, forms: tuple[str, ...]) -> str | None:
    """Return the form that nearly all right words have, None where there is none."""
    if not len(pairs.expected):
        return None
    counted = Counter(forms[word] for word in pairs.expected.tolist())
    form, count = counted.most_common(1)[0]
    return form if count >= ONE_WORD * len(pairs.expected) else None


def _of(matches: Matches, kept: np.ndarray) -> Matches:
    return Matches(matches.word[:, kept], matches.exists[:, kept])


def _found_by_offset(pairs: Pairs, matches: Matches) -> Int64[np.ndarray, " pair"]:
    """Return, in twelfths, the matched words that the commonest fixed offset leads to the keyword.

    It is chosen on the same words, which favours it.
    """
    apart = np.broadcast_to(pairs.expected, matches.word.shape) - matches.word
    values, counts = np.unique(apart[matches.exists], return_counts=True)
    at_offset = (apart == values[counts.argmax()]) & matches.exists
    return np.asarray(at_offset.sum(axis=0) * (PARTS // matches.exists.sum(axis=0)))


def _looks_at_class(
    pairs: Pairs, matches: Matches, classes: ClassWords, predicted: Int[np.ndarray, " word"]
) -> bool:
    """Return whether words that have another of the keyword's class nearer look at that one."""
    if not classes.table.tags:
        return False
    asked = np.concatenate([pairs.asked, matches.word[matches.exists]])
    keyword = np.broadcast_to(pairs.expected, matches.word.shape)[matches.exists]
    keyword = np.concatenate([pairs.expected, keyword])
    tags = classes.table.tag[keyword]
    common = classes.table.tags[int(np.bincount(tags[tags != NOTHING]).argmax())]
    words = classes.of_class((common,))[:, asked]
    nearest = np.where(keyword < asked, words[SIDES.index("left")], words[SIDES.index("right")])
    differ = nearest != keyword
    found = predicted[asked]
    return bool(((found == nearest) & differ).sum() > ((found == keyword) & differ).sum())
