"""The ladder of simpler explanations: each rung by plain loops, and heads that are planted."""

from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import slow_ladder as slow

from benchmarks.nulls import counted, random_words
from inspector.corpora import default_corpus, read_conllu
from inspector.corpora.annotation.document_windows import corpus_windows
from inspector.corpora.annotation.registry import annotate
from inspector.corpora.default import sample_files
from inspector.heads.specialization.claims import relation_claims
from inspector.heads.specialization.ladder.heads_on_ladder import on_ladder
from inspector.heads.specialization.ladder.ladder import head_rungs
from inspector.heads.specialization.ladder.rules import SIDES, ClassWords, class_words
from inspector.heads.specialization.ladder.words import word_table
from inspector.heads.specialization.split import documents_holding
from inspector.heads.specialization.supported_heads import supported_heads

DATA = Path(__file__).parents[4] / "shared" / "data" / "ud-english-ewt" / "en_ewt-ud-dev.conllu"
N_HEADS = 4


def tree_words(sentences, predicted):
    """Return the predictions, but each word that has a head looks at it."""
    start = 0
    for sentence in sentences:
        for pair in sentence.relations:
            if pair.kind == "syntax":
                predicted[start + pair.source] = start + pair.target
        start += len(sentence.words)
    return predicted


@pytest.fixture(scope="module")
def twenty():
    """Return the table of 20 sentences, five a document, heads half random and half the tree."""
    sentences = read_conllu(sample_files()).sentences[::9][:20]
    documents = [f"d{place // 2}" for place in range(20)]
    lengths = [len(one.words) for one in sentences]
    predicted = random_words(np.array(lengths), N_HEADS, 0)
    trees = tree_words(sentences, predicted[0, 0].copy())
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


@pytest.mark.parametrize("side", SIDES)
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


def climbed(table, labels, seeds=(1, 2, 3)):
    """Return what the ladder leaves of heads, beside three random models."""
    counts = counted(table, labels)
    shape = table.predicted.shape[1]
    random_models = [
        counted(
            word_table(table.sentences, table.documents, random_words(table.lengths, shape, seed)),
            labels,
        )
        for seed in seeds
    ]
    claims, support = relation_claims(counts, random_models), supported_heads(counts, random_models)
    return on_ladder(claims, support, table, documents_holding(counts))


@pytest.fixture(scope="module")
def treebank():
    if not DATA.exists():
        pytest.skip(f"gold treebank not there: {DATA.name} is read from beside the checkout")
    return annotate(read_conllu([DATA]), ["coordination"])


RULES = {
    "the next verb to the left": ("VERB", "left"),
    "the next noun to the right": ("NOUN", "right"),
    "the end of the nouns to the right": ("NOUN", "right-run"),
}
PLACES = {"the first word": "first", "the last word": "last", "the second word": "2"}
WORDS = {"'but'": "but", "'and'": "and"}
HEADS = (
    *("the tree", "the tree of det", "objects of verbs", "half the tree", "the word before"),
    *RULES,
    *PLACES,
    *WORDS,
    "anything",
)
ASKED = ("advmod", "amod", "case", "conj", "det", "mark", "nmod", "nsubj", "obj", "obl")
HOLDS = {
    *(("the tree", name, "dependent_to_head") for name in ASKED),
    *(("half the tree", name, "dependent_to_head") for name in ("nmod", "nsubj", "obl")),
    ("the tree of det", "det", "dependent_to_head"),
    ("objects of verbs", "obj", "head_to_dependent"),
}
FAILS = {
    *(("the tree of det", name, "dependent_to_head") for name in ("amod", "case", "nsubj")),
    *(("objects of verbs", name, "head_to_dependent") for name in ("nsubj", "obl")),
    *((name, relation, "dependent_to_head") for name in RULES for relation in ("det", "obj")),
    *(("the word before", name, "dependent_to_head") for name in ("advmod", "obj")),
    *((name, "nsubj", "head_to_dependent") for name in PLACES),
    ("anything", "det", "dependent_to_head"),
}
EARNS = {
    **{name: {f"word-class:{tag}:{side.partition('-')[0]}"} for name, (tag, side) in RULES.items()},
    **{name: {f"position:{place}"} for name, place in PLACES.items()},
    **{name: {f"keyword:{word}"} for name, word in WORDS.items()},
}


@pytest.fixture(scope="module")
def planted(treebank):
    """Return the table of a treebank and heads of which it is known what they do."""
    sentences, documents = treebank.sentences, treebank.document_ids()
    lengths = np.array([len(one.words) for one in sentences])
    looks = random_words(lengths, len(HEADS), 0)
    table = word_table(sentences, documents, looks.copy())
    word, start, end = np.arange(len(table.start)), table.start, table.end
    at = dict(zip(HEADS, looks[0], strict=True))
    anything = at["anything"].copy()
    tree = tree_words(sentences, anything.copy())
    at["the tree"][:] = tree
    half = np.random.default_rng(1).random(len(word)) < 0.6
    at["half the tree"][:] = np.where(half, tree, anything)
    for label, direction, name in (
        ("det", "dependent_to_head", "the tree of det"),
        ("obj", "head_to_dependent", "objects of verbs"),
    ):
        pairs = table.pairs(label, direction)
        at[name][pairs.asked] = pairs.expected

    def look(name, words):
        known = (words >= start) & (words < end) & (words != word)
        at[name][:] = np.where(known, words, anything)

    look("the word before", word - 1)
    for name, (tag, side) in RULES.items():
        inside = table.tag == table.tags.index(tag)
        look(name, class_words(inside, table)[SIDES.index(side)])
    for name, place in zip(PLACES, (start, end - 1, start + 1), strict=True):
        look(name, place)
    for name, form in WORDS.items():
        inside = np.array(table.forms) == form
        look(name, class_words(inside, table)[SIDES.index("either")])
    return word_table(sentences, documents, looks)


def test_forty_known_truths(planted):
    """Of planted heads: 15 that follow a relation, 17 that do not, 8 that have one simpler role."""
    found = climbed(planted, ASKED)
    logic = climbed(planted, ("coordination:and", "coordination:but"))
    held = {
        (HEADS[row["head"]], row["relation"], row["direction"])
        for row in found.supported.query("supported").to_dict("records")
    }
    assert found.controls.groupby("rung")["ci_low"].count().min() > 0, "every rung has intervals"
    roles = defaultdict(set)
    for row in pd.concat([found.roles, logic.roles]).to_dict("records"):
        roles[HEADS[row["head"]]].add(row["role"])
    assert len(HOLDS) + len(FAILS) + len(EARNS) == 40
    assert HOLDS - held == set()
    assert held & FAILS == set()
    assert {name for name, *_ in held} == {name for name, *_ in HOLDS}
    assert {name: roles[name] for name in EARNS} == EARNS
    assert set(roles) == set(EARNS)
