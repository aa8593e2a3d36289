"""The weights frame by its definitions: every product formed, numpy and float64 only.

Written from shared definitions, not from inspector.heads. Must not know: inspector.
"""

import numpy as np
import pandas as pd

Array = np.ndarray
COLUMNS = [
    "layer", "head",
    "q_norm", "k_norm", "v_norm", "o_norm",
    "q_bias_norm", "k_bias_norm", "v_bias_norm",
    "qk_spectral_norm", "qk_frobenius_norm", "qk_effective_rank", "qk_stable_rank",
    "qk_symmetry", "qk_eigenvalue_positivity",
    "ov_spectral_norm", "ov_frobenius_norm", "ov_effective_rank", "ov_stable_rank",
    "ov_symmetry", "ov_eigenvalue_positivity",
]  # fmt: skip


def dense_row(
    query: Array,
    key: Array,
    value: Array,
    output: Array,
    biases: tuple[Array | None, Array | None, Array | None],
) -> dict[str, float]:
    """Return one head's row, of W_Q, W_K, W_V (d_head × d_model), W_O (d_model × d_head)."""
    row = {
        f"{letter}_norm": float(np.sqrt(np.sum(matrix.astype(np.float64) ** 2)))
        for letter, matrix in zip("qkvo", (query, key, value, output), strict=True)
    }
    for letter, bias in zip("qkv", biases, strict=True):
        norm = 0.0 if bias is None else float(np.sqrt(np.sum(bias.astype(np.float64) ** 2)))
        row[f"{letter}_bias_norm"] = norm
    query, key, value, output = (m.astype(np.float64) for m in (query, key, value, output))
    for prefix, product in (("qk", query.T @ key), ("ov", output @ value)):
        row |= {f"{prefix}_{name}": figure for name, figure in _product(product).items()}
    return row


def _product(matrix: Array) -> dict[str, float]:
    singular = np.linalg.svd(matrix, compute_uv=False)
    eigenvalues = np.linalg.eigvals(matrix)
    square = np.sum(matrix**2)
    share = singular[singular > 0] / singular.sum()
    symmetric, skew = (matrix + matrix.T) / 2, (matrix - matrix.T) / 2
    return {
        "spectral_norm": float(singular[0]),
        "frobenius_norm": float(np.sqrt(square)),
        "effective_rank": float(np.exp(-np.sum(share * np.log(share)))),
        "stable_rank": float(square / singular[0] ** 2),
        "symmetry": float((np.sum(symmetric**2) - np.sum(skew**2)) / square),
        "eigenvalue_positivity": float(eigenvalues.real.sum() / np.abs(eigenvalues).sum()),
    }


def scaling_laws(left: float, right: float) -> dict[str, float]:
    """Return column → its factor where W_Q is multiplied by left, W_K by right; 1 of the rest."""
    factor = left * right
    return {
        "q_norm": abs(left),
        "k_norm": abs(right),
        "qk_spectral_norm": abs(factor),
        "qk_frobenius_norm": abs(factor),
        "qk_eigenvalue_positivity": 1.0 if factor > 0 else -1.0,
    }


def relative_distance(frame: pd.DataFrame, expected: pd.DataFrame) -> pd.Series:
    """Return column → largest |a − b| / |b| over the rows."""
    return ((frame[expected.columns] - expected).abs() / expected.abs()).max()
