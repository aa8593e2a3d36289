"""Attention followed through the layers of one text: rollout."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64

from inspector.errors import InputError
from inspector.frames import dtypes

ROLLOUT_COLUMNS = dtypes("rollout")
"""Columns of the rollout frame, in order: column → dtype."""


def attention_rollout(
    probabilities: Float[np.ndarray, "layer head query key"], residual: float = 0.5
) -> Float64[np.ndarray, "layer query key"]:
    r"""Return how much of each layer's output at a place comes from each input, rows summing to 1.

    $R_l = (r I + (1 - r) \bar A_l) R_{l-1}$ with $\bar A_l$ the mean over heads, $R_{-1} = I$ and r
    the residual connection's share.

    Args:
        probabilities: Of one text; every row sums to 1.
        residual: From 0 (attention alone) to 1.

    Raises:
        InputError: If residual is no share.

    Source: Abnar & Zuidema (2020), arXiv:2005.00928, sec. 3, where r = 0.5.

    Example:
        >>> attention_rollout(np.full((2, 1, 2, 2), 0.5))[1].tolist()
        [[0.625, 0.375], [0.375, 0.625]]
    """
    if not 0.0 <= residual <= 1.0:
        raise InputError(
            f"residual ({residual}) must be from 0 to 1: the share of a layer's output that "
            "passes it by."
        )
    identity = np.eye(probabilities.shape[-1])
    mixed = residual * identity + (1 - residual) * probabilities.astype(np.float64).mean(axis=1)
    layers, so_far = [], identity
    for layer in mixed:
        so_far = layer @ so_far
        layers.append(so_far)
    return np.stack(layers)


def rollout_frame(
    probabilities: Float[np.ndarray, "layer head query key"],
    tokens: list[str],
    residual: float = 0.5,
) -> pd.DataFrame:
    """Return attention rollout as a row for each layer × query × key.

    Columns:

    - layer: up to which layer, that one included.
    - query, key: places in the text, from 0; query_token, key_token: what stands there.
    - rollout: share of the query's state after that layer which comes from the key's input.

    Args:
        probabilities: Of one text.
        tokens: What stands at each place.
        residual: As `attention_rollout` takes it.
    """
    shares = attention_rollout(probabilities, residual)
    layer, query, key = (axis.ravel() for axis in np.indices(shares.shape))
    named = np.array(tokens, dtype=object)
    columns = {
        "layer": layer,
        "query": query,
        "key": key,
        "query_token": named[query],
        "key_token": named[key],
        "rollout": shares.ravel(),
    }
    return pd.DataFrame(columns).astype(ROLLOUT_COLUMNS)
