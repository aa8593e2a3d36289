"""The frame of controls: a row for every rung that a head was compared with."""

import numpy as np
import pandas as pd

from inspector.frames import dtypes
from inspector.heads.specialization.ladder.judged import KEYWORD
from inspector.heads.specialization.lift import random_init_limit

CONTROLS_COLUMNS = dtypes("controls")
"""Columns of the controls frame, in order: column → dtype."""
RUNGS = (
    "random-init", "offset", "position", "word-class", "selectivity", "matched-source",
    "matched-target",
)  # fmt: skip
"""The rungs, from the lowest."""


def controls_frame(heads: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each head, relation, direction and rung: what it does, and the difference.

    Columns, of the test split: rung; rule: the member, position or offset it stands for; n: pairs
    (0 where the rung was not asked); accuracy: of the rung; difference: the head's − that, over
    these pairs, with its 95 % interval where one was asked; q_value where the rung has one; verdict
    and explained_by: of the head.

    Args:
        heads: Rows of heads with their rungs and verdicts, each once.
    """
    parts = [_rung(heads, rung) for rung in RUNGS]
    if heads.empty:
        return pd.DataFrame(columns=list(CONTROLS_COLUMNS)).astype(CONTROLS_COLUMNS)
    frame = pd.concat([part.assign(row=np.arange(len(heads))) for part in parts])
    frame = frame.sort_values("row", kind="stable", ignore_index=True)
    return frame[list(CONTROLS_COLUMNS)].astype(CONTROLS_COLUMNS)


def _rung(heads: pd.DataFrame, rung: str) -> pd.DataFrame:
    shown = ["layer", "head", "relation", "direction", "verdict", "explained_by"]
    frame = heads[shown].assign(rung=rung, n=heads["n"], q_value=np.nan, rule="")
    columns: dict[str, pd.Series | float]
    if rung == "random-init":
        frame["n"] = heads["random_init_n"]
        difference = heads["accuracy"] - heads["random_init_accuracy"]
        columns = {
            "accuracy": heads["random_init_accuracy"],
            "difference": difference,
            # What a sample may be off by: the bound by which a head must be above it.
            "ci_low": heads["accuracy"] - random_init_limit(heads),
            "ci_high": difference + 2 * heads["random_init_error"],
        }
    elif rung == "offset":
        frame["rule"] = [f"{offset:+d}" for offset in heads["baseline_offset"]]
        frame["q_value"] = heads["q_value"]
        columns = _named(heads, "", "lift", "baseline_accuracy")
    elif rung == "position":
        frame["rule"] = heads["position_rule"]
        columns = _named(heads, "position_", None, "position_accuracy")
    elif rung == "word-class":
        frame["rule"] = heads["class_rule"]
        columns = _named(heads, "class_", "class_lift", "class_accuracy")
    elif rung == "selectivity":
        frame["rule"], frame["n"] = heads["selectivity_rule"], heads["selectivity_n"]
        frame["q_value"] = heads["selectivity_q"]
        columns = _named(heads, "selectivity_", "selectivity", None)
    else:
        name = rung.replace("-", "_")
        frame["n"] = heads[f"{name}_n"]
        if rung == "matched-source":
            frame["rule"] = heads[KEYWORD]
        columns = _named(heads, f"{name}_", f"{name}_difference", None)
    return frame.assign(**columns)


def _named(
    heads: pd.DataFrame, prefix: str, difference: str | None, accuracy: str | None
) -> dict[str, pd.Series | float]:
    own = heads["accuracy"]
    of_rung = np.nan if accuracy is None else heads[accuracy]
    return {
        "accuracy": of_rung,
        "difference": own - of_rung if difference is None else heads[difference],
        "ci_low": heads[f"{prefix}ci_low"],
        "ci_high": heads[f"{prefix}ci_high"],
    }
