"""Claims and heads of one kind of relations, taken up the ladder and judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from inspector.heads.counts import DIRECTIONS
from inspector.heads.specialization.claims import ADDED_COLUMNS, CLAIMS_COLUMNS
from inspector.heads.specialization.inference import bootstrap_weights
from inspector.heads.specialization.ladder.controls import controls_frame
from inspector.heads.specialization.ladder.judged import (
    EXPLAINED,
    SUPPORTED,
    judged,
    with_rungs,
)
from inspector.heads.specialization.ladder.keyword import Keyword, keyword_of
from inspector.heads.specialization.ladder.ladder import head_rungs
from inspector.heads.specialization.ladder.rules import ClassWords
from inspector.heads.specialization.ladder.simple_roles import (
    SimpleRoles,
    keyword_role,
    strongest,
)
from inspector.heads.specialization.ladder.words import WordTable
from inspector.heads.specialization.lift import MAX_Q

_KEY = ["layer", "head", "relation", "direction"]


@dataclass(frozen=True, eq=False)
class OnLadder:
    """What the ladder leaves of one kind of relations."""

    claims: pd.DataFrame
    supported: pd.DataFrame
    """Every head; `supported` only where no rung explains it."""
    controls: pd.DataFrame
    roles: pd.DataFrame
    """Of heads that a simpler rule explains: columns of the roles frame."""
    max_p: float
    """The largest p of selectivity whose q is below 0.05."""


def on_ladder(
    claims: pd.DataFrame,
    supported: pd.DataFrame,
    table: WordTable,
    documents: Mapping[tuple[str, str], int],
    seed: int = 0,
) -> OnLadder:
    """Return claims and heads as they stand when simpler explanations are ruled out.

    Args:
        claims: Of one kind of relations, compared with a fixed offset and random weights.
        supported: Every head's support for these relations.
        table: The corpus, with what each head predicts for each word.
        documents: (relation, direction) → documents of the test split that hold it.
        seed: Of the bootstrap.
    """
    relations = list(dict.fromkeys(claims["relation"]))
    n_heads = int(supported["head"].max()) + 1 if len(supported) else 1
    asked = _asked(claims, supported, relations, n_heads, table.predicted.shape[1])
    rungs = head_rungs(table, relations, asked, n_heads, seed)
    weights = bootstrap_weights(len(table.test_documents), seed)
    classes = ClassWords.of(table)
    rows = pd.concat(
        [claims[claims["verdict"] == SUPPORTED][_KEY], supported[supported["supported"]][_KEY]]
    ).drop_duplicates()
    keywords = _keywords(rows, classes, n_heads, weights)
    words = {place: keyword.word for place, keyword in keywords.items()}
    heads = supported.assign(verdict=np.where(supported["supported"], SUPPORTED, "not supported"))
    frames = []
    for frame in (claims, heads):
        joined = with_rungs(frame, rungs, words)
        joined["verdict"], joined["explained_by"] = judged(joined, documents, len(claims))
        frames.append(joined.assign(replicates=np.nan))
    both = pd.concat([frames[0], frames[1][supported["supported"].to_numpy()]])
    both = both.drop_duplicates(_KEY).reset_index(drop=True)
    roles = _simple_roles(both, keywords, SimpleRoles(classes, weights), n_heads)
    held = (frames[1]["verdict"] == SUPPORTED).to_numpy()
    return OnLadder(
        frames[0][[*CLAIMS_COLUMNS, *ADDED_COLUMNS]].astype(ADDED_COLUMNS),
        supported.assign(supported=held),
        controls_frame(both),
        roles,
        _max_p(rungs),
    )


def _max_p(rungs: pd.DataFrame) -> float:
    """Return the largest p that is accepted; where none is, what the smallest would have to be."""
    accepted = rungs.loc[rungs["selectivity_q"] < MAX_Q, "selectivity_p"]
    return float(accepted.max() if len(accepted) else MAX_Q / max(len(rungs), 1))


def _asked(
    claims: pd.DataFrame,
    supported: pd.DataFrame,
    relations: Sequence[str],
    n_heads: int,
    size: int,
) -> np.ndarray:
    """Return the heads whose intervals are needed: those claimed, and those supported so far."""
    asked = np.zeros((len(relations), len(DIRECTIONS), size), dtype=bool)
    place = {name: index for index, name in enumerate(relations)}
    rows = pd.concat([claims[_KEY], supported[supported["supported"]][_KEY]])
    for layer, head, relation, direction in rows.itertuples(index=False, name=None):
        asked[place[relation], DIRECTIONS.index(direction), layer * n_heads + head] = True
    return asked


def _keywords(
    rows: pd.DataFrame, classes: ClassWords, n_heads: int, weights: np.ndarray
) -> dict[tuple[Any, ...], Keyword]:
    found = {}
    for place in rows.itertuples(index=False, name=None):
        layer, head, relation, direction = place
        pairs = classes.table.pairs(relation, direction)
        keyword = keyword_of(pairs, classes, layer * n_heads + head, weights)
        if keyword is not None:
            found[place] = keyword
    return found


def _simple_roles(
    heads: pd.DataFrame,
    keywords: Mapping[tuple[Any, ...], Keyword],
    simple: SimpleRoles,
    n_heads: int,
) -> pd.DataFrame:
    rows = simple.positions(n_heads)
    explained = heads["verdict"] == EXPLAINED
    named = heads["explained_by"].isin(["position", "word-class", "matched-source"])
    for row in heads[explained & named].to_dict("records"):
        keyword = keywords.get(tuple(row[name] for name in _KEY))
        if keyword is not None:
            rows.append(keyword_role(keyword, row))
        elif (role := simple.of(row, n_heads)) is not None:
            rows.append(role)
    return strongest(rows)
