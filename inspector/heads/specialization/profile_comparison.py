"""Two profiles of models of the same shape, head by head and claim by claim.

What differs between two checkpoints, two seeds or two corpora.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float64

from inspector.errors import InputError
from inspector.frames import dtypes
from inspector.heads.counts import RelationCounts
from inspector.heads.observers.behaviour import BEHAVIOUR_COLUMNS

_QUANTITIES = [name for name in BEHAVIOUR_COLUMNS if name not in ("layer", "head", "queries")]
_SHARES = [
    name
    for name in _QUANTITIES
    if name.endswith(("_mass", "entropy_share", "confidence", "offset_share"))
]
_FIGURES = ("head_name", "accuracy", "lift", "replicated_lift", "verdict")
Counted = tuple[pd.DataFrame, pd.DataFrame]
"""The frames relations and offsets of a profile."""

HEADS_COLUMNS = dtypes("compared_heads")
"""Columns of the comparison of heads, in order: column → dtype."""

CLAIM_PAIRS_COLUMNS = dtypes("compared_claims")
"""Columns of the comparison of claims, in order: column → dtype."""

MATCHED_HEADS_COLUMNS = dtypes("matched_heads")
"""Columns of the matching of heads, in order: column → dtype."""

OFFSETS_COLUMNS = dtypes("offsets")
"""Columns of the offsets frame, in order: column → dtype."""


def compare_heads(
    behaviour: pd.DataFrame,
    other_behaviour: pd.DataFrame,
    roles: pd.DataFrame,
    other_roles: pd.DataFrame,
) -> pd.DataFrame:
    """Return a row per head: its roles in both profiles, and how its behaviour differs.

    Columns: `layer, head`; `roles` and `other_roles`, joined by ', ' and sorted; how many roles
    were kept, lost and gained; and, for each quantity of the behaviour frame, other − one.

    Args:
        behaviour: Of one profile.
        other_behaviour: Of the other.
        roles: Of one profile.
        other_roles: Of the other.

    Raises:
        InputError: If the two have other layers or heads.
    """
    key = ["layer", "head"]
    one, other = (frame.set_index(key).sort_index() for frame in (behaviour, other_behaviour))
    if not one.index.equals(other.index):
        raise InputError(
            f"runs ({_shape(behaviour)} and {_shape(other_behaviour)}) must be of models with the "
            "same layers and heads: profile two that have."
        )
    differences = (other[_QUANTITIES] - one[_QUANTITIES]).add_suffix("_difference")
    frame = differences.astype("float64").reset_index()
    before, after = _roles_of(roles), _roles_of(other_roles)
    pairs = [
        (before.get(place, set()), after.get(place, set()))
        for place in zip(frame["layer"], frame["head"], strict=True)
    ]
    frame["roles"] = [", ".join(sorted(a)) for a, _ in pairs]
    frame["other_roles"] = [", ".join(sorted(b)) for _, b in pairs]
    frame["roles_kept"] = [len(a & b) for a, b in pairs]
    frame["roles_lost"] = [len(a - b) for a, b in pairs]
    frame["roles_gained"] = [len(b - a) for a, b in pairs]
    return frame[list(HEADS_COLUMNS)].astype(HEADS_COLUMNS)


def compare_claims(
    claims: pd.DataFrame, other_claims: pd.DataFrame, counted: Counted, other_counted: Counted
) -> pd.DataFrame:
    """Return a row per relation × direction that both profiles make a claim of.

    `head` and `other_head` are written 2-8; `lift_difference` is other − one; `replicated_lift` is
    that of the one's head over the one's offset in the other's text, all of it, and
    `other_replicated_lift` that of the other's in the one's text; the two `agree` if both are
    supported and name the same head: two that are not supported agree in nothing.

    Args:
        claims: Of one profile.
        other_claims: Of the other.
        counted: The frames relations and offsets of the one.
        other_counted: Those of the other.
    """
    key = ["relation", "direction"]
    named = [
        frame.assign(
            head_name=[f"{row.layer}-{row.head}" for row in frame.itertuples()],
            replicated_lift=_lifts_on(frame, *elsewhere),
        )[[*key, *_FIGURES]]
        for frame, elsewhere in ((claims, other_counted), (other_claims, counted))
    ]
    pairs = named[0].merge(named[1], on=key, suffixes=("", "_2"))
    both = (pairs["verdict"] == "supported") & (pairs["verdict_2"] == "supported")
    same = pairs["head_name"] == pairs["head_name_2"]
    frame = pairs.rename(columns={"head_name": "head", "head_name_2": "other_head"})
    frame = frame.rename(columns={f"{name}_2": f"other_{name}" for name in _FIGURES[1:]})
    frame["lift_difference"] = frame["other_lift"] - frame["lift"]
    frame["agree"] = both & same
    return frame[list(CLAIM_PAIRS_COLUMNS)].astype(CLAIM_PAIRS_COLUMNS)


def match_heads(behaviour: pd.DataFrame, other_behaviour: pd.DataFrame) -> pd.DataFrame:
    """Return which head of one profile behaves most like which of the other, one to one.

    Of all ways to pair heads, the one in which the distances add up to the least; where one model
    has more heads, some have no partner, and no row. Columns: `layer, head`, `other_layer,
    other_head`, `distance`: the mean absolute difference of the shares of attention (`_SHARES`),
    0 of two that behave alike.

    Args:
        behaviour: Of one profile.
        other_behaviour: Of the other; it may have other layers and heads.
    """
    from scipy.optimize import linear_sum_assignment

    one, other = (frame[_SHARES].to_numpy(np.float64) for frame in (behaviour, other_behaviour))
    apart = np.stack([np.abs(row - other) for row in one])
    known = np.isfinite(apart)
    distances = np.where(known, apart, 0.0).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1)
    rows, columns = linear_sum_assignment(distances)
    places = behaviour.iloc[rows], other_behaviour.iloc[columns]
    frame = pd.DataFrame(
        {
            **{name: places[0][name].to_numpy() for name in ("layer", "head")},
            **{f"other_{name}": places[1][name].to_numpy() for name in ("layer", "head")},
            "distance": distances[rows, columns],
        }
    )
    frame = frame.sort_values(["layer", "head"], ignore_index=True)
    return frame[list(MATCHED_HEADS_COLUMNS)].astype(MATCHED_HEADS_COLUMNS)


def offsets_frame(counts: RelationCounts) -> pd.DataFrame:
    """Return a row for each relation and offset: the pairs that have a right word there."""
    pairs = counts.offset_counts.sum(axis=0, dtype=np.int64)
    relation, offset = pairs.nonzero()
    frame = pd.DataFrame(
        {
            "relation": np.array(counts.relations, dtype=object)[relation],
            "offset": np.array(counts.offsets, dtype=np.int64)[offset],
            "n": pairs[relation, offset],
        }
    )
    return frame.astype(OFFSETS_COLUMNS)


def _lifts_on(
    claims: pd.DataFrame, relations: pd.DataFrame, offsets: pd.DataFrame
) -> Float64[np.ndarray, " claim"]:
    """Return the lift of each claim's head over its offset in other text; NaN without a pair."""
    heads = relations.set_index(["layer", "head", "relation", "direction"])[["n", "accuracy"]]
    places = pd.MultiIndex.from_frame(claims[list(heads.index.names)])
    found = heads.reindex(places)
    there = offsets.set_index(["relation", "offset"])["n"]
    at = pd.MultiIndex.from_frame(claims[["relation", "baseline_offset"]])
    baseline = there.reindex(at).fillna(0).to_numpy() / found["n"].to_numpy()
    return np.asarray(found["accuracy"].to_numpy() - baseline, dtype=np.float64)


def _roles_of(roles: pd.DataFrame) -> dict[tuple[int, int], set[str]]:
    found: dict[tuple[int, int], set[str]] = {}
    for layer, head, role in zip(roles["layer"], roles["head"], roles["role"], strict=True):
        found.setdefault((layer, head), set()).add(role)
    return found


def _shape(behaviour: pd.DataFrame) -> str:
    return f"{behaviour['layer'].nunique()} × {behaviour['head'].nunique()}"
