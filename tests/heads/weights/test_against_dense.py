"""Every column of the weights frame, for all 72 heads of the real model, against dense numpy."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.slow.dense_weights import COLUMNS, dense_row, relative_distance

from inspector.heads import WEIGHTS_COLUMNS, eigenvalues, singular_values, weight_statistics

# Both ways are float64. The dense eigenvalues and singular values that should be zero are not,
# but 1e-16 of the largest each: 2 × 352 of them. Seen on minilm: at most 9e-13 in any column.
DENSE = 1e-10


def stored(model: Any, layer: int, head: int) -> tuple[Any, ...]:
    """Return one head's matrices and biases, cut from the checkpoint's own tensors."""
    tensors = {name: tensor.numpy() for name, tensor in model.model.state_dict().items()}
    place = f"encoder.layer.{layer}.attention"
    rows = slice(32 * head, 32 * (head + 1))
    inputs = [f"{place}.self.{name}" for name in ("query", "key", "value")]
    return (
        *(tensors[f"{name}.weight"][rows] for name in inputs),
        tensors[f"{place}.output.dense.weight"][:, rows],
        tuple(tensors[f"{name}.bias"][rows] for name in inputs),
    )


@pytest.fixture(scope="module")
def frame(minilm: Any) -> pd.DataFrame:
    return weight_statistics(minilm)


@pytest.fixture(scope="module")
def expected(minilm: Any) -> pd.DataFrame:
    return pd.DataFrame(
        [dense_row(*stored(minilm, layer, head)) for layer in range(6) for head in range(12)]
    )


def test_every_column_of_all_heads_equals_dense_numpy(
    frame: pd.DataFrame, expected: pd.DataFrame
) -> None:
    assert len(frame) == 72
    assert set(expected.columns) == set(COLUMNS) - {"layer", "head"}
    distance = relative_distance(frame, expected)
    assert distance.notna().all()
    assert distance.max() < DENSE, distance.sort_values().to_string()


def test_a_weight_changed_by_a_ten_thousandth_is_seen(
    minilm: Any, frame: pd.DataFrame, expected: pd.DataFrame
) -> None:
    """Control: the comparison above can fail, in each column that the weight enters."""
    query, key, value, output, biases = stored(minilm, 0, 0)
    for number, (matrix, columns) in enumerate(
        [
            (query, ["q_norm", *(name for name in COLUMNS if name.startswith("qk_"))]),
            (key, ["k_norm", *(name for name in COLUMNS if name.startswith("qk_"))]),
            (value, ["v_norm", *(name for name in COLUMNS if name.startswith("ov_"))]),
            (output, ["o_norm", *(name for name in COLUMNS if name.startswith("ov_"))]),
        ]
    ):
        matrices = [query, key, value, output]
        perturbed = matrix.astype(np.float64)
        place = np.unravel_index(np.abs(matrix).argmax(), matrix.shape)
        perturbed[place] *= 1.0001
        matrices[number] = perturbed
        wrong = pd.DataFrame([dense_row(*matrices, biases)])
        distance = relative_distance(frame.iloc[:1], wrong)
        untouched = set(wrong.columns) - set(columns)
        assert (distance[columns] > DENSE).all(), distance.to_string()
        assert (distance[list(untouched)] < DENSE).all()


def test_rows_of_two_heads_swapped_are_seen(frame: pd.DataFrame, expected: pd.DataFrame) -> None:
    swapped = expected.iloc[[1, 0, *range(2, 72)]].reset_index(drop=True)
    distance = relative_distance(frame, swapped)
    assert (distance > DENSE).all()


def test_columns_order_dtypes_and_index_are_those_that_are_promised(frame: pd.DataFrame) -> None:
    assert list(frame.columns) == COLUMNS == list(WEIGHTS_COLUMNS)
    assert [str(dtype) for dtype in frame.dtypes] == ["int64"] * 2 + ["float64"] * (
        len(COLUMNS) - 2
    )
    assert list(WEIGHTS_COLUMNS.values()) == ["int64"] * 2 + ["float64"] * (len(COLUMNS) - 2)
    assert isinstance(frame.index, pd.RangeIndex)
    assert (frame.index.start, frame.index.stop, frame.index.step) == (0, 72, 1)
    assert frame["layer"].tolist() == [layer for layer in range(6) for _ in range(12)]
    assert frame["head"].tolist() == list(range(12)) * 6


def test_figures_are_in_range_and_not_rounded(frame: pd.DataFrame) -> None:
    for prefix in ("qk", "ov"):
        for name in ("symmetry", "eigenvalue_positivity"):
            assert frame[f"{prefix}_{name}"].between(-1.0, 1.0).all()
        for name in ("effective_rank", "stable_rank"):
            assert frame[f"{prefix}_{name}"].between(1.0, 32.0).all()
        # ‖M‖₂ ≤ ‖M‖_F ≤ √d_head ‖M‖₂, and stable rank ≤ effective rank².
        ratio = frame[f"{prefix}_frobenius_norm"] / frame[f"{prefix}_spectral_norm"]
        assert ratio.between(1.0, 32**0.5).all()
    figures = frame[COLUMNS[2:]]
    assert (figures.round(9) != figures).all().all()


def test_the_same_call_gives_the_same_bits(minilm: Any, frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(weight_statistics(minilm), frame, check_exact=True)


@pytest.mark.parametrize(("layer", "head"), [(0, 0), (2, 8), (5, 11)])
def test_spectra_equal_dense_numpy(minilm: Any, layer: int, head: int) -> None:
    query, key, value, output, _ = (
        part.astype(np.float64) if isinstance(part, np.ndarray) else part
        for part in stored(minilm, layer, head)
    )
    values = singular_values(minilm, layer, head)
    roots = eigenvalues(minilm, layer, head)
    assert values["matrix"].tolist() == roots["matrix"].tolist() == ["QK"] * 32 + ["OV"] * 32
    for name, product in (("QK", query.T @ key), ("OV", output @ value)):
        dense = np.linalg.svd(product, compute_uv=False)
        ours = values.loc[values["matrix"] == name, "singular_value"].to_numpy()
        np.testing.assert_allclose(ours, dense[:32], rtol=DENSE)
        assert dense[32] < 1e-13 * dense[0]
        found = roots[roots["matrix"] == name]
        theirs = np.linalg.eigvals(product)
        theirs = theirs[np.argsort(-np.abs(theirs))][:32]
        complex_found = found["real"].to_numpy() + 1j * found["imaginary"].to_numpy()
        apart = np.abs(complex_found[:, None] - theirs[None, :])
        largest = np.abs(theirs).max()
        # Each of ours is one of theirs, and the other way round.
        assert apart.min(axis=0).max() < DENSE * largest
        assert apart.min(axis=1).max() < DENSE * largest


def test_columns_and_dtypes_of_the_spectra(minilm: Any) -> None:
    values, roots = singular_values("minilm", 1, 1), eigenvalues(minilm, 1, 1)
    assert list(values.columns) == ["matrix", "index", "singular_value"]
    assert list(roots.columns) == ["matrix", "real", "imaginary"]
    assert [str(dtype) for dtype in values.dtypes] == ["str", "int64", "float64"]
    assert [str(dtype) for dtype in roots.dtypes] == ["str", "float64", "float64"]
    for frame in (values, roots):
        assert isinstance(frame.index, pd.RangeIndex)
        assert len(frame) == 64
    assert values["index"].tolist() == list(range(32)) * 2
    for _, part in values.groupby("matrix"):
        assert part["singular_value"].is_monotonic_decreasing
