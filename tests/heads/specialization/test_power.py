"""How many documents are needed: the formula by hand, and simulated corpora of that size."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats
from support.planted.counts import (
    OFFSETS,
    changed,
    null_counts,
    plant,
    random_counts,
    without_pairs,
)
from support.slow.claims import Slow

from inspector.errors import InputError
from inspector.heads.counts import DIRECTIONS
from inspector.heads.specialization.claims import relation_claims
from inspector.heads.specialization.inference import bootstrap_weights, ratio_intervals
from inspector.heads.specialization.power import POWER_COLUMNS, documents_needed


def slow_needed(
    apart: list[int], pairs: list[int], mark: float, power: float, least: int = 5
) -> tuple[float, float]:
    """Return the standard error and the documents needed, from the definitions."""
    size, whole = len(apart), sum(pairs)
    lift = sum(apart) / whole
    square = sum((d - lift * n) ** 2 for d, n in zip(apart, pairs, strict=True))
    error = math.sqrt(size / (size - 1) * square) / whole
    if lift <= mark:
        return error, math.inf
    z = stats.norm.ppf(0.975) + stats.norm.ppf(power)
    return error, max(least, math.ceil(z**2 * size * error**2 / (lift - mark) ** 2))


@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_every_column_equals_plain_loops(power: float) -> None:
    counts = plant(null_counts(0), "det", DIRECTIONS[0], (1, 2), 0.9)
    frame = documents_needed(counts, power)
    claims = relation_claims(counts)
    shared = ["relation", "direction", "layer", "head", "n", "lift"]
    assert frame[shared].equals(claims[shared])
    slow = Slow(counts)
    assert (frame["documents"] == len(slow.test)).all()
    for i, row in enumerate(frame.to_dict("records")):
        r, k = divmod(i, 3)
        place = (row["layer"], row["head"])
        apart = slow.lift_row(r, k, place, [])["apart"]
        pairs = [int(counts.n[d, r]) for d in slow.test]
        for name, mark in (("documents_needed", 0.0), ("documents_needed_for_lift", 0.1)):
            # Of 15 rows the smallest p, 2^-9, is below 0.05 / 15, and 2^-8 is not.
            error, needed = slow_needed(apart, pairs, mark, power, least=9)
            assert row["standard_error"] == pytest.approx(error, rel=1e-12)
            assert row[name] == needed
    assert np.isinf(frame["documents_needed_for_lift"]).any()
    assert np.isfinite(frame["documents_needed_for_lift"]).any()


def test_columns_types() -> None:
    for counts in (random_counts(), random_counts(relations=())):
        frame = documents_needed(counts)
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == POWER_COLUMNS


def test_so_many_documents_clear_zero_as_often_as_asked() -> None:
    """Draw corpora of the size that is named; their intervals clear 0 in 80 % of them."""
    rng = np.random.default_rng(3)
    wholes = rng.integers(1, 9, size=4_000)
    # Lift 0.12 in truth, each document with a rate of its own.
    right = rng.binomial(wholes, rng.beta(1.5, 2.2, size=4_000))
    base = rng.binomial(wholes, right.sum() / wholes.sum() - 0.12)
    lift = (right - base).sum() / wholes.sum()
    _, needed = slow_needed((right - base).tolist(), wholes.tolist(), 0.0, 0.8)
    cleared = 0
    for seed in range(200):
        some = rng.integers(0, 4_000, size=int(needed))
        apart = (right - base)[some][None]
        weights = bootstrap_weights(int(needed), seed, 400)
        cleared += bool(ratio_intervals(apart, wholes[some], weights)[0, 0] > 0)
    assert lift == pytest.approx(0.12, abs=0.02)
    assert 0.72 < cleared / 200 < 0.9


def test_one_document_with_the_relation_cannot_tell() -> None:
    counts = plant(null_counts(4), "det", DIRECTIONS[0], (1, 2), 0.9)
    test = Slow(counts).test
    n, correct, offsets = counts.n.copy(), counts.correct.copy(), counts.offset_counts.copy()
    place = counts.relations.index("det")
    for table in (n, correct, offsets):
        table[test[1:], place] = 0
    alone = dataclasses.replace(counts, n=n, correct=correct, offset_counts=offsets)
    row = documents_needed(alone).query("relation == 'det'").iloc[0]
    assert row["n"] == n[test[0], place] > 0
    assert np.isnan(row["standard_error"])
    assert np.isnan(row["documents_needed"])
    assert np.isnan(row["documents_needed_for_lift"])
    # Control: with its other documents it can.
    whole = documents_needed(counts).query("relation == 'det'").iloc[0]
    assert np.isfinite(whole["documents_needed"])


def test_what_is_unknown_or_out_of_reach() -> None:
    counts = without_pairs(null_counts(1), "det", even=True)
    rows = documents_needed(counts).query("relation == 'det'")
    assert rows[["lift", "standard_error", "documents_needed"]].isna().all(axis=None)
    one = random_counts(n_documents=2)
    frame = documents_needed(one)
    assert frame["documents_needed"].isna().all()


def test_a_perfect_head_needs_as_many_documents_as_a_small_p() -> None:
    counts = random_counts(n_documents=20, relations=("det",))
    away = np.zeros_like(counts.offset_counts)
    split = Slow(counts)
    away[split.selection, :, OFFSETS.index(1)] = counts.n[split.selection]
    away[split.test, :, OFFSETS.index(-3)] = counts.n[split.test]
    perfect = np.broadcast_to(counts.n[:, :, None, None, None], counts.correct.shape).copy()
    frame = documents_needed(changed(counts, correct=perfect, offset_counts=away))
    assert (frame["lift"] == 1).all()
    assert (frame["standard_error"] == 0).all()
    assert (frame["documents_needed"] == 6).all(), "of three rows: 3 / 2^6 < 0.05 < 3 / 2^5"


@pytest.mark.parametrize("power", [0.0, 0.49, 1.0, 80.0])
def test_power_is_a_probability(power: float) -> None:
    with pytest.raises(InputError) as error:
        documents_needed(random_counts(), power)
    assert str(error.value) == (
        f"power ({power}) must be at least 0.5 and below 1: the probability with which the "
        "interval is to clear its mark."
    )
