"""The gold treebanks are read whole: every count is the published one, every arc the slow one."""

import functools
import time

import pytest
from support.slow.conllu import slow_sentences

# From the treebanks' README.md (../shared/data), which were made by a reader of their own.
GOLD = {
    "ewt": {
        "sizes": (2001, 25147, 318),
        "sha256": "531a54ff90d6ab12201c5a50c3e78e6ddac4de69abc4bce5d275d3cd29efe2b6",
        "relations": {
            "case": 2015,
            "nsubj": 1958,
            "det": 1817,
            "advmod": 1353,
            "amod": 1326,
            "obj": 1211,
            "obl": 1001,
            "conj": 916,
            "compound": 898,
            "nmod": 813,
            "cc": 786,
            "mark": 757,
            "aux": 749,
            "cop": 627,
            "nmod:poss": 391,
            "xcomp": 381,
            "advcl": 362,
            "acl:relcl": 219,
            "aux:pass": 162,
            "nsubj:pass": 154,
            "nsubj:outer": 25,
            "iobj": 75,
            "dislocated": 1,
        },
    },
    "gum": {
        "sizes": (1575, 28119, 30),
        "sha256": "581997015a2d878ad49619032d265a9753e1b6b03d75ca18b04a00bb9ee8991d",
        "relations": {
            "case": 2531,
            "nsubj": 2218,
            "det": 2167,
            "amod": 1462,
            "advmod": 1414,
            "obj": 1293,
            "obl": 1234,
            "nsubj:pass": 181,
            "nsubj:outer": 49,
            "csubj:outer": 1,
        },
    },
}


@pytest.fixture(scope="module")
def read(gold_file):
    """Return a function: treebank, labels → its corpus."""
    from inspector.corpora import read_conllu

    @functools.cache
    def corpus(name, labels="full"):
        return read_conllu(gold_file(name), labels=labels, strict=True)

    return corpus


@pytest.mark.parametrize("name", GOLD)
def test_every_sentence_is_read_and_the_published_counts_come_out(read, name):
    corpus = read(name)
    assert not corpus.skipped
    sizes = len(corpus.sentences), corpus.n_words, len(set(corpus.document_ids()))
    assert sizes == GOLD[name]["sizes"]
    assert corpus.sha256 == GOLD[name]["sha256"]
    assert corpus.annotation == "gold"
    counts = corpus.relation_counts()
    expected = GOLD[name]["relations"]
    assert {label: counts["syntax", label] for label in expected} == expected
    assert not {label for _, label in counts} & {"root", "punct"}


@pytest.mark.parametrize("name", GOLD)
def test_words_tags_and_arcs_are_those_of_a_slow_reader(read, gold_file, name):
    corpus = read(name)
    slow = slow_sentences(gold_file(name))
    assert len(corpus.sentences) == len(slow)
    for sentence, (document, sent_id, words, tags, arcs) in zip(
        corpus.sentences, slow, strict=True
    ):
        assert (sentence.document, sentence.id) == (document, sent_id)
        assert sentence.words == tuple(words)
        assert sentence.upos == tuple(tags)
        assert sentence.heads == tuple(head for _, _, head in arcs)
        assert [(r.kind, r.label, r.source, r.target) for r in sentence.relations] == [
            ("syntax", *arc) for arc in arcs if arc[0] not in ("root", "punct")
        ]


def test_universal_labels_are_the_sums_of_their_subtypes(read):
    full, universal = read("ewt").relation_counts(), read("ewt", "universal").relation_counts()
    assert universal["syntax", "nsubj"] == 1958 + 154 + 25
    sums = {}
    for (kind, label), count in full.items():
        key = kind, label.split(":")[0]
        sums[key] = sums.get(key, 0) + count
    assert universal == sums


@pytest.mark.parametrize("name", GOLD)
def test_writing_gives_the_file_back(read, gold_file, name):
    from inspector.corpora import write_conllu

    assert write_conllu(read(name).sentences) == gold_file(name).read_text(encoding="utf-8")


def test_entities_and_enhanced_dependencies_are_kept(read):
    corpus = read("gum")
    entities = sum("Entity=" in misc for s in corpus.sentences for misc in s.misc)
    assert entities == 10198
    assert any("|" in deps for s in corpus.sentences for deps in s.deps)
    assert any(c.startswith("# global.Entity = ") for c in corpus.sentences[0].comments)


def test_reading_takes_well_under_two_seconds(gold_file):
    from inspector.corpora import read_conllu

    path = gold_file("ewt")
    start = time.process_time()
    read_conllu(path)
    # Measured: 0.3 s as it is used, 0.6 s with the tests' type checks.
    assert time.process_time() - start < 2
