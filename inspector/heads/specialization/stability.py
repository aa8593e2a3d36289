"""Whether a claim depends on how its documents were split in two.

Must not know: models, attention maps, files.
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.specialization.inference import normal_quantile, ratio_standard_errors
from inspector.heads.specialization.ladder.other_splits import OtherSplits
from inspector.heads.specialization.ladder.words import WordTable
from inspector.heads.specialization.lift import MAX_Q, MIN_LIFT, MIN_PAIRS
from inspector.heads.specialization.split import Split

SPLITS = 20
"""Other splits of the same documents."""
_SPLITS = 3
_Z = normal_quantile(0.975)


def split_shares(
    claims: pd.DataFrame,
    counts: RelationCounts,
    table: WordTable,
    seed: int = 0,
    *,
    chosen: bool = True,
    max_p: float = MAX_Q,
) -> Float64[np.ndarray, " claim"]:
    """Return in which share of 20 other splits of the documents each claim is supported again.

    Half of the documents, drawn at random, choose head, offset and rules; on the others the claim's
    head must lie ten points above that offset, with a 95 % interval above 0 (linearised, over
    documents), and above random_init_accuracy, with 20 pairs in each half; and no rung of the
    ladder may explain it or leave it open (`OneHead.holds`).

    Args:
        claims: Rows with relation, direction, layer, head and random_init_accuracy.
        counts: Of the corpus they are made on.
        table: Its words, with what each head predicts.
        seed: Of the splits.
        chosen: Whether the claim's head must be the one that is chosen; not where it was named
            beforehand.
        max_p: What the p of selectivity must not exceed: where many heads are asked about, the
            largest that their correction accepted.
    """
    rng, total = np.random.default_rng([seed, _SPLITS]), counts.total()
    held, ladder = np.zeros(len(claims)), OtherSplits(table, seed)
    n_heads = counts.n_layers_and_heads[1]
    rows = claims[["relation", "direction", "layer", "head"]].to_records(index=False).tolist()
    for _ in range(SPLITS):
        order = rng.permutation(len(counts.documents))
        test = counts.of_documents(sorted(order[-(-len(order) // 2) :].tolist()))
        over = _over_offset(claims, Split(total.without(test), test), chosen=chosen)
        judged = np.isin(ladder.documents, test.documents)
        for row in np.flatnonzero(over):
            relation, direction, layer, head = rows[row]
            one = ladder.of(relation, direction, layer * n_heads + head)
            held[row] += one.holds(judged, max_p)
    return held / SPLITS


def _over_offset(claims: pd.DataFrame, split: Split, *, chosen: bool) -> Bool[np.ndarray, " claim"]:
    relation = np.array([split.test.relations.index(name) for name in claims["relation"]], int)
    direction = np.array([DIRECTIONS.index(name) for name in claims["direction"]], int)
    layer, head = (claims[name].to_numpy() for name in ("layer", "head"))
    right = split.test.correct[:, relation, direction, layer, head].T.astype(np.int64)
    at = (relation, direction)
    apart, n = right - split.baseline_correct[at], split.pairs[at]
    total = np.maximum(n.sum(axis=1), 1)
    lift, errors = apart.sum(axis=1) / total, ratio_standard_errors(apart, n)
    enough = np.minimum(n.sum(axis=1), split.n_selection[at]) >= MIN_PAIRS
    above = right.sum(axis=1) / total > claims["random_init_accuracy"].to_numpy()
    holds = enough & above & (lift >= MIN_LIFT) & (lift - _Z * errors > 0)
    if chosen:
        same = split.chosen[at] == layer * split.test.n_layers_and_heads[1] + head
        holds &= same
    return np.asarray(holds)
