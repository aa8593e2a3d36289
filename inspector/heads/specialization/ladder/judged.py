"""Verdicts: what of a claim holds against every rung, and which rung explains the rest."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from inspector.heads.specialization.ladder.ladder import FURTHER_COLUMNS, LADDER_COLUMNS
from inspector.heads.specialization.lift import MAX_Q, MIN_LIFT, MIN_PAIRS, random_init_limit

MIN_SELECTIVE = 30
"""Pairs in which rule and annotation differ, below which nothing is concluded of them."""
KEYWORD = "keyword"
"""Column: the word that a head looks at whoever asks; '' where it does not."""
SUPPORTED, EXPLAINED, NOT_SUPPORTED, UNDERPOWERED = (
    "supported", "explained", "not supported", "underpowered",
)  # fmt: skip


def with_rungs(
    frame: pd.DataFrame, rungs: pd.DataFrame, keywords: Mapping[tuple[int, int, str, str], str]
) -> pd.DataFrame:
    """Return rows of heads with the columns of the ladder, and of what only controls show.

    Args:
        frame: With layer, head, relation and direction.
        rungs: The frame of `head_rungs`.
        keywords: (layer, head, relation, direction) → the word that the head looks at instead.
    """
    key = ["layer", "head", "relation", "direction"]
    names = [*LADDER_COLUMNS, *FURTHER_COLUMNS]
    joined = frame.merge(rungs[[*key, *names]], on=key, how="left", validate="one_to_one")
    joined.index = frame.index
    places = joined[key].itertuples(index=False, name=None)
    joined[KEYWORD] = [keywords.get(place, "") for place in places]
    return joined


def explained_by(frame: pd.DataFrame) -> pd.Series:
    """Return the first rung that explains each row, '' where none does.

    Args:
        frame: With the columns of lifts and of the ladder, keyword, q_value, random_init_accuracy,
            and verdict: what it is over a fixed offset and random weights alone.

    Returns:
        'offset': the head is ten points above random models, but an offset does as well;
        'random-init': above the offset, but a random model does as well; and of rows that are
        supported so far 'position', 'matched-source' (the head looks at the same word whoever
        asks), 'word-class', 'matched-source', 'matched-target', in this order. A rule of word class
        that is right in every pair explains whatever a head finds: nothing tells the two apart.
    """
    base = frame["verdict"] == SUPPORTED
    over_offset = (frame["q_value"] < MAX_Q) & (frame["ci_low"] > 0) & (frame["lift"] >= MIN_LIFT)
    decided = frame["verdict"] == NOT_SUPPORTED
    at_random, limit = frame["random_init_accuracy"], random_init_limit(frame)
    no_lift = frame["lift"] < MIN_LIFT
    rungs = {
        "offset": decided & no_lift & (frame["accuracy"] >= at_random + MIN_LIFT),
        "random-init": decided & over_offset & (frame["accuracy"] <= limit),
        "position": base & (frame["accuracy"] - frame["position_accuracy"] < MIN_LIFT),
        "matched-source": base & (frame[KEYWORD] != ""),
        "word-class": base & is_asked(frame) & ~is_underpowered_of_class(frame)
        & ~((frame["selectivity_ci_low"] > 0) & (frame["selectivity_q"] < MAX_Q)),
    }  # fmt: skip
    found = np.select(list(rungs.values()), list(rungs), default="")
    for name in ("matched-source", "matched-target"):
        column = name.replace("-", "_")
        asked = (frame[f"{column}_n"] >= MIN_PAIRS) & frame[f"{column}_ci_low"].notna()
        fails = base & asked & ~(frame[f"{column}_ci_low"] > 0)
        found = np.where((found == "") & fails, name, found)
    return pd.Series(found, index=frame.index, dtype="str")


def is_asked(frame: pd.DataFrame) -> pd.Series:
    """Return which rows have rules of word class to be compared with."""
    return frame["class_rule"].fillna("") != ""


def is_underpowered_of_class(frame: pd.DataFrame) -> pd.Series:
    """Return which rows have too few pairs where rule and annotation differ, but some."""
    n = frame["selectivity_n"]
    few = (n < MIN_SELECTIVE) | frame["selectivity_ci_low"].isna()
    return few & (n > 0)


def judged(
    frame: pd.DataFrame, documents: Mapping[tuple[str, str], int], n_rows: int
) -> tuple[pd.Series, pd.Series]:
    """Return the verdict of each row, and the rung that explains it.

    'supported': over a fixed offset and random weights, and by no rung explained; 'explained';
    'underpowered' as before, and with 1 to 29 pairs where a rule and the annotation differ,
    or so few documents that the smallest possible p, 2^−documents, times all rows of the kind
    exceeds 0.05; else 'not supported'.

    Args:
        frame: As for `explained_by`.
        documents: (relation, direction) → the documents of the test split that hold it.
        n_rows: Claims of the kind.
    """
    explained = explained_by(frame)
    verdict = frame["verdict"].where(explained == "", EXPLAINED)
    still = verdict == SUPPORTED
    verdict = verdict.mask(still & is_underpowered_of_class(frame), UNDERPOWERED)
    places = zip(frame["relation"], frame["direction"], strict=True)
    held_by = np.array([documents.get(place, 0) for place in places], dtype=np.float64)
    too_few = np.exp2(-held_by) * n_rows > MAX_Q
    verdict = verdict.mask(too_few, UNDERPOWERED).astype("str")
    return verdict, explained.mask(verdict != EXPLAINED, "").astype("str")
