"""How sure a difference is: bootstrap and sign-flip test over documents, Benjamini–Hochberg.

Words of one document are not independent, so documents are the unit of all of it. Every sum is
of integers and exact: the same bits on any machine, whatever the order of summation.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from jaxtyping import Float32, Float64, Int8, Int64, UInt8

DRAWS = 10_000
"""Resamples of a bootstrap, and flips of a sign-flip test."""
LEVEL = 0.95
"""Share of an interval."""
MIN_DOCUMENTS = 5
"""Documents that must hold what a ratio is of; resamples of fewer know too few values."""
# What rounding can do to an exact p-value, added to it. Seen: 4e-14.
_ROUNDING = 1e-12
# Numbers in one block of draws, of a product or of a transform: 8 MB in float64.
_BLOCK = 2**20
_BOOTSTRAP, _FLIPS = 1, 2
# Draws × documents that are kept from one question to the next: 16 MB in float32.
_FEW = 2**22
Draws = (
    Float32[np.ndarray, "draw document"]
    | UInt8[np.ndarray, "draw document"]
    | Int8[np.ndarray, "draw document"]
)
"""How often, or with which sign, each document counts in each draw: whole numbers."""


def bootstrap_weights(n_documents: int, seed: int, draws: int = DRAWS) -> Draws:
    """Return how often each document is drawn in each resample, with replacement.

    Example:
        >>> bootstrap_weights(5, seed=0).sum(axis=1)[:3].tolist()
        [5.0, 5.0, 5.0]
    """
    return _drawn(_resamples, n_documents, seed, draws)


def flip_signs(n_documents: int, seed: int, flips: int = DRAWS) -> Draws:
    """Return +1 or −1 for each document, each with probability ½.

    Example:
        >>> sorted(set(flip_signs(4, seed=0).ravel().tolist()))
        [-1.0, 1.0]
    """
    return _drawn(_signs, n_documents, seed, flips)


def _resamples(n_documents: int, seed: int, draws: int) -> UInt8[np.ndarray, "draw document"]:
    rng = np.random.default_rng([seed, _BOOTSTRAP])
    weights = np.zeros((draws, n_documents), dtype=np.uint8)
    for rows in _blocks(draws, 4 * n_documents):
        size = rows.stop - rows.start
        drawn = rng.integers(0, max(n_documents, 1), size=(size, n_documents))
        cells = drawn + n_documents * np.arange(size)[:, None]
        counted = np.bincount(cells.ravel(), minlength=size * n_documents)
        weights[rows] = counted.reshape(size, n_documents)
    return weights


def _signs(n_documents: int, seed: int, flips: int) -> Int8[np.ndarray, "flip document"]:
    rng = np.random.default_rng([seed, _FLIPS])
    return rng.integers(0, 2, size=(flips, n_documents), dtype=np.int8) * np.int8(2) - np.int8(1)


def _drawn(make: Callable[[int, int, int], Draws], n_documents: int, seed: int, n: int) -> Draws:
    """Return draws; few ones as the numbers that products take, and as they were made before."""
    if n * n_documents > _FEW:
        return make(n_documents, seed, n)
    return _few_drawn(make, n_documents, seed, n)


@lru_cache(maxsize=4)
def _few_drawn(
    make: Callable[[int, int, int], Draws], n_documents: int, seed: int, n: int
) -> Draws:
    # Products of few rows with them are twice as fast in this order.
    draws = np.asfortranarray(make(n_documents, seed, n), dtype=np.float32)
    draws.flags.writeable = False
    return draws


def ratio_intervals(
    parts: Int64[np.ndarray, "row document"],
    wholes: Int64[np.ndarray, " document"] | Int64[np.ndarray, "row document"],
    weights: Draws,
) -> Float64[np.ndarray, "row 2"]:
    r"""Return the percentile bootstrap interval of Σ parts / Σ wholes, for each row.

    Resampled documents give $\sum_i w_i a_i / \sum_i w_i b_i$; the interval holds the middle 95 %
    of these. Draws with $\sum_i w_i b_i = 0$ have no ratio and are left out. The interval is NaN
    where fewer than `MIN_DOCUMENTS` documents have a whole, $b_i > 0$.

    Args:
        parts: Of each row.
        wholes: Of all rows, or of each.
        weights: Resamples.

    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 13; Davison & Hinkley
        (1997), sec. 3.8, for resampling whole clusters.
    """
    each = np.broadcast_to(wholes, parts.shape)
    tail = (1 - LEVEL) / 2
    intervals = np.full((len(parts), 2), np.nan)
    asked = np.flatnonzero(np.count_nonzero(each, axis=1) >= MIN_DOCUMENTS)
    for block in _blocks(len(asked), 4 * len(weights)):
        rows = asked[block]
        alike: dict[bytes, list[int]] = {}
        for row in rows.tolist():
            alike.setdefault(each[row].tobytes(), []).append(row)
        first = [some[0] for some in alike.values()]
        ordered = [row for some in alike.values() for row in some]
        # In one product: what costs most is to read the weights.
        sums = _weighted_sums(np.concatenate([each[first], parts[ordered]]), weights)
        start = len(first)
        for below, some in zip(sums, alike.values(), strict=False):
            defined = below > 0
            ratios = sums[start : start + len(some)][:, defined] / below[defined]
            found = np.quantile(ratios, (tail, 1 - tail), axis=1, overwrite_input=True)
            intervals[some], start = found.T, start + len(some)
    return intervals


def ratio_difference_intervals(
    parts: Int64[np.ndarray, " document"],
    wholes: Int64[np.ndarray, " document"],
    other_parts: Int64[np.ndarray, " document"],
    other_wholes: Int64[np.ndarray, " document"],
    weights: Draws,
) -> tuple[float, float]:
    r"""Return the percentile bootstrap interval of Σ parts / Σ wholes − that of the others.

    Both ratios are of the same resampled documents; draws in which one has no whole are left out.
    Both ends are NaN where fewer than `MIN_DOCUMENTS` documents have a whole of one of them, or
    no draw has both.

    Source: as `ratio_intervals`.

    Example:
        >>> weights = bootstrap_weights(5, seed=0)
        >>> one, three, four = (np.full(5, number) for number in (1, 3, 4))
        >>> ratio_difference_intervals(three, four, one, four, weights)
        (0.5, 0.5)
    """
    if not (_enough_documents(wholes) and _enough_documents(other_wholes)):
        return np.nan, np.nan
    table = np.stack([parts, wholes, other_parts, other_wholes])
    part, whole, other_part, other_whole = _weighted_sums(table, weights).astype(np.float64)
    defined = (whole > 0) & (other_whole > 0)
    if not defined.any():
        return np.nan, np.nan
    apart = part[defined] / whole[defined] - other_part[defined] / other_whole[defined]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(apart, (tail, 1 - tail))
    return float(low), float(high)


def _enough_documents(wholes: Int64[np.ndarray, " document"]) -> bool:
    return int(np.count_nonzero(wholes)) >= MIN_DOCUMENTS


def sign_flip_p_values(
    differences: Int64[np.ndarray, "row document"], signs: Draws
) -> Float64[np.ndarray, " row"]:
    r"""Return the one-sided p of each row: are its differences above 0 by more than chance?

    If nothing distinguishes the two that were subtracted, each document's difference is as likely
    to have the other sign. $p = (1 + \#\{\sum_i s_i d_i \ge \sum_i d_i\}) / (1 + \mathrm{flips})$,
    which is never 0.

    Source: Fisher (1935), The Design of Experiments, sec. 21; Phipson & Smyth (2010),
        arXiv:1603.05766, for the 1 +.
    """
    reached = np.empty(len(differences), dtype=np.int64)
    for rows in _blocks(len(differences), len(signs)):
        flipped = _weighted_sums(differences[rows], signs)
        reached[rows] = (flipped >= differences[rows].sum(axis=1)[:, None]).sum(axis=1)
    return (1 + reached) / (1 + len(signs))


def exact_sign_flip_p_values(
    differences: Int64[np.ndarray, "row document"],
) -> Float64[np.ndarray, " row"]:
    r"""Return the p of each row over all $2^\text{document}$ flips, to within 1e-12, never 0.

    What sampled flips tend to. Correcting over thousands of heads needs p below 1 / flips. The
    flipped sum $\sum_i s_i d_i$ has the characteristic function $\prod_i \cos(d_i t)$; taken at
    $t = 2\pi k / M$ with $M > 2 \sum_i |d_i|$ odd, its inverse transform is the exact
    distribution.

    Source: Pagano & Tritchler (1983), On obtaining permutation distributions in polynomial time,
        JASA 78(382).

    Example:
        >>> exact_sign_flip_p_values(np.array([[1, 2, 3], [0, 0, 0]])).round(9).tolist()
        [0.125, 1.0]
    """
    p_values = np.empty(len(differences))
    reach = np.abs(differences).sum(axis=1).max(initial=0)
    for rows in _blocks(len(differences), 2 * int(reach) + 1):
        p_values[rows] = _exact(differences[rows])
    return p_values


def benjamini_hochberg(p_values: Float64[np.ndarray, " row"]) -> Float64[np.ndarray, " row"]:
    r"""Return q of each p: the false discovery rate at which its row would just be accepted.

    $q_{(i)} = \min_{j \ge i} p_{(j)} m / j$ with p sorted, at most 1.

    Source: Benjamini & Hochberg (1995), JRSS B 57(1).

    Example:
        >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).tolist()
        [0.03, 0.04, 0.04]
    """
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * len(p_values) / np.arange(1, len(p_values) + 1)
    q_values = np.empty(len(p_values))
    q_values[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return np.minimum(q_values, 1.0)


def ratio_standard_errors(
    parts: Int64[np.ndarray, "row document"], wholes: Int64[np.ndarray, "row document"]
) -> Float64[np.ndarray, " row"]:
    r"""Return the standard error of Σ parts / Σ wholes for each row, over D documents.

    Linearised: with $L = \sum_i a_i / \sum_i b_i$,
    $\mathrm{se}^2 = \frac{D}{D-1} \sum_i (a_i - L b_i)^2 / (\sum_i b_i)^2$. NaN for fewer than 2
    documents or no whole.

    Source: Cochran (1977), Sampling Techniques, eq. 6.13 without the finite-population factor.
    """
    total = wholes.sum(axis=1)
    known = (total > 0) & (wholes.shape[1] >= 2)
    errors = np.full(len(parts), np.nan)
    ratio = parts.sum(axis=1)[known] / total[known]
    rests = parts[known] - ratio[:, None] * wholes[known]
    n_documents = max(wholes.shape[1], 2)
    spread = n_documents / (n_documents - 1) * np.square(rests).sum(axis=1)
    errors[known] = np.sqrt(spread) / total[known]
    return errors


def normal_quantile(probability: float) -> float:
    """Return z with P(Z ≤ z) = probability for a standard normal Z."""
    return NormalDist().inv_cdf(probability)


def _blocks(n_rows: int, width: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(width, 1))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def _weighted_sums(
    values: Int64[np.ndarray, "row document"],
    weights: Draws,
) -> Float64[np.ndarray, "row draw"]:
    """Return Σ_i weights · values, exactly: in float32 where its integers are large enough."""
    largest = int(np.abs(values).max(initial=0)) * values.shape[1]
    dtype = np.float32 if largest < 2**24 else np.float64
    sums = np.empty((len(values), len(weights)))
    left = values.astype(dtype)
    for draws in _blocks(len(weights), max(weights.shape[1], len(values))):
        sums[:, draws] = left @ weights[draws].T.astype(dtype, copy=False)
    return sums


def _exact(differences: Int64[np.ndarray, "row document"]) -> Float64[np.ndarray, " row"]:
    sizes = np.abs(differences)
    reach = int(sizes.sum(axis=1).max(initial=0))
    length = 2 * reach + 1
    steps = np.arange(reach + 1)
    logarithm = np.zeros((len(sizes), reach + 1))
    negative = np.zeros((len(sizes), reach + 1), dtype=bool)
    for size in np.unique(sizes[sizes > 0]):
        times = (sizes == size).sum(axis=1)[:, None]
        # No cosine is 0: length is odd.
        cosine = np.cos(2 * np.pi * (steps * size % length) / length)
        logarithm += times * np.log(np.abs(cosine))
        negative ^= (times % 2 == 1) & (cosine < 0)
    transform = np.where(negative, -1.0, 1.0) * np.exp(logarithm)
    # irfft puts the sum x at x mod length; from −reach to reach:
    masses = np.roll(np.fft.irfft(transform, n=length, axis=1), reach, axis=1)
    at_least = np.cumsum(masses[:, ::-1], axis=1)[:, ::-1]
    observed = differences.sum(axis=1) + reach
    p_values = np.take_along_axis(at_least, observed[:, None], axis=1)[:, 0]
    return np.clip(p_values, 0.0, None).clip(None, 1 - _ROUNDING) + _ROUNDING
