"""Heads that are named beforehand: the figures of claims, Holm instead of Benjamini–Hochberg."""

import numpy as np
import pandas as pd
import pytest
from support.planted.words import counted, random_words, sample_table

from inspector.heads.counts import DIRECTIONS
from inspector.heads.specialization.claims import relation_claims
from inspector.heads.specialization.ladder.heads_on_ladder import on_ladder
from inspector.heads.specialization.ladder.words import word_table
from inspector.heads.specialization.named_heads import Named, holm, named_heads
from inspector.heads.specialization.split import documents_holding
from inspector.heads.specialization.stability import SPLITS, split_shares
from inspector.heads.specialization.supported_heads import supported_heads

LABELS = ["case", "nsubj", "obj"]
CORRECTED = ("q_value", "selectivity_q", "verdict", "explained_by", "replicates", "stability")


@pytest.fixture(scope="module")
def planted():
    """Return the table, its counts, and those of three random models."""
    table = sample_table()
    others = [
        counted(
            word_table(table.sentences, table.documents, random_words(table.lengths, 4, seed)),
            LABELS,
        )
        for seed in (1, 2, 3)
    ]
    return table, counted(table, LABELS), others


def test_a_head_that_is_named_has_the_figures_of_the_claim_that_chooses_it(planted):
    table, counts, others = planted
    claims = relation_claims(counts, others)
    support = supported_heads(counts, others)
    claims = on_ladder(claims, support, table, documents_holding(counts)).claims
    rows = claims.to_dict("records")
    named = [
        Named(row["relation"], (row["direction"],), ((row["layer"], row["head"]),)) for row in rows
    ]
    chosen = [Named(row["relation"], (row["direction"],), None) for row in rows]
    for asked in (named, chosen):
        frame = pd.concat(named_heads(asked, counts, others, table, {}), ignore_index=True)
        same = [name for name in claims.columns if name not in CORRECTED]
        pd.testing.assert_frame_equal(frame[same], claims[same], check_dtype=False)
        # Of one question nothing is corrected for.
        assert frame["q_value"].tolist() == frame["p_value"].tolist()


def test_three_directions_are_corrected_together_and_the_tree_alone_is_supported(planted):
    table, counts, others = planted
    heads = ((0, 0),) * 3
    (frame,) = named_heads([Named("obj", DIRECTIONS, heads)], counts, others, table, {})
    assert frame["direction"].tolist() == list(DIRECTIONS)
    slow = slow_holm(frame["p_value"].tolist())
    assert frame["q_value"].tolist() == pytest.approx(slow)
    asked = frame["selectivity_p"].dropna()
    assert frame.loc[asked.index, "selectivity_q"].tolist() == pytest.approx(
        slow_holm(asked.tolist())
    )
    (unknown,) = named_heads(
        [Named("obj", DIRECTIONS, heads)], counts, others, table, {"obj": 0.21}
    )
    assert set(unknown["verdict"]) == {"underpowered"}


def slow_holm(p_values):
    """Return Holm's corrected p by its definition: step down, never below the one before."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - rank)))
        corrected[place] = largest
    return corrected


def test_holm_is_its_definition():
    rng = np.random.default_rng(0)
    for size in (1, 2, 3, 9):
        for p_values in rng.uniform(0, 0.4, (20, size)).round(2):
            assert holm(p_values).tolist() == pytest.approx(slow_holm(p_values.tolist()))


def test_the_share_of_splits_is_what_a_loop_over_them_gives(planted):
    _, counts, _ = planted
    rows = [
        {"relation": relation, "direction": "dependent_to_head", "layer": 0, "head": head}
        | {"random_init_accuracy": 0.3}
        for relation in LABELS
        for head in (0, 1, 2)
    ]
    for chosen in (True, False):
        found = split_shares(pd.DataFrame(rows), counts, seed=4, chosen=chosen)
        for row, share in zip(rows, found, strict=True):
            assert share == slow_share(row, counts, chosen=chosen)
    assert split_shares(pd.DataFrame(rows[:1]), counts)[0] > 0.9  # the tree itself


def slow_share(row, counts, *, chosen):
    rng, held = np.random.default_rng([4, 3]), 0
    relation = counts.relations.index(row["relation"])
    for _ in range(SPLITS):
        order = rng.permutation(len(counts.documents)).tolist()
        half = -(-len(order) // 2)
        selection, test = order[:half], order[half:]
        right = counts.correct[:, relation, 0, 0, :].astype(int)
        of_heads = right[selection].sum(axis=0).tolist()
        at = counts.offset_counts[:, relation].astype(int)
        nearest = sorted(range(len(counts.offsets)), key=lambda o: (abs(counts.offsets[o]), o))
        offset = max(nearest, key=lambda o: at[selection, o].sum())
        apart = [int(right[d, row["head"]] - at[d, offset]) for d in test]
        n = [int(counts.n[d, relation]) for d in test]
        lift = sum(apart) / sum(n)
        squares = sum((a - lift * b) ** 2 for a, b in zip(apart, n, strict=True))
        error = (squares * len(n) / (len(n) - 1)) ** 0.5 / sum(n)
        accuracy = right[test, row["head"]].sum() / sum(n)
        held += (
            lift >= 0.1
            and lift - 1.959963984540054 * error > 0
            and accuracy > row["random_init_accuracy"]
            and min(sum(n), int(counts.n[selection, relation].sum())) >= 20
            and (not chosen or of_heads.index(max(of_heads)) == row["head"])
        )
    return held / SPLITS
