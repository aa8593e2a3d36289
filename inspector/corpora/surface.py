"""Sentences as they stand in their text: the string, and which of its characters are whose word's.

What a tokenizer reads must be the text itself: where a space stands and where none does, multiword
tokens as they are written, spaces inside words.

Source of the spacing: https://universaldependencies.org/format.html, and UDPipe's SpacesAfter and
SpacesInToken, https://ufal.mff.cuni.cz/udpipe/1/users-manual.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from inspector.corpora.misc_column import misc_value

Line = tuple[str, str, str]
"""ID, FORM and MISC of a line of CoNLL-U."""
_ESCAPED = re.compile(r"\\(.)")
_SPACES = {"s": " ", "t": "\t", "n": "\n", "r": "\r", "p": "|"}
_LONGEST_RANGE = 100
"""Characters of a multiword token, and of its words, beyond which the first word holds all."""


@dataclass(frozen=True, slots=True)
class Surface:
    """A text, and where each word of it stands."""

    text: str
    spans: tuple[tuple[int, int], ...]
    """First character of each word, and the one after its last; the same twice for a word of a
    multiword token that none of its characters spells."""
    after: str = " "
    """What stands between this text and what follows it."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """What stands between two spaces or their like: a word, or a multiword token with its words."""

    form: str
    words: tuple[str, ...]
    after: str


def surface_of(words: Sequence[str], text: str | None, lines: Sequence[Line] = ()) -> Surface:
    """Return how words stand in their text.

    The text is `text` wherever it spells the words, white space apart. Where it does not, or there
    is none, the words' forms are joined as MISC says (`SpaceAfter`, `SpacesAfter`,
    `SpacesInToken`), and by single spaces where it says nothing. A multiword token's characters
    belong to its words by what these spell (`dámelo`: da, me, lo; `zum`: zu, then m to dem); what
    none of them spells belongs to the word before it, at the beginning to the first.

    Args:
        words: At least one.
        text: As the corpus has it.
        lines: The sentence's lines of CoNLL-U; none where it has no tree.

    Example:
        >>> lines = [("1-2", "zum", "_"), ("1", "zu", "_"), ("2", "dem", "_"), ("3", "Tor", "_")]
        >>> surface_of(["zu", "dem", "Tor"], "zum  Tor", lines).spans
        ((0, 2), (2, 3), (5, 8))
        >>> surface_of(["10 000", "."], "10 000.").spans
        ((0, 6), (6, 7))
    """
    units = _units(words, lines)
    found = None if text is None else _places_in(text, units)
    if text is None or found is None:
        text, found = _written(units)
    spans = [
        (start + first, start + last)
        for unit, (start, end) in zip(units, found, strict=True)
        for first, last in _shares(text[start:end], unit.words)
    ]
    return Surface(text, tuple(spans), units[-1].after)


def joined_surface(parts: Sequence[Surface]) -> Surface:
    """Return texts as one that goes on.

    Example:
        >>> joined_surface([Surface("Go!", ((0, 2), (2, 3))), Surface("No", ((0, 2),))]).spans
        ((0, 2), (2, 3), (4, 6))
    """
    text, spans = "", []
    for part in parts:
        spans += [(start + len(text), end + len(text)) for start, end in part.spans]
        text += part.text + part.after
    last = parts[-1].after
    return Surface(text.removesuffix(last), tuple(spans), last)


def _units(words: Sequence[str], lines: Sequence[Line]) -> list[_Unit]:
    if not lines:
        return [_Unit(word, (word,), " ") for word in words]
    units: list[_Unit] = []
    held = 0  # the last word of the range before
    for number, form, misc in lines:
        start, is_range, end = number.partition("-")
        form = _spaces(misc_value(misc, "SpacesInToken")) or form
        if is_range:
            held = int(end)
            units.append(_Unit(form, tuple(words[int(start) - 1 : held]), _after(misc)))
        elif start.isdecimal() and int(start) > held:
            units.append(_Unit(form, (words[int(start) - 1],), _after(misc)))
    return units


def _after(misc: str) -> str:
    if misc_value(misc, "SpaceAfter") == "No":
        return ""
    return _spaces(misc_value(misc, "SpacesAfter")) or " "


def _spaces(escaped: str) -> str:
    return _ESCAPED.sub(lambda match: _SPACES.get(match[1], match[1]), escaped)


def _places_in(text: str, units: Sequence[_Unit]) -> list[tuple[int, int]] | None:
    """Return where each unit stands, None where the text spells something else."""
    places = [place for place, character in enumerate(text) if not character.isspace()]
    solid = ["".join(unit.form.split()) for unit in units]
    if "".join(solid) != "".join(text.split()):
        return None
    found, at = [], 0
    for form in solid:
        here = places[at : at + len(form)] or [len(text)]
        found.append((here[0], here[-1] + 1 if form else here[0]))
        at += len(form)
    return found


def _written(units: Sequence[_Unit]) -> tuple[str, list[tuple[int, int]]]:
    text, found = "", []
    for unit in units:
        found.append((len(text), len(text) + len(unit.form)))
        text += unit.form + unit.after
    return text[: found[-1][1]], found


def _shares(form: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Return which characters of a form belong to each of its words."""
    if len(words) == 1:
        return [(0, len(form))]
    starts = _starts(form, words)
    spans, end = [], len(form)
    for word in reversed(range(len(words))):
        start = starts.get(word, end)
        spans.append((start, end))
        end = start
    return spans[::-1]


def _starts(form: str, words: Sequence[str]) -> dict[int, int]:
    """Return the first character of each word that has one."""
    spelled, written = _plain("".join(words)), _plain(form)
    of_character = [word for word, letters in enumerate(words) for _ in letters]
    starts: dict[int, int] = {}
    blocks = [(0, 0, len(form))]
    if spelled != written:
        # Beyond this length matching takes long, and nothing is a contraction.
        short = max(len(spelled), len(written)) <= _LONGEST_RANGE
        matcher = SequenceMatcher(None, spelled, written, autojunk=False)
        blocks = [(a, b, size) for a, b, size in matcher.get_matching_blocks()] if short else []
    for of_words, of_form, size in blocks:
        for step in range(size):
            starts.setdefault(of_character[of_words + step], of_form + step)
    first = min(starts, key=starts.__getitem__, default=0)
    if starts.get(first, 1):  # what stands before it is of the first word
        starts[0] = 0
    return starts


def _plain(text: str) -> str:
    """Return a text without accents and capitals, character by character: none more, none less."""
    return "".join(map(_plain_character, text))


def _plain_character(character: str) -> str:
    bare = [part for part in unicodedata.normalize("NFD", character) if not _is_mark(part)]
    lower = "".join(bare).lower()
    return lower if len(lower) == 1 else character


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) == "Mn"
