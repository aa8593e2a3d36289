"""One head on the ladder again, where the documents are split otherwise.

Must not know: how a head or an offset was chosen, models, files.
"""

from collections.abc import Collection
from dataclasses import replace
from functools import cache, partial

import numpy as np
from jaxtyping import Int, Int64

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
    Family,
    best_position,
    position_words,
)
from inspector.heads.specialization.ladder.selectivity import selectivities
from inspector.heads.specialization.ladder.sums import by_document
from inspector.heads.specialization.ladder.words import NOTHING, Pairs, WordTable
from inspector.heads.specialization.lift import MIN_LIFT, MIN_PAIRS

_Z = normal_quantile(0.975)


class OtherSplits:
    """The rungs above a fixed offset, for single heads, on any split of a corpus's documents."""

    def __init__(self, table: WordTable, seed: int = 0) -> None:
        """Take a corpus, with what each head predicts; the seed is that of the bootstrap."""
        self._table, self._classes = table, ClassWords(table)
        self._documents = np.array(sorted({*table.documents}))
        places = np.searchsorted(self._documents, table.documents)
        self._document = np.repeat(places, table.lengths)
        self._pairs = cache(self._every_pair)
        self._weights = partial(bootstrap_weights, seed=seed)

    def holds(
        self, relation: str, direction: str, head: int, tested: Collection[str], max_p: float
    ) -> bool:
        """Return whether no rung explains a head that is above a fixed offset, nor leaves it open.

        As `judged` has it; but intervals are linearised, which costs a hundredth of a bootstrap,
        and a p takes the place of q, which would need all heads.

        Args:
            relation: Of the claim.
            direction: Of the claim.
            head: Of all layers together.
            tested: The documents to judge on; rules are chosen on the others.
            max_p: What the p of selectivity must not exceed.
        """
        known = np.isin(self._documents, [*tested])
        place = np.where(known, np.cumsum(known) - 1, NOTHING)
        every, n_documents = self._pairs(relation, direction), int(known.sum())
        pairs = replace(every, document=place[every.document])
        test, predicted = pairs.of(pairs.is_test), self._table.predicted[pairs.side, head][None]
        if not len(test.asked) or not self._over_position(pairs, test, predicted):
            return False
        family = self._classes.family(pairs)
        of_test = Family(family.rules, family.words[:, pairs.is_test])
        return (
            (not family.rules or _selects(test, of_test, predicted, n_documents, max_p))
            and all(self._over_matched(what, test, predicted, n_documents) for what in MATCHED)
            and keyword_of(pairs, self._classes, head, self._weights(n_documents)) is None
        )

    def _every_pair(self, relation: str, direction: str) -> Pairs:
        """Return the pairs of all documents, in their order, which stands for the document."""
        pairs = self._table.pairs(relation, direction)
        document = self._document[pairs.asked]
        order = np.argsort(document, kind="stable")
        pair, asked, expected = pairs.also
        also = np.stack([np.argsort(order)[pair], asked, expected])
        return Pairs(pairs.asked[order], pairs.expected[order], document[order], pairs.side, also)

    def _over_position(
        self, pairs: Pairs, test: Pairs, predicted: Int[np.ndarray, "1 word"]
    ) -> bool:
        rank = best_position(pairs, self._table)
        if not rank:
            return True
        at_position = test.found(position_words(rank, pairs.side, self._table))
        apart = (test.found(predicted)[0] == test.expected).mean()
        return bool(apart - (at_position == test.expected).mean() >= MIN_LIFT)

    def _over_matched(
        self, what: str, test: Pairs, predicted: Int[np.ndarray, "1 word"], n_documents: int
    ) -> bool:
        find, differ = MATCHED[what]
        matches = find(test, self._table)
        if int(matches.has_any.sum()) < MIN_PAIRS:
            return True
        parts = by_document(differ(test, matches, predicted), test.document, n_documents)
        wholes = by_document(PARTS * matches.has_any, test.document, n_documents)[None]
        return bool(np.count_nonzero(wholes) < MIN_DOCUMENTS) or _is_above(parts, wholes)


def _selects(
    test: Pairs,
    family: Family,
    predicted: Int[np.ndarray, "1 word"],
    n_documents: int,
    max_p: float,
) -> bool:
    """Return whether a head is at the annotated word more often than at its worst rule's."""
    found = selectivities(test, family, predicted, n_documents)
    enough = found.wholes.sum() >= MIN_SELECTIVE
    enough &= np.count_nonzero(found.wholes) >= MIN_DOCUMENTS
    if not enough or found.parts.sum() <= 0 or not _is_above(found.parts, found.wholes):
        return False
    return bool(exact_sign_flip_p_values(found.parts)[0] <= max_p)


def _is_above(
    parts: Int64[np.ndarray, "1 document"], wholes: Int64[np.ndarray, "1 document"]
) -> bool:
    """Return whether the 95 % interval of Σ parts / Σ wholes lies above 0."""
    ratio = parts.sum() / max(int(wholes.sum()), 1)
    return bool(ratio - _Z * ratio_standard_errors(parts, wholes)[0] > 0)
