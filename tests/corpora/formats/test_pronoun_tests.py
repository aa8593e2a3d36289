"""GAP, WinoBias and Winogender: every line of the sets is read, and what cannot be is named."""

import csv
import os
import re
from pathlib import Path

import pytest
from support.each import each

from inspector.corpora import read_corpus
from inspector.corpora.annotation.matched_pairs import with_controls
from inspector.corpora.formats.pronoun_tests import GAP_COLUMNS, read_schemas
from inspector.errors import InputError

DATA = Path(os.environ.get("INSPECTOR_DATA", Path(__file__).parents[4] / "shared" / "data"))
TEXT = "Ann Lee met Bo's friend Cy before she left Ann's house."
GAP_ROW = ["g-1", TEXT, "she", "34", "Ann Lee", "0", "TRUE", "Bo", "12", "FALSE", "http://x"]
PAIR = [
    "1 [The construction worker] thanked the clerk because [she] was kind to [her].",
    "2 The construction worker thanked [the clerk] because [he] was kind.",
]


def gap(write, *rows, name="gap.tsv"):
    return write("\n".join("\t".join(row) for row in (GAP_COLUMNS, *rows)) + "\n", name)


def changed(**cells):
    row = dict(zip(GAP_COLUMNS, GAP_ROW, strict=True)) | {
        name.replace("_", "-"): cell for name, cell in cells.items()
    }
    return list(row.values())


def asked(sentence):
    """Return (label, pronoun, person, words to choose from) of each relation, as words."""
    return [
        (
            one.label,
            sentence.words[one.source],
            sentence.words[one.target],
            tuple(sentence.words[word] for word in one.among),
        )
        for one in sentence.relations
    ]


def test_gap(write):
    corpus = read_schemas(gap(write, GAP_ROW, changed(A_coref="FALSE", B_coref="TRUE")))
    one, other = corpus.sentences
    assert (one.id, one.document, one.text, one.upos) == ("g-1", "g-1", TEXT, None)
    assert asked(one) == [
        ("coref:pronoun", "she", "Ann", ()),
        ("coref:pronoun:mentions", "she", "Ann", ("Ann", "Bo", "she")),
    ]
    assert one.relations[0].target == 0, "where the file says, not where the name comes again"
    assert asked(other)[0][2] == "Bo"
    assert one.relations[0].subsets == ()
    assert other.relations[0].subsets == ("nearest-mention",)


def controls(sentence):
    """Return (label, source, target) of each matched pair, as words."""
    return [
        (one.label, sentence.words[one.source], sentence.words[one.target])
        for one in with_controls(sentence, ()).relations
        if "|" in one.label
    ]


def test_the_matched_pair_is_the_pronoun_and_the_other_person(write):
    """Words of these texts have no part of speech: only the persons are known to be alike."""
    one, other = read_schemas(
        gap(write, GAP_ROW, changed(A_coref="FALSE", B_coref="TRUE"))
    ).sentences
    names = ("coref:pronoun|matched", "coref:pronoun:mentions|matched")
    assert controls(one) == [(name, "she", "Bo") for name in names]
    assert controls(other) == [(name, "she", "Ann") for name in names]
    restricted = [r for r in with_controls(one, ()).relations if r.among]
    assert [r.among for r in restricted] == [restricted[0].among] * 2


def test_without_another_person_nothing_is_matched(write):
    (sentence,) = read_schemas(write(PAIR[0], "pro.txt.dev")).sentences
    assert controls(sentence) == []


def test_of_several_other_persons_the_one_as_far_away_is_matched(write):
    lines = [
        *PAIR,
        "3 [The worker] told the farmer and the clerk that [she] left.",
        "4 [A farmer] [her].",
    ]
    sentence = read_schemas(write("\n".join(lines), "pro.txt.dev")).sentences[2]
    assert {person for _, _, person in controls(sentence)} == {"farmer"}


def test_a_pronoun_that_means_neither_has_no_relation(write):
    corpus = read_schemas(gap(write, changed(A_coref="FALSE")))
    assert corpus.sentences[0].relations == ()


@each(
    ("row", "reason"),
    [
        (
            changed(Pronoun_offset="999"),
            f"Pronoun-offset (999) must be a place in the text of {len(TEXT)} characters",
        ),
        (
            changed(A_offset="-1"),
            f"A-offset (-1) must be a place in the text of {len(TEXT)} characters",
        ),
        (changed(B_offset="11"), "B (Bo) must stand at its offset, where ' B' is"),
        (changed(B="nn", B_offset="1"), "B (nn) must begin where a word begins"),
        (changed(A_coref="maybe"), "A-coref (maybe) must be TRUE or FALSE"),
        (
            changed(B_coref="TRUE"),
            "A-coref and B-coref are both TRUE: the pronoun means one of them",
        ),
        (GAP_ROW[:5], "5 columns separated by tabs, expected 11"),
    ],
)
def test_a_broken_line_of_gap_is_left_out_and_the_rest_is_read(write, row, reason):
    path = gap(write, row, GAP_ROW)
    corpus = read_schemas(path)
    assert [sentence.id for sentence in corpus.sentences] == ["g-1"]
    assert [(one.file, one.line, one.reason) for one in corpus.skipped] == [(str(path), 2, reason)]
    with pytest.raises(InputError) as refused:
        read_schemas(path, strict=True)
    assert str(refused.value) == (
        f"line 2 of {path} is malformed: {reason}. "
        "Fix it, or read without strict (--strict) to skip it."
    )


def test_winobias(write):
    corpus = read_schemas(write("\n".join(PAIR), "pro.txt.dev"))
    one, other = corpus.sentences
    assert one.text == "The construction worker thanked the clerk because she was kind to her."
    assert one.document == other.document == "pro.txt-0001"
    assert asked(one) == [
        ("coref:pronoun", "she", "worker", ()),
        ("coref:pronoun:mentions", "she", "worker", ("worker", "clerk", "she")),
        ("coref:pronoun", "her", "worker", ()),
        ("coref:pronoun:mentions", "her", "worker", ("worker", "clerk", "her")),
    ]
    assert asked(other)[1] == ("coref:pronoun:mentions", "he", "clerk", ("worker", "clerk", "he"))


def test_winobias_without_another_person_has_one_reading(write):
    corpus = read_schemas(write(PAIR[0], "pro.txt.dev"))
    assert {one.label for one in corpus.sentences[0].relations} == {"coref:pronoun"}


def test_winogender(write):
    lines = ["sentid\tsentence", "cook.guest.1.male.txt\tThe cook asked the guest if he ate."]
    lines += ["cook.someone.0.female.txt\tThe cook told someone that she ate."]
    one, other = read_schemas(write("\n".join(lines), "w.tsv")).sentences
    assert asked(one)[1] == ("coref:pronoun:mentions", "he", "guest", ("cook", "guest", "he"))
    assert asked(other)[1][2:] == ("cook", ("cook", "someone", "she"))
    assert one.document == other.document == "w-cook"


@each(
    ("name", "lines", "reason"),
    [
        ("a.dev", [*PAIR, "[The clerk] saw [her]."], "it must begin with its number"),
        (
            "a.dev",
            [*PAIR, "3 The clerk saw [her]."],
            (
                "it has 0 persons and 1 pronouns in brackets, expected one person and at least "
                "one pronoun"
            ),
        ),
        (
            "a.tsv",
            ["sentid\tsentence", "cook.x.0.a.txt\tThe cook left x, she ate.", "cook\tHe left."],
            "it must be occupation.participant.answer.gender.txt, a tab and a sentence",
        ),
        (
            "a.tsv",
            [
                "sentid\tsentence",
                "cook.x.0.a.txt\tThe cook left x, she ate.",
                "cook.guest.0.a.txt\tA cook ate.",
            ],
            "the sentence must speak of 'guest', as its name does",
        ),
        (
            "a.tsv",
            ["sentid\tsentence", "cook.x.0.a.txt\tThe cook left x, she ate.", "a.b.0.c\tA b."],
            "it has 0 pronouns, expected one",
        ),
    ],
)
def test_a_broken_line_is_left_out_with_its_reason(write, name, lines, reason):
    corpus = read_schemas(write("\n".join(lines), name))
    assert [(one.line, one.reason) for one in corpus.skipped] == [(3, reason)]
    assert len(corpus.sentences) == len(lines) - len(corpus.skipped) - name.endswith("tsv")


def test_what_is_no_such_set_is_refused(write):
    path = write("sent_id\tfrom\tto\tlabel\n", "own.tsv")
    with pytest.raises(InputError) as refused:
        read_corpus(path)
    assert str(refused.value) == (
        f"corpus ({path}) is a table that is no corpus: its first line must be that of GAP "
        "(ID, Text, …) or Winogender (sentid, sentence). A table that adds to a corpus is given "
        "beside it (--roles, --annotate)."
    )
    path = write("ID\tText\n", "half.tsv")
    with pytest.raises(InputError) as refused:
        read_corpus(path)
    assert str(refused.value) == (
        f"corpus ({path}) must have the columns of GAP; missing: Pronoun, Pronoun-offset, A, "
        "A-offset, A-coref, B, B-offset, B-coref."
    )
    path = gap(write, changed(A_offset="x"))
    with pytest.raises(InputError) as refused:
        read_corpus(path)
    assert str(refused.value) == (
        f"corpus ({path}) holds no sentence that can be read: 1 skipped, the first at line 2: "
        f"A-offset (x) must be a place in the text of {len(TEXT)} characters. Mend it, or give the "
        "text alone, a sentence a line, as .txt."
    )


@pytest.mark.skipif(not (DATA / "gap").is_dir(), reason="needs gap of INSPECTOR_DATA")
def test_every_passage_of_gap(write):
    path = DATA / "gap" / "gap-development.tsv"
    corpus = read_corpus(path)
    assert (len(corpus.sentences), corpus.skipped) == (2000, [])
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    for sentence, row in zip(corpus.sentences, rows, strict=True):
        right = [name for name in "AB" if row[f"{name}-coref"] == "TRUE"]
        assert len(sentence.relations) == 2 * len(right)
        for relation in sentence.relations:
            assert sentence.words[relation.source] == row["Pronoun"]
            assert row[right[0]].startswith(sentence.words[relation.target])
            # The word is the one at the offset: as many letters stand before it.
            before = "".join(sentence.words[: relation.target])
            offset = int(row[f"{right[0]}-offset"])
            assert before == re.sub(r"\s", "", row["Text"][:offset])


@pytest.mark.skipif(not (DATA / "winobias").is_dir(), reason="needs winobias of INSPECTOR_DATA")
def test_every_sentence_of_winobias_and_winogender():
    for path in sorted((DATA / "winobias").glob("*.dev")):
        corpus = read_corpus(path)
        assert (len(corpus.sentences), corpus.skipped) == (396, [])
        text = path.read_text(encoding="utf-8").lower()
        pronouns = len(re.findall(r"\[(?:he|she|him|her|his)\]", text))
        counts = corpus.relation_counts()
        assert counts["semantic", "coref:pronoun"] == pronouns
        assert counts["semantic", "coref:pronoun:mentions"] == pronouns
    corpus = read_corpus(DATA / "winogender" / "all_sentences.tsv")
    assert (len(corpus.sentences), corpus.skipped) == (720, [])
    assert len(set(corpus.document_ids())) == 60
    assert set(corpus.relation_counts().values()) == {720}


ENDLESS = "9" * 5000  # int() refuses more than 4,300 digits


@each("column", ["Pronoun_offset", "A_offset", "B_offset"])
@each("offset", [ENDLESS, "0" * 5000, "-1", "-" + ENDLESS, "1e999999", "nan", "3.0", "²", "", "99"])
def test_an_offset_that_is_no_place_in_the_text(write, column, offset):
    corpus = read_schemas(gap(write, changed(**{column: offset}), GAP_ROW))
    assert len(corpus.sentences) == 1
    (skipped,) = corpus.skipped
    shown = offset if len(offset) <= 300 else offset[:300] + "…"
    assert skipped.reason == (
        f"{column.replace('_', '-')} ({shown}) must be a place in the text of 55 characters"
    )


@each("number", [ENDLESS, "-1", "1e9", "²"])
def test_a_sentence_of_winobias_without_a_number(write, number):
    corpus = read_schemas(write(f"{number} [The clerk] said [she] left.\n{PAIR[1]}\n", "a.dev"))
    assert len(corpus.sentences) == 1
    assert corpus.skipped[0].reason == "it must begin with its number"


@each(
    ("text", "name"),
    [("\t".join(GAP_COLUMNS), "g.tsv"), ("sentid\tsentence\n", "w.tsv"), ("\n\n", "a.dev")],
)
def test_a_file_of_a_header_alone_holds_no_sentence(write, text, name):
    path = write(text, name)
    with pytest.raises(InputError) as caught:
        read_schemas(path)
    assert str(caught.value) == f"corpus ({path}) holds no sentence: give a file with text."
