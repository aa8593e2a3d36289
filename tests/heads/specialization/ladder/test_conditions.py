"""Each condition of a verdict by itself: all others hold, and this one alone decides."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.each import each
from support.planted.rungs import rungs_table

from inspector.corpora import Relation, Sentence
from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.specialization import stability
from inspector.heads.specialization.inference import bootstrap_weights
from inspector.heads.specialization.ladder.judged import judged
from inspector.heads.specialization.ladder.keyword import keyword_of
from inspector.heads.specialization.ladder.matched import other_sources, other_targets
from inspector.heads.specialization.ladder.other_splits import OneHead, OtherSplits
from inspector.heads.specialization.ladder.rules import ClassWords
from inspector.heads.specialization.ladder.words import word_table
from inspector.heads.specialization.stability import split_shares

PLACE = ("det", "dependent_to_head")
HELD = {
    "relation": PLACE[0], "direction": PLACE[1], "verdict": "supported",
    "accuracy": 0.9, "q_value": 0.01, "ci_low": 0.1, "lift": 0.5,
    "random_init_accuracy": 0.1, "random_init_error": 0.0,
    "position_accuracy": 0.75, "keyword": "", "class_rule": "NOUN:right",
    "selectivity_n": 30, "selectivity_ci_low": 0.01, "selectivity_q": 0.049,
    "matched_source_n": 20, "matched_source_ci_low": 0.01,
    "matched_target_n": 20, "matched_target_ci_low": 0.01,
}  # fmt: skip
"""A row that every rung leaves standing, some of them by little."""
LOST = HELD | {"verdict": "not supported"}
NO_PAIRS = {"selectivity_n": 0, "selectivity_ci_low": np.nan, "selectivity_q": np.nan}
OF_CLASS, OPEN, STANDS = ("explained", "word-class"), ("underpowered", ""), ("supported", "")
UNEXPLAINED = ("not supported", "")
CHANGED = {
    "nothing": (HELD, {}, STANDS),
    "q of selectivity": (HELD, {"selectivity_q": 0.05}, OF_CLASS),
    "interval of selectivity": (HELD, {"selectivity_ci_low": 0.0}, OF_CLASS),
    "29 pairs beside the rule": (HELD, {"selectivity_n": 29}, OPEN),
    "no interval beside the rule": (HELD, {"selectivity_ci_low": np.nan}, OPEN),
    "a rule that is always right": (HELD, NO_PAIRS, OF_CLASS),
    "no rule": (HELD, NO_PAIRS | {"class_rule": ""}, STANDS),
    "position": (HELD, {"position_accuracy": 0.81}, ("explained", "position")),
    "no position": (HELD, {"position_accuracy": np.nan}, STANDS),
    "keyword": (HELD, {"keyword": "but"}, ("explained", "matched-source")),
    **{
        f"{which}: {what}": (HELD, {f"matched_{which}_{name}": value}, outcome)
        for which in ("source", "target")
        for what, name, value, outcome in (
            ("interval", "ci_low", 0.0, ("explained", f"matched-{which}")),
            ("no interval", "ci_low", np.nan, STANDS),
        )
    },
    **{
        f"{which}: 19 pairs": (
            HELD, {f"matched_{which}_ci_low": 0.0, f"matched_{which}_n": 19}, STANDS
        )
        for which in ("source", "target")
    },
    "an offset": (LOST, {"lift": 0.09}, ("explained", "offset")),
    "an offset, and random weights": (
        LOST, {"lift": 0.09, "random_init_accuracy": 0.81}, UNEXPLAINED
    ),
    "ten points over an offset": (LOST, {"lift": 0.1}, UNEXPLAINED),
    "random weights": (LOST, {"random_init_accuracy": 0.9}, ("explained", "random-init")),
    "above random weights": (LOST, {"random_init_accuracy": 0.85}, UNEXPLAINED),
    "the error of random weights": (
        LOST, {"random_init_accuracy": 0.85, "random_init_error": 0.03},
        ("explained", "random-init"),
    ),
    "random weights, q": (LOST, {"random_init_accuracy": 0.9, "q_value": 0.05}, UNEXPLAINED),
    "random weights, interval": (LOST, {"random_init_accuracy": 0.9, "ci_low": 0.0}, UNEXPLAINED),
    "random weights, lift": (LOST, {"random_init_accuracy": 0.9, "lift": 0.09}, UNEXPLAINED),
    "open before": (
        HELD, {"verdict": "underpowered", "random_init_accuracy": 0.9, "keyword": "but"}, OPEN
    ),
}  # fmt: skip
"""What is changed in a row → what becomes of it."""


@each(("row", "changed", "outcome"), CHANGED.values(), ids=CHANGED)
def test_one_condition_of_a_verdict_decides(row, changed, outcome):
    verdict, rung = judged(pd.DataFrame([row | changed]), {PLACE: 20}, 3)
    assert (verdict.item(), rung.item()) == outcome


@each(
    ("documents", "rows", "verdict"),
    [(4, 1, "underpowered"), (5, 1, "supported"), (5, 2, "underpowered"), (6, 3, "supported"),
     (6, 4, "underpowered")],
)  # fmt: skip
def test_so_few_documents_that_no_p_is_small_enough_leave_it_open(documents, rows, verdict):
    """The smallest p is 2^-documents; times all rows it must not exceed 0.05."""
    frame = pd.DataFrame([HELD, HELD | {"keyword": "but"}])
    found, rung = judged(frame, {PLACE: documents}, rows)
    explained = "explained" if verdict == "supported" else verdict
    assert found.tolist() == [verdict, explained]
    assert rung.tolist() == ["", "matched-source" if verdict == "supported" else ""]
    elsewhere, _ = judged(frame, {("det", "head_to_dependent"): 20}, rows)
    assert set(elsewhere) == {"underpowered"}, "documents of that direction count"


class AnyLadder:
    """In the place of the ladder on other splits: no rung explains anything."""

    def __init__(self, table, seed):
        self.documents = table.documents

    def of(self, *place):
        return self

    def holds(self, judged, max_p):
        return True


_OFFSETS = 40


def shares_of(monkeypatch, right, at_offset, n, random_init=0.0):
    """Return the share of splits in which a head holds, of what it finds in each document.

    Args:
        monkeypatch: Of pytest.
        right: Pairs that the head finds.
        at_offset: Pairs that one offset finds; the others are each at another.
        n: Pairs.
        random_init: What random weights reach.
    """
    monkeypatch.setattr(stability, "OtherSplits", AnyLadder)
    documents = tuple(f"d{place:02}" for place in range(len(n)))
    words = [Sentence(name, None, ("w",), ("X",), (), None) for name in documents]
    table = word_table(words, documents, np.full((2, 1, len(n)), -1))
    offsets = np.zeros((len(n), 1, _OFFSETS + 1), dtype=np.int32)
    for place, (found, pairs) in enumerate(zip(at_offset, n, strict=True)):
        offsets[place, 0, 0] = found
        np.add.at(offsets[place, 0], 1 + (place + np.arange(pairs - found)) % _OFFSETS, 1)
    correct = np.broadcast_to(np.array(right, dtype=np.int32)[:, None], (len(n), 3))
    counts = RelationCounts(
        documents=documents,
        relations=("det",),
        offsets=tuple(range(1, _OFFSETS + 2)),
        correct=correct.reshape(len(n), 1, 3, 1, 1).copy(),
        n=np.array(n, dtype=np.int32)[:, None],
        offset_counts=offsets,
    )
    row = {"relation": "det", "direction": DIRECTIONS[0], "layer": 0, "head": 0}
    claims = pd.DataFrame([row | {"random_init_accuracy": random_init}])
    return split_shares(claims, counts, table, chosen=False).item()


def test_one_condition_over_an_offset_decides_on_other_splits(monkeypatch):
    alike, small = ([10] * 12, [100] * 12), (0, 1)
    assert shares_of(monkeypatch, [20] * 12, *alike) == 1
    assert shares_of(monkeypatch, [19] * 12, *alike) == 0, "nine points, and no spread"
    assert shares_of(monkeypatch, [20] * 12, *alike, random_init=0.2) == 0
    # Two documents of ten are found whole: 20 points or more where one of them is judged on, and
    # an interval that holds 0.
    few = [10] * 8 + [100] * 2
    assert shares_of(monkeypatch, few, [10] * 10, [100] * 10) == 0
    # 20 pairs in either half; in 39 documents one half has 19.
    for documents, share in ((40, 1), (39, 0)):
        assert shares_of(monkeypatch, [1] * documents, *([n] * documents for n in small)) == share
    # The large document is in one half or the other: that alone has 20.
    assert shares_of(monkeypatch, [200, 1, 1, 1], [0] * 4, [200, 1, 1, 1]) == 0


DOCUMENTS, SENTENCES, WORDS = 12, 24, 20
FAR = (-8, -7, -6, -5, -4, 4, 5, 6, 7, 8)


def keyword_table(looks_there, others=()):
    """Return documents alike: one pair a sentence, that leads from a word to 'but'.

    Args:
        looks_there: (document, sentence) → whether the words near the pair's look at 'but'.
        others: The sentences that have an 'and', of its class, between these and 'but'.
    """
    sentences, predicted, matched = [], [], []
    for number in range(DOCUMENTS * SENTENCES):
        document, place = divmod(number, SENTENCES)
        apart = FAR[place % len(FAR)]
        but, side = 9 + place % 2, int(np.sign(apart))
        source = but + apart
        forms = [f"w{word}" for word in range(WORDS)]
        tags = ["NOUN"] * WORDS
        forms[but], tags[but] = "but", "CCONJ"
        near = [source + by for by in (-2, -1, 1, 2) if 0 <= source + by < WORDS]
        if place in others:
            between = but + side
            forms[between], tags[between] = "and", "CCONJ"
        else:
            between = but
        matched.append([but - word for word in near])
        start = number * WORDS
        looks = np.full(WORDS, start + but - 2 * side)  # beyond the keyword
        if looks_there(document, place):
            looks[[source, *near]] = start + between
        predicted.append(looks)
        pair = Relation("logic", "coordination:but", source, but)
        sentences.append(Sentence(f"s{number}", None, tuple(forms), tuple(tags), (pair,), None))
    documents = [f"d{number // SENTENCES:02}" for number in range(len(sentences))]
    looked = np.concatenate(predicted)[None, None].repeat(2, axis=0)
    return word_table(sentences, documents, looked, tested=set(documents)), matched


def keyword_in(table):
    pairs = table.pairs("coordination:but", "dependent_to_head")
    weights = bootstrap_weights(len(table.test_documents), seed=0)
    return keyword_of(pairs, ClassWords(table), 0, weights)


def test_a_keyword_is_ten_points_above_the_best_fixed_offset_of_its_words():
    found = {}
    for hits in range(1, 8):
        table, matched = keyword_table(lambda document, place, hits=hits: place < hits)
        offsets = {offset for words in matched for offset in words}
        at_best = max(
            np.mean([words.count(offset) / len(words) for words in matched]) for offset in offsets
        )
        effect = hits / SENTENCES - at_best
        keyword = keyword_in(table)
        assert (keyword is not None) == (effect >= 0.1)
        found[hits] = effect
        if keyword is not None:
            assert keyword.word == "but"
            assert keyword.effect == pytest.approx(effect)
            assert keyword.ci_low == pytest.approx(effect), "all documents are alike"
    assert any(0 < effect < 0.1 for effect in found.values()), "above the offset, and too little"
    assert max(found.values()) > 0.1


def test_a_keyword_of_a_few_documents_alone_is_none():
    """All hits in three documents of twelve: on average as many as suffice, in most no one."""
    table, _ = keyword_table(lambda document, place: document < 4)
    assert keyword_in(table) is None


def test_a_head_that_looks_at_the_nearest_of_the_keywords_class_is_no_keyword_head():
    others = range(0, SENTENCES, 4)
    table, _ = keyword_table(lambda document, place: True, others)
    assert keyword_in(table) is None
    # As often at 'but', and elsewhere at no conjunction: it passes the nearer one by.
    table, _ = keyword_table(lambda document, place: place not in others, others)
    assert keyword_in(table).word == "but"


@pytest.fixture(scope="module")
def planted():
    """Return a table all of whose documents are of the test split, and its other splits."""
    table = rungs_table()
    table = word_table(
        table.sentences, table.documents, table.predicted, tested=set(table.documents)
    )
    return table, OtherSplits(table)


HALF = np.arange(30) % 2 == 0
"""Which of the planted documents are judged on."""


def holds(planted, relation, head, kept):
    """Return whether a planted head holds on some of its relation's pairs."""
    table, splits = planted
    pairs = table.pairs(relation, "dependent_to_head")
    return OneHead(splits, pairs.of(kept(pairs, HALF[pairs.document])), head).holds(HALF, 0.01)


@each(
    ("relation", "head", "find"),
    [("whoever asks", 7, other_sources), ("either target", 0, other_targets)],
)
def test_fewer_than_twenty_matched_pairs_or_five_documents_say_nothing(
    planted, relation, head, find
):
    def with_matched(pairs_kept=10**6, documents=10**6):
        def kept(pairs, judged):
            has_match = find(pairs, planted[0]).has_any & judged
            most = np.argsort(-np.bincount(pairs.document[has_match]))[:documents]
            places = np.flatnonzero(has_match & np.isin(pairs.document, most))
            apart = np.linspace(0, len(places) - 1, min(pairs_kept, len(places))).round()
            chosen = np.zeros_like(has_match)
            chosen[places[apart.astype(int)]] = True
            assert chosen.sum() >= 20 or pairs_kept < 20
            return ~has_match | chosen

        return kept

    assert holds(planted, relation, head, with_matched(19))
    assert not holds(planted, relation, head, with_matched(20))
    assert holds(planted, relation, head, with_matched(documents=4))
    assert not holds(planted, relation, head, with_matched(documents=5))


def test_fewer_than_thirty_pairs_beside_the_rule_leave_it_open(planted):
    splits = planted[1]

    def with_pairs(most):
        def kept(pairs, judged):
            right = [
                splits.classes.found_by(tags, pairs) == pairs.expected
                for tags in splits.classes.candidates(replace(pairs, document=judged - 1))
            ]
            beside = judged & ~np.concatenate(right).any(axis=0)
            return ~judged | (beside & (np.cumsum(beside) <= most))

        return kept

    assert holds(planted, "free", 2, with_pairs(30))
    assert not holds(planted, "free", 2, with_pairs(29))
