"""A corpus in two splits: on one heads and baselines are chosen, on the other they are judged.

Which split a document is in follows from its id alone, so it is the same for every model, run and
machine.
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
    tested = [not is_for_selection(document) for document in counts.documents]
    held = (counts.pairs[tested] > 0).sum(axis=0)
    places = product(counts.relations, DIRECTIONS)
    return dict(zip(places, held.ravel().tolist(), strict=True))


RANDOM_INIT_COLUMNS = {"random_init_n": "int64", "random_init_error": "float64"}
"""How sure the accuracy of the best random model is: column → dtype."""


@dataclass(frozen=True, eq=False)
class RandomInit:
    """What the best of some models with random weights reaches on the test split."""

    accuracy: Float64[np.ndarray, "relation direction"]
    """NaN without models, and where none read a pair."""
    n: Int64[np.ndarray, "relation direction"]
    """Pairs that it is of: all, or those of a sample."""
    error: Float64[np.ndarray, "relation direction"]
    """Standard error of the accuracy for that on all pairs; 0 where all were read."""

    def columns(self, place: tuple[int, ...], rows: int) -> dict[str, np.ndarray]:
        """Return the columns of a relation and direction, for so many rows."""
        return {
            f"random_init_{name}": np.full(rows, getattr(self, name)[place])
            for name in ("accuracy", "n", "error")
        }


def random_init(split: Split, random_init_counts: Sequence[RelationCounts]) -> RandomInit:
    r"""Return what the best random model reaches on the test split.

    Each random model's heads are chosen on its own selection split, as the model's are. Of a
    sample of n of N pairs with x right, $\tilde p = (x + 2) / (n + 4)$ and the error is
    $\sqrt{\tilde p (1 - \tilde p) / (n + 4) \cdot (N - n) / (N - 1)}$.

    Args:
        split: Of the model.
        random_init_counts: Counts of models of the same architecture with random weights, over the
            same corpus or sentences drawn from it: none, or at least 3. One document may stand for
            its whole split: only sums over each are asked.

    Raises:
        InputError: If there are one or two of them, or one counted another corpus.

    Source: Agresti & Coull (1998), The American Statistician 52(2), for the two added to either
        side; Cochran (1977), Sampling Techniques, sec. 3.2, for the finite population.
    """
    shape = split.chosen.shape
    if not random_init_counts:
        return RandomInit(np.full(shape, np.nan), np.zeros(shape, np.int64), np.zeros(shape))
    if len(random_init_counts) < MIN_RANDOM_MODELS:
        raise InputError(
            f"random_init_counts ({len(random_init_counts)}) must be none or at least "
            f"{MIN_RANDOM_MODELS}: the best of fewer says little of what random weights can do."
        )
    correct, pairs = [], []
    for number, random_model in enumerate(random_init_counts):
        other = Split.of(random_model)
        _check_same_corpus(number, split, other)
        correct.append(other.chosen_correct.sum(axis=-1))
        pairs.append(other.n_test)
    each_right, each_n = np.stack(correct), np.stack(pairs)
    accuracies = share(each_right, each_n)
    best = np.where(np.isnan(accuracies), -1.0, accuracies).argmax(axis=0)[None]
    right, n, accuracy = (
        np.take_along_axis(one, best, axis=0)[0] for one in (each_right, each_n, accuracies)
    )
    likely = (right + 2) / (n + 4)
    missing = (split.n_test - n) / np.maximum(split.n_test - 1, 1)
    return RandomInit(accuracy, n, np.sqrt(likely * (1 - likely) / (n + 4) * missing))


def _check_same_corpus(number: int, split: Split, other: Split) -> None:
    for one, two in ((split.selection, other.selection), (split.test, other.test)):
        for what, others in (
            ("documents", not set(one.documents) >= set(two.documents)),
            ("relations", one.relations != two.relations),
        ):
            if others:
                raise InputError(
                    f"random_init_counts[{number}] has other {what} than the model: "
                    "count the same corpus with both."
                )
        if (two.pairs.sum(axis=0) > one.pairs.sum(axis=0)).any():
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
