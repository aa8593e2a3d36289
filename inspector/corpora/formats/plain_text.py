"""Plain text: words and sentences by rule, no relations; behaviour can be measured on it.

Blank lines separate documents, a line break ends a sentence. Must not know: trees, models.

Source of the words: the basic tokenizer of Devlin et al. (2019), BERT, arXiv:1810.04805, without
its lower-casing.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from inspector.corpora.formats.line_reader import (
    MAX_LINE_BYTES,
    LineReader,
    Paths,
    as_paths,
    corpus_name,
    shown,
    unique_names,
)
from inspector.corpora.lexicon import LEXICON
from inspector.corpora.sentence import SENTENCES_PER_BLOCK, Corpus, Sentence, Skipped
from inspector.corpora.surface import Surface, surface_of
from inspector.errors import InputError

_END = re.compile(
    # Possessive, and from a run's first sign alone: else a line of points alone takes for ever.
    r"(?<![.!?…])[.!?…]++['\"”’)\]»]*+(?P<space>\s++)(?=['\"“‘(\[«]*+(?P<next>\w))"
    r"|[。！？]+[”’』」）]*(?=.)"
)
_LAST_WORD = re.compile(r"([\w.]+)\.$")
_LONGEST = 20  # more characters than any abbreviation has
_ABBREVIATIONS = LEXICON.abbreviations
_CJK = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")


@dataclass(frozen=True)
class Passage:
    """A line of text and the document it belongs to."""

    paragraph: str
    """The name of its block between blank lines, unique in the corpus."""
    line: int
    text: str


def read_text(paths: Paths, *, strict: bool = False) -> Corpus:
    """Return the sentences of plain text files: words without relations.

    A file's blocks between blank lines are its documents; a file without blank lines is cut into
    documents of 20 sentences. A line may hold one sentence or several (`split_sentences`).

    Args:
        paths: One file or several, UTF-8.
        strict: Whether a line that is too long stops the reading, not only that line.

    Raises:
        InputError: If a file holds no word, or is not UTF-8 text.
        OutputError: If a file cannot be read.
    """
    files = as_paths(paths)
    digest = hashlib.sha256()
    skipped: list[Skipped] = []
    sentences: list[Sentence] = []
    for path, stem in zip(files, unique_names(files), strict=True):
        found = [
            (passage, count, text, words)
            for passage in passages(path, stem, digest, skipped, strict=strict)
            for count, text in enumerate(split_sentences(passage.text), 1)
            if (words := split_words(text))
        ]
        documents = name_documents([passage.paragraph for passage, *_ in found])
        for document, (passage, count, text, words) in zip(documents, found, strict=True):
            name = f"{passage.paragraph}:{passage.line}.{count}"
            sentences.append(Sentence(name, document, tuple(words), None, (), text))
        if not found:
            raise InputError(f"corpus ({shown(path)}) holds no word: give a file with text.")
    return Corpus(corpus_name(files), sentences, skipped, digest.hexdigest(), "none")


def passages(
    path: Path, name: str, digest: "hashlib._Hash", skipped: list[Skipped], *, strict: bool
) -> Iterator[Passage]:
    """Yield the lines of a text file that are not blank.

    Args:
        path: The file.
        name: What its paragraphs are called, with a number; unique in the corpus.
        digest: Is fed its bytes.
        skipped: Is given the lines that are too long.
        strict: Whether such a line is refused.

    Raises:
        InputError: If the file is not UTF-8 text, or with `strict` a line is too long.
        OutputError: If it cannot be read.
    """
    paragraph, blank = 0, True
    for number, text in LineReader(path, digest):
        if text is None:
            reason = f"the line is longer than {MAX_LINE_BYTES:,} bytes"
            if strict:
                raise InputError(
                    f"line {number} of {shown(path)} cannot be read: {reason}. "
                    "Break it, or read without strict (--strict) to skip it."
                )
            skipped.append(Skipped(shown(path), number, None, reason))
        elif not text.strip():
            blank = True
        else:
            paragraph += blank
            blank = False
            yield Passage(f"{name}-{paragraph:05d}", number, text.strip())


def name_documents(paragraphs: list[str]) -> list[str]:
    """Return the document of each sentence: its paragraph, or blocks of 20 where there is one.

    Example:
        >>> sorted(set(name_documents(["a-1"] * 30)))
        ['a-1-block-00000', 'a-1-block-00001']
        >>> name_documents(["a-1", "a-2"])
        ['a-1', 'a-2']
    """
    if len(set(paragraphs)) > 1:
        return paragraphs
    return [
        f"{paragraph}-block-{index // SENTENCES_PER_BLOCK:05d}"
        for index, paragraph in enumerate(paragraphs)
    ]


def split_sentences(line: str) -> list[str]:
    """Return the sentences of a line of text.

    A sentence ends at `. ! ? …` and what closes after them, before a space and a capital letter
    or digit, unless the point belongs to a common abbreviation or an initial; and at `。！？`.

    Example:
        >>> split_sentences("Dr. Lee came at 5 p.m. on Monday. He left.")
        ['Dr. Lee came at 5 p.m. on Monday.', 'He left.']
    """
    sentences, start = [], 0
    for match in _END.finditer(line):
        if match["space"] is not None:
            end = match.start() + 1
            last = _LAST_WORD.search(line, max(start, end - _LONGEST), end)
            word = last[1].lower() if last else ""
            initial = len(word) == 1 and word.isalpha() and word != "i"
            if match["next"].islower() or word in _ABBREVIATIONS or initial:
                continue
        sentences.append(line[start : match.end()].strip())
        start = match.end()
    return [*sentences, rest] if (rest := line[start:].strip()) else sentences


def split_words(text: str) -> list[str]:
    """Return the words of a text: whitespace separates them, punctuation stands alone.

    Punctuation is every character of Unicode's category P and every ASCII character that is
    neither letter nor digit; a Chinese character is a word.

    Example:
        >>> split_words("Don't stop, 早安!")
        ['Don', "'", 't', 'stop', ',', '早', '安', '!']
    """
    words: list[str] = []
    for chunk in text.split():
        if chunk.isascii() and chunk.isalnum():
            words.append(chunk)
            continue
        for alone, characters in groupby(chunk, _stands_alone):
            if alone:
                words += characters
            else:
                words.append("".join(characters))
    return words


def text_surface(text: str) -> Surface:
    """Return a text as it stands, with the places of its words.

    Example:
        >>> text_surface("Go, now").spans
        ((0, 2), (2, 3), (4, 7))
    """
    return surface_of(split_words(text), text)


def _stands_alone(character: str) -> bool:
    if character.isascii():
        return character.isprintable() and not character.isalnum()
    return unicodedata.category(character).startswith("P") or bool(_CJK.match(character))
