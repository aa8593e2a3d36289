"""Relations that a user writes over any CoNLL-U file."""

import re

import pytest
from support.each import each
from support.texts.small_trees import corpus_of, counted, pairs, reasons, tree

from inspector.corpora.readers.user_relations import read_relations
from inspector.errors import InputError

SENTENCE = "She PRON 2 nsubj; sang VERB 0 root; loudly ADV 2 advmod"
HEADER = "sent_id\tfrom\tto\tlabel"


@pytest.fixture
def relations_file(write):
    """Return a function: lines → a file of relations."""

    def file(*lines, header=HEADER):
        return write("\n".join([header, *lines]) + "\n", "mine.tsv")

    return file


def test_a_users_pairs(relations_file):
    path = relations_file("s1\t3\t1\tmood of", "s1\t2\t1\tnsubj", "", "s1\t3\t1\tmood of")
    found = pairs(lambda corpus: read_relations(corpus, path), tree(SENTENCE))
    assert found == {("user:mood of", "loudly3", "She1"), ("user:nsubj", "sang2", "She1")}


def test_a_kind_may_be_said(relations_file):
    path = relations_file("s1\t3\t1\ta\tlogical", "s1\t3\t1\tb\t", header=f"{HEADER}\tkind")
    corpus = read_relations(corpus_of(tree(SENTENCE)), path)
    assert ("logical", "user:a") in corpus.relation_counts()
    assert ("semantic", "user:b") in corpus.relation_counts()


@each(
    ("line", "reason"),
    [
        ("s1\t3\t4\ta", "a word number that is not in the sentence"),
        ("s1\t0\t1\ta", "a word number that is not in the sentence"),
        ("s1\t-1\t1\ta", "a word number that is not in the sentence"),
        ("s1\t3.1\t1\ta", "a word number that is not in the sentence"),
        ("s1\t" + "9" * 5000 + "\t1\ta", "a word number that is not in the sentence"),
        ("s1\t3\t3\ta", "a word related to itself"),
        ("s1\t3\t1\t", "a label that is empty, too long or not printable"),
        ("s1\t3\t1\ta\x1b", "a label that is empty, too long or not printable"),
        ("s1 3 1 a", "a line without 4 columns separated by tabs"),
        ("s1\t3\t1\ta\tb", "a line without 4 columns separated by tabs"),
    ],
)
def test_a_broken_line_is_counted_and_the_rest_read(relations_file, line, reason):
    corpus = read_relations(corpus_of(tree(SENTENCE)), relations_file(line, "s1\t3\t1\tgood"))
    assert counted(corpus) == {"user:good": 1}
    assert reasons(corpus) == {reason: 1}
    assert corpus.left_out[0].examples == ("mine.tsv, line 2",)


def test_an_unknown_kind_is_counted(relations_file):
    path = relations_file("s1\t3\t1\ta\tmagic", "s1\t3\t2\ta\t", header=f"{HEADER}\tkind")
    corpus = read_relations(corpus_of(tree(SENTENCE)), path)
    assert reasons(corpus) == {"a kind that is none of semantic, logical": 1}


def test_ids_that_are_not_in_the_corpus_are_counted_and_named(relations_file):
    lines = [f"s{number}\t3\t1\ta" for number in range(1, 9)]
    corpus = read_relations(corpus_of(tree(SENTENCE)), relations_file(*lines, *lines))
    (row,) = corpus.left_out
    assert (row.annotation, row.count) == ("relations", 14)
    assert row.reason == "a sentence id that is not in the corpus"
    assert row.examples == ("s2", "s3", "s4", "s5", "s6")


def test_labels_beyond_the_first_200_are_counted(relations_file):
    lines = [f"s1\t3\t1\tlabel {number}" for number in range(203)]
    corpus = read_relations(corpus_of(tree(SENTENCE)), relations_file(*lines))
    assert len(counted(corpus)) == 200
    assert reasons(corpus) == {"a label beyond the first 200": 3}


def test_a_file_of_another_corpus_or_without_a_header_is_refused(relations_file):
    corpus = corpus_of(tree(SENTENCE))
    with pytest.raises(InputError, match="must name sentences of corpus small: none of its ids"):
        read_relations(corpus, relations_file("x\t1\t2\ta"))
    path = relations_file(header="s1\t3\t1\ta")
    with pytest.raises(
        InputError,
        match=re.escape(
            f"relations ({path}) lacks the column 'sent_id' in its first line: give a table "
            "separated by tabs with the columns sent_id, from, to, label."
        ),
    ):
        read_relations(corpus, path)
