"""The ladder of simpler explanations: each rung by plain loops, and heads that are planted."""

from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import support.slow.ladder as slow
from support.each import each

from benchmarks import truths
from benchmarks.nulls import random_words
from inspector.corpora import default_corpus, read_conllu
from inspector.corpora.annotation.document_windows import corpus_windows
from inspector.corpora.annotation.registry import annotate
from inspector.corpora.default import sample_files
from inspector.heads.specialization.claims import CLAIMS_COLUMNS
from inspector.heads.specialization.ladder.judged import judged
from inspector.heads.specialization.ladder.ladder import (
    FURTHER_COLUMNS,
    LADDER_COLUMNS,
    head_rungs,
)
from inspector.heads.specialization.ladder.rules import SIDES, ClassWords, class_words
from inspector.heads.specialization.ladder.words import word_table

DATA = Path(__file__).parents[4] / "shared" / "data" / "ud-english-ewt" / "en_ewt-ud-dev.conllu"
N_HEADS = 4


@pytest.fixture(scope="module")
def twenty():
    """Return the table of 20 sentences, five a document, heads half random and half the tree."""
    sentences = read_conllu(sample_files()).sentences[::9][:20]
    documents = [f"d{place // 2}" for place in range(20)]
    lengths = [len(one.words) for one in sentences]
    predicted = random_words(np.array(lengths), N_HEADS, 0)
    trees = truths.tree_words(sentences, predicted[0, 0].copy())
    for head in (1, 2):
        kept = np.random.default_rng(head).random(predicted.shape[2]) < 0.3 * head
        predicted[:, head] = np.where(kept, trees, predicted[:, head])
    return word_table(sentences, documents, predicted)


def test_each_rung_is_what_plain_loops_give(twenty):
    sentences, documents = twenty.sentences, twenty.documents
    relations = ["det", "nsubj", "obl"]
    asked = np.ones((3, 3, N_HEADS), dtype=bool)
    frame = head_rungs(twenty, relations, asked, N_HEADS)
    starts = np.cumsum(twenty.lengths) - twenty.lengths
    checked = defaultdict(int)
    for row in frame.to_dict("records"):
        side = int(row["direction"] == "attended_by_head")

        def predicted(number, word, side=side, head=row["head"]):
            return int(twenty.predicted[side, head, starts[number] + word] - starts[number])

        every = slow.pairs(sentences, row["relation"], row["direction"])
        chosen = [pair for pair in every if not slow.is_test(documents[pair[0]])]
        found = [pair for pair in every if slow.is_test(documents[pair[0]])]
        rule = row["class_rule"]
        hits = [predicted(number, word) == right for number, word, right in found]
        at_rule = [
            slow.rule_word(sentences[number].upos, rule, word) == right
            for number, word, right in found
        ]
        assert row["class_accuracy"] == pytest.approx(float(slow.mean(at_rule)))
        assert row["class_lift"] == pytest.approx(float(slow.mean(hits) - slow.mean(at_rule)))
        at_position = [
            slow.position_word(len(sentences[number].words), row["position_rule"], word) == right
            for number, word, right in found
        ]
        assert row["position_accuracy"] == pytest.approx(float(slow.mean(at_position)))
        of_chosen = [
            slow.position_word(len(sentences[number].words), row["position_rule"], word) == right
            for number, word, right in chosen
        ]
        assert sum(of_chosen) == slow.best_position_count(sentences, chosen)
        value, n = slow.selectivity(sentences, found, predicted, row["selectivity_rule"])
        assert row["selectivity_n"] == n
        if n:
            assert row["selectivity"] == pytest.approx(float(value))
        for name, plain in (("source", slow.matched_source), ("target", slow.matched_target)):
            value, n = plain(sentences, found, predicted)
            assert row[f"matched_{name}_n"] == n
            checked[name] += n
            if n:
                assert row[f"matched_{name}_difference"] == pytest.approx(float(value))
    assert min(checked.values()) > 0


def test_the_rule_of_a_side_is_the_best_of_all_classes_in_the_selection_split(twenty):
    classes = ClassWords(twenty)
    pairs = twenty.pairs("nsubj", "dependent_to_head")
    every = slow.pairs(twenty.sentences, "nsubj", "dependent_to_head")
    chosen = [pair for pair in every if not slow.is_test(twenty.documents[pair[0]])]

    def right(name):
        return sum(
            slow.rule_word(twenty.sentences[number].upos, name, word) == expected
            for number, word, expected in chosen
        )

    assert pairs.is_test.any()
    assert chosen
    for rule in classes.family(pairs).rules:
        others = (f"{'+'.join(tags)}:{rule.side}" for tags in classes.standard)
        assert right(str(rule)) >= max(map(right, others))


@each("side", SIDES)
def test_the_word_of_a_rule_is_what_a_walk_finds(twenty, side):
    inside = np.isin(twenty.tag, [twenty.tags.index(tag) for tag in ("NOUN", "DET")])
    words = class_words(inside, twenty)[SIDES.index(side)]
    start = 0
    for sentence in twenty.sentences:
        for word in range(len(sentence.words)):
            plain = slow.rule_word(sentence.upos, f"DET+NOUN:{side}", word)
            assert words[start + word] == (-1 if plain is None else start + plain)
        start += len(sentence.words)


def looked(looks, start, word):
    return int(looks[start + word]) - start


def test_in_windows_any_of_several_right_words_will_do(twenty):
    corpus = default_corpus()
    lengths = [len(one.words) for one in corpus.sentences]
    windows = corpus_windows(corpus, lengths, 60).texts[:40]
    sentences = (*twenty.sentences, *windows)
    documents = [*twenty.documents, *(f"d{place}" for place in range(len(windows)))]
    predicted = random_words(np.array([len(one.words) for one in sentences]), 2, 0)
    table = word_table(sentences, documents, predicted, len(windows))
    labels = sorted({one.label for window in windows for one in window.relations if not one.among})
    labels = [name for name in labels if "|" not in name]
    frame = head_rungs(table, labels, np.zeros((len(labels), 3, 2), dtype=bool), 2)
    starts = np.cumsum(table.lengths) - table.lengths
    of_test = [
        (window, relation, int(start))
        for window, relations, start, document in zip(
            *(sentences, (one.relations for one in sentences), starts, documents), strict=True
        )
        for relation in relations
        if slow.is_test(document) and window in windows
    ]
    several = 0
    for row in frame.to_dict("records"):
        looks = predicted[int(row["direction"] == "attended_by_head"), row["head"]]
        at_rule, at_place, selective = [], [], []
        for window, relation, start in of_test:
            if relation.label == row["relation"]:
                ways = slow.answers(relation, row["direction"])
                several += len(ways) > 1
                found = slow.outcome(ways, partial(looked, looks, start))
                at_place.append(
                    slow.outcome(
                        ways, partial(slow.position_word, len(window.words), row["position_rule"])
                    )
                )
                rule, other = (
                    slow.outcome(ways, partial(slow.rule_word, window.upos, row[name]))
                    for name in ("class_rule", "selectivity_rule")
                )
                at_rule.append(rule)
                if other is not True:
                    selective.append((found is True) - (found is not True and found == other))
        for name, values in (("position", at_place), ("class", at_rule)):
            expected = sum(value is True for value in values) / len(values)
            assert row[f"{name}_accuracy"] == pytest.approx(expected)
        assert row["selectivity_n"] == len(selective)
        if selective:
            assert row["selectivity"] == pytest.approx(sum(selective) / len(selective))
    assert several > 20


@each(
    ("n", "verdict"),
    [(0, "explained"), (1, "underpowered"), (29, "underpowered"), (30, "supported")],
)
def test_a_rule_that_is_always_right_explains_and_one_nearly_always_leaves_it_open(n, verdict):
    row = dict.fromkeys({**CLAIMS_COLUMNS, **LADDER_COLUMNS, **FURTHER_COLUMNS}, np.nan)
    row |= {"relation": "det", "direction": "dependent_to_head", "verdict": "supported"}
    row |= {"accuracy": 0.9, "q_value": 0.0, "ci_low": 0.5, "lift": 0.6, "keyword": ""}
    row |= {"random_init_accuracy": 0.1, "random_init_error": 0.0, "position_accuracy": 0.1}
    row |= {"matched_source_n": 0, "matched_target_n": 0, "class_rule": "NOUN:right"}
    of_few = {"selectivity_ci_low": 0.5, "selectivity_q": 0.001} if n else {}
    frame = pd.DataFrame([row | {"selectivity_n": n} | of_few])
    found, rung = judged(frame, {("det", "dependent_to_head"): 20}, 3)
    assert (found.item(), rung.item()) == (verdict, "" if n else "word-class")


def test_forty_known_truths_and_four_of_a_path():
    """Of planted heads: 16 that follow a relation, 20 that do not, 8 that have one simpler role."""
    if not DATA.exists():
        pytest.skip(f"gold treebank not there: {DATA.name} is read from beside the checkout")
    table = truths.planted(annotate(read_conllu([DATA]), ["coordination", "paths"]))
    held, roles, found = truths.said(table)
    assert found.controls.groupby("rung")["ci_low"].count().min() > 0, "every rung has intervals"
    assert truths.N_TRUTHS == 44
    assert truths.HOLDS - held == set()
    assert held & truths.FAILS == set()
    assert {name for name, *_ in held} == {name for name, *_ in truths.HOLDS}
    assert roles == truths.EARNS
