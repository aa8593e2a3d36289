"""The relations frame, cell by cell, against plain loops and exact fractions."""

from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from support.each import each
from support.planted.counts import changed, random_counts

from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.relations_frame import (
    RELATIONS_COLUMNS,
    commonest_offsets,
    pairs_at,
    relation_accuracies,
)


def slow_rows(counts: RelationCounts) -> list[dict[str, Any]]:
    rows = []
    for layer in range(counts.correct.shape[3]):
        for head in range(counts.correct.shape[4]):
            for r, relation in enumerate(counts.relations):
                offsets = Counter[int]()
                for d in range(len(counts.documents)):
                    for o, offset in enumerate(counts.offsets):
                        offsets[offset] += int(counts.offset_counts[d, r, o])
                ranked = sorted(
                    (offset for offset in offsets if offsets[offset]),
                    key=lambda offset: (-offsets[offset], abs(offset), offset),
                )
                n = sum(int(counts.n[d, r]) for d in range(len(counts.documents)))
                for k, direction in enumerate(DIRECTIONS):
                    right = sum(
                        int(counts.correct[d, r, k, layer, head])
                        for d in range(len(counts.documents))
                    )
                    rows.append(
                        {
                            "layer": layer,
                            "head": head,
                            "relation": relation,
                            "direction": direction,
                            "n": n,
                            "correct": right,
                            "accuracy": float(Fraction(right, n)) if n else None,
                            "baseline_offset": ranked[0] if ranked else 0,
                            "baseline_accuracy": float(Fraction(offsets[ranked[0]], n))
                            if n
                            else None,
                        }
                    )
    return rows


def assert_equals_slow(counts: RelationCounts) -> None:
    frame = relation_accuracies(counts)
    expected = slow_rows(counts)
    assert len(frame) == len(expected)
    for row, truth in zip(frame.to_dict("records"), expected, strict=True):
        assert {k: None if v != v else v for k, v in row.items()} == truth


@pytest.mark.parametrize("seed", range(5))
def test_every_cell_equals_plain_loops(seed: int) -> None:
    assert_equals_slow(random_counts(seed=seed))


def test_columns_types_and_index() -> None:
    frame = relation_accuracies(random_counts())
    assert list(frame.columns) == [
        "layer", "head", "relation", "direction", "n", "correct", "accuracy",
        "baseline_offset", "baseline_accuracy",
    ]  # fmt: skip
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == RELATIONS_COLUMNS
    assert frame.index.equals(type(frame.index)(range(len(frame))))
    assert type(frame.index).__name__ == "RangeIndex"
    assert len(frame) == 2 * 3 * 3 * 3
    assert not frame.duplicated(["layer", "head", "relation", "direction"]).any()


def with_offsets(offsets: tuple[int, ...], *pairs: int) -> RelationCounts:
    """Return one document and relation with so many pairs at each offset."""
    return RelationCounts(
        documents=("a",),
        relations=("det",),
        offsets=offsets,
        correct=np.zeros((1, 1, 3, 1, 1), dtype=np.int32),
        n=np.array([[sum(pairs)]], dtype=np.int32),
        offset_counts=np.array([[pairs]], dtype=np.int32).reshape(1, 1, len(offsets)),
    )


@each(
    ("offsets", "pairs", "expected"),
    [
        ((-2, -1, 1, 2), (5, 4, 4, 5), -2),
        ((-2, -1, 1, 2), (5, 5, 5, 5), -1),
        ((-2, 1, 2), (5, 5, 5), 1),
        ((-2, 1, 2), (5, 4, 6), 2),
        ((-7, 6), (3, 3), 6),
        ((-1, 1), (0, 0), 0),
        ((), (), 0),
    ],
)
def test_ties_go_to_the_nearest_offset_then_the_negative(
    offsets: tuple[int, ...], pairs: tuple[int, ...], expected: int
) -> None:
    counts = with_offsets(offsets, *pairs)
    assert commonest_offsets(counts).tolist() == [[expected] * 3]
    assert pairs_at(counts, commonest_offsets(counts)).tolist() == [[[max(pairs, default=0)] * 3]]


def test_a_relation_without_pairs_has_no_accuracy() -> None:
    counts = random_counts()
    keep = np.array([1, 0, 1], dtype=np.int32)
    empty = changed(
        counts,
        n=counts.n * keep,
        correct=counts.correct * keep[:, None, None, None],
        offset_counts=counts.offset_counts * keep[:, None],
    )
    assert_equals_slow(empty)
    frame = relation_accuracies(empty)
    rows = frame[frame["relation"] == "det"]
    assert (rows["n"] == 0).all()
    assert (rows["baseline_offset"] == 0).all()
    assert rows[["accuracy", "baseline_accuracy"]].isna().all(axis=None)


def test_no_document_at_all() -> None:
    assert_equals_slow(random_counts().of_documents([]))


def test_no_relation_at_all() -> None:
    frame = relation_accuracies(random_counts(relations=()))
    assert frame.empty
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == RELATIONS_COLUMNS


def test_the_order_of_documents_changes_nothing() -> None:
    counts = random_counts()
    backwards = counts.of_documents(range(len(counts.documents))[::-1])
    assert relation_accuracies(counts).equals(relation_accuracies(backwards))
