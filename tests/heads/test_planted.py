"""Weight statistics of matrices whose figures are known by hand, and the laws they obey."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.each import each
from support.planted.llama import changed, one_head, planted_model, random_weights
from support.slow.dense_weights import dense_row, scaling_laws

from inspector.errors import InputError
from inspector.heads import (
    WEIGHTS_COLUMNS,
    ThinProduct,
    eigenvalues,
    singular_values,
    weight_statistics,
)

D_MODEL, D_HEAD = 17, 4
EXACT = 1e-12
_RANDOM = torch.Generator().manual_seed(7)
_BASIS = torch.linalg.qr(
    torch.randn(D_MODEL, D_HEAD, generator=_RANDOM, dtype=torch.float64)
).Q  # orthonormal columns
_SKEW = torch.tensor(
    [[0.0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 3], [0, 0, -3, 0]], dtype=torch.float64
)
_FIGURES = (
    "spectral_norm",
    "frobenius_norm",
    "effective_rank",
    "stable_rank",
    "symmetry",
    "eigenvalue_positivity",
)


def inner(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return thin factors of B · matrix · Bᵀ, B with orthonormal columns."""
    return _BASIS @ matrix, _BASIS.T


def figures(left: torch.Tensor, right: torch.Tensor) -> dict[str, float]:
    """Return the product's figures, the same for QK and OV."""
    row = weight_statistics(planted_model(one_head(left, right))).iloc[0]
    for name in _FIGURES:
        np.testing.assert_allclose(row[f"qk_{name}"], row[f"ov_{name}"], rtol=EXACT, atol=EXACT)
    return {name: float(row[f"qk_{name}"]) for name in _FIGURES}


def diagonal(*values: float) -> torch.Tensor:
    return torch.diag(torch.tensor(values, dtype=torch.float64))


@each(
    ("matrix", "expected"),
    [
        pytest.param(
            diagonal(1, 1, 1, 1),
            {
                "spectral_norm": 1.0, "frobenius_norm": 2.0, "effective_rank": 4.0,
                "stable_rank": 4.0, "symmetry": 1.0, "eigenvalue_positivity": 1.0,
            },
            id="identity on a subspace",
        ),
        pytest.param(
            diagonal(-2, -2, -2, -2),
            {
                "spectral_norm": 2.0, "frobenius_norm": 4.0, "effective_rank": 4.0,
                "stable_rank": 4.0, "symmetry": 1.0, "eigenvalue_positivity": -1.0,
            },
            id="negative definite",
        ),
        pytest.param(
            diagonal(4, 2, 1, 1),
            {
                "spectral_norm": 4.0, "frobenius_norm": 22**0.5, "effective_rank": 2**1.75,
                "stable_rank": 22 / 16, "symmetry": 1.0, "eigenvalue_positivity": 1.0,
            },
            id="positive definite: shares 1/2 1/4 1/8 1/8, entropy 1.75 ln 2",
        ),
        pytest.param(
            diagonal(3, 1, -3, -2),
            {"symmetry": 1.0, "eigenvalue_positivity": -1 / 9, "stable_rank": 23 / 9},
            id="symmetric, of both signs",
        ),
        pytest.param(
            _SKEW,
            {
                "spectral_norm": 3.0, "frobenius_norm": 20**0.5, "stable_rank": 20 / 9,
                "symmetry": -1.0, "eigenvalue_positivity": 0.0,
            },
            id="skew",
        ),
        pytest.param(
            diagonal(5, 0, 0, 0),
            {
                "spectral_norm": 5.0, "frobenius_norm": 5.0, "effective_rank": 1.0,
                "stable_rank": 1.0, "symmetry": 1.0, "eigenvalue_positivity": 1.0,
            },
            id="rank one",
        ),
        pytest.param(
            diagonal(1, 1, 1, 1) + _SKEW / torch.tensor([[1.0], [1.0], [3.0], [3.0]]),
            {"symmetry": 0.0, "eigenvalue_positivity": 0.5**0.5},
            id="half symmetric, half skew: eigenvalues 1 ± i",
        ),
    ],
)  # fmt: skip
def test_figures_of_planted_products(matrix: torch.Tensor, expected: dict[str, float]) -> None:
    found = figures(*inner(matrix))
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=EXACT, abs=EXACT), name


def test_a_zero_product_has_norm_zero_and_no_ranks() -> None:
    found = figures(torch.zeros(D_MODEL, D_HEAD).double(), _BASIS.T)
    assert (found["spectral_norm"], found["frobenius_norm"]) == (0.0, 0.0)
    for name in ("effective_rank", "stable_rank", "symmetry", "eigenvalue_positivity"):
        assert np.isnan(found[name]), name


@pytest.mark.parametrize(
    "method",
    [ThinProduct.effective_rank, ThinProduct.stable_rank, ThinProduct.symmetry,
     ThinProduct.eigenvalue_positivity, weight_statistics],
)  # fmt: skip
def test_nan_is_documented(method: Callable[..., Any]) -> None:
    assert "NaN" in (method.__doc__ or "")


def test_one_zero_head_leaves_the_others_alone() -> None:
    weights = random_weights()
    ablated = weights.W_Q.clone()
    ablated[5:10] = 0.0
    before = weight_statistics(planted_model(weights))
    after = weight_statistics(planted_model(changed(weights, W_Q=ablated)))
    pd.testing.assert_frame_equal(before.drop(index=1), after.drop(index=1), check_exact=True)
    assert after.loc[1, ["qk_effective_rank", "qk_symmetry"]].isna().all()


@settings(deadline=None, max_examples=40)
@given(
    left=st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6),
    right=st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6),
    seed=st.integers(0, 99),
)
def test_scaling_laws(left: float, right: float, seed: int) -> None:
    """aW_Q, bW_K: norms scale by |ab|, ranks and symmetry stay, positivity takes ab's sign."""
    weights = random_weights(seed=seed)
    before = weight_statistics(planted_model(weights))
    after = weight_statistics(
        planted_model(changed(weights, W_Q=left * weights.W_Q, W_K=right * weights.W_K))
    )
    laws = scaling_laws(left, right)
    for name in WEIGHTS_COLUMNS:
        expected = before[name] * laws.get(name, 1.0)
        np.testing.assert_allclose(after[name], expected, rtol=1e-9, atol=1e-12, err_msg=name)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), order=st.permutations(range(3)))
def test_permuting_heads_permutes_rows(seed: int, order: list[int]) -> None:
    weights = random_weights(seed=seed)
    features = torch.cat([torch.arange(5 * head, 5 * head + 5) for head in order])
    permuted = changed(
        weights,
        **{name: getattr(weights, name)[features] for name in ("W_Q", "W_K", "W_V")},
        **{name: getattr(weights, name)[features] for name in ("b_Q", "b_K", "b_V")},
        W_O=weights.W_O[:, features],
    )
    figures = weight_statistics(planted_model(weights)).drop(columns=["layer", "head"])
    expected = figures.iloc[order].reset_index(drop=True)
    found = weight_statistics(planted_model(permuted)).drop(columns=["layer", "head"])
    pd.testing.assert_frame_equal(found, expected, rtol=EXACT, atol=EXACT)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999))
def test_an_orthogonal_change_of_basis_changes_nothing(seed: int) -> None:
    weights = random_weights(seed=seed)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(17, 17, generator=generator, dtype=torch.float64)
    turn = torch.linalg.qr(drawn).Q
    turned = changed(
        weights,
        **{name: getattr(weights, name) @ turn for name in ("W_Q", "W_K", "W_V")},
        W_O=turn.T @ weights.W_O,
    )
    pd.testing.assert_frame_equal(
        weight_statistics(planted_model(turned)),
        weight_statistics(planted_model(weights)),
        rtol=1e-9,
        atol=1e-11,
    )


def test_a_query_head_uses_its_groups_keys_and_values() -> None:
    weights = random_weights(n_heads=6, n_kv_heads=2)
    frame = weight_statistics(planted_model(weights, random_weights(6, 2, seed=1)))
    assert len(frame) == 12
    for head in range(6):
        rows, shared = slice(5 * head, 5 * head + 5), slice(5 * (head // 3), 5 * (head // 3) + 5)
        expected = dense_row(
            weights.W_Q[rows].numpy(),
            weights.W_K[shared].numpy(),
            weights.W_V[shared].numpy(),
            weights.W_O[:, rows].numpy(),
            (weights.b_Q[rows].numpy(), weights.b_K[shared].numpy(), weights.b_V[shared].numpy()),
        )
        for name, value in expected.items():
            assert frame.loc[head, name] == pytest.approx(value, rel=1e-10), (head, name)


def test_an_absent_bias_has_norm_zero() -> None:
    weights = random_weights()
    frame = weight_statistics(planted_model(changed(weights, b_Q=None, b_V=None, b_O=None)))
    assert (frame["q_bias_norm"] == 0.0).all()
    assert (frame["v_bias_norm"] == 0.0).all()
    assert (frame["k_bias_norm"] > 0.0).all()
    assert frame["q_bias_norm"].dtype == np.float64


@each("function", [singular_values, eigenvalues])
@each(
    ("layer", "head", "sentence"),
    [
        (2, 0, "layer (2) must be one that the model has: layers count from 0 to 1."),
        (-1, 0, "layer (-1) must be one that the model has: layers count from 0 to 1."),
        (0, 3, "head (3) must be one that the model has: heads count from 0 to 2."),
        (0, -1, "head (-1) must be one that the model has: heads count from 0 to 2."),
    ],
)
def test_a_head_that_is_not_there_is_refused(
    function: Callable[..., Any], layer: int, head: int, sentence: str
) -> None:
    model = planted_model(random_weights(), random_weights(seed=1))
    with pytest.raises(InputError) as caught:
        function(model, layer, head)
    assert str(caught.value) == sentence


def test_one_heads_spectra_are_those_of_its_row() -> None:
    model = planted_model(random_weights(), random_weights(seed=1))
    frame = weight_statistics(model)
    for row in frame.to_dict("records"):
        place = (int(row["layer"]), int(row["head"]))
        values = singular_values(model, *place).groupby("matrix")["singular_value"]
        roots = eigenvalues(model, *place)
        for name in ("QK", "OV"):
            assert values.max()[name] == pytest.approx(row[f"{name.lower()}_spectral_norm"])
            part = roots[roots["matrix"] == name]
            positivity = part["real"].sum() / np.hypot(part["real"], part["imaginary"]).sum()
            expected = row[f"{name.lower()}_eigenvalue_positivity"]
            assert positivity == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_narrow_weights_are_widened_before_anything_is_computed(dtype: torch.dtype) -> None:
    narrow = random_weights().to(dtype)
    found = weight_statistics(planted_model(narrow))
    expected = weight_statistics(planted_model(narrow.to(torch.float64)))
    pd.testing.assert_frame_equal(found, expected, rtol=EXACT, atol=EXACT)
