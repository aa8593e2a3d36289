"""Semantic roles from a file and from the last column."""

import csv
import re

import pytest
from support.each import each
from support.texts.gold_data import DATA
from support.texts.small_trees import carried, corpus_of, counted, pairs, reasons, tree

from inspector.corpora import read_conllu
from inspector.corpora.readers.semantic_roles import COLUMNS, read_roles
from inspector.errors import InputError, OutputError

carried_roles = carried("roles")
WANTS = (
    "She PRON 2 nsubj; wants VERB 0 root; to PART 4 mark; sing VERB 2 xcomp; and CCONJ 8 cc; "
    "is AUX 8 cop; not PART 8 advmod; happy ADJ 2 conj"
)
ROWS = [
    ("s1", "2", "want.01", "ARG0", "1", "wants", "She"),
    ("s1", "4", "sing.01", "ARG0", "1", "sing", "She"),
    ("s1", "2", "want.01", "ARG1", "4", "wants", "sing"),
    ("s1", "6", "be.01", "ARG1", "1", "is", "She"),
    ("s1", "6", "be.01", "ARGM-NEG", "7", "is", "not"),
    ("s1", "8", "happy.01", "ARG0", "1", "happy", "She"),
]
EXPECTED = {
    ("role-dep:ARG0", "She1", "wants2"),
    ("role:ARG0", "She1", "sing4"),
    ("role-dep:ARG1", "sing4", "wants2"),
    ("role-copula:ARG1", "She1", "is6"),
    ("neg:argument", "not7", "is6"),
    ("role:ARG0", "She1", "happy8"),
}


@pytest.fixture
def roles_file(write):
    """Return a function: rows → a file of roles."""

    def file(*rows, header=COLUMNS):
        lines = ["\t".join(header), *("\t".join(row) for row in rows)]
        return write("\n".join(lines) + "\n", "roles.tsv")

    return file


def test_roles_are_apart_by_how_the_tree_joins_them(roles_file):
    path = roles_file(*ROWS)
    assert pairs(lambda corpus: read_roles(corpus, path), tree(WANTS)) == EXPECTED


def test_kinds(roles_file):
    corpus = read_roles(corpus_of(tree(WANTS)), roles_file(*ROWS))
    kinds = {label: kind for kind, label in corpus.relation_counts() if kind != "syntax"}
    assert kinds.pop("neg:argument") == "logical"
    assert set(kinds.values()) == {"semantic"}


@each(
    ("row", "reason"),
    [
        (("s1", "6", "be.03", "ARG0", "1", "is", "She"), "a predicate that is an auxiliary"),
        (("s1", "4", "sing.01", "R-ARG0", "1", "sing", "She"), "a role that only continues"),
        (("s1", "4", "sing.01", "C-V", "1", "sing", "She"), "a role that only continues"),
        (("s9", "4", "sing.01", "ARG0", "1", "sing", "She"), "a sentence id that is not in the"),
        (("s1", "4", "sing.01", "ARG0", "99", "sing", "She"), "a word that is not the corpus' one"),
        (("s1", "4", "sing.01", "ARG0", "x", "sing", "She"), "a word that is not the corpus' one"),
        (("s1", "4", "sing.01", "ARG0", "2", "sing", "She"), "a word that is not the corpus' one"),
        (("s1", "4", "sing.01", "ARG0", "4", "sing", "sing"), "a word related to itself"),
        (("s1", "4"), "a line without 7 columns separated by tabs"),
    ],
)
def test_what_does_not_fit_is_counted_and_the_rest_read(roles_file, row, reason):
    corpus = read_roles(corpus_of(tree(WANTS)), roles_file(ROWS[0], row, ROWS[1]))
    assert counted(corpus) == {"role-dep:ARG0": 1, "role:ARG0": 1}
    (left_out,) = corpus.left_out
    assert left_out.reason.startswith(reason)
    assert (left_out.annotation, left_out.count) == ("roles", 1)
    assert left_out.examples == (("s9",) if row[0] == "s9" else ("roles.tsv, line 3",))


def test_the_file_becomes_part_of_the_corpus_hash(roles_file):
    corpus = corpus_of(tree(WANTS))
    one = read_roles(corpus, roles_file(*ROWS[:1])).sha256
    two = read_roles(corpus, roles_file(*ROWS[:2])).sha256
    assert len({corpus.sha256, one, two}) == 3
    assert two == read_roles(corpus, roles_file(*ROWS[:2])).sha256


def test_a_file_of_other_columns_is_refused(roles_file):
    path = roles_file(*ROWS, header=("sent_id", "pred", *COLUMNS[2:]))
    with pytest.raises(
        InputError,
        match=re.escape(
            f"roles ({path}) lacks the column 'pred_id' in its first line: give a table separated "
            "by tabs with the columns sent_id, pred_id, roleset, role, arg_id, pred_form, arg_form."
        ),
    ):
        read_roles(corpus_of(tree(WANTS)), path)


def test_a_file_of_another_corpus_is_refused(roles_file):
    path = roles_file(("s9", *ROWS[0][1:]))
    with pytest.raises(
        InputError,
        match=re.escape(
            f"roles ({path}) must name sentences of corpus small: none of its ids is there. Give "
            "the file that belongs to this corpus."
        ),
    ):
        read_roles(corpus_of(tree(WANTS)), path)


def test_a_file_that_is_not_there_or_no_text(write, tmp_path):
    corpus = corpus_of(tree(WANTS))
    with pytest.raises(OutputError, match=re.escape(f"roles ({tmp_path / 'no.tsv'}) cannot be")):
        read_roles(corpus, tmp_path / "no.tsv")
    with pytest.raises(InputError, match="is not UTF-8 at byte 2, line 1: save it as UTF-8"):
        read_roles(corpus, write(b"se\xff\n", "roles.tsv"))
    with pytest.raises(InputError, match=re.escape(f"roles ({tmp_path}) is a folder")):
        read_roles(corpus, tmp_path)


def test_an_id_that_two_sentences_have_is_counted(roles_file):
    corpus = corpus_of(tree(WANTS), tree(WANTS), tree(WANTS, id="s2"))
    found = read_roles(corpus, roles_file(ROWS[0], ("s2", *ROWS[0][1:])))
    assert reasons(found) == {"a sentence id that several sentences of the corpus have": 1}
    assert counted(found) == {"role-dep:ARG0": 1}


def test_roles_in_the_last_column():
    sentence = tree(
        WANTS, w1="Args=ARG0:2,ARG0:4,ARG1:6,ARG0:8", w4="Args=ARG1:2", w7="Args=ARGM-NEG:6"
    )
    assert pairs(carried_roles, sentence) == EXPECTED


def test_a_broken_last_column_is_counted():
    corpus = carried_roles(corpus_of(tree(WANTS, w1="Args=ARG0:2,who:4,ARG0:77,ARG1:x")))
    assert reasons(corpus) == {
        "an Args value that is not ROLE:word": 1,
        "a word number that is not in the sentence": 2,
    }
    assert counted(corpus) == {"role-dep:ARG0": 1}


def test_counts_on_ewt(gold_file):
    """All rows of the file are found again, apart by role and by the tree, by plain loops."""
    path = DATA / "up-english-ewt/srl-ewt-v2.16-dev.tsv"
    corpus = read_conllu(gold_file("ewt"))
    if not path.is_file():
        pytest.skip(f"no roles at {path}; INSPECTOR_DATA names another folder")
    trees = {s.id: (s.heads, s.deprels) for s in corpus.sentences}
    expected, dropped = {}, 0
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in rows:
        if row["roleset"] in ("be.03", "have.01", "do.01") or row["role"][:2] in ("R-", "C-"):
            dropped += 1
            continue
        heads, deprels = trees[row["sent_id"]]
        a, p = int(row["arg_id"]) - 1, int(row["pred_id"]) - 1
        name = "role-dep" if p in (heads[a],) or a in (heads[p],) else "role"
        name = "role-copula" if deprels[p] in ("cop", "aux", "aux:pass") else name
        label = "neg:argument" if row["role"] == "ARGM-NEG" else f"{name}:{row['role']}"
        expected[label] = expected.get(label, set()) | {(row["sent_id"], a, p)}
    found = read_roles(corpus, path)
    assert counted(found) == {label: len(kept) for label, kept in expected.items()}
    assert sum(reasons(found).values()) == dropped
    assert sum(counted(found).values()) > 9000
    assert counted(found)["role:ARG0"] > 300
