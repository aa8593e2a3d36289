"""One head on the ladder again, where the documents are split otherwise.

What each rung finds of a pair does not depend on the split: it is summed over each document once.
Must not know: how a head or an offset was chosen, models, files.
"""

from dataclasses import replace
from functools import cache, partial

import numpy as np
from jaxtyping import Bool, Int, Int64

from inspector.heads.specialization.inference import (
    MIN_DOCUMENTS,
    bootstrap_weights,
    exact_sign_flip_p_values,
    normal_quantile,
    ratio_standard_errors,
)
from inspector.heads.specialization.ladder.judged import MIN_SELECTIVE
from inspector.heads.specialization.ladder.keyword import keyword_of
from inspector.heads.specialization.ladder.ladder import MATCHED
from inspector.heads.specialization.ladder.matched import PARTS
from inspector.heads.specialization.ladder.rules import (
    ClassWords,
    best_position,
    position_words,
)
from inspector.heads.specialization.ladder.selectivity import least_favourable
from inspector.heads.specialization.ladder.sums import by_document
from inspector.heads.specialization.ladder.words import NOTHING, Pairs, WordTable
from inspector.heads.specialization.lift import MIN_LIFT, MIN_PAIRS

_Z = normal_quantile(0.975)
_DRAWS = 1000
"""Of a keyword's interval, on each split."""
Sums = Int64[np.ndarray, "row document"]


class OtherSplits:
    """The rungs above a fixed offset, for single heads, on any split of a corpus's documents."""

    def __init__(self, table: WordTable, seed: int = 0) -> None:
        """Take a corpus, with what each head predicts; the seed is that of the bootstrap."""
        self.documents = tuple(sorted({*table.documents}))
        """In the order of what says which of them are judged on."""
        self.table, self.classes = table, ClassWords.of(table)
        places = np.searchsorted(self.documents, table.documents)
        self._document = np.repeat(places, table.lengths)
        self.weights = partial(bootstrap_weights, seed=seed, draws=_DRAWS)
        self.of = cache(self._of)

    def _of(self, relation: str, direction: str, head: int) -> "OneHead":
        """Return what a head, of all layers together, has to be asked on any split."""
        pairs = self.table.pairs(relation, direction)
        document = self._document[pairs.asked]
        order = np.argsort(document, kind="stable")
        pair, asked, expected = pairs.also
        also = np.stack([np.argsort(order)[pair], asked, expected])
        ordered = Pairs(
            pairs.asked[order], pairs.expected[order], document[order], pairs.side, also
        )
        return OneHead(self, ordered, head)


class OneHead:
    """One head of one relation and direction."""

    def __init__(self, splits: OtherSplits, pairs: Pairs, head: int) -> None:
        """Take the pairs of all documents in order, whose place stands for the document."""
        self._splits, self._pairs, self._head = splits, pairs, head
        predicted = splits.table.predicted[pairs.side, head]
        self._found = pairs.found(predicted)
        self._hit = self._found == pairs.expected
        self._matched = [self._of_matched(what, predicted[None]) for what in MATCHED]
        self._right, self._apart = cache(self._of_class), cache(self._of_rule)

    def holds(self, judged: Bool[np.ndarray, " document"], max_p: float) -> bool:
        """Return whether no rung explains a head that is above a fixed offset, nor leaves it open.

        As `judged` has it; but intervals are linearised, which costs a hundredth of a bootstrap,
        and a p takes the place of q, which would need all heads.

        Args:
            judged: The documents to judge on; rules are chosen on the others.
            max_p: What the p of selectivity must not exceed.
        """
        place = np.where(judged, np.cumsum(judged) - 1, NOTHING)
        pairs = replace(self._pairs, document=place[self._pairs.document])
        if not pairs.is_test.any() or not self._over_position(pairs):
            return False
        matched = ((one[:, judged] for one in sums) for sums in self._matched)
        if not (
            self._selects(pairs, judged, max_p) and all(_is_above_or_few(*one) for one in matched)
        ):
            return False
        weights = self._splits.weights(int(judged.sum()))
        return keyword_of(pairs, self._splits.classes, self._head, weights) is None

    def _over_position(self, pairs: Pairs) -> bool:
        rank, table = best_position(pairs, self._splits.table), self._splits.table
        if not rank:
            return True
        at = pairs.found(position_words(rank, pairs.side, table)) == pairs.expected
        test = pairs.is_test
        return bool(self._hit[test].mean() - at[test].mean() >= MIN_LIFT)

    def _selects(self, pairs: Pairs, judged: Bool[np.ndarray, " document"], max_p: float) -> bool:
        """Return whether it is at the annotated word more often than at its worst rule's."""
        classes = self._splits.classes.candidates(pairs)
        if not classes:
            return True
        right = [self._right(tags)[:, ~judged].sum(axis=1) for tags in classes]
        best = np.stack(right).argmax(axis=0)
        chosen = [self._apart(classes[place], side) for side, place in enumerate(best.tolist())]
        every, sizes = (np.stack(axis)[:, judged] for axis in zip(*chosen, strict=True))
        worst = least_favourable(every[None], sizes)
        parts, wholes = every[worst], sizes[worst]
        if wholes.sum() < MIN_SELECTIVE or not _is_above(parts, wholes):
            return False
        # Of fewer than 5 documents no p is as small.
        return bool(exact_sign_flip_p_values(parts)[0] <= max_p)

    def _of_class(self, tags: tuple[str, ...]) -> Sums:
        """Return how often each side's rule is right, in each document."""
        words = self._splits.classes.found_by(tags, self._pairs)
        return self._summed(words == self._pairs.expected)

    def _of_rule(self, tags: tuple[str, ...], side: int) -> tuple[np.ndarray, np.ndarray]:
        """Return, of the pairs where rule and annotation differ: head − rule, and how many."""
        words = self._splits.classes.found_by(tags, self._pairs)[side]
        differ = words != self._pairs.expected
        apart = (self._hit & differ).astype(np.int8) - ((self._found == words) & differ)
        return self._summed(apart), self._summed(differ)

    def _of_matched(self, what: str, predicted: Int[np.ndarray, "1 word"]) -> tuple[Sums, Sums]:
        find, differ = MATCHED[what]
        matches = find(self._pairs, self._splits.table)
        parts = self._summed(differ(self._pairs, matches, predicted))
        return parts, self._summed(PARTS * matches.has_any[None])

    def _summed(self, values: np.ndarray) -> Int64[np.ndarray, "*row document"]:
        return by_document(values, self._pairs.document, len(self._splits.documents))


def _is_above_or_few(parts: Sums, wholes: Sums) -> bool:
    few = wholes.sum() < PARTS * MIN_PAIRS or np.count_nonzero(wholes) < MIN_DOCUMENTS
    return bool(few) or _is_above(parts, wholes)


def _is_above(parts: Sums, wholes: Sums) -> bool:
    """Return whether the 95 % interval of Σ parts / Σ wholes lies above 0."""
    ratio = parts.sum() / max(int(wholes.sum()), 1)
    return bool(ratio - _Z * ratio_standard_errors(parts, wholes)[0] > 0)
