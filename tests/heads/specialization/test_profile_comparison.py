"""Two profiles side by side: what is compared, by loops over rows, and what cannot be."""

import math

import pandas as pd
import pytest
from support.planted.counts import random_counts

from inspector.errors import InputError
from inspector.heads.observers import BEHAVIOUR_COLUMNS
from inspector.heads.specialization.claims import CLAIMS_COLUMNS
from inspector.heads.specialization.profile_comparison import (
    CLAIM_PAIRS_COLUMNS,
    HEADS_COLUMNS,
    OFFSETS_COLUMNS,
    compare_claims,
    compare_heads,
    offsets_frame,
)

QUANTITIES = [name for name in BEHAVIOUR_COLUMNS if name not in ("layer", "head", "queries")]


def behaviour(start, n_layers=2, n_heads=2):
    rows = [
        {"layer": layer, "head": head, "queries": 9}
        | {name: start + place + 10 * layer + 100 * head for place, name in enumerate(QUANTITIES)}
        for layer in range(n_layers)
        for head in range(n_heads)
    ]
    return pd.DataFrame(rows).astype(BEHAVIOUR_COLUMNS)


def roles(*rows):
    return pd.DataFrame(rows, columns=["layer", "head", "role"])


def claim(relation, direction, layer, head, lift, verdict):
    row = dict.fromkeys(CLAIMS_COLUMNS, 0.0)
    row |= {"relation": relation, "direction": direction, "layer": layer, "head": head}
    return row | {"lift": lift, "accuracy": lift + 0.3, "verdict": verdict}


def claims(*rows):
    return pd.DataFrame([claim(*row) for row in rows]).astype(CLAIMS_COLUMNS)


def test_heads_are_paired_and_differences_are_other_minus_one():
    one, other = behaviour(0.0), behaviour(2.0)
    shuffled = other.sample(frac=1, random_state=0)
    before = roles((0, 0, "broad"), (0, 0, "syntactic:det"), (1, 1, "special-token"))
    after = roles((0, 0, "syntactic:det"), (0, 0, "syntactic:obj"), (1, 0, "broad"))
    frame = compare_heads(one, shuffled, before, after)
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == HEADS_COLUMNS
    for row in frame.to_dict("records"):
        place = (row["layer"], row["head"])
        for name in QUANTITIES:
            values = [
                table[(table["layer"] == place[0]) & (table["head"] == place[1])][name].item()
                for table in (one, other)
            ]
            assert row[f"{name}_difference"] == values[1] - values[0] == 2.0
    by_head = frame.set_index(["layer", "head"])
    assert by_head.loc[(0, 0), "roles"] == "broad, syntactic:det"
    assert by_head.loc[(0, 0), "other_roles"] == "syntactic:det, syntactic:obj"
    counted = by_head[["roles_kept", "roles_lost", "roles_gained"]]
    assert counted.to_numpy().tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_models_of_other_shapes_are_refused():
    with pytest.raises(InputError) as error:
        compare_heads(behaviour(0.0), behaviour(0.0, n_heads=3), roles(), roles())
    assert str(error.value) == (
        "runs (2 × 2 and 2 × 3) must be of models with the same layers and heads: "
        "profile two that have."
    )


def test_claims_of_both_are_compared_and_others_left_out():
    one = claims(
        ("det", "a", 2, 8, 0.2, "supported"),
        ("obj", "a", 2, 0, 0.3, "supported"),
        ("amod", "a", 1, 1, 0.0, "not supported"),
        ("only", "a", 0, 0, 0.5, "supported"),
    )
    other = claims(
        ("amod", "a", 3, 3, -0.1, "underpowered"),
        ("det", "a", 2, 8, 0.25, "supported"),
        ("obj", "a", 1, 5, 0.3, "supported"),
        ("det", "b", 2, 8, 0.25, "supported"),
    )
    frame = compare_claims(one, other, counted(0.4), counted(0.7))
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == CLAIM_PAIRS_COLUMNS
    assert frame["relation"].tolist() == ["det", "obj", "amod"]
    # Two that are not supported agree in nothing.
    assert frame["agree"].tolist() == [True, False, False]
    assert frame["head"].tolist() == ["2-8", "2-0", "1-1"]
    assert frame["other_head"].tolist() == ["2-8", "1-5", "3-3"]
    assert math.isclose(frame["lift_difference"].iloc[0], 0.05)
    assert frame["other_accuracy"].tolist() == [0.55, 0.6, 0.19999999999999998]
    # The one's head and offset in the other's text: its accuracy there, of 30 pairs 12 at +1.
    assert frame["replicated_lift"].fillna(9).tolist() == pytest.approx([0.7 - 0.4, 0.7, 9])
    assert frame["other_replicated_lift"].fillna(9).tolist() == pytest.approx([0.4 - 0.4, 9, 9])


def counted(accuracy):
    """Return the frames relations and offsets of a text: of 30 pairs 12 lie at +1."""
    heads = [("det", 2, 8), ("obj", 2, 0)]
    relations = pd.DataFrame(
        [
            {"relation": name, "direction": "a", "layer": layer, "head": head, "n": 30}
            | {"accuracy": accuracy}
            for name, layer, head in heads
        ]
    )
    rows = [("det", 0, 12), ("obj", 2, 12)]
    return relations, pd.DataFrame(rows, columns=list(OFFSETS_COLUMNS)).astype(OFFSETS_COLUMNS)


def test_the_frame_of_offsets_counts_the_pairs_of_all_documents():
    counts = random_counts()
    rows = offsets_frame(counts).to_dict("records")
    for row in rows:
        relation, offset = (
            counts.relations.index(row["relation"]),
            counts.offsets.index(row["offset"]),
        )
        assert row["n"] == sum(int(one) for one in counts.offset_counts[:, relation, offset]) > 0
    assert sum(row["n"] for row in rows) == counts.offset_counts.sum()
