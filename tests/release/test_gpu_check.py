"""`make gpu-check` compares by code that runs here too: half types on the CPU, and the skip."""

from dataclasses import replace

import pytest
import torch

from inspector import attend, load
from tools.gpu_check import TEXT, TOLERANCES, Comparison, compare, main


@pytest.mark.full
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_types_are_equal_within_their_rounding(tiny_folder, dtype):
    found = compare("cpu", dtype, str(tiny_folder("bert")), sentences=4)
    assert found.holds, str(found)
    assert found.weights > 1e-6, "half numbers are rounded"
    assert found.tokens_per_second > 0


def test_what_is_further_apart_than_rounding_does_not_hold():
    found = Comparison("float16", True, 0.001, 0.0001, 1e3, 0.0)
    assert found.holds
    assert not replace(found, weights=0.2).holds
    assert not replace(found, behaviour=float("nan")).holds
    assert not replace(found, verified=False).holds


def test_float16_is_a_dtype_of_models(tiny_folder):
    """Its maps are those of float32 to its rounding, nearer to them than those of bfloat16."""
    one = {dtype: load(str(tiny_folder("bert")), dtype=dtype) for dtype in TOLERANCES}
    maps = {dtype: attend(model, TEXT).probabilities for dtype, model in one.items()}
    apart = {dtype: abs(found - maps["float32"]).max() for dtype, found in maps.items()}
    assert 0 < apart["float16"] < apart["bfloat16"] < TOLERANCES["bfloat16"]
    assert apart["float16"] < TOLERANCES["float16"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what is said where there is no GPU")
def test_without_a_gpu_it_says_so(capsys):
    assert main() == 0
    assert capsys.readouterr().out == (
        "skipped: torch sees no GPU here (torch.cuda.is_available() is False)\n"
    )
