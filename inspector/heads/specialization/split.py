"""A corpus in two splits: on one heads and baselines are chosen, on the other they are judged.

Which split a document is in follows from its id alone, so it is the same for every model, run and
machine. Must not know: how anything is judged, models, files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import product

import numpy as np
from jaxtyping import Float64, Int64

from inspector.errors import InputError
from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.relations_frame import commonest_offsets, pairs_at, share

MIN_RANDOM_MODELS = 3
"""The best of fewer random models says little of what random models can do."""


def is_for_selection(document: str) -> bool:
    """Return whether a document is of the selection split: the SHA-256 of its id is even.

    Example:
        >>> is_for_selection("a"), is_for_selection("e")
        (False, True)
    """
    return sha256(document.encode()).digest()[-1] % 2 == 0


@dataclass(frozen=True, eq=False)
class Split:
    """The counts of both splits, and what is chosen on the selection split.

    Documents of the test split are sorted by id, so that random draws of them don't depend on
    the order in which a corpus was read.
    """

    selection: RelationCounts
    test: RelationCounts

    @classmethod
    def of(cls, counts: RelationCounts) -> "Split":
        """Return both splits of a corpus."""
        even = [is_for_selection(document) for document in counts.documents]
        by_id = sorted(range(len(even)), key=lambda position: counts.documents[position])
        return cls(
            selection=counts.of_documents([position for position in by_id if even[position]]),
            test=counts.of_documents([position for position in by_id if not even[position]]),
        )

    @cached_property
    def chosen(self) -> Int64[np.ndarray, "relation direction"]:
        """Return the head with most right, as layer · heads + head; the first of equal ones."""
        return np.asarray(_by_head(self.selection).argmax(axis=-1), dtype=np.int64)

    @cached_property
    def selected_correct(self) -> Int64[np.ndarray, "relation direction"]:
        """Return what the chosen heads have right in the selection split."""
        return _by_head(self.selection).max(axis=-1)

    @cached_property
    def baseline_offsets(self) -> Int64[np.ndarray, "relation direction"]:
        """Return the commonest offset of the selection split; 0 where there is none."""
        return commonest_offsets(self.selection)

    @cached_property
    def n_selection(self) -> Int64[np.ndarray, "relation direction"]:
        """Return the pairs of the selection split."""
        return np.asarray(self.selection.pairs.sum(axis=0, dtype=np.int64))

    @cached_property
    def n_test(self) -> Int64[np.ndarray, "relation direction"]:
        """Return the pairs of the test split."""
        return np.asarray(self.test.pairs.sum(axis=0, dtype=np.int64))

    @cached_property
    def pairs(self) -> Int64[np.ndarray, "relation direction document"]:
        """Return the pairs of each document of the test split."""
        return np.moveaxis(self.test.pairs, 0, -1).astype(np.int64)

    @cached_property
    def baseline_correct(self) -> Int64[np.ndarray, "relation direction document"]:
        """Return what the baseline has right in each document of the test split."""
        return np.moveaxis(pairs_at(self.test, self.baseline_offsets), 0, -1)

    @cached_property
    def chosen_correct(self) -> Int64[np.ndarray, "relation direction document"]:
        """Return what the chosen heads have right in each document of the test split."""
        flat = _flat(self.test.correct)
        picked = np.take_along_axis(flat, self.chosen[None, :, :, None], axis=-1)[..., 0]
        return np.moveaxis(picked, 0, -1).astype(np.int64)


def documents_holding(counts: RelationCounts) -> dict[tuple[str, str], int]:
    """Return how many documents of the test split hold each relation, by direction.

    Example:
        >>> n = np.array([[2], [0], [1]], dtype=np.int32)
        >>> counts = RelationCounts(
        ...     *(("a", "e", "f"), ("det",), (1,), np.zeros((3, 1, 3, 1, 1), dtype=np.int32)),
        ...     n=n,
        ...     offset_counts=n[..., None],
        ... )
        >>> [is_for_selection(name) for name in counts.documents]
        [False, True, False]
        >>> documents_holding(counts)["det", "dependent_to_head"]
        2
    """
    held = (Split.of(counts).pairs > 0).sum(axis=-1)
    places = product(counts.relations, DIRECTIONS)
    return dict(zip(places, held.ravel().tolist(), strict=True))


def random_init_accuracies(
    split: Split, random_init_counts: Sequence[RelationCounts]
) -> Float64[np.ndarray, "relation direction"]:
    """Return the accuracy on the test split that the best random model reaches, NaN without.

    Each random model's heads are chosen on its own selection split, as the model's are.

    Args:
        split: Of the model.
        random_init_counts: Counts of models of the same architecture with random weights, over the
            same corpus: none, or at least 3.

    Raises:
        InputError: If there are one or two of them, or one counted another corpus.
    """
    if not random_init_counts:
        return np.full(split.chosen.shape, np.nan)
    if len(random_init_counts) < MIN_RANDOM_MODELS:
        raise InputError(
            f"random_init_counts ({len(random_init_counts)}) must be none or at least "
            f"{MIN_RANDOM_MODELS}: the best of fewer says little of what random weights can do."
        )
    correct = []
    for number, random_model in enumerate(random_init_counts):
        other = Split.of(random_model)
        _check_same_corpus(number, split, other)
        correct.append(other.chosen_correct.sum(axis=-1))
    best = np.max(correct, axis=0)
    return share(best, split.n_test)


def _check_same_corpus(number: int, split: Split, other: Split) -> None:
    for one, two in ((split.selection, other.selection), (split.test, other.test)):
        for what in ("documents", "relations"):
            if getattr(one, what) != getattr(two, what):
                raise InputError(
                    f"random_init_counts[{number}] has other {what} than the model: "
                    "count the same corpus with both."
                )
        if not np.array_equal(one.pairs, two.pairs):
            raise InputError(
                f"random_init_counts[{number}] ({two.n.sum()} pairs) has other pairs than the "
                f"model ({one.n.sum()}): count the same corpus with both."
            )


def _by_head(counts: RelationCounts) -> Int64[np.ndarray, "relation direction layer_and_head"]:
    return np.asarray(_flat(counts.correct.sum(axis=0, dtype=np.int64)))


def _flat(correct: np.ndarray) -> np.ndarray:
    """Return layer and head as one axis, the last."""
    *other, n_layers, n_heads = correct.shape
    return correct.reshape(*other, n_layers * n_heads)
