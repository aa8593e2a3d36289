"""How many documents a relation would need before anything could be claimed of it."""

import math

import numpy as np
import pandas as pd
from jaxtyping import Float64

from inspector.errors import InputError
from inspector.frames import dtypes
from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.relations_frame import share
from inspector.heads.specialization.inference import (
    LEVEL,
    MIN_DOCUMENTS,
    normal_quantile,
    ratio_standard_errors,
)
from inspector.heads.specialization.lift import MAX_Q, MIN_LIFT, differences, stacked
from inspector.heads.specialization.split import Split

POWER_COLUMNS = dtypes("power")
"""Columns of the power frame, in order: column → dtype."""


def documents_needed(counts: RelationCounts, power: float = 0.8) -> pd.DataFrame:
    r"""Return how many documents each claim would need for its interval to clear 0, and 0.10.

    With as much variance per document as was seen, and the normal approximation,
    $D = (z_{0.975} + z_\mathrm{power})^2\, \hat D\, \mathrm{se}^2 / (\mathrm{lift} - c)^2$, rounded
    up, at least 5, below which there is no interval, and at least log₂(rows / 0.05), below which
    no p-value, of which the smallest is 2^−D, is small enough after correction over all rows: with
    D documents the interval's lower end lies above c with this probability. Power 0.5 asks that it
    does so on average. Columns:

    - relation, direction, layer, head, n, lift: those of `relation_claims`.
    - documents: $\hat D$, documents of the test split.
    - standard_error: of lift, over these documents, linearised; NaN where fewer than 2 of them
      hold the relation.
    - documents_needed, documents_needed_for_lift: D for c = 0 and c = 0.10, documents of the
      test split; a corpus needs about twice as many. Infinite if lift ≤ c. NaN if lift or
      its error is unknown: a single document that holds the relation cannot tell how much
      documents vary.
    - stability: NaN; that of `split_shares`, which needs the random models too.

    Args:
        counts: Of the model, over the whole corpus.
        power: Probability with which the interval is to clear c, between 0.5 and 1.

    Raises:
        InputError: If power is not a probability of at least 0.5.

    Source: Cochran (1977), Sampling Techniques, sec. 6.4, for the variance of a ratio.
    """
    if not 0.5 <= power < 1:
        raise InputError(
            f"power ({power}) must be at least 0.5 and below 1: the probability with which the "
            "interval is to clear its mark."
        )
    split = Split.of(counts)
    n_documents = len(split.test.documents)
    least = max(MIN_DOCUMENTS, documents_for(len(counts.relations) * len(DIRECTIONS)))
    quantiles = normal_quantile((1 + LEVEL) / 2) + normal_quantile(power)
    parts = []
    for place in np.ndindex(len(counts.relations), len(DIRECTIONS)):
        pairs = split.pairs[place][None]
        apart = differences(split, place, split.chosen_correct[place][None])
        errors = ratio_standard_errors(apart, pairs)
        if (pairs > 0).sum() < 2:
            errors = np.full_like(errors, np.nan)
        lift = share(apart.sum(axis=1), pairs.sum(axis=1))
        if not split.n_selection[place]:
            lift, errors = np.full_like(lift, np.nan), np.full_like(errors, np.nan)
        layer, head = np.divmod(split.chosen[place], counts.n_layers_and_heads[1])
        scale = quantiles * errors * np.sqrt(n_documents)
        parts.append(
            {
                "relation": np.array([counts.relations[place[0]]], dtype=object),
                "direction": np.array([DIRECTIONS[place[1]]], dtype=object),
                "layer": np.array([layer]),
                "head": np.array([head]),
                "n": pairs.sum(axis=1),
                "documents": np.array([n_documents]),
                "lift": lift,
                "standard_error": errors,
                "documents_needed": _needed(scale, lift, least),
                "documents_needed_for_lift": _needed(scale, lift - MIN_LIFT, least),
                "stability": np.array([np.nan]),
            }
        )
    return stacked(parts, POWER_COLUMNS)[list(POWER_COLUMNS)].astype(POWER_COLUMNS)


def documents_for(n_rows: int) -> int:
    """Return how many documents let a p-value be small enough after correction over all rows.

    Example:
        >>> documents_for(1), documents_for(141)
        (5, 12)
    """
    return math.ceil(math.log2(max(n_rows, 1) / MAX_Q))


def _needed(
    scale: Float64[np.ndarray, " row"], distance: Float64[np.ndarray, " row"], least: int
) -> Float64[np.ndarray, " row"]:
    """Return the documents after which scale / √D equals the distance to what is to be cleared."""
    needed = np.full(len(scale), np.inf)
    reachable = distance > 0
    needed[reachable] = np.ceil((scale[reachable] / distance[reachable]) ** 2).clip(least)
    needed[np.isnan(scale) | np.isnan(distance)] = np.nan
    return needed
