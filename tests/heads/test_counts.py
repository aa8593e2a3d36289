"""Counts: what is refused, and that parts of a corpus add up to the whole in any order."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from support.planted.counts import assert_same_counts, random_counts

from inspector.errors import InputError
from inspector.heads.counts import DIRECTIONS, RelationCounts, concatenate


def refusal(**fields: Any) -> str:
    """Return why counts with these fields are refused; the type checker of tests is kept out."""
    counts = random_counts(n_documents=2, relations=("det", "obj"))
    for name, value in fields.items():
        object.__setattr__(counts, name, value)
    with pytest.raises(InputError) as error:
        counts.__post_init__()
    return str(error.value)


def test_names_must_be_distinct_and_sorted() -> None:
    assert refusal(documents=("a", "a")) == ("documents (a) must not repeat: add equal ones up.")
    assert refusal(relations=("obj", "obj")) == (
        "relations (obj) must not repeat: add equal ones up."
    )
    assert refusal(relations=("obj", "det")) == (
        "relations (obj, det) must be sorted: their axis follows this order."
    )
    assert refusal(offsets=(-3, -2, -1, 2, 1, 3)) == (
        "offsets (-3, -2, -1, 2, 1, 3) must be sorted: their axis follows this order."
    )
    assert refusal(offsets=(-2, -1, 0, 1, 2, 3)) == (
        "offsets (0) must not hold 0: a word is never related to itself; leave such pairs out."
    )


def test_shapes_must_fit_the_names() -> None:
    assert refusal(documents=("a", "b", "c")) == (
        "correct has shape (2, 2, 3, 2, 3), expected (document, relation, direction, layer, head) "
        "= (3, 2, 3, 2, 3)."
    )
    assert refusal(correct=np.zeros((2, 2, 2, 2, 3), dtype=np.int32)) == (
        "correct has shape (2, 2, 2, 2, 3), expected (document, relation, direction, layer, head) "
        "= (2, 2, 3, 2, 3)."
    )
    assert refusal(n=np.zeros((2, 3), dtype=np.int32)) == (
        "n has shape (2, 3), expected (document, relation) = (2, 2)."
    )
    assert refusal(offsets=(1, 2)) == (
        "offset_counts has shape (2, 2, 6), expected (document, relation, offset) = (2, 2, 2)."
    )


def test_counts_must_be_counts() -> None:
    assert refusal(n=np.zeros((2, 2))) == (
        "n has dtype float64, expected int32: counts are integers."
    )
    counts = random_counts(n_documents=2, relations=("det", "obj"))
    worse = counts.correct.copy()
    worse[1, 0, 2, 1, 1] = -4
    assert refusal(correct=worse) == "correct (-4) must not be negative: it counts pairs."
    worse[1, 0, 2, 1, 1] = 99
    assert refusal(correct=worse) == (
        f"correct (99) must not exceed n ({counts.n[1, 0]}): in document 'document-0001', "
        "relation 'det'."
    )
    other = counts.offset_counts.copy()
    other[1, 1, other[1, 1].argmax()] -= 1
    words = (
        f"must add up to n ({counts.n[1, 1]}), or to more where pairs have several right words, "
        "and none may exceed it: in document 'document-0001', relation 'obj'."
    )
    assert refusal(offset_counts=other) == f"offset_counts ({counts.n[1, 1] - 1}) {words}"
    other = counts.offset_counts.copy()
    other[1, 1, 0] = counts.n[1, 1] + 1
    assert refusal(offset_counts=other) == f"offset_counts ({other[1, 1].sum()}) {words}"


def test_a_pair_may_have_several_right_words() -> None:
    counts = random_counts()
    more = counts.offset_counts.copy()
    more[...] = counts.n[..., None]
    assert (replace(counts, offset_counts=more).total().offset_counts >= more.max()).all()


def test_some_relations_only() -> None:
    counts = random_counts(n_documents=3, relations=("amod", "det", "obj"))
    some = counts.of_relations(["obj", "amod", "never"])
    assert some.relations == ("amod", "never", "obj")
    assert (some.n[:, [0, 2]] == counts.n[:, [0, 2]]).all()
    assert (some.correct[:, 2] == counts.correct[:, 2]).all()
    assert not some.n[:, 1].any()
    assert not some.offset_counts[:, 1].any()


def test_parts_of_one_model_only() -> None:
    with pytest.raises(InputError) as error:
        random_counts(n_heads=3).merge(random_counts(n_heads=4))
    assert str(error.value) == (
        "parts (2 × 3, 2 × 4) must be of one model: with the same numbers of layers × heads."
    )
    with pytest.raises(InputError) as error:
        concatenate([])
    assert str(error.value) == (
        "parts (0) must be at least one: an empty sum has no layers and heads."
    )


def naive_sum(parts: list[RelationCounts]) -> dict[tuple[Any, ...], int]:
    """Return every count by its names, with plain loops; counts of 0 left out."""
    sums: dict[tuple[Any, ...], int] = {}

    def add(key: tuple[Any, ...], value: int) -> None:
        if value:
            sums[key] = sums.get(key, 0) + int(value)

    for part in parts:
        for d, document in enumerate(part.documents):
            for r, relation in enumerate(part.relations):
                add(("n", document, relation), part.n[d, r])
                for o, offset in enumerate(part.offsets):
                    add(("offset", document, relation, offset), part.offset_counts[d, r, o])
                for index in np.ndindex(part.correct.shape[2:]):
                    add(("correct", document, relation, *index), part.correct[(d, r, *index)])
    return sums


PARTS = [
    random_counts(n_documents=5, relations=("det", "obj"), seed=1),
    random_counts(n_documents=3, relations=("amod", "obj"), seed=2, prefix="other"),
    random_counts(n_documents=7, relations=("case", "det"), seed=3, offsets=(-9, -1, 1, 4)),
]


def test_parts_add_up() -> None:
    whole = concatenate(PARTS)
    assert naive_sum([whole]) == naive_sum(PARTS)
    assert whole.documents == (
        *(f"document-000{i}" for i in range(5)),
        *(f"other-000{i}" for i in range(3)),
        "document-0005",
        "document-0006",
    )
    assert whole.relations == ("amod", "case", "det", "obj")
    assert whole.offsets == (-9, -3, -2, -1, 1, 2, 3, 4)


def test_a_document_in_two_parts_adds_up() -> None:
    one = random_counts(n_documents=4)
    twice = one.merge(one)
    assert twice.documents == one.documents
    np.testing.assert_array_equal(twice.correct, 2 * one.correct)


def test_merging_is_associative_and_agrees_with_concatenating() -> None:
    one, two, three = PARTS
    assert_same_counts(one.merge(two).merge(three), concatenate(PARTS))
    assert_same_counts(one.merge(two.merge(three)), concatenate(PARTS))


def test_cutting_and_merging_gives_the_whole_back() -> None:
    whole = random_counts(n_documents=11)
    cuts = [0, 2, 3, 7, 11]
    parts = [whole.of_documents(range(start, stop)) for start, stop in pairwise(cuts)]
    assert_same_counts(concatenate(parts), whole)


def test_nothing_added_changes_nothing() -> None:
    whole = random_counts()
    assert_same_counts(whole.merge(whole.of_documents([])), whole)


def test_the_total_is_one_document() -> None:
    whole = concatenate(PARTS)
    total = whole.total()
    assert total.documents == ("total",)
    assert total.correct.shape == (1, 4, len(DIRECTIONS), 2, 3)
    assert {key: n for key, n in naive_sum([total]).items() if key[0] == "n"} == {
        ("n", "total", relation): int(whole.n[:, r].sum())
        for r, relation in enumerate(whole.relations)
    }
    np.testing.assert_array_equal(total.correct[0], whole.correct.sum(axis=0))
    np.testing.assert_array_equal(total.offset_counts[0], whole.offset_counts.sum(axis=0))
