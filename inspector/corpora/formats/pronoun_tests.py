"""Sentences made to ask who a pronoun is: GAP, WinoBias, Winogender.

Each has a pronoun, the person it means, and another person it could mean. A line that cannot be
understood is left out with file, line and reason.

Source: Webster et al. (2018), arXiv:1810.05201 (GAP); Zhao et al. (2018), arXiv:1804.06876
(WinoBias); Rudinger et al. (2018), arXiv:1804.09301 (Winogender).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from inspector.corpora.coreference import KIND, MENTIONS, NEAREST
from inspector.corpora.formats.line_reader import Paths, shown
from inspector.corpora.formats.plain_text import split_words
from inspector.corpora.formats.reading import Reading
from inspector.corpora.lexicon import LEXICON
from inspector.corpora.sentence import Corpus, Relation, Sentence
from inspector.errors import InputError

GAP_COLUMNS = (
    *("ID", "Text", "Pronoun", "Pronoun-offset", "A", "A-offset", "A-coref"),
    *("B", "B-offset", "B-coref", "URL"),
)
WINOGENDER_COLUMNS = ("sentid", "sentence")
PRONOUNS = LEXICON.pronouns_of_persons
_NUMBERED = re.compile(r"\s*(\d{1,9})\s+(\S.*)")
_BRACKET = re.compile(r"\[([^\[\]]*)\]")
Line = tuple[int, str]


class _Refused(ValueError):
    """Why a line cannot be understood."""


def read_schemas(paths: Paths, *, strict: bool = False) -> Corpus:
    """Return the sentences of GAP, WinoBias and Winogender files, with their pronouns' relations.

    A pronoun and the person it means are 'coref:pronoun', chosen from all words, and
    'coref:pronoun:mentions', chosen from the two persons alone. A person of several words is
    asked by one of them: a name by its first word, as trees of Universal Dependencies do, a common
    noun by its last. A person who is named again elsewhere is right only where the file says, so
    that over all words GAP's figures are a lower bound.

    A passage of GAP is a document, in WinoBias the two sentences of a pair, in Winogender all of
    an occupation. In WinoBias the other person is any occupation that the file has in brackets
    elsewhere; where there is none, the pronoun has no second reading.

    Args:
        paths: One file or several, `.tsv` for GAP and Winogender, any other for WinoBias.
        strict: Whether a line that cannot be understood stops the reading, not only that line.

    Raises:
        InputError: If no line of a file can be understood, or, with `strict`, one cannot.
        OutputError: If a file cannot be read.
    """
    reading = Reading(paths, strict=strict)
    for path, stem in reading.files():
        lines = [(number, text) for number, text in reading.lines(path) if text]
        for number, text, read in _entries(path, lines):
            try:
                reading.sentences.append(read(stem, number, text))
            except _Refused as fault:
                reading.skip(path, number, str(fault))
    return reading.corpus("gold")


def _entries(
    path: Path, lines: Sequence[Line]
) -> Iterator[tuple[int, str, Callable[[str, int, str], Sentence]]]:
    """Yield each line that holds a sentence, with what reads it."""
    header = tuple(lines[0][1].split("\t")) if lines else ()
    if header[:1] == GAP_COLUMNS[:1]:
        if missing := [column for column in GAP_COLUMNS[:-1] if column not in header]:
            raise InputError(
                f"corpus ({shown(path)}) must have the columns of GAP; missing: "
                f"{', '.join(missing)}."
            )
        yield from ((number, text, _gap) for number, text in lines[1:])
    elif header == WINOGENDER_COLUMNS:
        yield from ((number, text, _winogender) for number, text in lines[1:])
    elif path.suffix.lower() == ".tsv":
        raise InputError(
            f"corpus ({shown(path)}) is a table that is no corpus: its first line must be that of "
            "GAP (ID, Text, …) or Winogender (sentid, sentence). A table that adds to a corpus is "
            "given beside it (--roles, --annotate)."
        )
    else:
        winobias = partial(_winobias, known=_occupations(lines))
        yield from ((number, text, winobias) for number, text in lines)


def _gap(stem: str, number: int, text: str) -> Sentence:
    cells = text.split("\t")
    if len(cells) not in (len(GAP_COLUMNS), len(GAP_COLUMNS) - 1):
        raise _Refused(f"{len(cells)} columns separated by tabs, expected {len(GAP_COLUMNS)}")
    row = dict(zip(GAP_COLUMNS, cells, strict=False))
    words, starts = _placed(row["Text"])
    at = {
        name: _span(row["Text"], name, row[name], row[f"{name}-offset"], starts)
        for name in ("Pronoun", "A", "B")
    }
    right = [name for name in ("A", "B") if _is_true(name, row[f"{name}-coref"])]
    if len(right) > 1:
        raise _Refused("A-coref and B-coref are both TRUE: the pronoun means one of them")
    relations: tuple[Relation, ...] = ()
    if right:
        others = [at["B" if right == ["A"] else "A"]]
        relations = _pronoun(at["Pronoun"], at[right[0]], others)
    name = row["ID"] or f"{stem}:{number}"
    return Sentence(name, name, tuple(words), None, relations, row["Text"])


def _is_true(name: str, cell: str) -> bool:
    if cell.upper() not in ("TRUE", "FALSE"):
        raise _Refused(f"{name}-coref ({shown(cell)}) must be TRUE or FALSE")
    return cell.upper() == "TRUE"


def _span(text: str, name: str, said: str, offset: str, starts: Sequence[int]) -> int:
    """Return the first word of what a row says stands at an offset."""
    if not (offset.isdecimal() and len(offset) <= 9) or int(offset) + len(said) > len(text):
        raise _Refused(
            f"{name}-offset ({shown(offset)}) must be a place in the text of {len(text)} characters"
        )
    start = int(offset)
    if not said or text[start : start + len(said)] != said:
        found = text[start : start + len(said)]
        raise _Refused(
            f"{name} ({shown(said)}) must stand at its offset, where '{shown(found)}' is"
        )
    if start not in starts:
        raise _Refused(f"{name} ({shown(said)}) must begin where a word begins")
    return list(starts).index(start)


def _winobias(stem: str, number: int, text: str, known: frozenset[tuple[str, ...]]) -> Sentence:
    numbered = _NUMBERED.fullmatch(text)
    if numbered is None:
        raise _Refused("it must begin with its number")
    words: list[str] = []
    spans: list[range] = []
    for place, part in enumerate(_BRACKET.split(numbered[2])):
        found = split_words(part)
        if place % 2:
            spans.append(range(len(words), len(words) + len(found)))
        words += found
    forms = [word.casefold() for word in words]
    pronouns = [span[0] for span in spans if len(span) == 1 and forms[span[0]] in PRONOUNS]
    persons = [span[-1] for span in spans if len(span) and forms[span[-1]] not in PRONOUNS]
    if len(persons) != 1 or not pronouns:
        raise _Refused(
            f"it has {len(persons)} persons and {len(pronouns)} pronouns in brackets, expected one "
            "person and at least one pronoun"
        )
    others = [word for word in _occurrences(forms, known) if word != persons[0]]
    relations = tuple(
        relation for word in pronouns for relation in _pronoun(word, persons[0], others)
    )
    document = f"{stem}-{(int(numbered[1]) + 1) // 2:04d}"
    name = f"{stem}:{numbered[1]}"
    plain = _BRACKET.sub(r"\1", numbered[2])
    return Sentence(name, document, tuple(words), None, relations, plain)


def _occupations(lines: Sequence[Line]) -> frozenset[tuple[str, ...]]:
    """Return what stands in brackets and is no pronoun, without its article, word by word."""
    found = set()
    for _, text in lines:
        for bracket in _BRACKET.findall(text):
            words = tuple(word.casefold() for word in split_words(bracket))
            words = words[1:] if words[:1] in (("the",), ("a",), ("an",)) else words
            if words and words[-1] not in PRONOUNS:
                found.add(words)
    return frozenset(found)


def _occurrences(forms: Sequence[str], known: frozenset[tuple[str, ...]]) -> list[int]:
    """Return the last words of all occupations in a sentence."""
    lengths = {len(words) for words in known}
    return sorted(
        {
            start + length - 1
            for length in lengths
            for start in range(len(forms) - length + 1)
            if tuple(forms[start : start + length]) in known
        }
    )


def _winogender(stem: str, number: int, text: str) -> Sentence:
    name, tab, plain = text.partition("\t")
    parts = name.split(".")
    if not tab or len(parts) < 4 or parts[2] not in ("0", "1"):
        raise _Refused("it must be occupation.participant.answer.gender.txt, a tab and a sentence")
    words = split_words(plain)
    forms = [word.casefold() for word in words]
    pronouns = [place for place, form in enumerate(forms) if form in PRONOUNS]
    places = [_place_of(person, forms) for person in parts[:2]]
    if len(pronouns) != 1:
        raise _Refused(f"it has {len(pronouns)} pronouns, expected one")
    answer = int(parts[2])
    relations = _pronoun(pronouns[0], places[answer], [places[1 - answer]])
    return Sentence(name, f"{stem}-{parts[0]}", tuple(words), None, relations, plain)


def _place_of(person: str, forms: Sequence[str]) -> int:
    last = person.casefold().replace("_", " ").split()[-1] if person.strip("_ ") else ""
    if last not in forms:
        raise _Refused(f"the sentence must speak of '{shown(person)}', as its name does")
    return list(forms).index(last)


def _placed(text: str) -> tuple[list[str], list[int]]:
    """Return the words of a text, and the character at which each begins."""
    words = split_words(text)
    starts: list[int] = []
    end = 0
    for word in words:
        starts.append(text.index(word, end))
        end = starts[-1] + len(word)
    return words, starts


def _pronoun(pronoun: int, right: int, others: Sequence[int]) -> tuple[Relation, ...]:
    """Return the relations of a pronoun to the person it means, in both readings."""
    persons = (right, *others)
    before = [word for word in persons if word < pronoun]
    subsets = (NEAREST,) if before and max(before) == right else ()
    label = "coref:pronoun"
    plain = Relation(KIND, label, pronoun, right, subsets=subsets)
    if not others:
        return (plain,)
    among = tuple(sorted({pronoun, *persons}))
    return plain, Relation(KIND, label + MENTIONS, pronoun, right, among=among, subsets=subsets)
