"""What CoNLL-U may hold is read as it is meant, and what is not used is kept."""

import gzip
import hashlib
import os
from dataclasses import replace

import pytest
from support.each import each

DOGS = (
    "1\tDogs\tdog\tNOUN\tNNS\tNumber=Plur\t2\tnsubj:outer\t2:nsubj\tEntity=(1-animal)\n"
    "2\tbark\tbark\tVERB\tVBP\t_\t0\troot\t0:root\tSpaceAfter=No\n"
    "3\t.\t.\tPUNCT\t.\t_\t2\tpunct\t2:punct\t_\n"
)
GO = "1\tGo\t_\tVERB\t_\t_\t0\troot\t_\t_\n"


@pytest.fixture
def read(write):
    """Return a function: content → the corpus of a file that holds it."""
    from inspector.corpora import read_conllu

    return lambda content, **settings: read_conllu(write(content), **settings)


def test_a_sentence_is_words_and_relations_from_dependent_to_head(read):
    from inspector.corpora import Relation

    corpus = read("# newdoc id = d\n# sent_id = s\n# text = Dogs bark.\n" + DOGS)
    (sentence,) = corpus.sentences
    assert sentence.id == "s"
    assert sentence.document == "d"
    assert sentence.text == "Dogs bark."
    assert sentence.words == ("Dogs", "bark", ".")
    assert sentence.upos == ("NOUN", "VERB", "PUNCT")
    assert sentence.relations == (Relation("syntax", "nsubj", 0, 1),)
    assert corpus.name == "bank"
    assert corpus.annotation == "gold"


def test_all_columns_root_and_punctuation_can_still_be_had(read):
    (sentence,) = read("# global.Entity = x\n" + DOGS).sentences
    assert sentence.heads == (1, -1, 1)
    assert sentence.deprels == ("nsubj:outer", "root", "punct")
    assert sentence.misc == ("Entity=(1-animal)", "SpaceAfter=No", "_")
    assert sentence.deps == ("2:nsubj", "0:root", "2:punct")
    assert sentence.lemmas == ("dog", "bark", ".")
    assert sentence.feats == sentence.column("feats")
    for name in ("lemma", "deprel", "misc"):
        field = {"lemma": "lemmas", "deprel": "deprels"}.get(name, name)
        assert getattr(sentence, field) == sentence.column(name)
    assert sentence.comments == ("# global.Entity = x",)


def test_full_labels_keep_subtypes(read):
    (sentence,) = read(DOGS, labels="full").sentences
    assert [relation.label for relation in sentence.relations] == ["nsubj:outer"]


def test_subtypes_of_root_and_punct_are_left_out_too(read):
    (sentence,) = read(DOGS.replace("\tpunct\t", "\tpunct:x\t"), labels="full").sentences
    assert [relation.label for relation in sentence.relations] == ["nsubj:outer"]


def test_multiword_ranges_and_empty_nodes_do_not_count_as_words(read):
    lines = [
        "0.1\tI\ti\tPRON\t_\t_\t_\t_\t2:nsubj\t_",
        "1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_",
        "1\tdo\t_\tAUX\t_\t_\t3\taux\t_\t_",
        "2\tn't\t_\tPART\t_\t_\t3\tadvmod\t_\t_",
        "2.1\tx\t_\t_\t_\t_\t_\t_\t3:dep\t_",
        "2.2\ty\t_\t_\t_\t_\t_\t_\t3:dep\t_",
        "3\tgo\t_\tVERB\t_\t_\t0\troot\t_\t_",
    ]
    corpus = read("\n".join(lines) + "\n", strict=True)
    (sentence,) = corpus.sentences
    assert sentence.words == ("do", "n't", "go")
    assert sentence.heads == (2, 2, -1)
    from inspector.corpora import write_conllu

    assert write_conllu([sentence]).splitlines()[1:8] == lines


@each(
    ("name", "change"),
    [
        ("CR LF", lambda text: text.replace("\n", "\r\n").encode()),
        ("byte order mark", lambda text: b"\xef\xbb\xbf" + text.encode()),
        ("marked files joined", lambda text: text.replace("# ", "\ufeff# ").encode()),
        ("no last line end", lambda text: text.rstrip("\n").encode()),
        ("lines of spaces between", lambda text: text.replace("\n\n", "\n \t\n\n").encode()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_line_ends_and_marks_make_no_difference(read, name, change):
    text = f"# sent_id = a\n{DOGS}\n# sent_id = b\n{GO}\n"
    plain, changed = read(text), read(change(text), strict=True)
    assert changed.sentences == plain.sentences
    assert [s.source for s in changed.sentences] == [s.source for s in plain.sentences]
    assert changed.sha256 == hashlib.sha256(change(text)).hexdigest() != plain.sha256


def test_a_form_with_a_space_is_one_word(read):
    (sentence,) = read(GO.replace("Go", "20 000")).sentences
    assert sentence.words == ("20 000",)


@each("form", [*"_#-", "a\u2028b", "a\u0085", "\x0b.", "1\u00a02", "\u200b"])
def test_unusual_forms_are_kept_as_they_are(read, form):
    (sentence,) = read(GO.replace("Go", form)).sentences
    assert sentence.words == (form,)


def test_words_without_tags_have_none(read):
    (sentence,) = read(GO.replace("VERB", "_")).sentences
    assert sentence.upos is None


def test_a_document_goes_on_until_the_next_and_ends_with_its_file(write):
    from inspector.corpora import read_conllu

    first = write(f"{GO}\n# newdoc id = d\n{GO}\n{GO}\n# newdoc\n{GO}", "first.conllu")
    second = write(GO, "second.conllu")
    corpus = read_conllu([first, second])
    assert [s.document for s in corpus.sentences] == [None, "d", "d", "first-2", None]
    assert corpus.name == "first and 1 more"
    joined = first.read_bytes() + second.read_bytes()
    assert corpus.sha256 == hashlib.sha256(joined).hexdigest()


def test_a_document_named_on_a_bad_sentence_holds_for_the_next(read):
    corpus = read(f"# newdoc id = d\n{GO.replace('0', '7')}\n{GO}")
    assert [s.document for s in corpus.sentences] == ["d"]


def test_a_comment_alone_is_no_sentence(read):
    corpus = read(f"# newdoc id = d\n\n{GO}", strict=True)
    assert [s.document for s in corpus.sentences] == ["d"]


def test_a_sentence_without_an_id_is_named_by_its_line(read):
    assert [s.id for s in read(f"# x\n{GO}\n{GO}").sentences] == ["bank.conllu:2", "bank.conllu:4"]


def test_twenty_sentences_are_a_document_where_none_is_named(read):
    ids = read("\n".join([GO] * 41)).document_ids()
    assert ids == ["block-00000"] * 20 + ["block-00001"] * 20 + ["block-00002"]


def test_sentences_of_a_named_document_are_in_no_block(read):
    corpus = read("\n".join([GO] * 41))
    named = [replace(one, document="d") for one in corpus.sentences[:15]]
    ids = replace(corpus, sentences=[*named, *corpus.sentences[15:]]).document_ids()
    assert ids == ["d"] * 15 + ["block-00000"] * 20 + ["block-00001"] * 6


def test_trees_that_a_parser_made_are_not_gold(read):
    silver = f"# annotation = silver:x\n{GO}"
    assert read(silver).annotation == "silver:x"
    from inspector.errors import InputError

    with pytest.raises(InputError) as error:
        read(f"# sent_id = a\n{GO}\n# sent_id = b\n{silver}")
    assert str(error.value) == (
        "corpus must be annotated in one way: sentence a is gold, sentence b is silver:x. "
        "Give them as two corpora."
    )


@each(
    ("content", "sentence"),
    [
        (b"", "corpus (F) holds no sentence: give a file with text."),
        (b"\n\n \n# a comment\n", "corpus (F) holds no sentence: give a file with text."),
        (
            GO.replace("0", "1").encode(),
            ("corpus (F) holds no sentence that can be read: 1 skipped, the first at line 1: "
            "word 1 is its own HEAD. Mend it, or give the text alone, a sentence a line, as .txt."),
        ),
        (gzip.compress(DOGS.encode()), ("corpus (F) is gzip-compressed: unpack it (gunzip) and "
            "give the file inside.")),
        (b"PK\x03\x04xx", "corpus (F) is a zip archive: unpack it and give the file inside."),
        (
            b"\n <!DOCTYPE html>\n<html>",
            ("corpus (F) is a web page (HTML): download the file itself, not the page that shows "
            "it."),
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "corpus (F) is a Git LFS pointer, not the text: run `git lfs pull`.",
        ),
        (
            DOGS.encode("utf-16"),
            "corpus (F) is UTF-16 text, not UTF-8 at byte 0, line 1: save it as UTF-8.",
        ),
        (
            DOGS.encode("utf-16-le"),
            ("corpus (F) is not UTF-8 text (every second byte is 0, as in UTF-16, or it is "
            "binary): save it as UTF-8."),
        ),
        (
            DOGS.replace("\n", "\r").encode(),
            ("corpus (F) has lines that end in a carriage return alone, as old Macs wrote them: "
            "save it with line ends of Unix or Windows."),
        ),
        (
            (GO + "\n" + GO.replace("Go", "Allé")).encode("latin-1"),
            f"corpus (F) is not UTF-8 at byte {len(GO) + 6}, line 3: save it as UTF-8.",
        ),
        (
            b"\xef\xbb\xbf1\t\xe9",
            "corpus (F) is not UTF-8 at byte 5, line 1: save it as UTF-8.",
        ),
    ],
)  # fmt: skip
def test_a_file_that_is_no_treebank_is_refused(write, content, sentence):
    from inspector.corpora import read_conllu
    from inspector.errors import InputError

    path = write(content)
    with pytest.raises(InputError) as error:
        read_conllu(path)
    assert str(error.value) == sentence.replace("F", str(path), 1)


def test_what_cannot_be_opened_is_said(tmp_path):
    from inspector.corpora import read_conllu
    from inspector.errors import InputError, OutputError

    with pytest.raises(OutputError) as missing:
        read_conllu(tmp_path / "no.conllu")
    assert str(missing.value) == (
        f"corpus ({tmp_path}/no.conllu) cannot be read (No such file or directory): check the name."
    )
    assert missing.value.exit_code == 4
    with pytest.raises(InputError, match=r"must be a path: give a string or a pathlib\.Path"):
        read_conllu("a\0b")
    with pytest.raises(InputError) as folder:
        read_conllu(tmp_path)
    assert str(folder.value) == (
        f"corpus ({tmp_path}) is a folder: give its files, one by one or as *.conllu."
    )
    with pytest.raises(InputError) as device:
        read_conllu("/dev/null")
    assert str(device.value) == ("corpus (/dev/null) is not a regular file: save the text in one.")
    with pytest.raises(InputError) as none:
        read_conllu([])
    assert str(none.value) == (
        "corpus ([]) must hold at least one file: give a .conllu or .txt file."
    )


def test_a_file_that_fails_while_it_is_read_is_said(write, monkeypatch):
    from inspector.corpora import read_conllu
    from inspector.errors import OutputError

    path = write(GO)

    def fail(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(OutputError) as error:
        read_conllu(path)
    assert str(error.value) == (
        f"corpus ({path}) cannot be read (Permission denied): check the name."
    )


def test_one_file_of_many_without_a_sentence_is_refused(write):
    from inspector.corpora import read_conllu
    from inspector.errors import InputError

    with pytest.raises(InputError, match=r"empty\.conllu\) holds no sentence"):
        read_conllu([write(GO), write("", "empty.conllu")])


def test_labels_are_a_known_choice():
    from inspector.corpora.sentence import check_labels
    from inspector.errors import InputError

    with pytest.raises(InputError) as error:
        check_labels("all")
    assert str(error.value) == (
        "labels ('all') must be a known choice. Available: 'universal', 'full'."
    )


def test_a_plain_sentence_has_no_tree():
    from inspector.corpora import Sentence, write_conllu
    from inspector.errors import InputError

    plain = Sentence("p", None, ("Go",), None, ())
    assert plain.heads == ()
    assert plain.misc == plain.deprels == ()
    assert plain.column("misc") == ("_",)
    with pytest.raises(InputError) as error:
        write_conllu([plain])
    assert str(error.value) == (
        "sentence (p) has no tree: only annotated sentences can be written as CoNLL-U."
    )


def test_the_first_word_is_a_head_like_any_other(read):
    """'Go home now': both others depend on word 1, which is 0 where words count from 0."""
    from inspector.corpora import Relation
    from inspector.corpora.sentence import tree_relations

    assert tree_relations([-1, 0, 0], ["root", "obj", "advmod"]) == (
        Relation("syntax", "obj", 1, 0),
        Relation("syntax", "advmod", 2, 0),
    )
    (sentence,) = read(
        "1\tGo\tgo\tVERB\t_\t_\t0\troot\t_\t_\n2\thome\thome\tNOUN\t_\t_\t1\tobj\t_\t_\n\n"
    ).sentences
    assert [(one.label, one.source, one.target) for one in sentence.relations] == [("obj", 1, 0)]
