"""Heads that are named beforehand: the figures of claims, Holm instead of Benjamini–Hochberg."""

import numpy as np
import pandas as pd
import pytest
from support.each import each
from support.planted.rungs import EXPLAINED, graded_table, rungs_table
from support.planted.words import counted, random_words, sample_table

from benchmarks.nulls import guessing
from inspector.heads.counts import DIRECTIONS
from inspector.heads.specialization import lift, stability
from inspector.heads.specialization.claims import relation_claims
from inspector.heads.specialization.ladder.heads_on_ladder import on_ladder
from inspector.heads.specialization.ladder.ladder import MATCHED, head_rungs
from inspector.heads.specialization.ladder.rules import SIDES, ClassRule, ClassWords
from inspector.heads.specialization.ladder.words import word_table
from inspector.heads.specialization.named_heads import Named, holm, named_heads
from inspector.heads.specialization.split import documents_holding
from inspector.heads.specialization.stability import split_shares
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


def test_a_named_head_of_too_few_pairs_is_left_open(planted, monkeypatch):
    table, counts, others = planted
    verdicts = []
    for least in (lift.MIN_PAIRS, 10**6):
        monkeypatch.setattr(lift, "MIN_PAIRS", least)
        (frame,) = named_heads([Named("obj", DIRECTIONS[:1], ((0, 3),))], counts, others, table, {})
        verdicts.append(frame["verdict"].item())
    assert verdicts == ["not supported", "underpowered"]


def test_a_head_that_one_rung_alone_explains_is_explained_by_it_and_holds_on_no_split(monkeypatch):
    monkeypatch.setattr(stability, "SPLITS", 5)
    table, down = rungs_table(), DIRECTIONS[0]
    counts = counted(table, list(EXPLAINED))
    others = [counted(guessing(table, seed), list(EXPLAINED)) for seed in (1, 2, 3)]
    asked = [Named(name, (down,), ((0, head),)) for head, name in enumerate(EXPLAINED)]
    frame = pd.concat(named_heads(asked, counts, others, table, {}), ignore_index=True)
    rungs = dict(zip(frame["relation"], frame["explained_by"], strict=True))
    assert rungs == EXPLAINED
    assert frame["verdict"].tolist() == [
        "explained" if rung else "supported" for rung in EXPLAINED.values()
    ]
    assert frame["keyword"].tolist() == ["but" if name == "keyword" else "" for name in EXPLAINED]
    shares = split_shares(frame, counts, table, chosen=False, max_p=0.01)
    assert shares.tolist() == [float(not rung) for rung in EXPLAINED.values()]
    # A head that is right in every document has the smallest p that there is.
    free = frame[frame["relation"] == "free"]
    least = 0.5 ** (len(counts.documents) // 2)
    for most, share in ((1.001 * least, 1.0), (0.999 * least, 0.0)):
        assert split_shares(free, counts, table, chosen=False, max_p=most).tolist() == [share]


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


FEW = 5
GRADES = (0.05, 0.08, 0.1, 0.12, 0.14, 0.16, 0.2, 0.3, 0.3)
"""So that a claim holds on some splits alone, and the head that is chosen changes."""


@pytest.fixture(scope="module")
def again():
    """Return a table, its counts, and for each of some splits: chosen from, judged on, rungs."""
    table = graded_table(GRADES)
    counts = counted(table, ["few", "many"])
    rng = np.random.default_rng([4, 3])
    asked = np.zeros((2, 3, len(GRADES)), dtype=bool)
    splits = []
    for _ in range(FEW):
        order = rng.permutation(len(counts.documents)).tolist()
        half = -(-len(order) // 2)
        tested = [counts.documents[place] for place in order[half:]]
        one = word_table(table.sentences, table.documents, table.predicted, tested=tested)
        rungs = head_rungs(one, ["few", "many"], asked, len(GRADES))
        splits.append((order[:half], order[half:], one, rungs))
    return table, counts, splits


@each("chosen", [True, False])
def test_the_share_of_splits_is_what_a_loop_over_them_gives(again, chosen, monkeypatch):
    monkeypatch.setattr(stability, "SPLITS", FEW)
    table, counts, splits = again
    most = 0.01 if chosen else 0.3  # with the latter the interval is what is left to fail
    rows = [
        {"relation": relation, "direction": "dependent_to_head", "layer": 0, "head": head}
        | {"random_init_accuracy": 0.18}
        for relation in ("few", "many")
        for head in range(len(GRADES))
    ]
    found = split_shares(pd.DataFrame(rows), counts, table, 4, chosen=chosen, max_p=most)
    for row, share in zip(rows, found, strict=True):
        held = [
            over_offset(row, counts, *halves, chosen=chosen) and slow_ladder(row, one, rungs, most)
            for *halves, one, rungs in splits
        ]
        assert share == sum(held) / FEW
    assert found.max() == 1
    assert chosen or ((found > 0) & (found < 1)).sum() >= 2


def over_offset(row, counts, selection, test, *, chosen):
    relation = counts.relations.index(row["relation"])
    right = counts.correct[:, relation, 0, 0, :].astype(int)
    of_heads = right[selection].sum(axis=0).tolist()
    at = counts.offset_counts[:, relation].astype(int)
    nearest = sorted(range(len(counts.offsets)), key=lambda o: (abs(counts.offsets[o]), o))
    offset = max(nearest, key=lambda o: at[selection, o].sum())
    apart = [int(right[d, row["head"]] - at[d, offset]) for d in test]
    n = [int(counts.n[d, relation]) for d in test]
    accuracy = right[test, row["head"]].sum() / sum(n)
    return (
        sum(apart) / sum(n) >= 0.1
        and low_end(apart, n) > 0
        and accuracy > row["random_init_accuracy"]
        and min(sum(n), int(counts.n[selection, relation].sum())) >= 20
        and (not chosen or of_heads.index(max(of_heads)) == row["head"])
    )


def low_end(parts, wholes):
    ratio = sum(parts) / sum(wholes)
    squares = sum((a - ratio * b) ** 2 for a, b in zip(parts, wholes, strict=True))
    error = (squares * len(wholes) / (len(wholes) - 1)) ** 0.5 / sum(wholes)
    return ratio - 1.959963984540054 * error


def slow_ladder(row, again, rungs, most):
    """Return what the frame of rungs says of a split, with intervals by loops over documents."""
    of_row = (rungs["head"] == row["head"]) & (rungs["relation"] == row["relation"])
    (rung,) = rungs[of_row & (rungs["direction"] == row["direction"])].to_dict("records")
    pairs = again.pairs(row["relation"], row["direction"])
    looked = again.predicted[0, row["head"]]
    rule = ClassRule.named(rung["selectivity_rule"])
    words = ClassWords(again).of_class(rule.tags)[SIDES.index(rule.side)]
    parts, wholes = ([0] * len(again.test_documents) for _ in range(2))
    hits = []
    for asks, right, place in zip(pairs.asked, pairs.expected, pairs.document, strict=True):
        if place >= 0:
            hits.append(looked[asks] == right)
            if words[asks] != right:
                parts[place] += int(looked[asks] == right) - int(looked[asks] == words[asks])
                wholes[place] += 1
    return (
        np.mean(hits) - rung["position_accuracy"] >= 0.1
        and sum(wholes) >= 30
        and sum(parts) > 0
        and low_end(parts, wholes) > 0
        and rung["selectivity_p"] <= most
        and all(matched_above(what, pairs, again, row["head"]) for what in MATCHED)
    )


def matched_above(what, pairs, table, head):
    """Return whether a head is above its matched pairs, or has too few of them."""
    find, _ = MATCHED[what]
    test, looked = pairs.of(pairs.is_test), table.predicted[0, head]
    matches = find(test, table)
    parts, wholes = ([0.0] * len(table.test_documents) for _ in range(2))
    for place, (asks, right) in enumerate(zip(test.asked, test.expected, strict=True)):
        words = matches.word[matches.exists[:, place], place].tolist()
        if words:
            others = [
                looked[word] == right if what == "source" else looked[asks] == word
                for word in words
            ]
            parts[test.document[place]] += int(looked[asks] == right) - np.mean(others)
            wholes[test.document[place]] += 1
    return sum(wholes) < 20 or low_end(parts, wholes) > 0
