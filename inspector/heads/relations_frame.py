"""Which words each head finds: accuracy per relation and direction, beside a fixed offset's."""

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from inspector.frames import dtypes
from inspector.heads.counts import DIRECTIONS, RelationCounts

RELATIONS_COLUMNS = dtypes("relations")
"""Columns of the relations frame, in order: column → dtype."""


def relation_accuracies(counts: RelationCounts) -> pd.DataFrame:
    """Return a row for each layer × head × relation × direction, over the whole corpus.

    Columns:

    - layer, head: counted from 0.
    - relation; direction: one of DIRECTIONS.
    - n: pairs of the relation that are asked: of a decoder those whose right word comes before;
      correct: those that the head predicts; accuracy = correct / n.
    - baseline_offset: the commonest offset (head − dependent, in words) of the relation; of
      equally common ones the nearest, and of −k and k the former. 0 where there is no pair.
      Of a decoder only offsets that its mask allows.
    - baseline_accuracy: its share of the pairs.

    Both accuracies are NaN where there is no pair.

    Source: Voita et al. (2019), arXiv:1905.09418, sec. 5.2, for the baseline.
    """
    total = counts.total()
    n = total.pairs[0].astype(np.int64)
    offsets = commonest_offsets(counts)
    baseline = pairs_at(counts, offsets).sum(axis=0)
    correct = np.moveaxis(total.correct[0], (0, 1), (2, 3)).astype(np.int64)
    shape = correct.shape
    layer, head, relation, direction = np.indices(shape)
    columns = {
        "layer": layer,
        "head": head,
        "relation": np.array(counts.relations, dtype=object)[relation],
        "direction": np.array(DIRECTIONS, dtype=object)[direction],
        "n": n[relation, direction],
        "correct": correct,
        "accuracy": share(correct, n[relation, direction]),
        "baseline_offset": offsets[relation, direction],
        "baseline_accuracy": share(baseline, n)[relation, direction],
    }
    frame = pd.DataFrame({name: values.ravel() for name, values in columns.items()})
    return frame.astype(RELATIONS_COLUMNS)


def commonest_offsets(counts: RelationCounts) -> Int64[np.ndarray, "relation direction"]:
    """Return each relation's commonest offset that the mask allows: head − dependent, in words.

    Of equally common offsets the nearest, and of −k and k the former; 0, which is no offset,
    where no pair is asked, or the relations are an offset by definition.
    """
    near_first = sorted(counts.offsets, key=lambda offset: (abs(offset), offset))
    positions = [counts.offsets.index(offset) for offset in near_first]
    candidates = np.array([*near_first, 0], dtype=np.int64)
    pairs = counts.offset_counts.sum(axis=0, dtype=np.int64)[:, None, positions]
    pairs = pairs * counts.allowed_offsets[None][..., positions]
    commonest = np.full(pairs.shape[:2], len(near_first))
    found = pairs.any(axis=-1) & (not counts.by_definition)
    commonest[found] = pairs[found].argmax(axis=-1) if near_first else 0
    return candidates[commonest]


def pairs_at(
    counts: RelationCounts, offsets: Int64[np.ndarray, "relation direction"]
) -> Int64[np.ndarray, "document relation direction"]:
    """Return how many pairs of each relation lie at the offset given for each direction."""
    chosen = np.array(counts.offsets, dtype=np.int64) == offsets[..., None]
    return np.einsum("dro,rko->drk", counts.offset_counts, chosen, dtype=np.int64)


def share(
    part: Int64[np.ndarray, "*row"], whole: Int64[np.ndarray, "*row"]
) -> Float64[np.ndarray, "*row"]:
    """Return part / whole, NaN where the whole is 0."""
    empty = np.full(part.shape, np.nan)
    return np.divide(part, whole, out=empty, where=whole != 0)
