"""Texts that are read one by one, as a user holds them: not a corpus, but what may stand in one."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

from inspector.arguments import are_several, shown
from inspector.corpora.formats.memory_corpus import (
    holds_trees,
    is_table,
    memory_corpus,
    table_items,
)
from inspector.corpora.formats.plain_text import split_words
from inspector.corpora.sentence import Sentence
from inspector.corpora.surface import Surface, surface_of
from inspector.errors import InputError

TextPair = tuple[Surface, Surface | None]


def text_pairs(text: Any, second: Any = None) -> tuple[list[TextPair], bool]:
    """Return texts with the places of their words, each with its second text, and if several.

    Args:
        text: A text or a sentence; or several, or several lists of words; a table, or what
            another library made of texts.
        second: A second text, or as many as there are texts.

    Raises:
        InputError: If one is no text, or there are not as many second texts as texts.

    Example:
        >>> pairs, several = text_pairs([["Go", "!"]])
        >>> pairs[0][0].text, several
        ('Go !', True)
    """
    if is_table(text):
        text = table_items(text)[0]
    elif holds_trees(text):
        text = list(memory_corpus(text))
    several = _are_several(text)
    texts = list(text) if several else [text]
    if not texts:
        raise InputError("text ([]) must hold at least one text.")
    seconds = list(second) if _are_several(second) else [second]
    if second is None:
        seconds = [None] * len(texts)
    elif several != _are_several(second) or len(seconds) != len(texts):
        raise InputError(
            f"text_pair ({shown(second)}) must be a second text for each: {len(texts)} "
            f"text{'s' * (len(texts) > 1)}, {len(seconds)} second."
        )
    pairs = [
        (_surface(one), None if other is None else _surface(other))
        for one, other in zip(texts, seconds, strict=True)
    ]
    return pairs, several


def _are_several(given: Any) -> bool:
    if isinstance(given, str | bytes | bytearray | Sentence | Mapping | Set):
        return False
    is_one = hasattr(given, "read") or getattr(given, "shape", None) == ()
    return isinstance(given, Iterable) and not is_one


def _surface(given: Any) -> Surface:
    if isinstance(given, Sentence):
        return given.surface
    if isinstance(given, str):
        # What holds no word is refused by who reads it.
        words = split_words(given)
        return surface_of(words, given) if words else Surface(given, ())
    if isinstance(given, bytes | bytearray):
        way = "decode it first"
    elif are_several(given):
        is_list = not (isinstance(given, Mapping | Set) or is_table(given))
        if is_list and len(given) and all(map(_is_word, given)):
            return surface_of(list(given), None)
        way = "give one text, or its words, none of them empty"
    else:
        way = "give one text"
    raise InputError(f"text ({type(given).__name__}) must be a string: {way}.")


def _is_word(word: Any) -> bool:
    return isinstance(word, str) and bool(word.strip())
