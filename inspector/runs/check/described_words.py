"""Targets that are words: "the word but", "the nearest VERB", "the last word of the sentence".

Must not know: heads, corpora, models.
"""

import re
from dataclasses import dataclass
from functools import cache

from inspector.runs.check.vocabulary import found_in, words

_QUOTES = "\"'`“”‘’«»"
_KEYWORD = re.compile(
    rf"(?:\bkeyword:|\b(?:the\s+(?:key)?word|keyword)\s+(?:head\s+)?(?:(?:for|of)\s+)?)"
    rf"(?:[{_QUOTES}](?P<quoted>[^\s{_QUOTES}]+)[{_QUOTES}]"
    # Without quotes nothing may follow: 'the word two to the right' is another thing.
    rf"|(?P<bare>[^\s{_QUOTES},;]+?)(?=[\s.]*$|\s*[,;]))"
)
_QUOTED = re.compile(rf"(?<!\w)[{_QUOTES}](?P<word>[^\s{_QUOTES}]+)[{_QUOTES}](?!\w)")
_ORDINALS = {
    "first": "first", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "last": "last",
}  # fmt: skip
_POSITION = re.compile(
    r"\bposition:(?P<written>first|last|-?[1-9][0-9]{0,3})(?!\w)"
    rf"|\b(?:the\s+)?(?P<ordinal>{'|'.join(_ORDINALS)})\s+word\s+(?:of|in)\s+the\s+sentence\b"
    r"|\bthe\s+(?P<end>first|last)\s+word\s*\.?\s*$"
)
_NAMED = re.compile(r"\b(?:word-class:)?(?P<tag>[a-z]+):(?P<side>left|right|either)\b")
_NEAR = {
    "nearest": "either", "closest": "either", "next": "right", "following": "right",
    "previous": "left", "preceding": "left",
}  # fmt: skip
_COUNTS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "second": 2, "third": 3, "fourth": 4,
}  # fmt: skip
_RIGHT = ("right", "after", "ahead", "forward", "later")
_WAY = (
    r"(?:(?:to|on)\s+(?:the|its)\s+)?"
    r"(?P<{}>left|right|before|after|back|ahead|forward|earlier|later)\b"
)
_OFFSET = re.compile(
    r"\b(?:offset|position)s?(?::|\s+of)?\s*(?:i\s*)?(?P<signed>[+-][1-9][0-9]{0,2})(?!\w)"
    r"|\boffset(?::|\s+of)?\s*(?P<ahead>[1-9][0-9]{0,2})(?!\w)"
    r"|(?<!\S)i?(?P<bare>[+-][1-9][0-9]{0,2})(?!\S)"
    r"|\b(?P<many>one|two|three|four|five|[1-9])\s+(?:(?:token|word|position|place)s?\s+)?"
    + _WAY.format("way")
    + r"|\b(?P<nth>second|third|fourth)\s+(?:token|word)\s+"
    + _WAY.format("side")
    + r"|\b(?:token|word)\s+(?P<beyond>after\s+(?:the\s+)?next|before\s+(?:the\s+)?previous)\b"
    r"(?:\s+(?:token|word|one)\b)?"
)
_SIDES = {"left": ("left", "before"), "right": ("right", "after")}


@dataclass(frozen=True)
class WordTarget:
    """Words of one form, the nearest of a class (left, right, either), or that at a position."""

    word: str = ""
    tag: str = ""
    side: str = "either"
    position: str = ""

    @property
    def name(self) -> str:
        """Return how it is written, as the roles of heads are.

        Example:
            >>> WordTarget(word="but").name, WordTarget(tag="VERB", side="left").name
            ('keyword:but', 'word-class:VERB:left')
        """
        if self.position:
            return f"position:{self.position}"
        return f"keyword:{self.word}" if self.word else f"word-class:{self.tag}:{self.side}"

    @classmethod
    def named(cls, name: str) -> "WordTarget":
        """Return the target of a name.

        Example:
            >>> WordTarget.named("word-class:VERB:left").side
            'left'
        """
        kind, _, what = name.partition(":")
        if kind == "position":
            return cls(position=what)
        if kind == "keyword":
            return cls(word=what)
        tag, _, side = what.partition(":")
        return cls(tag=tag, side=side)


def word_target(text: str) -> tuple[str, str, bool] | None:
    """Return the name of the target in a description, the rest of it, and whether it is certain.

    A word without quotes is not: 'the word before' is another thing.

    Args:
        text: In lower case.

    Example:
        >>> word_target("attends to the nearest verb to the left")
        ('word-class:VERB:left', 'attends to ', True)
        >>> word_target("looks at the word 'but'")
        ('keyword:but', 'looks at ', True)
        >>> word_target("looks at the second word of the sentence")
        ('position:2', 'looks at ', True)
    """
    at = _POSITION.search(text)
    if at:
        position = at["written"] or at["end"] or _ORDINALS[at["ordinal"]]
        target = WordTarget(position={"1": "first", "-1": "last"}.get(position, position))
        return target.name, _without(text, at), True
    named = _NAMED.search(text)
    if named and named["tag"].upper() in words().classes:
        target, match = WordTarget(tag=named["tag"].upper(), side=named["side"]), named
        return target.name, _without(text, match), True
    near = _nearest().search(text)
    if near:
        side = next(
            (side for side, ways in _SIDES.items() if near["side"] in ways), _NEAR[near["near"]]
        )
        target = WordTarget(tag=_tags()[near["tag"]], side=side)
        return target.name, _without(text, near), True
    apart = _OFFSET.search(text)
    if apart:
        return _offset_name(apart), _without(text, apart), True
    one = _KEYWORD.search(text)
    if one:
        certain = bool(one["quoted"]) or one[0].startswith("keyword")
        return WordTarget(word=one["quoted"] or one["bare"]).name, _without(text, one), certain
    marks = found_in(text, tuple(words().marks))
    if len({words().marks[name] for _, _, name in marks}) == 1:
        start, end, name = marks[0]
        return WordTarget(word=words().marks[name]).name, text[:start] + text[end:], True
    return None


def quoted_word(text: str) -> str:
    """Return the name of the target where a description's one word in quotes is meant; else ''.

    Example:
        >>> quoted_word('attends to "but"')
        'keyword:but'
    """
    found = {match["word"] for match in _QUOTED.finditer(text)}
    return WordTarget(word=found.pop()).name if len(found) == 1 else ""


def _offset_name(match: re.Match[str]) -> str:
    """Return the name of an offset in tokens, as vocabulary.token_target reads it."""
    given = match["signed"] or match["ahead"] or match["bare"]
    if given:
        number = int(given)
    elif match["beyond"]:
        number = 2 if match["beyond"].startswith("after") else -2
    else:
        far = match["many"] or match["nth"]
        many = _COUNTS.get(far) or int(far)
        number = many if (match["way"] or match["side"]) in _RIGHT else -many
    return {1: "next token", -1: "previous token"}.get(number, f"offset:{number:+d}")


def _without(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + text[match.end() :]


@cache
def _tags() -> dict[str, str]:
    """Return how a class is written → its tag."""
    classes = words().classes
    return {way: tag for tag, ways in classes.items() for way in (tag.lower(), *ways)}


@cache
def _nearest() -> re.Pattern[str]:
    tags = "|".join(sorted(map(re.escape, _tags()), key=len, reverse=True))
    return re.compile(
        rf"\b(?:the\s+)?(?P<near>{'|'.join(_NEAR)})\s+(?P<tag>{tags})\b"
        r"(?:\s+(?:(?:to|on)\s+(?:the|its)\s+)?(?P<side>left|right|before|after)\b(?:\s+it\b)?)?"
    )
