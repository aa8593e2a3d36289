"""What is left of a head that follows a relation of meaning when simpler rules are ruled out.

Another rule that finds the same words, pairs that are alike but for the relation, pairs that syntax
or the same word explain.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from inspector.corpora.battery.text import APART, MATCHED
from inspector.corpora.coreference import NEAREST, SAME_HEAD
from inspector.corpora.sentence import RelationSubset
from inspector.frames import dtypes
from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.specialization.inference import bootstrap_weights, ratio_difference_intervals
from inspector.heads.specialization.lift import MIN_LIFT, MIN_PAIRS, lifts
from inspector.heads.specialization.split import Split

RULES = {"nearest_mention": NEAREST, "nearest_same_head": SAME_HEAD}
"""Column → the subset of the pairs that a rule gets right."""
_MEANING, _CONTROL = "meaning:", "meaning-control:"
_FREQUENCY = "explained by distance, part of speech and frequency"

SEMANTIC_CONTROLS_COLUMNS = dtypes("semantic_controls")
"""Columns of the semantic_controls frame, in order: column → dtype."""


def semantic_controls(
    counts: RelationCounts, claims: pd.DataFrame, supported: pd.DataFrame, seed: int = 0
) -> pd.DataFrame:
    """Return the controls of each claim on a relation of meaning, and of each supported head.

    All figures are of the test split. Columns:

    - relation, direction, layer, head, n, accuracy, lift: those of the claim, or of the head.
    - nearest_mention, nearest_same_head: what these rules get right: the mention just before, and
      the last one before with the same head word. NaN where the relation is no coreference.
    - n_matched, matched_accuracy: pairs matched in distance and parts of speech that stand in no
      relation (in texts without parts of speech: the same word with the one that could have been
      right instead), and the share of them that the head predicts. matched_lift: accuracy − that,
      with its 95 % bootstrap interval over documents, matched_ci_low and matched_ci_high.
    - n_apart, apart_accuracy, apart_baseline_accuracy, apart_lift, apart_ci_low, apart_ci_high:
      as in the claims, of the pairs alone that are neither the same word twice nor joined by a
      path of one or two edges of the tree; the offset is chosen for them, on the selection split.
    - lift_left: apart_lift / lift: the share of the effect that is left.
    - verdict: that of the claim where it is not supported. Else 'explained by …' where a simpler
      explanation does as well: apart_lift < 0.10 or apart_ci_low ≤ 0 or no pair is apart ('the same
      word or a path of one or two edges'), matched_ci_low ≤ 0 ('distance and part of speech'),
      accuracy not above one of the rules ('the nearest mention', 'the nearest mention with the same
      head word'); of 'meaning:KIND' 'explained by distance, part of speech and frequency' where the
      interval of its accuracy over that on 'meaning-control:KIND' begins at 0 or below, which the
      control itself always is; 'underpowered' with fewer than 20 pairs apart, matched or of that
      control, or these in fewer than 5 documents, so that there is no interval; else 'survives'.

    Args:
        counts: Of the model, with the subsets and matched pairs.
        claims: The claims on relations of meaning and logic.
        supported: Every head's support for these.
        seed: Of the draws.
    """
    key = ["relation", "direction", "layer", "head"]
    own = supported[supported["supported"]].assign(verdict="supported")
    columns = [*key, "n", "accuracy", "lift", "verdict"]
    # The claims first: of two rows on one head and direction theirs is kept.
    asked = pd.concat([claims[columns], own[columns]]) if len(own) else claims[columns]
    asked = asked.drop_duplicates(key)
    rank = {name: place for place, name in enumerate(DIRECTIONS)}
    asked = asked.sort_values(
        key, key=lambda column: column.map(rank) if column.name == "direction" else column
    )
    split = _Splits(counts, seed) if len(asked) else None
    rows = [_row(split, row) for row in asked.to_dict("records") if split is not None]
    frame = pd.DataFrame(rows, columns=list(SEMANTIC_CONTROLS_COLUMNS))
    return frame.astype(SEMANTIC_CONTROLS_COLUMNS)


class _Splits:
    """The splits of the counts, and where each name stands in them."""

    def __init__(self, counts: RelationCounts, seed: int) -> None:
        self.split = Split.of(counts)
        self.place = {name: position for position, name in enumerate(counts.relations)}
        self.weights = bootstrap_weights(len(self.split.test.documents), seed)

    def pairs(self, name: str, row: Mapping[Any, Any]) -> np.ndarray:
        """Return the pairs of a name in each document of the test split; 0 where unknown."""
        if name in self.place:
            return np.asarray(self.split.pairs[self.at(name, row)])
        return np.zeros(len(self.split.test.documents), dtype=np.int64)

    def at(self, name: str, row: Mapping[Any, Any]) -> tuple[int, int]:
        """Return the place of a known name, and of the row's direction."""
        return self.place[name], DIRECTIONS.index(row["direction"])

    def correct(self, name: str, row: Mapping[Any, Any]) -> np.ndarray:
        """Return what the row's head has right of a name in each document of the test split."""
        if name not in self.place:
            return np.zeros(len(self.split.test.documents), dtype=np.int64)
        table = self.split.test.correct[:, *self.at(name, row)]
        return table[:, row["layer"], row["head"]].astype(np.int64)


def _row(split: _Splits, row: Mapping[Any, Any]) -> dict[str, Any]:
    found = {name: row[name] for name in ("relation", "direction", "layer", "head", "n")}
    found |= {"accuracy": row["accuracy"], "lift": row["lift"]}
    pairs = split.pairs(row["relation"], row)
    is_coreference = str(row["relation"]).startswith("coref")
    for column, subset in RULES.items():
        right = split.pairs(RelationSubset(row["relation"], subset).name, row).sum()
        found[column] = right / pairs.sum() if is_coreference and pairs.sum() else np.nan
    found |= _matched(split, row)
    found |= _apart(split, row)
    lift = float(row["lift"])
    found["lift_left"] = found["apart_lift"] / lift if lift > 0 else np.nan
    found["verdict"] = row["verdict"]
    if row["verdict"] == "supported":
        found["verdict"] = _by_frequency(split, row) or _verdict(found)
    return found


def _by_frequency(split: _Splits, row: Mapping[Any, Any]) -> str:
    """Return the verdict where pairs matched for frequency as well decide, '' where they do not."""
    name = str(row["relation"])
    if name.startswith(_CONTROL):
        return _FREQUENCY
    control = name.replace(_MEANING, _CONTROL, 1)
    if not name.startswith(_MEANING) or control not in split.place:
        return ""
    n, low, _ = _difference(split, row, control)
    if n.sum() < MIN_PAIRS or np.isnan(low):
        return "underpowered"
    return "" if low > 0 else _FREQUENCY


def _difference(
    split: _Splits, row: Mapping[Any, Any], other: str
) -> tuple[np.ndarray, float, float]:
    """Return the pairs of another name, and the interval of the row's accuracy over theirs."""
    name = row["relation"]
    pairs, others = split.pairs(name, row), split.pairs(other, row)
    right, found = split.correct(name, row), split.correct(other, row)
    return others, *ratio_difference_intervals(right, pairs, found, others, split.weights)


def _matched(split: _Splits, row: Mapping[Any, Any]) -> dict[str, Any]:
    name = row["relation"]
    pairs, other = split.pairs(name, row), RelationSubset(name, MATCHED).name
    right, found = split.correct(name, row), split.correct(other, row)
    matched, low, high = _difference(split, row, other)
    known = bool(pairs.sum() and matched.sum())
    accuracy = found.sum() / matched.sum() if matched.sum() else np.nan
    return {
        "n_matched": matched.sum(),
        "matched_accuracy": accuracy,
        "matched_lift": right.sum() / pairs.sum() - accuracy if known else np.nan,
        "matched_ci_low": low,
        "matched_ci_high": high,
    }


def _apart(split: _Splits, row: Mapping[Any, Any]) -> dict[str, Any]:
    name = RelationSubset(row["relation"], APART).name
    if name not in split.place:
        columns = ("accuracy", "baseline_accuracy", "lift", "ci_low", "ci_high")
        return {"n_apart": 0} | dict.fromkeys((f"apart_{column}" for column in columns), np.nan)
    correct = split.correct(name, row)[None]
    lifted = lifts(split.split, split.at(name, row), correct, split.weights)
    columns = ("accuracy", "baseline_accuracy", "lift", "ci_low", "ci_high")
    return {"n_apart": lifted["n"][0]} | {f"apart_{name}": lifted[name][0] for name in columns}


def _verdict(row: Mapping[str, Any]) -> str:
    """Return what a supported claim becomes of, by the first explanation that does as well."""
    if not row["n_apart"]:
        return "explained by the same word or a path of one or two edges"
    if min(row["n_apart"], row["n_matched"]) < MIN_PAIRS:
        return "underpowered"
    if np.isnan(row["apart_ci_low"]) or np.isnan(row["matched_ci_low"]):
        return "underpowered"
    if not (row["apart_ci_low"] > 0 and row["apart_lift"] >= MIN_LIFT):
        return "explained by the same word or a path of one or two edges"
    if not row["matched_ci_low"] > 0:
        return "explained by distance and part of speech"
    if row["accuracy"] <= row["nearest_mention"]:
        return "explained by the nearest mention"
    if row["accuracy"] <= row["nearest_same_head"]:
        return "explained by the nearest mention with the same head word"
    return "survives"
