"""Words of which a tokenizer makes one token each, and what it takes to begin a text of them."""

from collections.abc import Sequence
from typing import Any

from inspector.models.tokenizing.sentence_tokens import read_sentences, unknown_id

_AT_ONCE = 64
_MOST = 1024
_AROUND = "Ġ▁"  # how byte-level tokenizers and SentencePiece write the space before a word


def is_one_token(tokenizer: Any, words: Sequence[str]) -> list[bool]:
    """Return which words, after a space, are one token each.

    Example:
        >>> from inspector.models import load
        >>> is_one_token(load("minilm").tokenizer, ["rain", "unaffable"])
        [True, False]
    """
    return [token is not None for token in _tokens(tokenizer, words)]


def drawable_words(tokenizer: Any) -> list[str]:
    """Return words of small letters that are one token each, in the order of the vocabulary.

    That is nearly the order of frequency: merges are learned, and tokens numbered, from the
    commonest on. Of more than about a thousand every so many is taken.
    """
    ordered = sorted(tokenizer.get_vocab().items(), key=lambda item: (item[1], item[0]))
    plain = (token.removesuffix("</w>").lstrip(_AROUND) for token, _ in ordered)
    words = [word for word in dict.fromkeys(plain) if _is_plain(word)]
    step = max(1, len(words) // (2 * _MOST))
    words = words[::step]
    of_token: dict[int, str] = {}
    for word, token in zip(words, _tokens(tokenizer, words), strict=True):
        if token is not None:  # of two words that are one token the first
            of_token.setdefault(token, word)
    return list(of_token.values())[:_MOST]


def text_start(tokenizer: Any, words: Sequence[str]) -> tuple[str, bool]:
    """Return what is written before a text's first word, and whether a mark begins the text.

    The mark is what the tokenizer adds, or its own beginning of a text where it adds none and has
    one. Before the first word a space is written where the word is one token only so.

    Args:
        tokenizer: Which tokenizer.
        words: Some that are one token each after a space.
    """
    _, (bare,) = read_sentences(tokenizer, [words])
    start = tokenizer.bos_token
    marks = [""] if bare.special[0] or not start else [start, ""]
    for mark in marks:
        for space in ("", " "):
            text = [f"{mark}{space}{words[0]}", *words[1:]]
            _, (reading,) = read_sentences(tokenizer, [text])
            added = int(bare.special[0]) + bool(mark)
            if mark and reading.ids[0] != tokenizer.bos_token_id:
                continue
            if len(reading.ids) - sum(reading.special) == len(words) + bool(mark):
                return f"{mark}{space}", added > 0
    return "", bool(bare.special[0])


def _tokens(tokenizer: Any, words: Sequence[str]) -> list[int | None]:
    """Return the token of each word that is one token after a space, None of the others."""
    parts = [list(words[start : start + _AT_ONCE]) for start in range(0, len(words), _AT_ONCE)]
    if not parts:
        return []
    _, readings = read_sentences(tokenizer, [["a", *part] for part in parts])
    unknown = unknown_id(tokenizer)
    found: list[int | None] = []
    for part, reading in zip(parts, readings, strict=True):
        tokens: list[list[int]] = [[] for _ in range(len(part) + 1)]
        space: list[int] = []
        for token, word, special in zip(reading.ids, reading.words, reading.special, strict=True):
            if word >= 0:
                tokens[word] += [*space, token]
            # A space that is a token of its own makes two of the word after it.
            space = [token] if word < 0 and not special else []
        found += [of[0] if len(of) == 1 and of[0] != unknown else None for of in tokens[1:]]
    return found


def _is_plain(word: str) -> bool:
    return len(word) > 1 and word.isalpha() and word == word.lower()
