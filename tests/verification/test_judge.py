import math

import numpy as np
import pytest
import torch
from support.each import each

from inspector.verification import judge, unit_roundoff
from inspector.verification.judge import Distances, rows_with_keys

U = {torch.float32: 2.0**-24, torch.float64: 2.0**-53, torch.bfloat16: 2.0**-8}


@each("dtype", U)
def test_unit_roundoff_is_half_the_spacing_above_one(dtype):
    assert unit_roundoff(dtype) == U[dtype]


def test_figures_equal_numpy():
    generator = torch.Generator().manual_seed(5)
    ours, theirs, truth = torch.randn(3, 7, 11, generator=generator).double()
    found = judge(ours, theirs, truth, torch.float32)
    a, b, t = ours.numpy(), theirs.numpy(), truth.numpy()
    assert found.max_abs_error == np.abs(a - b).max()
    assert found.rms_error == pytest.approx(math.sqrt(((a - t) ** 2).mean()), rel=1e-14)
    assert found.reference_rms_error == pytest.approx(math.sqrt(((b - t) ** 2).mean()), rel=1e-14)
    assert found.max_error == np.abs(a - t).max()
    assert found.reference_max_error == np.abs(b - t).max()
    assert found.scale == np.abs(b).max()
    assert found.error_in_u == found.max_abs_error / (2.0**-24 * found.scale)
    assert found.rms_ratio == found.rms_error / found.reference_rms_error


def test_what_is_equal_to_the_last_bit_has_the_same_figures_on_both_sides():
    theirs, truth = torch.randn(2, 7, 11, generator=torch.Generator().manual_seed(5))
    found = judge(theirs.clone(), theirs, truth.double(), torch.float32)
    error = (theirs.double() - truth.double()).numpy()
    assert found.max_abs_error == 0.0
    assert found.rms_error == found.reference_rms_error
    assert found.rms_error == pytest.approx(math.sqrt((error**2).mean()), rel=1e-14)
    assert found.max_error == found.reference_max_error == np.abs(error).max()
    infinite = torch.tensor([math.inf, 1.0])
    assert not judge(infinite, infinite, infinite.double(), torch.float32).passed


@each(
    ("off_ours", "off_theirs", "passed"),
    [
        # all in units of u·scale; theirs and ours differ from the truth in one of 100 elements
        (0.0, 0.0, True),
        (3.9, 0.0, True),
        (4.1, 0.0, False),  # farther from an exact reference than 4 u·scale
        (28.0, 10.0, False),  # rms 2.8 > 1.5 × 1.0 + 0.4
        (18.0, 10.0, True),
        (-20.0, 13.0, False),  # 33 u·scale apart
        (-17.0, 14.0, True),  # 31 u·scale apart
    ],
)
def test_each_bound_decides(off_ours, off_theirs, passed):
    unit = 2.0**-24
    truth = torch.ones(100, dtype=torch.float64)
    ours, theirs = truth.clone(), truth.clone()
    ours[3] -= off_ours * unit
    theirs[3] -= off_theirs * unit
    assert judge(ours, theirs, truth, torch.float32).passed is passed


@each(
    ("off_ours", "off_theirs", "passed"),
    [(3.9, 0.0, True), (4.1, 0.0, False), (24.5, 7.0, True), (25.5, 7.0, False)],
)
def test_one_error_among_many_elements_needs_the_largest(off_ours, off_theirs, passed):
    """In the mean square of 10,000 elements it is lost."""
    truth = torch.ones(10_000, dtype=torch.float64)
    ours, theirs = truth.clone(), truth.clone()
    ours[3] -= off_ours * 2.0**-24
    theirs[3] -= off_theirs * 2.0**-24
    assert judge(ours, theirs, truth, torch.float32).passed is passed


def test_an_error_spread_over_all_elements_needs_the_rms_bound():
    truth = torch.ones(100, dtype=torch.float64)
    spread = truth + 0.5 * 2.0**-24
    assert judge(spread, truth, truth, torch.float32).passed is False
    assert judge(truth + 0.3 * 2.0**-24, truth, truth, torch.float32).passed is True


@each("bad", [math.nan, math.inf])
def test_a_value_that_is_not_finite_never_passes(bad):
    clean = torch.ones(4)
    broken = torch.tensor([1.0, bad, 1.0, 1.0])
    assert not judge(broken, clean, clean.double(), torch.float32).passed
    assert not judge(clean, broken, clean.double(), torch.float32).passed
    assert not judge(clean, clean, broken.double(), torch.float32).passed


def test_zeros_equal_zeros_and_nothing_else():
    zero = torch.zeros(3)
    assert judge(zero, zero, zero.double(), torch.float32).passed
    assert math.isnan(judge(zero, zero, zero.double(), torch.float32).rms_ratio)
    tiny = judge(zero + 1e-30, zero, zero.double(), torch.float32)
    assert not tiny.passed
    assert tiny.rms_ratio == math.inf


def test_rows_with_keys_counts_a_row_if_any_head_sees_any_key():
    mask = torch.zeros(2, 1, 3, 4, dtype=torch.bool)
    mask[0, 0, 1, 2] = True
    rows = rows_with_keys(mask, 2, 3)
    assert rows.tolist() == [[False, True, False], [False, False, False]]
    assert rows_with_keys(None, 2, 3).all()
    assert rows_with_keys(torch.ones(1, 1, 1, 4, dtype=torch.bool), 2, 3).shape == (2, 3)


def test_rows_with_keys_of_heads_that_see_different_keys():
    """One head that sees a key is enough: the others' rows are zeros, and compared as such."""
    mask = torch.zeros(1, 2, 3, 4, dtype=torch.bool)
    mask[0, 0, 0] = mask[0, :, 1] = True
    assert rows_with_keys(mask, 1, 3).tolist() == [[True, True, False]]


@each("after", [[], [1.0], [5.0]])
def test_no_larger_error_hides_one_that_is_no_number(after):
    """Whatever part it stands in: the figure says it, not the verdict alone."""
    distances = Distances()
    one = torch.ones(4)
    distances.add(torch.tensor([1.0, math.nan, 1.0, 1.0]), one, one.double())
    for error in after:
        distances.add(one + error, one, one.double())
    found = distances.judgement(torch.float32)
    assert math.isnan(found.max_abs_error)
    assert math.isnan(found.max_error)
    assert not found.passed


def test_parts_are_judged_as_one_tensor():
    ours, theirs, truth = torch.randn(3, 6, 11, generator=torch.Generator().manual_seed(2)).double()
    distances = Distances()
    for part in range(6):
        distances.add(ours[part], theirs[part], truth[part])
    found = distances.judgement(torch.float32)
    whole = judge(ours, theirs, truth, torch.float32)
    assert found.rms_error == pytest.approx(whole.rms_error, rel=1e-14)
    assert found.reference_rms_error == pytest.approx(whole.reference_rms_error, rel=1e-14)
    assert (found.max_abs_error, found.scale) == (whole.max_abs_error, whole.scale)
