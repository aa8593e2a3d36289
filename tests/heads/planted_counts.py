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
