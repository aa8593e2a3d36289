"""Sums over the documents of the test split, exact and in integers."""

import numpy as np
from jaxtyping import Int64


def by_document(
    values: np.ndarray, document: Int64[np.ndarray, " pair"], n_documents: int
) -> Int64[np.ndarray, "*row document"]:
    """Return the sum of the last axis within each document, which must be sorted.

    Example:
        >>> by_document(np.array([[1, 1, 1]]), np.array([0, 2, 2]), 3).tolist()
        [[1, 0, 2]]
    """
    sums = np.zeros((*values.shape[:-1], n_documents), dtype=np.int64)
    if not len(document):
        return sums
    places, starts = np.unique(document, return_index=True)
    sums[..., places] = np.add.reduceat(values, starts, axis=-1, dtype=np.int32)
    return sums
