"""Heads that were named beforehand, judged as claims are: nothing is chosen but the simpler rules.

Must not know: models, attention maps, files, who named them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float64

from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.relations_frame import share
from inspector.heads.specialization.inference import (
    bootstrap_weights,
    flip_signs,
    sign_flip_p_values,
)
from inspector.heads.specialization.ladder.judged import SUPPORTED, judged, with_rungs
from inspector.heads.specialization.ladder.keyword import keyword_of
from inspector.heads.specialization.ladder.ladder import head_rungs
from inspector.heads.specialization.ladder.rules import ClassWords
from inspector.heads.specialization.ladder.words import WordTable
from inspector.heads.specialization.lift import (
    differences,
    is_known,
    is_supported,
    is_underpowered,
    lifts,
    stacked,
)
from inspector.heads.specialization.split import (
    RandomInit,
    Split,
    documents_holding,
    random_init,
)

_KEY = ["layer", "head", "relation", "direction"]


@dataclass(frozen=True)
class Named:
    """What is asked: a relation, in some directions, of a head in each."""

    relation: str
    directions: tuple[str, ...]
    heads: tuple[tuple[int, int], ...] | None
    """Layer and head, a pair for each direction; None for the ones that are best on the selection
    split."""


def named_heads(
    named: Sequence[Named],
    counts: RelationCounts,
    random_init_counts: Sequence[RelationCounts],
    table: WordTable,
    unknown: Mapping[str, float],
    seed: int = 0,
) -> list[pd.DataFrame]:
    """Return a frame for each that is named, a row for each direction asked.

    The columns are those of claims with their ladder, on the same splits; but q_value and
    selectivity_q are corrected by Holm over the directions asked, as no head was chosen.

    Args:
        named: Of relations that are counted.
        counts: Of the corpus.
        random_init_counts: Of models with random weights, as `relation_claims` takes them.
        table: The corpus, with what each head predicts for each word.
        unknown: Relation → the share of its pairs with a word that the vocabulary does not know.
        seed: Of the bootstrap and the flips.
    """
    split = Split.of(counts)
    random_models = random_init(split, random_init_counts)
    n_heads, documents = counts.n_layers_and_heads[1], documents_holding(counts)
    frames = [_over_offset(one, split, random_models, unknown, seed) for one in named]
    relations = sorted({one.relation for one in named})
    asked = np.zeros((len(relations), len(DIRECTIONS), table.predicted.shape[1]), dtype=bool)
    for frame in frames:
        for layer, head, relation, direction in frame[_KEY].itertuples(index=False, name=None):
            place = (relations.index(relation), DIRECTIONS.index(direction))
            asked[*place, layer * n_heads + head] = True
    rungs = head_rungs(table, relations, asked, n_heads, seed)
    keywords = _keywords(frames, ClassWords.of(table), n_heads, seed)
    judged_frames = []
    for frame in frames:
        joined = with_rungs(frame, rungs, keywords)
        joined["selectivity_q"] = holm(joined["selectivity_p"].to_numpy())
        joined["verdict"], joined["explained_by"] = judged(joined, documents, len(joined))
        judged_frames.append(joined)
    return judged_frames


def _keywords(
    frames: Sequence[pd.DataFrame], classes: ClassWords, n_heads: int, seed: int
) -> dict[tuple[int, int, str, str], str]:
    """Return the word that heads look at whoever asks, of the rows that are supported so far."""
    table = classes.table
    weights = bootstrap_weights(len(table.test_documents), seed)
    found = {}
    for frame in frames:
        rows = frame.loc[frame["verdict"] == SUPPORTED, _KEY]
        for layer, head, relation, direction in rows.itertuples(index=False, name=None):
            pairs = table.pairs(relation, direction)
            keyword = keyword_of(pairs, classes, layer * n_heads + head, weights)
            if keyword is not None:
                found[layer, head, relation, direction] = keyword.word
    return found


def _over_offset(
    named: Named,
    split: Split,
    random_models: RandomInit,
    unknown: Mapping[str, float],
    seed: int,
) -> pd.DataFrame:
    """Return the rows of one claim over a fixed offset and random weights alone."""
    relation = split.test.relations.index(named.relation)
    n_documents = len(split.test.documents)
    weights, signs = bootstrap_weights(n_documents, seed), flip_signs(n_documents, seed)
    parts = []
    for rank, direction in enumerate(named.directions):
        place = (relation, DIRECTIONS.index(direction))
        if named.heads is None:
            chosen = divmod(int(split.chosen[place]), split.test.n_layers_and_heads[1])
        else:
            chosen = named.heads[rank]
        correct = split.test.correct[:, *place, *chosen][None].astype(np.int64)
        selected = split.selection.correct[:, *place, *chosen].sum(dtype=np.int64)
        lifted = lifts(split, place, correct, weights)
        parts.append(
            {
                "relation": np.array([named.relation], dtype=object),
                "direction": np.array([direction], dtype=object),
                "layer": np.array([chosen[0]]),
                "head": np.array([chosen[1]]),
                **lifted,
                "p_value": sign_flip_p_values(differences(split, place, correct), signs),
                "selection_accuracy": share(selected[None], lifted["n_selection"]),
                **random_models.columns(place, 1),
            }
        )
    frame = stacked(parts, {})
    frame["q_value"] = holm(frame["p_value"].to_numpy())
    frame["optimism"] = frame["selection_accuracy"] - frame["accuracy"]
    frame["verdict"] = "not supported"
    frame.loc[is_underpowered(frame), "verdict"] = "underpowered"
    frame.loc[is_supported(frame), "verdict"] = SUPPORTED
    frame.loc[~is_known(frame, unknown), "verdict"] = "underpowered"
    return frame


def holm(p_values: Float64[np.ndarray, " row"]) -> Float64[np.ndarray, " row"]:
    r"""Return p corrected for as many questions as have one; NaN stays NaN.

    $\tilde p_{(i)} = \max_{j \le i} \min(1, (m - j + 1)\, p_{(j)})$ with p sorted: the chance of
    any false one among them is bounded, however they depend on each other.

    Source: Holm (1979), Scandinavian Journal of Statistics 6(2).

    Example:
        >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).tolist()
        [0.03, 0.06, nan, 0.06]
    """
    asked = np.flatnonzero(~np.isnan(p_values))
    order = asked[np.argsort(p_values[asked], kind="stable")]
    corrected = np.array(p_values, dtype=np.float64)
    scaled = p_values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected
