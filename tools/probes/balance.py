"""How predictable relations are from distance, and what one more sentence would do to that.

Of several drafts the generated probes keep the one that leaves relations least predictable.
"""

from collections import Counter
from collections.abc import Iterable

_SHARES_TO_AVOID = ((0.36, 1.0), (0.42, 15.0))  # share of the commonest offset, weight


class Offsets:
    """How often each relation has each offset.

    Example:
        >>> offsets = Offsets()
        >>> offsets.add([("det", 1), ("det", 1)])
        >>> offsets.cost([("det", 2)]) < offsets.cost([("det", 1)])
        True
    """

    def __init__(self) -> None:
        """Start with none."""
        self._counts: dict[str, Counter[int]] = {}
        self._totals: Counter[str] = Counter()
        self._most: Counter[str] = Counter()  # pairs at the commonest offset

    def add(self, pairs: Iterable[tuple[str, int]]) -> None:
        """Count (relation, offset) pairs."""
        for label, offset in pairs:
            counts = self._counts.setdefault(label, Counter())
            counts[offset] += 1
            self._totals[label] += 1
            self._most[label] = max(self._most[label], counts[offset])

    def cost(self, pairs: Iterable[tuple[str, int]]) -> float:
        """Return by how much the pairs would push their relations over the shares to avoid.

        For a relation with n pairs, c of them at its commonest offset, what counts is
        weight * (c - n * share)² / n where c exceeds n * share, for each share to avoid;
        summed over relations, after less before.
        """
        new: dict[str, Counter[int]] = {}
        for label, offset in pairs:
            new.setdefault(label, Counter())[offset] += 1
        cost = 0.0
        for label, more in new.items():
            known = self._counts.get(label, Counter())
            total, most = self._totals[label], self._most[label]
            now = max(most, *(known[offset] + more[offset] for offset in more))
            cost += _excess(now, total + sum(more.values())) - _excess(most, total)
        return cost


def _excess(most: int, total: int) -> float:
    excesses = (weight * max(0.0, most - share * total) ** 2 for share, weight in _SHARES_TO_AVOID)
    return sum(excesses, 0.0) / max(total, 1)
