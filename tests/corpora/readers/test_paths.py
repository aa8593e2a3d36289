"""Paths of two and three edges: named from the top down, without what one edge joins too."""

import pytest

from inspector.corpora import Corpus, annotate, read_conllu
from inspector.corpora.annotation.matched_pairs import with_controls
from inspector.corpora.readers import paths

ROWS = """\
1	They	they	PRON	_	_	2	nsubj	2:nsubj	_
2	eat	eat	VERB	_	_	0	root	0:root	_
3	apples	apple	NOUN	_	_	2	obj	2:obj	_
4	and	and	CCONJ	_	_	5	cc	5:cc	_
5	pears	pear	NOUN	_	_	3	conj	2:obj|3:conj:and	_
6	from	from	ADP	_	_	8	case	8:case	_
7	the	the	DET	_	_	8	det	8:det	_
8	garden	garden	NOUN	_	_	5	nmod:from	5:nmod:from	SpaceAfter=No
9	.	.	PUNCT	_	_	2	punct	2:punct	_
"""
TEXT = "They eat apples and pears from the garden."
WANTED = {
    ("conj+cc", "and", "apples"),
    ("obj+conj+cc", "and", "eat"),
    # "obj+conj", pears to eat, is an edge of the enhanced dependencies.
    ("nmod+case", "from", "pears"),
    ("conj+nmod+case", "from", "apples"),
    ("nmod+det", "the", "pears"),
    ("conj+nmod+det", "the", "apples"),
    ("conj+nmod", "garden", "apples"),
    ("obj+conj+nmod", "garden", "eat"),
}


@pytest.fixture
def corpus(tmp_path):
    """Return the same sentence in three documents."""

    def of(rows=ROWS, n=3, **options):
        text = "".join(
            f"# newdoc id = d{k}\n# sent_id = s{k}\n# text = {TEXT}\n{rows}\n" for k in range(n)
        )
        (tmp_path / "a.conllu").write_text(text, encoding="utf-8")
        return read_conllu(tmp_path / "a.conllu", **options)

    return of


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(paths, "MIN_PAIRS", 3)
    monkeypatch.setattr(paths, "MIN_DOCUMENTS", 3)


def found(corpus: Corpus):
    return [
        {
            (one.label, sentence.words[one.source], sentence.words[one.target])
            for one in sentence.relations
            if one.kind == "multi-hop"
        }
        for sentence in corpus.sentences
    ]


def slow(rows):
    """Return every path of a sentence by climbing its columns, whatever one edge joins."""
    cells = {int(line.split("\t")[0]): line.split("\t") for line in rows.splitlines()}
    made = set()
    for word, row in cells.items():
        names, here = [], row
        while here[7] not in ("root", "punct"):
            names = [here[7].split(":")[0], *names]
            here = cells[int(here[6])]
            if len(names) in (2, 3):
                made.add(("+".join(names), cells[word][1], here[1]))
    return made


def test_paths_are_named_from_the_top_down_and_single_edges_taken_out(corpus):
    read = annotate(corpus(), ["paths"])
    assert found(read) == [WANTED] * 3
    assert all(one.is_plain for sentence in read.sentences for one in sentence.relations)
    assert annotate(read, ["paths"]) == read
    assert "obl+case" not in read.relation_counts()


def test_an_enhanced_head_of_thousands_of_digits_joins_nothing(corpus):
    rows = ROWS.replace("\t8:case\t", f"\t{'9' * 5000}:case\t")
    assert found(annotate(corpus(rows), ["paths"])) == [WANTED] * 3


def test_without_enhanced_dependencies_paths_are_all_that_climbing_finds(corpus):
    rows = "".join(
        "\t".join([*line.split("\t")[:8], "_", line.split("\t")[9]]) + "\n"
        for line in ROWS.splitlines()
    )
    assert found(annotate(corpus(rows), ["paths"])) == [slow(rows)] * 3
    assert slow(rows) == WANTED | {("obj+conj", "pears", "eat")}


def test_full_labels_are_kept(corpus):
    read = annotate(corpus(labels="full"), ["paths"])
    assert ("nmod:from+case", "from", "pears") in found(read)[0]


def test_rare_paths_are_not_read(corpus, monkeypatch):
    for name in ("MIN_PAIRS", "MIN_DOCUMENTS"):
        with monkeypatch.context() as changed:
            changed.setattr(paths, name, 4)
            assert found(annotate(corpus(), ["paths"])) == [set()] * 3
    assert found(annotate(corpus(n=2), ["paths"])) == [set()] * 2


def test_nothing_is_matched_with_a_path(corpus):
    sentence = annotate(corpus(), ["paths"]).sentences[0]
    assert with_controls(sentence, sentence.heads) == sentence
