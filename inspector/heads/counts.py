"""How often each head follows each relation, document by document, as integers.

All that relations, claims and roles are computed from: exact, small, and added up in any order.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int32

from inspector.errors import InputError

DIRECTIONS = ("dependent_to_head", "head_to_dependent", "attended_by_head")
"""How a head can follow a relation, in the order of the direction axis."""


@dataclass(frozen=True, eq=False)
class RelationCounts:
    """Pairs of each relation in each document, and how many of them each head gets right.

    A document may be read in several parts: `merge` adds them up.

    Raises:
        InputError: If names repeat or are unsorted, shapes or types do not fit, a count is below 0,
            a head or an offset has more right than there are pairs, or the offsets do not add up
            to n.

    Example:
        >>> one = RelationCounts(
        ...     documents=("a",),
        ...     relations=("det",),
        ...     offsets=(1, 2),
        ...     correct=np.full((1, 1, 3, 1, 2), 4, dtype=np.int32),
        ...     n=np.array([[5]], dtype=np.int32),
        ...     offset_counts=np.array([[[3, 2]]], dtype=np.int32),
        ... )
        >>> two = one.merge(one)
        >>> two.documents, int(two.n[0, 0])
        (('a',), 10)
    """

    documents: tuple[str, ...]
    """Ids, in corpus order."""
    relations: tuple[str, ...]
    """Names, sorted."""
    offsets: tuple[int, ...]
    """All offsets that occur (head − dependent, in words), sorted; 0 cannot occur. Where a head is
    chosen from some words only, offsets are counted in these."""
    correct: Int32[np.ndarray, "document relation direction layer head"]
    """Pairs that the head predicts; directions in the order of DIRECTIONS."""
    n: Int32[np.ndarray, "document relation"]
    """Pairs."""
    offset_counts: Int32[np.ndarray, "document relation offset"]
    """Pairs that have a right word at each offset: a pair with several has as many."""
    asked: Int32[np.ndarray, "document relation direction"] | None = None
    """Of a model whose mask hides what comes later: the pairs that have a right word which it lets
    the head find. None where it hides nothing, so that all are asked in every direction."""
    by_definition: bool = False
    """Whether the relations are an offset by definition: no offset is then asked as a baseline."""

    def __post_init__(self) -> None:
        """Refuse counts that no corpus can have."""
        self._check_names()
        self._check_shapes()
        for name in ("correct", "n", "offset_counts", "pairs"):
            if (getattr(self, name) < 0).any():
                raise InputError(
                    f"{name} ({getattr(self, name).min()}) must not be negative: it counts pairs."
                )
        self._check_sums()

    def _check_names(self) -> None:
        _check_distinct("documents", self.documents)
        _check_distinct("relations", self.relations)
        _check_distinct("offsets", self.offsets)
        _check_sorted("relations", self.relations)
        _check_sorted("offsets", self.offsets)
        if 0 in self.offsets:
            raise InputError(
                "offsets (0) must not hold 0: a word is never related to itself; "
                "leave such pairs out."
            )

    def _check_shapes(self) -> None:
        size = (len(self.documents), len(self.relations))
        heads = (len(DIRECTIONS), *self.n_layers_and_heads)
        names = ("document", "relation")
        _check_shape(
            "correct", self.correct, (*names, "direction", "layer", "head"), (*size, *heads)
        )
        _check_shape("n", self.n, names, size)
        _check_shape(
            "offset_counts", self.offset_counts, (*names, "offset"), (*size, len(self.offsets))
        )
        _check_shape("asked", self.pairs, (*names, "direction"), (*size, len(DIRECTIONS)))

    def _check_sums(self) -> None:
        over = self.correct > self.pairs[..., None, None]
        if over.any():
            document, relation, *_ = map(int, np.argwhere(over)[0])
            raise InputError(
                f"correct ({self.correct[document, relation].max()}) must not exceed n "
                f"({self.pairs[document, relation].max()}): in document "
                f"'{self.documents[document]}', relation '{self.relations[relation]}'."
            )
        beyond = self.pairs > self.n[..., None]
        if beyond.any():
            document, relation, _ = map(int, np.argwhere(beyond)[0])
            raise InputError(
                f"asked ({self.pairs[document, relation].max()}) must not exceed n "
                f"({self.n[document, relation]}): in document '{self.documents[document]}', "
                f"relation '{self.relations[relation]}'."
            )
        added = self.offset_counts.sum(axis=-1)
        wrong = (added < self.n) | (self.offset_counts > self.n[..., None]).any(axis=-1)
        if wrong.any():
            document, relation = map(int, np.argwhere(wrong)[0])
            raise InputError(
                f"offset_counts ({added[document, relation]}) must add up to n "
                f"({self.n[document, relation]}), or to more where pairs have several right words, "
                f"and none may exceed it: in document '{self.documents[document]}', "
                f"relation '{self.relations[relation]}'."
            )

    @property
    def pairs(self) -> Int32[np.ndarray, "document relation direction"]:
        """Return the pairs that are asked in each direction."""
        if self.asked is not None:
            return self.asked
        return np.broadcast_to(self.n[..., None], (*self.n.shape, len(DIRECTIONS)))

    @property
    def allowed_offsets(self) -> Bool[np.ndarray, "direction offset"]:
        """Return at which offsets (head − dependent) a head may find the right word.

        Of a model that looks back only: heads before their dependents, and dependents before their
        heads, whether these look at them or are asked who looks.
        """
        offsets = np.array(self.offsets, dtype=np.int64)
        if self.asked is None:
            return np.ones((len(DIRECTIONS), len(offsets)), dtype=bool)
        return np.stack([offsets < 0, offsets > 0, offsets > 0])

    @property
    def n_layers_and_heads(self) -> tuple[int, int]:
        """Return how many layers there are, and how many heads in each."""
        return self.correct.shape[-2], self.correct.shape[-1]

    def merge(self, other: "RelationCounts") -> "RelationCounts":
        """Return the counts of both: a document that is in both has its parts added up.

        Raises:
            InputError: If the two are of models with other numbers of layers or heads.
        """
        return concatenate([self, other])

    def of_documents(self, positions: Sequence[int]) -> "RelationCounts":
        """Return the counts of some documents, in the order given: no copy of neighbours."""
        rows: slice | np.ndarray = np.asarray(positions, dtype=np.int64)
        if len(positions) and list(positions) == [*range(positions[0], positions[-1] + 1)]:
            rows = slice(positions[0], positions[-1] + 1)
        return replace(
            self,
            documents=tuple(self.documents[position] for position in positions),
            correct=self.correct[rows],
            n=self.n[rows],
            offset_counts=self.offset_counts[rows],
            asked=None if self.asked is None else self.asked[rows],
        )

    def of_relations(self, names: Sequence[str]) -> "RelationCounts":
        """Return the counts of some relations; one that does not occur has no pair.

        Args:
            names: In any order.
        """
        place = {name: position for position, name in enumerate(self.relations)}
        ordered = tuple(sorted(names))
        known = [position for position, name in enumerate(ordered) if name in place]
        columns = [place[name] for name in ordered if name in place]

        def taken(array: np.ndarray) -> np.ndarray:
            chosen = np.zeros((len(array), len(ordered), *array.shape[2:]), dtype=np.int32)
            chosen[:, known] = array[:, columns]
            return chosen

        return replace(
            self,
            relations=ordered,
            correct=taken(self.correct),
            n=taken(self.n),
            offset_counts=taken(self.offset_counts),
            asked=None if self.asked is None else taken(self.asked),
        )

    def total(self) -> "RelationCounts":
        """Return the same counts as if the corpus were one document, named 'total'."""
        return replace(
            self,
            documents=("total",),
            correct=self.correct.sum(axis=0, keepdims=True, dtype=np.int32),
            n=self.n.sum(axis=0, keepdims=True, dtype=np.int32),
            offset_counts=self.offset_counts.sum(axis=0, keepdims=True, dtype=np.int32),
            asked=None
            if self.asked is None
            else self.asked.sum(axis=0, keepdims=True, dtype=np.int32),
        )

    def without(self, others: "RelationCounts") -> "RelationCounts":
        """Return what is left of a total without the documents of others."""
        less = others.total()
        return replace(
            self,
            correct=self.correct - less.correct,
            n=self.n - less.n,
            offset_counts=self.offset_counts - less.offset_counts,
            asked=None if self.asked is None else self.asked - less.pairs,
        )


def concatenate(parts: Sequence[RelationCounts]) -> RelationCounts:
    """Return the counts of all parts: documents in the order in which they first come.

    A document that is in several parts has them added up; a relation or an offset that a part
    does not name occurs 0 times in it.

    Raises:
        InputError: If there is no part, or parts differ in their numbers of layers or heads.
    """
    if not parts:
        raise InputError("parts (0) must be at least one: an empty sum has no layers and heads.")
    shapes = sorted({part.n_layers_and_heads for part in parts})
    if len(shapes) > 1:
        raise InputError(
            f"parts ({', '.join(f'{layers} × {heads}' for layers, heads in shapes)}) must be of "
            "one model: with the same numbers of layers × heads."
        )
    documents = tuple(dict.fromkeys(name for part in parts for name in part.documents))
    return added(parts, documents, sorted({name for part in parts for name in part.relations}))


def added(
    parts: Iterable[RelationCounts], documents: Sequence[str], relations: Sequence[str]
) -> RelationCounts:
    """Return the counts of all parts of one model, at least one: each is looked at once.

    Args:
        parts: None of which names another document or relation.
        documents: Of the sum, in order.
        relations: Of the sum, sorted.
    """
    size = (len(documents), len(relations))
    places = [{name: i for i, name in enumerate(names)} for names in (documents, relations)]
    n = np.zeros(size, dtype=np.int32)
    asked = np.zeros((*size, len(DIRECTIONS)), dtype=np.int32)
    correct = np.zeros((*asked.shape, 0, 0), dtype=np.int32)
    at_offset: dict[int, np.ndarray] = {}
    masked = False
    for part in parts:
        if not correct.size:
            correct = np.zeros((*asked.shape, *part.n_layers_and_heads), dtype=np.int32)
        names = zip(places, (part.documents, part.relations), strict=True)
        where = np.ix_(*([place[name] for name in named] for place, named in names))
        correct[where] += part.correct
        n[where] += part.n
        asked[where] += part.pairs
        masked |= part.asked is not None
        for offset, counted in zip(
            part.offsets, np.moveaxis(part.offset_counts, -1, 0), strict=True
        ):
            at_offset.setdefault(offset, np.zeros(size, dtype=np.int32))[where] += counted
    offsets = tuple(sorted(at_offset))
    offset_counts = np.zeros((*size, len(offsets)), dtype=np.int32)
    for place, offset in enumerate(offsets):
        offset_counts[..., place] = at_offset[offset]
    return RelationCounts(
        *(tuple(documents), tuple(relations), offsets, correct, n, offset_counts),
        asked if masked else None,
    )


def _check_distinct(name: str, values: Sequence[str] | Sequence[int]) -> None:
    repeated = [str(value) for value, times in Counter(values).items() if times > 1]
    if repeated:
        raise InputError(f"{name} ({', '.join(repeated)}) must not repeat: add equal ones up.")


def _check_sorted(name: str, values: tuple[str, ...] | tuple[int, ...]) -> None:
    if list(values) != sorted(values):
        given = ", ".join(map(str, values))
        raise InputError(f"{name} ({given}) must be sorted: their axis follows this order.")


def _check_shape(
    name: str, array: np.ndarray, axes: tuple[str, ...], sizes: tuple[int, ...]
) -> None:
    if array.shape != sizes:
        raise InputError(f"{name} has shape {array.shape}, expected ({', '.join(axes)}) = {sizes}.")
    if array.dtype != np.int32:
        raise InputError(f"{name} has dtype {array.dtype}, expected int32: counts are integers.")
