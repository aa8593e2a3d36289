"""Roles that the decoder battery gives: what heads are called in the literature, and why.

A probe's relation must be supported, by no simpler rule explained, and absent in its control. What
is a place by definition, previous-token and sink, is compared with random models instead.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from inspector.head_names import Head
from inspector.heads.observers.probe_masses import SINK

DECODER_ROLES = (
    "previous-token", "duplicate-token", "induction", "successor", "name-mover",
    "copy-suppression", "retrieval", SINK, "no-op",
)  # fmt: skip
"""The roles, in the order in which a head's are shown."""
PREVIOUS_SCORE = 0.40
"""Mean attention to the previous token, as LLMVis (2025) sets it."""
SINK_SCORE = 0.30
"""Mean attention to the first token: Gu et al. (2025), arXiv:2410.10781, sec. 3.1, ε."""
NOTHING = 0.10
"""Mean attention by norm below which looking somewhere moves hardly anything; ours."""
SUPPRESSES = 0.50
"""Share of tokens that a head writes against, above which it does not copy but suppress; ours."""
_ASKED = {
    "previous-token": "From a word of a random text it looks most at the one before",
    "duplicate-token": "From the second copy of a word it looks most at the first",
    "induction": "From the second copy of a word it looks most at the word after the first",
    "successor": "From a member of an order it looks most at the one before it in that order",
    "name-mover": "From the end of a sentence it looks most at the name that is not repeated",
    "retrieval": "From the end of a question it looks most at what the needle says",
}
_UNKNOWN = (np.nan, np.nan, np.nan)
_COPIES = ("induction", "name-mover")


def decoder_roles(
    rows: pd.DataFrame,
    behaviour: pd.DataFrame,
    scores: pd.DataFrame | None,
    suppression: Mapping[Head, float],
) -> list[dict[str, Any]]:
    """Return rows of the roles frame, of the battery alone.

    - previous-token: the relation is supported, and its mean attention is at least 0.40.
    - induction, duplicate-token, successor, name-mover, retrieval: the relation is supported and
      survives its control. A name mover that writes against at least half of the tokens it looks
      at is none.
    - copy-suppression: induction or name-mover, writing against at least half of the tokens.
    - sink: mean attention to the first token of at least 0.30, above every head of the random
      models, in the corpus too, and by norm as well; no-op where less than 0.10 is left by norm:
      the first token's value is too short to write anything.

    Args:
        rows: Supported heads of the battery's relations, with what is left by their controls.
        behaviour: The behaviour frame.
        scores: The frame `probe_scores`; without it there is no previous-token and no sink.
        suppression: Head → the share of tokens that it writes against.
    """
    means: dict[tuple[Head, str], tuple[float, float, float]] = {}
    if scores is not None:
        for one in scores.to_dict("records"):
            place = ((one["layer"], one["head"]), one["probe"])
            means[place] = (one["score"], one["random_init_score"], one["norm_score"])
    earned = []
    for row in rows.to_dict("records"):
        probe, head = row["relation"], (row["layer"], row["head"])
        score, at_random, _ = means.get((head, probe), _UNKNOWN)
        if probe not in _ASKED or (probe == "previous-token" and not score >= PREVIOUS_SCORE):
            continue
        evidence = (
            f"{_ASKED[probe]} in {figures(row)} Mean attention there: {_percent(score)}, at most "
            f"{_percent(at_random)} with random weights{_control(row)}."
        )
        figure = (row["lift"], row["ci_low"], row["ci_high"])
        against = suppression.get(head, 0.0)
        if probe in _COPIES and against >= SUPPRESSES:
            writes = (
                f" It writes against it: {_percent(against)} of the tokens are among the ten that "
                "its output lowers most when it looks at them."
            )
            earned.append(_row(head, "copy-suppression", evidence + writes, figure))
            if probe == "name-mover":
                continue
        earned.append(_row(head, probe, evidence, figure))
    return earned + _sinks(behaviour, means)


def _sinks(
    behaviour: pd.DataFrame, means: Mapping[tuple[Head, str], tuple[float, float, float]]
) -> list[dict[str, Any]]:
    earned = []
    for row in behaviour.to_dict("records"):
        head = (row["layer"], row["head"])
        score, at_random, norm = means.get((head, SINK), _UNKNOWN)
        mass = row["first_mass"]
        if not (score >= SINK_SCORE and score > at_random and mass >= SINK_SCORE):
            continue
        evidence = (
            f"The first token gets {_percent(score)} of its attention in random texts, at most "
            f"{_percent(at_random)} with random weights, and {_percent(mass)} in the corpus, "
            f"{_percent(norm)} in random texts by norm, an average value's length being 1."
        )
        if norm >= SINK_SCORE or norm < NOTHING:
            role = SINK if norm >= SINK_SCORE else "no-op"
            earned.append(_row(head, role, evidence, (score, np.nan, np.nan)))
    return earned


def figures(row: Mapping[Any, Any]) -> str:
    """Return how often a relation is found, and what that is compared with."""
    return (
        f"{_percent(row['accuracy'])} of {row['n']} pairs ({row['direction']}); the fixed offset "
        f"{row['baseline_offset']:+d} gets {_percent(row['baseline_accuracy'])}. The lift is "
        f"{_points(row['lift'])} points, 95 % interval {_points(row['ci_low'])} to "
        f"{_points(row['ci_high'])}, q = {row['q_value']:.2g} {row['corrected']}; with random "
        f"weights the best head reaches {_percent(row['random_init_accuracy'])}."
    )


def _control(row: Mapping[Any, Any]) -> str:
    found = row.get("matched_accuracy", np.nan)
    return "" if np.isnan(found) else f"; in the probe's control it is there in {_percent(found)}"


def _row(head: Head, role: str, evidence: str, figure: Sequence[float]) -> dict[str, Any]:
    effect, low, high = figure
    return {
        "layer": head[0],
        "head": head[1],
        "role": role,
        "evidence": evidence,
        "effect": effect,
        "ci_low": low,
        "ci_high": high,
    }


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:.1f}"
