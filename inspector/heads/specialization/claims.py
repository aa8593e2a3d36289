"""Which head follows which relation: one claim per relation and direction, with its controls.

Head and baseline are chosen on half of the documents and judged on the other half.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from inspector.frames import dtypes
from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.relations_frame import share
from inspector.heads.specialization.inference import (
    benjamini_hochberg,
    bootstrap_weights,
    flip_signs,
    sign_flip_p_values,
)
from inspector.heads.specialization.lift import (
    differences,
    is_known,
    is_supported,
    is_underpowered,
    lifts,
    stacked,
)
from inspector.heads.specialization.split import RANDOM_INIT_COLUMNS, Split, random_init

_EVERY = dtypes("claims")
_OVER_OFFSET = list(_EVERY).index("verdict") + 1
CLAIMS_COLUMNS = dict(list(_EVERY.items())[:_OVER_OFFSET])
"""Columns of claims over a fixed offset and random weights, in order: column → dtype."""
ADDED_COLUMNS = dict(list(_EVERY.items())[_OVER_OFFSET:])
"""What the ladder of simpler explanations adds to them."""


def relation_claims(
    counts: RelationCounts,
    random_init_counts: Sequence[RelationCounts] = (),
    seed: int = 0,
    *,
    unknown: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return a claim for each relation × direction: its best head, and whether that is so.

    Documents whose id has an even SHA-256 are the selection split, the others the test split.
    Columns (accuracies and lift are shares from 0 to 1):

    - relation; direction: one of DIRECTIONS.
    - layer, head: right most often on the selection split; the first of equal ones.
    - n, accuracy: pairs of the test split, and the share that this head predicts; of a decoder
      only pairs whose right word its mask lets a head find.
    - baseline_offset: the commonest offset (head − dependent, in words) on the selection split
      that the mask allows, the nearest of equal ones, and of −k and k the former; 0 where that
      split has no pair.
    - baseline_accuracy: share of the test split at that offset; lift: accuracy − that.
    - ci_low, ci_high: 95 % bootstrap interval of lift over documents, 10,000 draws; NaN where
      fewer than 5 documents of the test split hold the relation.
    - p_value: one-sided sign-flip test of lift over documents, 10,000 flips.
    - q_value: Benjamini–Hochberg over all rows of the frame.
    - selection_accuracy: on the selection split; optimism: that − accuracy.
    - random_init_accuracy: the same procedure with random weights, the best model; NaN without.
    - random_init_n, random_init_error (last, for the frame of controls): the pairs that this is
      of, and its standard error for what it would be on all n; 0 where they are all.
    - verdict: 'underpowered' with fewer than 20 pairs in either split, no interval, or one that
      holds both 0 and 0.10, or more than 20 % of the relation's pairs with a word that the
      vocabulary does not know; 'supported' if q_value < 0.05, ci_low > 0, lift ≥ 0.10 and
      accuracy > random_init_accuracy + 2 · random_init_error, so never without; else 'not
      supported'.

    What a split without pairs leaves undefined is NaN, and p_value 1. All rows share their draws:
    no row depends on which others there are, but for its q_value.

    Args:
        counts: Of the model, over the whole corpus.
        random_init_counts: Counts of the same corpus, or of sentences drawn from it, by models of
            the same architecture with random weights: none, or at least 3.
        seed: Of the draws.
        unknown: Relation → the share of its pairs with a word that the vocabulary does not know.

    Raises:
        InputError: If there are one or two of them, or one counted another corpus.

    Source: Clark et al. (2019), arXiv:1906.04341, sec. 4.2, for the best head per relation, there
        chosen and scored on the same sentences; Voita et al. (2019), arXiv:1905.09418, sec. 5.2,
        for the baseline.
    """
    split = Split.of(counts)
    random_models = random_init(split, random_init_counts)
    n_documents = len(split.test.documents)
    weights, signs = bootstrap_weights(n_documents, seed), flip_signs(n_documents, seed)
    parts = []
    for place in np.ndindex(len(counts.relations), len(DIRECTIONS)):
        correct = split.chosen_correct[place][None]
        layer, head = np.divmod(split.chosen[place], counts.n_layers_and_heads[1])
        lifted = lifts(split, place, correct, weights)
        parts.append(
            {
                "relation": np.array([counts.relations[place[0]]], dtype=object),
                "direction": np.array([DIRECTIONS[place[1]]], dtype=object),
                "layer": np.array([layer]),
                "head": np.array([head]),
                **lifted,
                "p_value": sign_flip_p_values(differences(split, place, correct), signs),
                "selection_accuracy": share(
                    split.selected_correct[place][None], lifted["n_selection"]
                ),
                **random_models.columns(place, rows=1),
            }
        )
    return _judged(stacked(parts, CLAIMS_COLUMNS | RANDOM_INIT_COLUMNS), unknown)


def _judged(frame: pd.DataFrame, unknown: Mapping[str, float] | None) -> pd.DataFrame:
    """Return the frame with what follows from its rows together, and their verdicts."""
    frame["q_value"] = benjamini_hochberg(frame["p_value"].to_numpy())
    frame["optimism"] = frame["selection_accuracy"] - frame["accuracy"]
    frame["verdict"] = "not supported"
    frame.loc[is_underpowered(frame), "verdict"] = "underpowered"
    frame.loc[is_supported(frame), "verdict"] = "supported"
    frame.loc[~is_known(frame, unknown), "verdict"] = "underpowered"
    columns = CLAIMS_COLUMNS | RANDOM_INIT_COLUMNS
    return frame[list(columns)].astype(columns)
