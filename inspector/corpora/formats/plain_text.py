"""Plain text: words and sentences by rule, no relations; behaviour can be measured on it.

Blank lines separate documents, a line break ends a sentence.

Source of the words: the basic tokenizer of Devlin et al. (2019), BERT, arXiv:1810.04805, without
its lower-casing.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from inspector.corpora.formats.line_reader import Paths
from inspector.corpora.formats.reading import TOO_LONG, Reading
from inspector.corpora.lexicon import LEXICON
from inspector.corpora.sentence import SENTENCES_PER_BLOCK, Corpus, Sentence
from inspector.corpora.surface import Surface, surface_of

Words = TypeVar("Words")
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
    reading = Reading(paths, strict=strict)
    for path, stem in reading.files():
        found = [
            (passage, count, (text, words))
            for passage in passages(reading, path, stem)
            for count, text in enumerate(split_sentences(passage.text), 1)
            if (words := split_words(text))
        ]
        for name, document, _, (text, words) in named(found):
            reading.sentences.append(Sentence(name, document, tuple(words), None, (), text))
    return reading.corpus("none")


def passages(reading: Reading, path: Path, name: str) -> Iterator[Passage]:
    """Yield the lines of a text file that are not blank; those that are too long are skipped.

    Args:
        reading: The corpus that is being read.
        path: The file.
        name: What its paragraphs are called, with a number; unique in the corpus.

    Raises:
        InputError: If the file is not UTF-8 text, or in strict reading a line is too long.
        OutputError: If it cannot be read.
    """
    paragraph, blank = 0, True
    for number, text in reading.lines(path):
        if text is None:
            reading.skip(path, number, TOO_LONG)
        elif not text.strip():
            blank = True
        else:
            paragraph += blank
            blank = False
            yield Passage(f"{name}-{paragraph:05d}", number, text.strip())


def named(found: list[tuple[Passage, int, Words]]) -> Iterator[tuple[str, str, int, Words]]:
    """Yield the id, the document and the line of each sentence, and what is known of it.

    A sentence's document is its paragraph, or a block of 20 where the file has one paragraph.

    Args:
        found: The sentences of a file: passage, number in it from 1, what is known.

    Example:
        >>> here = Passage("a-1", 3, "Go. Stop.")
        >>> [row[:3] for row in named([(here, 1, "Go."), (here, 2, "Stop.")])]
        [('a-1:3.1', 'a-1-block-00000', 3), ('a-1:3.2', 'a-1-block-00000', 3)]
    """
    several = len({passage.paragraph for passage, *_ in found}) > 1
    for index, (passage, count, what) in enumerate(found):
        paragraph, block = passage.paragraph, index // SENTENCES_PER_BLOCK
        document = paragraph if several else f"{paragraph}-block-{block:05d}"
        yield f"{paragraph}:{passage.line}.{count}", document, passage.line, what


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
