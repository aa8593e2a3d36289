"""What the pages say, in English and Chinese: plain data, a module per page.

Must not know: where a sentence stands on its page.
"""

from collections.abc import Mapping

from inspector.dashboard.words import (
    attention,
    cause,
    charts,
    comparison,
    concepts,
    head,
    library,
    overview,
    shell,
    specialization,
    statistics,
    verification,
    weights,
)

Words = Mapping[str, str]

PAGES: dict[str, Mapping[str, Words]] = {
    "shell": shell.WORDS,
    "overview": overview.WORDS,
    "verification": verification.WORDS,
    "weights": weights.WORDS,
    "statistics": statistics.WORDS,
    "specialization": specialization.WORDS,
    "head": head.WORDS,
    "cause": cause.WORDS,
    "charts": charts.WORDS,
    "library": library.WORDS,
    "attention": attention.WORDS,
    "concepts": concepts.WORDS,
    "comparison": comparison.WORDS,
}


def term(name: str, language: str) -> str:
    """Return what a term of the library is called, or the term itself.

    Example:
        >>> term("mask dropped", "zh"), term("no such", "zh")
        ('丢掉掩码', 'no such')
    """
    return of("library", language).get(name, name)


def of(page: str, language: str) -> Words:
    """Return what a page says in a language.

    Example:
        >>> of("shell", "zh")["model"]
        '模型'
    """
    return PAGES[page][language]
