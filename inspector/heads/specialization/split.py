"""A corpus in two halves: on one heads and baselines are chosen, on the other they are judged.

Which half a document is in follows from its id alone, so it is the same for every model, run and
machine. Must not know: how anything is judged, models, files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
from jaxtyping import Float64, Int64

from inspector.errors import InputError
from inspector.heads.counts import RelationCounts
from inspector.heads.relations_frame import commonest_offsets, pairs_at, share

MIN_TWINS = 3
"""The best of fewer random models says little of what random models can do."""


def is_for_selection(document: str) -> bool:
    """Return whether a document is of the selection half: the SHA-256 of its id is even.

    Example:
        >>> is_for_selection("a"), is_for_selection("e")
        (False, True)
    """
    return sha256(document.encode()).digest()[-1] % 2 == 0


@dataclass(frozen=True, eq=False)
class Halves:
    """The counts of both halves, and what is chosen on the selection half.

    Documents of the report half are sorted by id, so that random draws of them don't depend on
    the order in which a corpus was read.
    """

    selection: RelationCounts
    report: RelationCounts

    @classmethod
    def of(cls, counts: RelationCounts) -> "Halves":
        """Return the two halves of a corpus."""
        even = [is_for_selection(document) for document in counts.documents]
        by_id = sorted(range(len(even)), key=lambda position: counts.documents[position])
        return cls(
            selection=counts.of_documents([position for position in by_id if even[position]]),
            report=counts.of_documents([position for position in by_id if not even[position]]),
        )

    @cached_property
    def chosen(self) -> Int64[np.ndarray, "relation direction"]:
        """Return the head with most right, as layer · heads + head; the first of equal ones."""
        return np.asarray(_by_head(self.selection).argmax(axis=-1), dtype=np.int64)

    @cached_property
    def selected_correct(self) -> Int64[np.ndarray, "relation direction"]:
        """Return what the chosen heads have right in the selection half."""
        return _by_head(self.selection).max(axis=-1)

    @cached_property
    def baseline_offsets(self) -> Int64[np.ndarray, " relation"]:
        """Return the commonest offset of the selection half; 0 where there is none."""
        return commonest_offsets(self.selection)

    @cached_property
    def n_selection(self) -> Int64[np.ndarray, " relation"]:
        """Return the pairs of the selection half."""
        return np.asarray(self.selection.n.sum(axis=0, dtype=np.int64))

    @cached_property
    def n_report(self) -> Int64[np.ndarray, " relation"]:
        """Return the pairs of the report half."""
        return np.asarray(self.report.n.sum(axis=0, dtype=np.int64))

    @cached_property
    def pairs(self) -> Int64[np.ndarray, "relation document"]:
        """Return the pairs of each document of the report half."""
        return self.report.n.T.astype(np.int64)

    @cached_property
    def baseline_correct(self) -> Int64[np.ndarray, "relation document"]:
        """Return what the baseline has right in each document of the report half."""
        return pairs_at(self.report, self.baseline_offsets).T

    @cached_property
    def chosen_correct(self) -> Int64[np.ndarray, "relation direction document"]:
        """Return what the chosen heads have right in each document of the report half."""
        flat = _flat(self.report.correct)
        picked = np.take_along_axis(flat, self.chosen[None, :, :, None], axis=-1)[..., 0]
        return np.moveaxis(picked, 0, -1).astype(np.int64)


def random_init_accuracies(
    halves: Halves, random_twins: Sequence[RelationCounts]
) -> Float64[np.ndarray, "relation direction"]:
    """Return the accuracy on the report half that the best random twin reaches; NaN without twins.

    Each twin's heads are chosen on its own selection half, as the model's are.

    Args:
        halves: Of the model.
        random_twins: Counts of models of the same architecture with random weights, over the
            same corpus: none, or at least 3.

    Raises:
        InputError: If there are one or two twins, or one counted another corpus.
    """
    if not random_twins:
        return np.full(halves.chosen.shape, np.nan)
    if len(random_twins) < MIN_TWINS:
        raise InputError(
            f"random_twins ({len(random_twins)}) must be none or at least {MIN_TWINS}: "
            "the best of fewer says little of what random weights can do."
        )
    correct = []
    for number, twin in enumerate(random_twins):
        other = Halves.of(twin)
        _check_same_corpus(number, halves, other)
        correct.append(other.chosen_correct.sum(axis=-1))
    best = np.max(correct, axis=0)
    return share(best, np.broadcast_to(halves.n_report[:, None], best.shape))


def _check_same_corpus(number: int, halves: Halves, other: Halves) -> None:
    for one, two in ((halves.selection, other.selection), (halves.report, other.report)):
        for what in ("documents", "relations"):
            if getattr(one, what) != getattr(two, what):
                raise InputError(
                    f"random_twins[{number}] has other {what} than the model: "
                    "count the same corpus with both."
                )
        if not np.array_equal(one.n, two.n):
            raise InputError(
                f"random_twins[{number}] ({two.n.sum()} pairs) has other pairs than the model "
                f"({one.n.sum()}): count the same corpus with both."
            )


def _by_head(counts: RelationCounts) -> Int64[np.ndarray, "relation direction layer_and_head"]:
    return np.asarray(_flat(counts.correct.sum(axis=0, dtype=np.int64)))


def _flat(correct: np.ndarray) -> np.ndarray:
    """Return layer and head as one axis, the last."""
    *other, n_layers, n_heads = correct.shape
    return correct.reshape(*other, n_layers * n_heads)
