"""Claims on other text: figures by plain loops over sentences, outcomes and reasons by hand."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import support.slow.ladder as slow
from support.each import each
from support.planted.words import counted, sample_table

from inspector.heads.counts import DIRECTIONS
from inspector.heads.specialization.inference import bootstrap_weights
from inspector.heads.specialization.replication import (
    REPLICATION_COLUMNS,
    OtherText,
    replicated,
    selectivity_rules,
    with_replicates,
)

LABELS = ["det", "nsubj", "obj"]
CLAIM = {
    "relation": "obj",
    "direction": "head_to_dependent",
    "layer": 0,
    "head": 0,
    "baseline_offset": -2,
    "position_rule": "3",
    "class_rule": "NOUN+PROPN:right-run",
    "selectivity_rule": "PRON:right",
    "verdict": "supported",
}


def claim(**fields):
    return {**CLAIM, **fields}


@pytest.fixture(scope="module")
def other():
    table = sample_table(tested=True)
    return OtherText("sample", counted(table, LABELS), table, {"det": 0.3})


CASES = [
    claim(direction=direction, relation=relation, head=head)
    for direction in DIRECTIONS
    for relation, head in (("obj", 0), ("nsubj", 1), ("obj", 2))
]


def test_each_figure_is_what_plain_loops_give(other):
    frame = replicated(pd.DataFrame(CASES), other)
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == REPLICATION_COLUMNS
    sentences, documents = other.table.sentences, other.table.documents
    starts = np.concatenate([[0], np.cumsum(other.table.lengths)])
    names = sorted(set(documents))
    weights = bootstrap_weights(len(names), 0).astype(np.int64)
    for given, row in zip(CASES, frame.to_dict("records"), strict=True):
        side = int(given["direction"] == "attended_by_head")
        looks = other.table.predicted[side, given["head"]]
        sums = {name: np.zeros((2, len(names)), dtype=np.int64) for name in ("lift", "PRON:right")}
        sums[given["class_rule"]] = np.zeros((2, len(names)), dtype=np.int64)
        hits = at_position = at_offset = n = 0
        for number, asked, expected in slow.pairs(sentences, given["relation"], given["direction"]):
            one, document = sentences[number], names.index(documents[number])
            found = looks[starts[number] + asked] - starts[number]
            apart = expected - asked
            if given["direction"] == "head_to_dependent":
                apart = -apart
            n, hits = n + 1, hits + (found == expected)
            at_offset += apart == given["baseline_offset"]
            position = slow.position_word(len(one.words), given["position_rule"], asked)
            at_position += position == expected
            sums["lift"][:, document] += (
                int(found == expected) - int(apart == given["baseline_offset"]),
                1,
            )
            for rule in (given["class_rule"], "PRON:right"):
                word = slow.rule_word(one.upos, rule, asked)
                if word != expected:
                    sums[rule][:, document] += int(found == expected) - int(found == word), 1
        assert (row["n"], row["accuracy"]) == (n, float(Fraction(int(hits), n)))
        assert row["baseline_accuracy"] == float(Fraction(int(at_offset), n))
        assert row["position_accuracy"] == float(Fraction(int(at_position), n))
        ends = [
            tuple(np.quantile((weights @ parts) / (weights @ wholes), (0.025, 0.975)))
            for parts, wholes in (sums["lift"], *(sums[r] for r in sums if r != "lift"))
        ]
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(ends[0])
        shares = [
            (parts.sum() / wholes.sum(), int(wholes.sum()))
            for rule, (parts, wholes) in sums.items()
            if rule != "lift"
        ]
        assert (row["selectivity"], row["selectivity_n"]) in shares
        assert (row["selectivity_ci_low"], row["selectivity_ci_high"]) in [
            pytest.approx(end) for end in ends[1:]
        ]
        held = {documents[number] for number, *_ in slow.pairs(sentences, row["relation"], "any")}
        assert row["documents"] == len(held)


FROM_DEPENDENT = {"direction": "dependent_to_head", "class_rule": "NOUN+PROPN:left"}
OUTCOMES = {
    "the tree is kept": (claim(**FROM_DEPENDENT), "yes", ""),
    "the next word is not": (
        claim(head=2, **FROM_DEPENDENT), "no", "its lift over the offset is below ten points"
    ),
    "not supported where it was made": (
        claim(verdict="explained"), "not asked", "the claim is explained where it was made"
    ),
    "no such pair": (claim(relation="goeswith"), "not asked", "sample has no pair of goeswith"),
    "words that are unknown": (
        claim(relation="det"), "not asked",
        "30% of its pairs have a word that the vocabulary does not know",
    ),
    "other parts of speech": (
        claim(class_rule="NN+NNP:right"), "not asked",
        "sample has none of the parts of speech of its rule NN+NNP:right",
    ),
}  # fmt: skip


@each(("given", "kept", "reason"), OUTCOMES.values(), ids=OUTCOMES)
def test_what_is_kept_and_why_not(other, given, kept, reason):
    row = replicated(pd.DataFrame([given]), other).iloc[0]
    assert (row["kept"], row["reason"]) == (kept, reason)


def test_few_pairs_and_documents_leave_it_unclear(other):
    table = other.table
    few = OtherText(
        "few", counted(table, LABELS).of_documents([0, 1, 2]), sample_table(tested=True), {}
    )
    row = replicated(
        pd.DataFrame([claim(position_rule="", class_rule="", selectivity_rule="")]), few
    ).iloc[0]
    assert row["kept"] == "unclear"
    assert row["reason"] == f"{row['n']} pairs in {row['documents']} documents are too few"


def test_a_claim_replicates_in_the_share_of_texts_that_decide():
    rows = [claim(head=head) for head in (0, 1, 2)]
    kept = {0: ["yes", "no", "unclear"], 1: ["yes", "yes", "not asked"], 2: ["unclear"] * 3}
    again = pd.DataFrame(
        [claim(head=head) | {"kept": word} for head, words in kept.items() for word in words]
    )
    found = with_replicates(pd.DataFrame(rows), again)["replicates"]
    assert found.fillna(-1).tolist() == [0.5, 1.0, -1]


def test_a_claims_rule_is_the_one_that_its_controls_name():
    rows = pd.DataFrame([claim(head=0), claim(head=1)])
    controls = pd.DataFrame(
        [claim(head=0, rung="word-class", rule="a"), claim(head=0, rung="selectivity", rule="b")]
    )
    assert selectivity_rules(rows, controls) == ["b", ""]
