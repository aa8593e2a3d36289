"""How far heads lie above the baseline on the test split, and what counts as following.

Claims and roles both come from here, so one head has the same lift and interval in both.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int64

from inspector.heads.relations_frame import share
from inspector.heads.specialization.inference import Draws, ratio_intervals
from inspector.heads.specialization.split import Split

MAX_Q = 0.05
"""q must be below this."""
MIN_LIFT = 0.10
"""Accuracy over the baseline that counts as following: Voita et al. (2019), sec. 5.2."""
MIN_PAIRS = 20
"""Pairs in each split, below which nothing is claimed."""
MAX_UNKNOWN = 0.20
"""Share of a relation's pairs with a word that the vocabulary does not know, above which nothing is
claimed: the model cannot tell such words apart."""


def differences(
    split: Split, place: tuple[int, int], correct: Int64[np.ndarray, "row document"]
) -> Int64[np.ndarray, "row document"]:
    """Return right − baseline's right in each document of the test split.

    0 everywhere if the selection split has no pair: then no baseline could be chosen.

    Args:
        split: Both splits of the corpus.
        place: The relation and the direction, by position.
        correct: What each row has right.
    """
    if not split.n_selection[place]:
        return np.zeros_like(correct)
    return correct - split.baseline_correct[place]


def lifts(
    split: Split,
    place: tuple[int, int],
    correct: Int64[np.ndarray, "row document"],
    weights: Draws,
    asked: Bool[np.ndarray, " row"] | None = None,
) -> dict[str, np.ndarray]:
    """Return the columns n … ci_high and n_selection, a row for each of `correct`.

    Args:
        split: Both splits of the corpus.
        place: The relation and the direction, by position.
        correct: What each row has right in each document of the test split.
        weights: Resamples of these documents.
        asked: Rows whose intervals are needed, which cost most; NaN for the others. All where not
            given.
    """
    rows = len(correct)
    n = np.full(rows, split.n_test[place])
    baseline = np.full(rows, split.baseline_correct[place].sum())
    apart = differences(split, place, correct)
    columns = {
        "n": n,
        "accuracy": share(correct.sum(axis=1), n),
        "baseline_offset": np.full(rows, split.baseline_offsets[place]),
        "baseline_accuracy": share(baseline, n),
        "lift": share(apart.sum(axis=1), n),
        "n_selection": np.full(rows, split.n_selection[place]),
    }
    low_and_high = np.full((rows, 2), np.nan)
    needed = np.ones(rows, dtype=bool) if asked is None else asked
    low_and_high[needed] = ratio_intervals(apart[needed], split.pairs[place], weights)
    columns |= {"ci_low": low_and_high[:, 0], "ci_high": low_and_high[:, 1]}
    if not split.n_selection[place]:
        for name in ("baseline_accuracy", "lift", "ci_low", "ci_high"):
            columns[name] = np.full(rows, np.nan)
    return columns


def is_supported(frame: pd.DataFrame) -> pd.Series:
    """Return which rows follow their relation: every condition, with nothing left undefined.

    q_value < 0.05, ci_low > 0, lift ≥ 0.10, accuracy above `random_init_limit` (so never without
    random models), and at least 20 pairs in each split.
    """
    return (
        (frame["q_value"] < MAX_Q)
        & (frame["ci_low"] > 0)
        & (frame["lift"] >= MIN_LIFT)
        & (frame["accuracy"] > random_init_limit(frame))
        & _has_enough_pairs(frame)
    )


def random_init_limit(frame: pd.DataFrame) -> pd.Series:
    """Return what a head must exceed: the best random model's accuracy, and twice its error."""
    return frame["random_init_accuracy"] + 2 * frame["random_init_error"]


def is_underpowered(frame: pd.DataFrame) -> pd.Series:
    """Return which rows leave it open.

    Too few pairs, an interval that holds 0 and 0.10, or none, as with fewer than 5 documents.
    """
    undecided = (frame["ci_low"] <= 0) & (frame["ci_high"] >= MIN_LIFT)
    return undecided | frame["ci_low"].isna() | ~_has_enough_pairs(frame)


def is_known(frame: pd.DataFrame, unknown: Mapping[str, float] | None) -> pd.Series:
    """Return which rows are of a relation whose words the vocabulary knows.

    Args:
        frame: With a column `relation`.
        unknown: Relation → the share of its pairs with a word that it does not know; none where
            that was not counted.
    """
    shares = unknown or {}
    known = [shares.get(name, 0.0) <= MAX_UNKNOWN for name in frame["relation"]]
    return pd.Series(known, index=frame.index, dtype=bool)


def stacked(parts: Sequence[Mapping[str, np.ndarray]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Return parts under each other; without parts, no rows of the columns given."""
    if parts:
        return pd.DataFrame(
            {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        )
    return pd.DataFrame({name: [] for name in (*columns, "n_selection")})


def _has_enough_pairs(frame: pd.DataFrame) -> pd.Series:
    return frame[["n", "n_selection"]].min(axis=1) >= MIN_PAIRS
