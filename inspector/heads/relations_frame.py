"""Which words each head finds: accuracy per relation and direction, beside a fixed offset's.

Must not know: documents, statistics, models, files.
"""

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
    - n: pairs of the relation; correct: those that the head predicts; accuracy = correct / n.
    - baseline_offset: the commonest offset (head − dependent, in words) of the relation; of
      equally common ones the nearest, and of −k and k the former. 0 where there is no pair.
    - baseline_accuracy: its share of the pairs, which is what it predicts in any direction.

    Both accuracies are NaN where there is no pair.

    Source: Voita et al. (2019), arXiv:1905.09418, sec. 5.2, for the baseline.
    """
    total = counts.total()
    n = total.n[0].astype(np.int64)
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
        "n": n[relation],
        "correct": correct,
        "accuracy": share(correct, n[relation]),
        "baseline_offset": offsets[relation],
        "baseline_accuracy": share(baseline, n)[relation],
    }
    frame = pd.DataFrame({name: values.ravel() for name, values in columns.items()})
    return frame.astype(RELATIONS_COLUMNS)


def commonest_offsets(counts: RelationCounts) -> Int64[np.ndarray, " relation"]:
    """Return each relation's commonest offset: head − dependent, in words.

    Of equally common offsets the nearest, and of −k and k the former; 0, which is no offset,
    where the relation does not occur.
    """
    near_first = sorted(counts.offsets, key=lambda offset: (abs(offset), offset))
    positions = [counts.offsets.index(offset) for offset in near_first]
    candidates = np.array([*near_first, 0], dtype=np.int64)
    pairs = counts.offset_counts.sum(axis=0, dtype=np.int64)[:, positions]
    found = pairs.any(axis=1)
    commonest = np.full(len(counts.relations), len(near_first))
    if near_first:
        commonest[found] = pairs[found].argmax(axis=1)
    return candidates[commonest]


def pairs_at(
    counts: RelationCounts, offsets: Int64[np.ndarray, " relation"]
) -> Int64[np.ndarray, "document relation"]:
    """Return how many pairs of each relation lie at the offset given for it."""
    chosen = np.array(counts.offsets, dtype=np.int64)[None, :] == offsets[:, None]
    return np.asarray((counts.offset_counts * chosen[None]).sum(axis=-1, dtype=np.int64))


def share(
    part: Int64[np.ndarray, "*row"], whole: Int64[np.ndarray, "*row"]
) -> Float64[np.ndarray, "*row"]:
    """Return part / whole, NaN where the whole is 0."""
    empty = np.full(part.shape, np.nan)
    return np.divide(part, whole, out=empty, where=whole != 0)
