"""Plain text: words, sentences and documents by rule."""

import hashlib
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.each import each


@each(
    ("line", "sentences"),
    [
        ("One. Two! Three? Four… Five", ["One.", "Two!", "Three?", "Four…", "Five"]),
        ("He said “Go.” She went.", ["He said “Go.”", "She went."]),
        ("(It rained.) We left.", ["(It rained.)", "We left."]),
        ("Dr. Lee met Mr. J. Smith at 5 p.m. on Monday.", None),
        ("It costs 3.50 euros, e.g. Here it costs more.", None),
        ("He asked why? nobody knew.", None),
        ("So it was I. Then they came.", ["So it was I.", "Then they came."]),
        ("Version 2. 40 people came.", ["Version 2.", "40 people came."]),
        ("他来了。她走了！好。", ["他来了。", "她走了！", "好。"]),
        ("  ", []),
        ("...", ["..."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(line, sentences):
    from inspector.corpora.formats.plain_text import split_sentences

    assert split_sentences(line) == ([line] if sentences is None else sentences)


@each(
    ("text", "words"),
    [
        ("The cat's $5 hat.", ["The", "cat", "'", "s", "$", "5", "hat", "."]),
        ("“Éa—b”…", ["“", "Éa", "—", "b", "”", "…"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("早安world", ["早", "安", "world"]),
        ("👩‍👩‍👧 ok", ["👩‍👩‍👧", "ok"]),
        ("a\u00a0b\u3000c", ["a", "b", "c"]),
        ("", []),
    ],
)
def test_words_are_whitespace_and_punctuation_apart(text, words):
    from inspector.corpora.formats.plain_text import split_words

    assert split_words(text) == words


def slow_words(text):
    """Split by putting spaces around what stands alone."""
    spaced = ""
    for c in text:
        name = unicodedata.name(c, "")
        alone = unicodedata.category(c)[0] == "P" or c in "$+<=>^`|~"
        alone = alone or name.startswith(("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH"))
        spaced += f" {c} " if alone else c
    return spaced.split()


@given(st.text(st.sampled_from("ab1 .,'-$^早अिé€\u2028\u200b—")))
def test_words_are_those_of_a_slow_splitter(text):
    from inspector.corpora.formats.plain_text import split_words

    assert split_words(text) == slow_words(text)


@given(st.text(st.sampled_from("aB1.?!… \"”。'")))
def test_sentences_lose_nothing_but_spaces(text):
    from inspector.corpora.formats.plain_text import split_sentences

    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


def test_basic_words_are_those_of_the_library(minilm):
    from inspector.corpora.formats.plain_text import split_words

    text = "Don't stop: Émile's 3.5% — “早安” $9, e-mail@home!"
    split = minilm.tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str(
        minilm.tokenizer.backend_tokenizer.normalizer.normalize_str(text)
    )
    lowered = [unicodedata.normalize("NFD", word.lower()) for word in split_words(text)]
    plain = ["".join(c for c in word if unicodedata.category(c) != "Mn") for word in lowered]
    assert plain == [word for word, _ in split]


def test_blank_lines_separate_documents_and_line_ends_sentences(write):
    from inspector.corpora import read_corpus

    content = b"\xef\xbb\xbfOne. Two\r\nthree\r\n \r\n\r\nFour"
    corpus = read_corpus(write(content, "a.txt"))
    assert [(s.document, s.text) for s in corpus.sentences] == [
        ("a-00001", "One."),
        ("a-00001", "Two"),
        ("a-00001", "three"),
        ("a-00002", "Four"),
    ]
    assert [s.id for s in corpus.sentences] == [
        "a-00001:1.1",
        "a-00001:1.2",
        "a-00001:2.1",
        "a-00002:5.1",
    ]
    assert corpus.sentences[0].words == ("One", ".")
    assert corpus.annotation == "none"
    assert corpus.sha256 == hashlib.sha256(content).hexdigest()
    assert all(s.upos is None and s.relations == () for s in corpus.sentences)


def test_a_text_without_blank_lines_is_cut_every_twenty_sentences(write):
    from inspector.corpora import read_text

    corpus = read_text([write("Go.\n" * 21, "a.txt")])
    documents = [s.document for s in corpus.sentences]
    assert documents == ["a-00001-block-00000"] * 20 + ["a-00001-block-00001"]


def test_documents_of_files_with_one_name_are_kept_apart(tmp_path):
    from inspector.corpora import read_text

    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("One.\n\nTwo.")
    corpus = read_text([tmp_path / "x/a.txt", tmp_path / "y/a.txt"])
    assert len(set(corpus.document_ids())) == 4
    assert len({s.id for s in corpus.sentences}) == 4


@pytest.mark.parametrize("content", ["", " \n\n\t\n"])
def test_a_text_without_a_word_is_refused(write, content):
    from inspector.corpora import read_text
    from inspector.errors import InputError

    path = write(content, "a.txt")
    with pytest.raises(InputError) as error:
        read_text(path)
    assert str(error.value) == f"corpus ({path}) holds no sentence: give a file with text."


def test_a_line_that_is_too_long_is_skipped_or_stops(write):
    from inspector.corpora import Skipped, read_text
    from inspector.errors import InputError

    path = write("One.\n" + "x" * 1_000_001 + "\nTwo.", "a.txt")
    corpus = read_text(path)
    assert [s.text for s in corpus.sentences] == ["One.", "Two."]
    reason = "the line is longer than 1,000,000 bytes"
    assert corpus.skipped == [Skipped(str(path), 2, None, reason)]
    with pytest.raises(InputError) as error:
        read_text(path, strict=True)
    assert str(error.value) == (
        f"line 2 of {path} is malformed: {reason}. Fix it, or read without strict (--strict) "
        "to skip it."
    )


@each(
    "text",
    ["." * 300_000, "a. " * 100_000, "a." * 100_000, "é" * 300_000, "。" * 300_000, "!(" * 100_000],
    ids=["points", "initials", "one word", "one chunk", "full stops", "openings"],
)
def test_a_line_of_nothing_but_signs_takes_no_time(text):
    """It took minutes: of each sign all that follow were looked at, or what was read copied."""
    from inspector.corpora.formats.plain_text import split_sentences, split_words

    started = time.process_time()
    assert "".join(split_sentences(text)).replace(" ", "") == text.replace(" ", "")
    assert "".join(split_words(text)) == text.replace(" ", "")
    assert time.process_time() - started < 10
