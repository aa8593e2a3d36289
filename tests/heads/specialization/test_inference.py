"""Bootstrap, sign flips, Benjamini–Hochberg, standard errors: each against a slow truth."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from support.each import each
from support.slow.claims import exact_p, quantile

from inspector.heads.specialization import inference
from inspector.heads.specialization.inference import (
    benjamini_hochberg,
    bootstrap_weights,
    exact_sign_flip_p_values,
    flip_signs,
    normal_quantile,
    ratio_difference_intervals,
    ratio_intervals,
    ratio_standard_errors,
    sign_flip_p_values,
)


def random_rows(n_rows: int, n_documents: int, size: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(-size, size + 2, size=(n_rows, n_documents))


def test_every_resample_has_as_many_documents_as_there_are() -> None:
    weights = bootstrap_weights(37, seed=1)
    assert weights.shape == (10_000, 37)
    assert (weights.sum(axis=1) == 37).all()


def test_every_document_is_as_likely_as_the_others() -> None:
    weights = bootstrap_weights(23, seed=2).astype(float)
    # Binomial(23, 1/23): mean 1, variance 22/23, covariance −1/23; 10,000 draws.
    assert np.abs(weights.mean(axis=0) - 1).max() < 5 * math.sqrt(22 / 23 / 10_000)
    covariance = np.cov(weights.T)
    np.testing.assert_allclose(np.diag(covariance), 22 / 23, atol=0.1)
    np.testing.assert_allclose(covariance[0, 1:], -1 / 23, atol=0.06)


def test_signs_are_fair_and_independent() -> None:
    signs = flip_signs(23, seed=3).astype(float)
    assert set(signs.ravel()) == {-1.0, 1.0}
    assert np.abs(signs.mean(axis=0)).max() < 0.05
    products = signs.T @ signs / len(signs)
    assert np.abs(products - np.eye(23)).max() < 0.06


def test_a_seed_gives_the_same_draws_and_another_seed_others() -> None:
    for draw in (bootstrap_weights, flip_signs):
        np.testing.assert_array_equal(draw(11, 5), draw(11, 5))
        assert (draw(11, 5) != draw(11, 6)).any()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values, wholes = random_rows(7, 13, 4, 0), np.arange(13)

    def everything() -> list[np.ndarray]:
        weights, signs = bootstrap_weights(13, 0, 500), flip_signs(13, 0, 500)
        return [
            weights,
            ratio_intervals(values, wholes, weights),
            sign_flip_p_values(values, signs),
        ]

    at_once = everything()
    # An exact p is the same but for the last bits: its transform has the block's length.
    exact = exact_sign_flip_p_values(values)
    monkeypatch.setattr(inference, "_BLOCK", 50)
    inference._few_drawn.cache_clear()
    for one, other in zip(at_once, everything(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(exact, exact_sign_flip_p_values(values), rtol=0, atol=1e-12)


def test_an_interval_equals_a_slow_loop_over_the_same_draws() -> None:
    values = random_rows(3, 9, 5, 1)
    wholes = np.array([4, 0, 7, 3, 0, 0, 9, 2, 5])
    weights = bootstrap_weights(9, 0, 400)
    expected = []
    for row in values:
        ratios = [
            sum(int(w) * int(v) for w, v in zip(draw, row, strict=True)) / whole
            for draw in weights
            if (whole := sum(int(w) * int(b) for w, b in zip(draw, wholes, strict=True)))
        ]
        expected.append([quantile(ratios, 0.025), quantile(ratios, 0.975)])
    np.testing.assert_allclose(ratio_intervals(values, wholes, weights), expected, rtol=1e-12)


def test_rows_of_other_wholes_get_what_each_gets_alone() -> None:
    """Too few documents, draws without a pair, wholes that two rows share: all in one call."""
    values, wholes = np.abs(random_rows(6, 9, 5, 4)), np.full((6, 9), 6)
    wholes[1:3] = [4, 0, 7, 3, 0, 0, 9, 2, 5]
    wholes[4, 4:] = 0
    wholes[5] = [0, 1, 0, 1, 0, 1, 1, 1, 0]
    weights = bootstrap_weights(9, 0)
    together = ratio_intervals(values, wholes, weights)
    alone = [
        ratio_intervals(one[None], of, weights)[0] for one, of in zip(values, wholes, strict=True)
    ]
    np.testing.assert_array_equal(together, alone)
    assert np.isnan(together).all(axis=1).tolist() == [False] * 4 + [True, False]


def test_many_draws_are_made_anew_and_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    few = [bootstrap_weights(11, 5), flip_signs(11, 5)]
    assert few[0] is bootstrap_weights(11, 5)
    with pytest.raises(ValueError, match="read-only"):
        few[0][0, 0] = 1
    monkeypatch.setattr(inference, "_FEW", 0)
    for kept, made in zip(few, [bootstrap_weights(11, 5), flip_signs(11, 5)], strict=True):
        np.testing.assert_array_equal(kept, made)
        assert made.dtype.itemsize == 1


def test_draws_without_any_pair_are_left_out() -> None:
    wholes = np.array([4, 0, 0, 4, 0, 4, 0, 4, 0, 0, 4, 0])
    weights = bootstrap_weights(12, 0)
    assert (weights @ wholes == 0).any()
    interval = ratio_intervals(wholes[None] // 4 * 3, wholes, weights)
    np.testing.assert_array_equal(interval, [[0.75, 0.75]])


@each("n_documents", [0, 1, 2, 3, 4, 5, 6])
def test_an_interval_needs_five_documents_that_hold_a_pair(n_documents: int) -> None:
    """Others may be there: what holds nothing says nothing of how much documents differ."""
    wholes = np.zeros(30, dtype=np.int64)
    wholes[:n_documents] = 4
    parts, every = np.arange(30) % 5 * (wholes > 0), np.full(30, 4)
    weights = bootstrap_weights(30, 0, 400)
    known = n_documents >= 5
    assert (~np.isnan(ratio_intervals(parts[None], wholes, weights))).all() == known
    for pair in ((parts, wholes, parts, every), (parts, every, parts, wholes)):
        low, high = ratio_difference_intervals(*pair, weights)
        assert (low <= high) == known
        assert np.isnan([low, high]).all() != known


def test_no_pair_no_interval() -> None:
    nothing = np.zeros((2, 5), dtype=np.int64)
    assert np.isnan(ratio_intervals(nothing, nothing[0], bootstrap_weights(5, 0))).all()
    none = np.zeros((2, 0), dtype=np.int64)
    assert np.isnan(ratio_intervals(none, none[0], bootstrap_weights(0, 0))).all()
    assert sign_flip_p_values(none, flip_signs(0, 0)).tolist() == [1.0, 1.0]
    assert exact_sign_flip_p_values(none).tolist() == [1.0, 1.0]


def test_sums_too_large_for_float32_are_exact() -> None:
    # Flips: ±1 and ±(2²⁵ + 1); in float32 the first were 0, and half as many would reach 1.
    values = np.array([[2**24 + 1, -(2**24)]])
    assert np.float32(2**24 + 1) == 2**24
    assert sign_flip_p_values(values, flip_signs(2, 0))[0] == pytest.approx(0.5, abs=0.02)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(8)
    weights = bootstrap_weights(60, 0, 1_000)
    covered = 0
    for _ in range(300):
        wholes = rng.integers(1, 12, size=60)
        # Words of a document agree: its own rate varies around 0.3.
        rates = rng.beta(3, 7, size=60)
        low, high = ratio_intervals(rng.binomial(wholes, rates)[None], wholes, weights)[0]
        covered += bool(low <= 0.3 <= high)
    assert 0.90 <= covered / 300 <= 0.985


def test_resampling_words_instead_of_documents_would_be_too_sure() -> None:
    rng = np.random.default_rng(9)
    wholes = np.full(60, 30)
    rates = rng.beta(1, 2, size=60)
    right = rng.binomial(wholes, rates)
    low, high = ratio_intervals(right[None], wholes, bootstrap_weights(60, 0))[0]
    of_words = 2 * 1.96 * math.sqrt(1 / 3 * 2 / 3 / wholes.sum())
    assert high - low > 2 * of_words


@each("seed", range(6))
def test_sampled_flips_agree_with_all_of_them(seed: int) -> None:
    differences = random_rows(4, 10, 3, seed)
    sampled = sign_flip_p_values(differences, flip_signs(10, seed))
    for row, p in zip(differences, sampled, strict=True):
        reached = sum(
            sum(s * int(d) for s, d in zip(signs, row, strict=True)) >= row.sum()
            for signs in itertools.product((-1, 1), repeat=10)
        )
        truth = reached / 2**10
        assert exact_p([int(d) for d in row]) == truth
        assert abs(p - truth) < 5 * math.sqrt(truth * (1 - truth) / 10_000) + 2e-4


def test_no_p_is_ever_zero() -> None:
    differences = np.full((1, 50), 7)
    assert sign_flip_p_values(differences, flip_signs(50, 0))[0] == 1 / 10_001
    assert 0 < exact_sign_flip_p_values(differences)[0] < 2e-12
    many = np.full((1, 3_000), 5)
    assert 0 < exact_sign_flip_p_values(many)[0] < 2e-12


def test_no_difference_gives_a_p_of_one() -> None:
    nothing = np.zeros((1, 20), dtype=np.int64)
    assert sign_flip_p_values(nothing, flip_signs(20, 0)).tolist() == [1.0]
    assert exact_sign_flip_p_values(nothing).tolist() == [1.0]


@each(("n_documents", "size"), [(1, 3), (2, 1), (9, 4), (60, 20), (400, 6)])
def test_exact_p_values_equal_dynamic_programming(n_documents: int, size: int) -> None:
    differences = random_rows(5, n_documents, size, n_documents)
    computed = exact_sign_flip_p_values(differences)
    for row, p in zip(differences, computed, strict=True):
        assert abs(p - float(exact_p([int(d) for d in row]))) <= 2e-12


def test_under_the_null_p_is_at_most_uniform() -> None:
    rng = np.random.default_rng(4)
    differences = rng.integers(-3, 4, size=(2_000, 30))
    for p in (
        exact_sign_flip_p_values(differences),
        sign_flip_p_values(differences, flip_signs(30, 1)),
    ):
        for level in (0.01, 0.05, 0.2):
            limit = level + 4 * math.sqrt(level * (1 - level) / 2_000)
            assert (p <= level).mean() <= limit
        assert 0.4 < (p <= 0.5).mean() < 0.55


@each("seed", range(4))
def test_q_values_equal_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = np.round(rng.uniform(1e-4, 1, size=101) ** 3, 2 + seed).clip(1e-4, 1)
    assert len(set(p)) < 101 or seed > 1
    np.testing.assert_allclose(
        benjamini_hochberg(p), stats.false_discovery_control(p, method="bh"), rtol=1e-13
    )


def test_q_values_of_one_and_of_no_row() -> None:
    assert benjamini_hochberg(np.array([0.2])).tolist() == [0.2]
    assert benjamini_hochberg(np.zeros(0)).tolist() == []
    assert benjamini_hochberg(np.ones(4)).tolist() == [1.0] * 4


def test_standard_errors_by_hand() -> None:
    # L = 6 / 12; rests 1 − 2, 5 − 3, 0 − 1; se² = 3/2 · (1 + 4 + 1) / 144.
    error = ratio_standard_errors(np.array([[1, 5, 0]]), np.array([[4, 6, 2]]))
    assert error[0] == pytest.approx(math.sqrt(1.5 * 6 / 144), rel=1e-14)


def test_standard_errors_agree_with_the_bootstrap() -> None:
    rng = np.random.default_rng(5)
    wholes = rng.integers(1, 20, size=200)
    parts = rng.binomial(wholes, rng.beta(2, 3, size=200))
    weights = bootstrap_weights(200, 0)
    ratios = (weights @ parts) / (weights @ wholes)
    error = ratio_standard_errors(parts[None], wholes[None])[0]
    assert error == pytest.approx(ratios.std(), rel=0.05)


def test_one_document_or_no_pair_has_no_standard_error() -> None:
    one = np.array([[3]])
    assert np.isnan(ratio_standard_errors(one, one)).all()
    nothing = np.zeros((1, 4), dtype=np.int64)
    assert np.isnan(ratio_standard_errors(nothing, nothing)).all()


def test_normal_quantiles_equal_scipy() -> None:
    for probability in (0.5, 0.8, 0.975):
        assert normal_quantile(probability) == pytest.approx(stats.norm.ppf(probability), abs=1e-12)


@each("n_documents", [45, 60, 80, 150])
def test_an_exact_p_is_never_zero_or_below(n_documents: int) -> None:
    """2 to the power of −documents is less than what rounding leaves of a transform."""
    sizes = np.random.default_rng(n_documents).integers(1, 40, size=(60, n_documents))
    p_values = exact_sign_flip_p_values(sizes)
    assert (p_values > 0).all()
    assert (p_values < 1e-11).all()
    assert (exact_sign_flip_p_values(-sizes) <= 1).all()
