"""Every head's own lift, and whether it holds after correction over all heads.

The claims name one head per relation and direction; others may follow it as well.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from inspector.frames import dtypes
from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.specialization.inference import (
    benjamini_hochberg,
    bootstrap_weights,
    exact_sign_flip_p_values,
)
from inspector.heads.specialization.lift import (
    MAX_Q,
    differences,
    is_known,
    is_supported,
    lifts,
    stacked,
)
from inspector.heads.specialization.split import Split, random_init

SUPPORT_COLUMNS = dtypes("supported")
"""Columns of the frame of every head's support, in order: column → dtype."""


def supported_heads(
    counts: RelationCounts,
    random_init_counts: Sequence[RelationCounts] = (),
    seed: int = 0,
    *,
    unknown: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return every head's lift for each relation × direction, and whether it is supported.

    One row per layer × head × relation × direction. Columns n to ci_high and random_init_accuracy
    to random_init_error are those of `relation_claims`, for this head; its own accuracy is of the
    test split, on which nothing was chosen. Where p ≥ 0.05 nothing hangs on the interval: NaN.

    - p_value: the same sign-flip test with all flips instead of 10,000, exact to 1e-12: with
      p ≥ 1e-4 no head could survive a correction over thousands.
    - q_value: Benjamini–Hochberg over all rows of this frame.
    - supported: q_value < 0.05, ci_low > 0, lift ≥ 0.10, accuracy > random_init_accuracy +
      2 · random_init_error (so never without random models), at least 20 pairs in each split, and
      at most 20 % of the relation's pairs with a word that the vocabulary does not know.

    Args:
        counts: Of the model, over the whole corpus.
        random_init_counts: Counts of the same corpus, or of sentences drawn from it, by models of
            the same architecture with random weights: none, or at least 3.
        seed: Of the bootstrap.
        unknown: Relation → the share of its pairs with a word that the vocabulary does not know.

    Raises:
        InputError: If there are one or two of them, or one counted another corpus.
    """
    split = Split.of(counts)
    random_models = random_init(split, random_init_counts)
    weights = bootstrap_weights(len(split.test.documents), seed)
    layer, head = (axis.ravel() for axis in np.indices(counts.n_layers_and_heads))
    parts = []
    for place in np.ndindex(len(counts.relations), len(DIRECTIONS)):
        correct = split.test.correct[:, *place].reshape(weights.shape[1], len(head))
        correct = np.ascontiguousarray(correct.T, dtype=np.int64)
        p_values = exact_sign_flip_p_values(differences(split, place, correct))
        parts.append(
            {
                "layer": layer,
                "head": head,
                "relation": np.full(len(head), counts.relations[place[0]], dtype=object),
                "direction": np.full(len(head), DIRECTIONS[place[1]], dtype=object),
                **lifts(split, place, correct, weights, asked=p_values < MAX_Q),
                "p_value": p_values,
                **random_models.columns(place, rows=len(head)),
            }
        )
    frame = stacked(parts, SUPPORT_COLUMNS)
    frame["q_value"] = benjamini_hochberg(frame["p_value"].to_numpy())
    frame["supported"] = is_supported(frame) & is_known(frame, unknown)
    order = ["layer", "head", "relation", "direction"]
    rank = {name: position for position, name in enumerate(DIRECTIONS)}
    frame = frame.sort_values(
        order, key=lambda column: column.map(rank) if column.name == "direction" else column
    )
    return frame[list(SUPPORT_COLUMNS)].astype(SUPPORT_COLUMNS).reset_index(drop=True)
