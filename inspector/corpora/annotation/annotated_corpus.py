"""Corpora as they are profiled: read, and annotated with all that they and further files say."""

from collections.abc import Sequence
from pathlib import Path

from inspector.arguments import are_several, refused
from inspector.corpora.annotation.mentions import read_mentions
from inspector.corpora.annotation.registry import annotate, annotate_from
from inspector.corpora.default import default_corpus
from inspector.corpora.formats.read_corpus import read_corpus
from inspector.corpora.sentence import Corpus, Labels
from inspector.errors import InputError

Given = Corpus | str | Path
"""A corpus, a file, or a known name."""
_MUST_BE = "a corpus, a file, a known name, or several of these"


def read_annotated(
    given: Given | Sequence[Given] | None = None,
    files: str | Path | Sequence[str | Path] = (),
    *,
    labels: Labels = "universal",
    strict: bool = False,
    parse: bool = False,
) -> list[Corpus]:
    """Return corpora with their annotation, each file a corpus of its own.

    Args:
        given: One or several; inspector's own corpus where nothing is given. What is a corpus
            already is not annotated again, but for the files.
        files: Further annotation; each is added to the corpora that it belongs to.
        labels: As `read_corpus` takes it.
        strict: Whether malformed sentences and mentions stop the reading.
        parse: As `read_corpus` takes it.

    Raises:
        InputError: If a file cannot be understood, or belongs to no corpus.
        OutputError: If a file cannot be read.
    """
    if given is None:
        corpora = [annotate(default_corpus())]
    else:
        if not (isinstance(given, Corpus | str | Path) or are_several(given)):
            raise refused("corpus", given, _MUST_BE)
        several = [given] if isinstance(given, Corpus | str | Path) else given
        if not several:
            raise InputError("corpus ([]) must be at least one: give a corpus to read.")
        corpora = [
            one
            if isinstance(one, Corpus)
            else annotate(read_corpus(one, labels=labels, strict=strict, parse=parse))
            for one in several
        ]
    if strict:
        for corpus in corpora:
            _refuse_broken_mentions(corpus)
    for file in [files] if isinstance(files, str | Path) else files:
        corpora = _annotated(corpora, file)
    return corpora


def _annotated(corpora: list[Corpus], file: str | Path) -> list[Corpus]:
    """Return the corpora, those to which the file belongs with what it says."""
    found, refusals = [], []
    for corpus in corpora:
        try:
            found.append(annotate_from(corpus, file))
        except InputError as error:
            refusals.append(error)
            found.append(corpus)
    if len(refusals) == len(corpora):
        raise refusals[0]
    return found


def _refuse_broken_mentions(corpus: Corpus) -> None:
    _, left_out = read_mentions(corpus.sentences, corpus.document_ids())
    if left_out:
        first = left_out[0]
        raise InputError(
            f"mention in sentence ({first.sentence}) of {first.file or corpus.name}, line "
            f"{first.line}, is malformed: {first.reason}. Fix it, or read without strict "
            "(--strict) to leave it out."
        )
