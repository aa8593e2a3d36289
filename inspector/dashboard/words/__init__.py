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
    "attention": attention.WORDS,
    "concepts": concepts.WORDS,
    "comparison": comparison.WORDS,
}


def of(page: str, language: str) -> Words:
    """Return what a page says in a language.

    Example:
        >>> of("shell", "zh")["model"]
        '模型'
    """
    return PAGES[page][language]
