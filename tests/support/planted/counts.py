"""Relation counts that a test makes up: at random, or with a head that follows a relation.

Must not know: how any figure is computed from them.
"""

from typing import Any

import numpy as np

from inspector.heads.counts import DIRECTIONS, RelationCounts

OFFSETS = (-3, -2, -1, 1, 2, 3)


def random_counts(
    n_documents: int = 12,
    relations: tuple[str, ...] = ("case", "det", "obj"),
    n_layers: int = 2,
    n_heads: int = 3,
    pairs: int = 12,
    seed: int = 0,
    offsets: tuple[int, ...] = OFFSETS,
    prefix: str = "document",
) -> RelationCounts:
    """Return counts in which no head knows anything: each guess is right at its head's rate."""
    rng = np.random.default_rng(seed)
    n = rng.integers(0, pairs + 1, size=(n_documents, len(relations)))
    rate = rng.uniform(0.2, 0.8, size=(1, len(relations), len(DIRECTIONS), n_layers, n_heads))
    correct = rng.binomial(n[:, :, None, None, None], rate)
    likely = rng.dirichlet(np.ones(len(offsets)), size=len(relations))
    spread = [[rng.multinomial(n[d, r], likely[r]) for r in range(len(relations))]
              for d in range(n_documents)]  # fmt: skip
    return RelationCounts(
        documents=tuple(f"{prefix}-{number:04}" for number in range(n_documents)),
        relations=relations,
        offsets=offsets,
        correct=correct.astype(np.int32),
        n=n.astype(np.int32),
        offset_counts=np.array(spread, dtype=np.int32).reshape(*n.shape, len(offsets)),
    )


def changed(counts: RelationCounts, **fields: Any) -> RelationCounts:
    """Return counts with some fields replaced."""
    names = ("documents", "relations", "offsets", "correct", "n", "offset_counts")
    return RelationCounts(**({name: getattr(counts, name) for name in names} | fields))


def assert_same_counts(one: RelationCounts, other: RelationCounts) -> None:
    """Hold two counts against each other, names and integers."""
    assert one.documents == other.documents
    assert one.relations == other.relations
    assert one.offsets == other.offsets
    for name in ("correct", "n", "offset_counts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert getattr(one, name).dtype == np.int32


def null_counts(
    seed: int,
    n_documents: int = 40,
    relations: tuple[str, ...] = ("amod", "case", "det", "nsubj", "obj"),
    n_layers: int = 4,
    n_heads: int = 6,
    rate: float = 0.3,
) -> RelationCounts:
    """Return counts in which heads and the commonest offset are right equally often, by luck.

    Words of a document go together: each document has its own rate for each head and offset. No
    other offset comes near: a baseline that is chosen wrongly would be beaten in earnest.
    """
    rng = np.random.default_rng([seed, 77])
    shape = (n_documents, len(relations))
    n = rng.integers(0, 25, size=shape)
    rates = rng.beta(8 * rate, 8 * (1 - rate), size=(*shape, len(DIRECTIONS), n_layers, n_heads))
    at_one = rng.binomial(n, rng.beta(8 * rate, 8 * (1 - rate), size=shape))
    elsewhere = np.stack([(n - at_one + place) // 20 for place in range(20)], axis=-1)
    return RelationCounts(
        documents=tuple(f"null-{seed}-{number}" for number in range(n_documents)),
        relations=relations,
        offsets=(*range(-10, 0), *range(1, 12)),
        correct=rng.binomial(n[:, :, None, None, None], rates).astype(np.int32),
        n=n.astype(np.int32),
        offset_counts=np.insert(elsewhere, 10, at_one, axis=-1).astype(np.int32),
    )


def plant(
    counts: RelationCounts, relation: str, direction: str, head: tuple[int, int], rate: float
) -> RelationCounts:
    """Return counts in which one head is right that often, in every document."""
    correct = counts.correct.copy()
    place = counts.relations.index(relation)
    rng = np.random.default_rng(11)
    followed = rng.binomial(counts.n[:, place], rate)
    correct[:, place, DIRECTIONS.index(direction), head[0], head[1]] = followed
    return changed(counts, correct=correct)


def without_pairs(
    counts: RelationCounts, relation: str, even: bool, but: int = 0
) -> RelationCounts:
    """Return counts with no pair of a relation in one split, but for the first few documents."""
    from support.slow.claims import parity

    keep = np.ones((len(counts.documents), len(counts.relations)), dtype=np.int32)
    half = [number for number, name in enumerate(counts.documents) if (parity(name) == 0) == even]
    holding = [number for number in half if counts.n[number, counts.relations.index(relation)]]
    keep[sorted({*half} - {*holding[:but]}), counts.relations.index(relation)] = 0
    return changed(
        counts,
        n=counts.n * keep,
        correct=counts.correct * keep[:, :, None, None, None],
        offset_counts=counts.offset_counts * keep[:, :, None],
    )
