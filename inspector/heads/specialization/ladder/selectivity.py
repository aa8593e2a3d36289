"""Where a rule and the annotation differ: is the head at the annotated word, or at the rule's?

Every head is compared with every member of the family, and the least favourable one counts.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int, Int64

from inspector.heads.specialization.ladder.rules import Family
from inspector.heads.specialization.ladder.sums import by_document
from inspector.heads.specialization.ladder.words import NOTHING, Pairs

# Cells of one block of comparisons: what stays in a cache.
_CELLS = 1_000_000
# A distance that no sentence has.
_NOWHERE = 2**15 - 1


@dataclass(frozen=True, eq=False)
class Selectivity:
    """Of each head, what it has beside its least favourable member."""

    rule: Int64[np.ndarray, " head"]
    """The member, by its place in the family."""
    parts: Int64[np.ndarray, "head document"]
    """At the annotated word − at the rule's, of the pairs where the two differ."""
    wholes: Int64[np.ndarray, "head document"]
    """These pairs."""


def selectivities(
    pairs: Pairs, family: Family, predicted: Int[np.ndarray, "head word"], n_documents: int
) -> Selectivity:
    """Return each head's selectivity against the member that leaves it the least.

    The least is the smallest z = selectivity / standard error over documents, as the largest p
    would be; a member that is right everywhere leaves nothing, and is the least of all.

    Args:
        pairs: Of the test split, sorted by document.
        family: What the members find for these pairs.
        predicted: What the heads predict.
        n_documents: Of the test split.
    """
    differ = family.words != pairs.expected
    wholes = by_document(differ, pairs.document, n_documents)
    n_heads = len(predicted)
    step = max(1, _CELLS // max(differ.size, 1))
    rules, parts = [], []
    for first in range(0, n_heads, step):
        block = pairs.found(predicted[first : first + step])
        apart = _differences(block, pairs, family, differ, n_documents)
        worst = least_favourable(apart, wholes)
        rules.append(worst)
        parts.append(apart[np.arange(len(block)), worst])
    rule = np.concatenate(rules)
    return Selectivity(rule, np.concatenate(parts), wholes[rule])


def least_favourable(
    parts: Int64[np.ndarray, "head rule document"], wholes: Int64[np.ndarray, "rule document"]
) -> Int64[np.ndarray, " head"]:
    """Return the rule of the smallest z for each head; the first of equals."""
    return np.asarray(_scores(parts, wholes).argmin(axis=1))


def _differences(
    found: Int[np.ndarray, "head pair"],
    pairs: Pairs,
    family: Family,
    differ: np.ndarray,
    n_documents: int,
) -> Int64[np.ndarray, "head rule document"]:
    # Of one sentence, distances fit into two bytes: a fifth of the time.
    head = (found - pairs.asked).astype(np.int16)
    rule = np.where(family.words == NOTHING, _NOWHERE, family.words - pairs.asked).astype(np.int16)
    right = (pairs.expected - pairs.asked).astype(np.int16)
    hit = head == right
    at_rule = head[:, None] == rule
    apart = (hit[:, None] & differ).astype(np.int8) - (at_rule & differ)
    return by_document(apart, pairs.document, n_documents)


def _scores(
    parts: Int64[np.ndarray, "head rule document"], wholes: Int64[np.ndarray, "rule document"]
) -> Float64[np.ndarray, "head rule"]:
    """Return selectivity / its standard error, -inf where the rule is always right."""
    total, n = parts.sum(axis=-1), wholes.sum(axis=-1)
    ratio = total / np.maximum(n, 1)
    squares = np.einsum("hrd,hrd->hr", parts, parts)
    products = np.einsum("hrd,rd->hr", parts, wholes)
    spread = squares - 2 * ratio * products + ratio**2 * np.einsum("rd,rd->r", wholes, wholes)
    error = np.sqrt(np.maximum(spread, 0.0)) / np.maximum(n, 1)
    # Without any spread the ratio alone decides, as far above or below as it may be.
    scores = ratio / np.maximum(error, 1e-9)
    return np.where(n > 0, scores, -np.inf)
