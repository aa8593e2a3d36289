"""What known mistakes are called in a language, and what mends them: they bring their own words."""

import re
from collections.abc import Mapping
from functools import cache

from inspector import words
from inspector.verification.diagnosis import CATALOGUE
from inspector.words import sentences


def called(name: str, language: str) -> str:
    """Return what a mistake, or another term of the library, is called.

    Example:
        >>> called("mask dropped", "zh"), called("scale omitted", "zh")
        ('漏掉掩码', '漏掉缩放')
    """
    return words.of("library", language).get(name) or _said(language, "name").get(name, name)


def fix(text: str, language: str) -> str:
    """Return what mends one or several mistakes, in a language; as it is where one is unknown."""
    own = _said(language, "fix")
    templates = {one: re.compile(re.escape(one)) for one in own}
    return sentences.translated(text, templates, own, language)


@cache
def _said(language: str, part: str) -> Mapping[str, str]:
    """Return English → its words in a language, the longest first."""
    pairs = {
        getattr(one, part): one.said[language][part]
        for one in CATALOGUE
        if part in one.said.get(language, {})
    }
    return dict(sorted(pairs.items(), key=lambda item: -len(item[0])))
