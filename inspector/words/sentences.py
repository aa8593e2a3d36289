"""Sentences of the library in another language: recognised by their English templates."""

import re
from collections.abc import Mapping
from functools import cache

from inspector import words

_PARTS = ("places", "reasons")
"""Pages of what stands within the sentences of others."""


def said(text: str, page: str, language: str) -> str:
    """Return sentences of the library in a language; as they are where one has no template.

    Args:
        text: In English.
        page: Of the templates: 'cases', 'counts', 'errors', 'evidence', 'places' or 'reasons'.
        language: Of the page.

    Example:
        >>> said("corpus (a.txt) holds no sentence: give a file with text.", "errors", "zh")
        '语料（a.txt）中没有句子：请给出含有文字的文件。'
    """
    if language == words.REFERENCE:
        return text
    return translated(text, _templates(page), words.of(page, language), language)


def translated(
    text: str, templates: Mapping[str, re.Pattern[str]], own: Mapping[str, str], language: str
) -> str:
    """Return sentences in a language; as they are where one has no template.

    Args:
        text: In English.
        templates: Name → what recognises a sentence in English, the first that fits.
        own: Name → the sentence in the language.
        language: Of the page.
    """
    rest, found = text, []
    while rest:
        matches = ((name, one.match(rest)) for name, one in templates.items())
        name, match = next(((name, one) for name, one in matches if one), ("", None))
        if match is None:
            return text
        values = {key: _value(one, language) for key, one in match.groupdict().items()}
        found.append(own[name].format(**values) if values else own[name])
        rest = rest[match.end() :].lstrip()
    return "".join(found)


def _value(value: str, language: str) -> str:
    own = words.of("specialization", language).get(value, words.term(value, language))
    if own != value or " " not in value:
        return own
    return next((found for page in _PARTS if (found := said(value, page, language)) != value), own)


@cache
def _templates(page: str) -> dict[str, re.Pattern[str]]:
    """Return what recognises each sentence of a page in English, the longest first."""
    sentences = sorted(words.of(page, words.REFERENCE).items(), key=lambda item: -len(item[1]))
    parts = re.compile(r"\{(\w+)\}")
    return {
        name: re.compile(
            "".join(
                f"(?P<{part}>.+?)" if place % 2 else re.escape(part)
                for place, part in enumerate(parts.split(sentence))
            )
            + r"(?= |$)",
            re.DOTALL,
        )
        for name, sentence in sentences
    }
