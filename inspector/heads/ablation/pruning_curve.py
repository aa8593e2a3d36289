"""Many heads or one: state change and loss when only some heads of each layer are kept."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from inspector.frames import dtypes
from inspector.heads.ablation.state_change import UNIT, StateChangeSums
from inspector.heads.specialization.inference import bootstrap_weights, ratio_intervals
from inspector.models.forward.head_ablation import Head

ROBUSTNESS_COLUMNS = dtypes("robustness")
"""Columns of the robustness frame, in order: column → dtype."""
_INCREASE = ("loss_increase", "loss_ci_low", "loss_ci_high")
SEEDS = (0, 1, 2, 3, 4)
_ORDER = 4


def keep_counts(n_heads: int) -> tuple[int, ...]:
    """Return how many heads of a layer are kept in turn: few, half, three quarters, all but one.

    Example:
        >>> keep_counts(12)
        (1, 2, 3, 4, 6, 9, 11)
    """
    wanted = {1, 2, 3, 4, n_heads // 2, 3 * n_heads // 4, n_heads - 1}
    return tuple(sorted(count for count in wanted if 1 <= count < n_heads))


def ablated_sets(
    importance: pd.DataFrame, counts: Sequence[int], seeds: Sequence[int] = SEEDS
) -> dict[tuple[int, str, int], tuple[Head, ...]]:
    """Return (kept, order, seed) → the heads that are ablated.

    By importance the most important heads of each layer are kept, with seed −1; by random order
    those that come first in an order drawn anew for each layer and seed.

    Args:
        importance: The importance frame.
        counts: How many heads of each layer are kept.
        seeds: Of the random orders.
    """
    ranked = importance.sort_values(["layer", "importance"], ascending=[True, False])
    layers = sorted(set(importance["layer"].tolist()))
    orders: dict[tuple[str, int], dict[int, list[int]]] = {
        ("importance", -1): {
            layer: ranked.loc[ranked["layer"] == layer, "head"].tolist() for layer in layers
        }
    }
    n_heads = len(set(importance["head"]))
    for seed in seeds:
        rng = np.random.default_rng([seed, _ORDER])
        orders["random", seed] = {layer: rng.permutation(n_heads).tolist() for layer in layers}
    return {
        (kept, order, seed): tuple(
            (layer, head) for layer, heads in by_layer.items() for head in sorted(heads[kept:])
        )
        for (order, seed), by_layer in orders.items()
        for kept in counts
    }


def robustness_frame(
    sums: StateChangeSums, keys: Sequence[tuple[int, str, int]], n_heads: int, seed: int = 0
) -> pd.DataFrame:
    """Return state change and loss when fewer heads are kept: a row for each number and order.

    Columns:

    - kept: heads that are kept in each layer.
    - order: 'importance' (the most important of each layer are kept) or 'random'; seed: of the
      random order, −1 for importance.
    - n, documents: words, and documents.
    - state_change: mean over words of ‖z' − z‖ / ‖z‖ with z the last hidden state and z' that
      without the other heads; ci_low, ci_high: 95 % bootstrap interval over documents (10,000
      draws).
    - cosine: mean cosine between z and z'.
    - loss_n: words that have a loss, as in the ablation frame; 0, and what follows NaN, for a
      model without a language-modelling head. loss: their mean loss in nats with these heads;
      loss_increase: what it is more than with all; loss_ci_low, loss_ci_high: its 95 % bootstrap
      interval over documents.

    With all heads kept state_change and loss_increase are 0: that row is there for each order.

    Args:
        sums: Of one variant for each key.
        keys: (kept, order, seed) of each.
        n_heads: Heads of a layer.
        seed: Of the draws.
    """
    by_id = sorted(range(len(sums.documents)), key=lambda place: sums.documents[place])
    n, state_change = sums.n[by_id, -1], sums.effect[by_id, -1].T
    whole = max(int(n.sum()), 1)
    intervals = ratio_intervals(state_change, n, bootstrap_weights(len(n), seed)) * UNIT
    frame = pd.DataFrame(keys, columns=["kept", "order", "seed"]).assign(
        state_change=state_change.sum(axis=1) * UNIT / whole,
        ci_low=intervals[:, 0],
        ci_high=intervals[:, 1],
        cosine=sums.cosine[:, -1].sum(axis=0) * UNIT / whole,
    )
    before, losses = _losses(sums, by_id, seed)
    frame = frame.assign(**losses)
    every = (
        frame[["order", "seed"]]
        .drop_duplicates()
        .assign(kept=n_heads, state_change=0.0, ci_low=0.0, ci_high=0.0, cosine=1.0, loss=before)
    )
    increase = 0.0 if np.isfinite(before) else np.nan
    every = every.assign(**dict.fromkeys(_INCREASE, increase))
    frame = pd.concat([frame, every], ignore_index=True)
    n_known = 0 if sums.losses is None else int(sums.losses.n[:, -1].sum())
    frame = frame.assign(n=n.sum(), documents=np.count_nonzero(n), loss_n=n_known)
    frame = frame.sort_values(["order", "seed", "kept"], ignore_index=True)
    return frame[list(ROBUSTNESS_COLUMNS)].astype(ROBUSTNESS_COLUMNS)


def _losses(
    sums: StateChangeSums, by_id: Sequence[int], seed: int
) -> tuple[float, dict[str, np.ndarray | float]]:
    """Return the loss with all heads, and the columns of the loss: a row for each variant."""
    losses = sums.losses
    if losses is None or not losses.n[:, -1].any():
        return np.nan, dict.fromkeys(("loss", *_INCREASE), np.nan)
    n, more = losses.n[by_id, -1], losses.increase[by_id, -1].T
    before = float(losses.loss[:, -1].sum() * UNIT / n.sum())
    increase = more.sum(axis=1) * UNIT / n.sum()
    intervals = ratio_intervals(more, n, bootstrap_weights(len(n), seed)) * UNIT
    figures = (increase, intervals[:, 0], intervals[:, 1])
    return before, {"loss": before + increase, **dict(zip(_INCREASE, figures, strict=True))}
