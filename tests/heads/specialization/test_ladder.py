"""The ladder of simpler explanations: each rung by plain loops, and heads that are planted."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import slow_ladder as slow

from benchmarks.nulls import counted, random_words
from inspector.corpora import read_conllu
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


@pytest.fixture(scope="module")
def planted(treebank):
    """Return (table, names): heads of a tree, an offset, a class, a keyword and a position."""
    sentences, documents = treebank.sentences, treebank.document_ids()
    lengths = np.array([len(one.words) for one in sentences])
    predicted = random_words(lengths, 6, 0)
    table = word_table(sentences, documents, predicted.copy())
    word, start = np.arange(len(table.start)), table.start
    looks = predicted[0]
    looks[0] = tree_words(sentences, looks[0])
    looks[1] = np.where(word > start, word - 1, looks[1])
    verbs = class_words(table.tag == table.tags.index("VERB"), table)[SIDES.index("left")]
    looks[2] = np.where(verbs >= 0, verbs, looks[2])
    buts = class_words(np.array(table.forms) == "but", table)[SIDES.index("either")]
    looks[3] = np.where(buts >= 0, buts, looks[3])
    looks[4] = np.where(word > start, start, looks[4])
    return word_table(sentences, documents, predicted)


@pytest.mark.full
def test_planted_heads_get_exactly_their_roles(planted):
    labels = sorted({one.label for each in planted.sentences for one in each.relations})
    syntax = [name for name in labels if ":" not in name]
    found = climbed(planted, syntax)
    logic = climbed(planted, [name for name in labels if name.startswith("coordination")])
    roles = defaultdict(set)
    for part in (found, logic):
        for row in part.roles.to_dict("records"):
            roles[row["head"]].add(row["role"])
    held = found.supported[found.supported["supported"]]
    assert set(held["head"]) == {0}
    assert {"det", "nsubj", "obj", "nmod", "obl", "conj"} <= set(held["relation"])
    assert dict(roles) == {2: {"word-class:VERB:left"}, 3: {"keyword:but"}, 4: {"position:first"}}
