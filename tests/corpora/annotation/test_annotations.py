"""The registry of annotation beyond the tree."""

import re

import pytest
from support.texts.small_trees import corpus_of, counted, tree

from inspector.corpora import annotate, annotate_from
from inspector.corpora.annotation.registry import BESIDE, CARRIED
from inspector.errors import InputError

SENTENCE = (
    "Every DET 2 det; singer NOUN 4 nsubj; not PART 4 advmod; slept VERB 0 root; if SCONJ 8 mark; "
    "he PRON 8 nsubj; or CCONJ 8 cc; sang VERB 4 advcl"
)


def test_everything_carried_is_added_once():
    corpus = corpus_of(tree(SENTENCE, w2="Args=ARG0:4"))
    found = annotate(corpus)
    assert counted(found) == {
        "neg:scope": 1,
        "quantifier:noun": 1,
        "quantifier:scope": 1,
        "condition:consequence": 1,
        "condition:cue": 1,
        "role-dep:ARG0": 1,
    }
    assert annotate(found) == found
    assert found.sha256 == corpus.sha256


def test_one_annotation_alone():
    assert set(counted(annotate(corpus_of(tree(SENTENCE)), ["negation"]))) == {"neg:scope"}
    assert counted(annotate(corpus_of(tree(SENTENCE)), [])) == {}


def test_an_unknown_name_is_refused():
    with pytest.raises(
        InputError,
        match=re.escape(
            f"annotation ('irony') must be a known one. Available: {', '.join(map(repr, CARRIED))}."
        ),
    ):
        annotate(corpus_of(tree(SENTENCE)), ["irony"])


def test_names_of_relations_begin_as_the_registry_says():
    found = annotate(corpus_of(tree(SENTENCE, w2="Args=ARG0:4")))
    known = tuple(start for carried in CARRIED.values() for start in carried.relations)
    assert all(label.startswith(known) for label in counted(found))


def test_a_parsers_trees_in_other_labels_stay_as_they_are():
    from dataclasses import replace

    silver = replace(corpus_of(tree(SENTENCE)), annotation="silver:clearnlp (x 1)")
    assert annotate(silver) == silver


@pytest.mark.parametrize(
    ("content", "name", "label"),
    [
        ("sent_id\tfrom\tto\tlabel\ns1\t1\t2\tmine\n", "a.tsv", "user:mine"),
        (
            (
                "sent_id\tpred_id\troleset\trole\targ_id\tpred_form\targ_form\n"
                "s1\t4\tx.01\tARG0\t2\tslept\tsinger\n"
            ),
            "b.tsv",
            "role-dep:ARG0",
        ),
    ],
)
def test_a_file_says_itself_what_it_is(write, content, name, label):
    assert set(counted(annotate_from(corpus_of(tree(SENTENCE)), write(content, name)))) == {label}


def test_a_file_that_says_nothing_known_is_refused(write):
    path = write("what\tis\tthis\n", "c.tsv")
    available = "; ".join(f"{name}: {beside.file}" for name, beside in BESIDE.items())
    with pytest.raises(
        InputError,
        match=re.escape(
            f"annotation ({path}) must be of a kind that can be told by its suffix or by the "
            f"columns that its first line names. Available: {available}."
        ),
    ):
        annotate_from(corpus_of(tree(SENTENCE)), path)
