"""Heads by their distances: joined step by step, and laid out on a plane.

Source: Clark et al. (2019), arXiv:1906.04341, sec. 6 and figure 6.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from inspector.errors import InputError
from inspector.plot.shared import check_columns

_COLUMNS = ["layer", "head", "other_layer", "other_head", "distance_nats"]


def head_matrix(
    distances: pd.DataFrame,
) -> tuple[list[tuple[int, int]], Float[np.ndarray, "head head"]]:
    """Return the heads of a distances frame in order, and the matrix of their distances.

    Raises:
        InputError: If a column is missing, there is no pair, or one is missing or has no distance.
    """
    check_columns(distances, _COLUMNS, "clustering")
    pairs = list(
        zip(
            zip(distances["layer"], distances["head"], strict=True),
            zip(distances["other_layer"], distances["other_head"], strict=True),
            strict=True,
        )
    )
    heads = sorted({(int(layer), int(head)) for pair in pairs for layer, head in pair})
    places = {head: place for place, head in enumerate(heads)}
    matrix = np.full((len(heads), len(heads)), np.nan)
    np.fill_diagonal(matrix, 0.0)
    for (one, other), distance in zip(pairs, distances["distance_nats"], strict=True):
        matrix[places[one], places[other]] = matrix[places[other], places[one]] = distance
    if len(heads) < 2 or not np.isfinite(matrix).all():
        raise InputError(
            f"distances ({len(distances)} rows) must have a number for each pair of at least two "
            "heads: profile with distances=True."
        )
    return heads, matrix


def average_linkage(matrix: Float[np.ndarray, "head head"]) -> Float[np.ndarray, "step 4"]:
    """Return how clusters are joined, the nearest first, by the mean distance of their members.

    A row is the two clusters that are joined, their distance, and how many heads they hold then;
    cluster n + i is that of row i: as `scipy.cluster.hierarchy.average` gives it.

    Example:
        >>> average_linkage(np.array([[0, 1, 4], [1, 0, 6], [4, 6, 0.0]])).tolist()
        [[0.0, 1.0, 1.0, 2.0], [2.0, 3.0, 5.0, 3.0]]
    """
    n = len(matrix)
    apart = matrix.astype(np.float64)
    np.fill_diagonal(apart, np.inf)
    names, sizes = np.arange(n), np.ones(n)
    steps = []
    for step in range(n - 1):
        one, other = sorted(np.unravel_index(np.argmin(apart), apart.shape))
        size = sizes[one] + sizes[other]
        steps.append([*sorted((names[one], names[other])), apart[one, other], size])
        mean = (sizes[one] * apart[one] + sizes[other] * apart[other]) / size
        apart[one], apart[:, one] = mean, mean
        apart[one, one] = np.inf
        apart[other], apart[:, other] = np.inf, np.inf
        names[one], sizes[one] = n + step, size
    return np.array(steps, dtype=np.float64)


def leaf_order(steps: Float[np.ndarray, "step 4"]) -> Int[np.ndarray, " head"]:
    """Return the heads from left to right, so that no two lines of the tree cross."""
    n = len(steps) + 1
    members = {place: [place] for place in range(n)}
    for step, (one, other, *_) in enumerate(steps):
        members[n + step] = members.pop(int(one)) + members.pop(int(other))
    return np.array(members[2 * n - 2])


def plane(matrix: Float[np.ndarray, "head head"]) -> Float[np.ndarray, "head 2"]:
    """Return a place on a plane for each head: classical multidimensional scaling (Torgerson).

    Distances between the places are near those given; each axis has the heads' mean at 0, and its
    first head that is not at 0 on the positive side.

    Example:
        >>> plane(np.array([[0, 3, 4], [3, 0, 5], [4, 5, 0.0]])).shape
        (3, 2)
    """
    n = len(matrix)
    centring = np.eye(n) - 1 / n
    inner = -0.5 * centring @ (matrix.astype(np.float64) ** 2) @ centring
    values, vectors = np.linalg.eigh(inner)
    places = np.zeros((n, 2))
    for axis, which in enumerate((-1, -2)):
        axis_places = vectors[:, which] * np.sqrt(max(values[which], 0.0))
        first = next((value for value in axis_places if abs(value) > 1e-9), 1.0)
        places[:, axis] = axis_places * np.sign(first)
    return places
