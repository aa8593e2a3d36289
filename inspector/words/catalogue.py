"""What a catalogue of sentences holds, and where it lacks what the reference has."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_MATHS = re.compile(r"\$[^$]*\$")
_FIGURE = re.compile(r"\{(\w+)[^{}]*\}")


class Catalogue(BaseModel):
    """All that the pages say in one language."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    language: Annotated[str, Field(min_length=1, max_length=40)]
    """What the language calls itself."""
    pages: dict[str, dict[str, Annotated[str, Field(pattern=r"\S")]]]
    """Page → name of a sentence → the sentence."""


def differences(catalogue: Catalogue, reference: Catalogue) -> list[str]:
    """Return where a catalogue does not have the sentences and figures of the reference."""
    return [*_missing(catalogue, reference), *_other_figures(catalogue, reference)]


def _missing(catalogue: Catalogue, reference: Catalogue) -> Iterator[str]:
    ours, theirs = (
        {(page, name) for page, sentences in one.pages.items() for name in sentences}
        for one in (catalogue, reference)
    )
    yield from (f"no {page}.{name}" for page, name in sorted(theirs - ours))
    yield from (f"unknown {page}.{name}" for page, name in sorted(ours - theirs))


def _other_figures(catalogue: Catalogue, reference: Catalogue) -> Iterator[str]:
    for page, sentences in reference.pages.items():
        for name, sentence in sentences.items():
            wanted, found = figures(sentence), figures(catalogue.pages.get(page, {}).get(name))
            if found is not None and found != wanted:
                yield f"{page}.{name} must have {{{'}, {'.join(sorted(wanted or ()))}}}"


def figures(sentence: str | None) -> set[str] | None:
    """Return the names of what is filled in, formulas left out; None of no sentence.

    Example:
        >>> sorted(figures("{n} words of $W_{Q}$: {loss:.2f}"))
        ['loss', 'n']
    """
    return None if sentence is None else set(_FIGURE.findall(_MATHS.sub("", sentence)))
