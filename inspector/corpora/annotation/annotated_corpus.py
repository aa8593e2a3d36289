"""Corpora as they are profiled: read, and annotated with all that they and further files say."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from inspector.arguments import refused, shown
from inspector.corpora.annotation.mentions import read_mentions
from inspector.corpora.annotation.registry import annotate, annotate_from
from inspector.corpora.default import default_corpus
from inspector.corpora.formats.conllu_files import read_conllu
from inspector.corpora.formats.memory_corpus import FORMS, conllu_corpus, memory_corpus
from inspector.corpora.formats.read_corpus import read_corpus
from inspector.corpora.sentence import Corpus, Labels
from inspector.errors import InputError

Given = Any
"""A corpus, a file, a known name, or what `memory_corpus` takes."""
_LONGEST_NAME = 1024
_IDEOGRAPHS = 0x2E80  # from here on texts are written without spaces
_ENDING = re.compile(r"\.[A-Za-z]\w{0,9}")


def read_annotated(
    given: Given = None,
    files: str | Path | Sequence[str | Path] = (),
    *,
    labels: Labels = "universal",
    strict: bool = False,
    parse: bool = False,
) -> list[Corpus]:
    """Return corpora with their annotation, each file a corpus of its own.

    Args:
        given: One or several; what stands in memory, as `memory_corpus` takes it; inspector's own
            corpus where nothing is given. What is a corpus already is not annotated again, but for
            the files.
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
        corpora = [
            one
            if isinstance(one, Corpus)
            else annotate(
                read_corpus(one, labels=labels, strict=strict, parse=parse)
                if _is_name(one)
                else memory_corpus(one, labels=labels, strict=strict)
            )
            for one in _each(given)
        ]
    if strict:
        for corpus in corpora:
            _refuse_broken_mentions(corpus)
    for file in [files] if isinstance(files, str | Path) else files:
        corpora = _annotated(corpora, file)
    return corpora


def corpus_from(
    form: str, given: Any, *, labels: Labels = "universal", strict: bool = False
) -> Corpus:
    """Return what a user holds in a form that he names, with its annotation.

    Args:
        form: One of `inspector.corpora.formats.memory_corpus.FORMS`.
        given: In that form.
        labels: As `read_corpus` takes it.
        strict: As `read_corpus` takes it.

    Raises:
        InputError: If it is of another form, or cannot be understood.
        OutputError: If a file cannot be read.
    """
    if isinstance(given, Iterator):
        given = list(given)
    if form == "conllu" and isinstance(given, str | Path):
        if isinstance(given, str) and "\t" in given:
            return annotate(conllu_corpus(given, labels, strict=strict))
        return annotate(read_conllu([given], labels=labels, strict=strict))
    if form == "words" and FORMS["texts"][0](given) and len(given):
        given = [list(given)]  # one sentence
    elif form == "spacy" and not isinstance(given, Sequence):
        given = [given]
    is_of_form, must_be = FORMS[form]
    if not is_of_form(given) or (form != "frame" and not len(given)):
        raise refused(form, given, must_be)
    return annotate(memory_corpus(given, labels=labels, strict=strict))


Corpus._read = corpus_from


def _each(given: Any) -> list[Any]:
    """Return corpora, files and names one by one, what stands in memory as one.

    Raises:
        InputError: If files and texts are given together.
    """
    if isinstance(given, Corpus) or _is_name(given) or not isinstance(given, list | tuple):
        return [given]
    named = [one for one in given if isinstance(one, Corpus) or _is_name(one)]
    if len(named) == len(given) > 0:
        return list(given)
    if named:
        other = next(one for one in given if not (isinstance(one, Corpus) or _is_name(one)))
        raise InputError(
            f"corpus must be files, or what stands in memory, not both: {shown(named[0])} is a "
            f"file, {shown(other)} is not. Give them one after the other."
        )
    return [given]


def _is_name(given: Any) -> bool:
    """Return whether something names a corpus or a file: a text has several words and no ending.

    Example:
        >>> _is_name("my corpus.conllu"), _is_name("treebank"), _is_name("The cat sat.")
        (True, True, False)
    """
    if isinstance(given, Path):
        return True
    if not isinstance(given, str):
        return False
    text = given.strip()
    if not text:
        return False
    several = len(text.split()) > 1 or any(ord(letter) >= _IDEOGRAPHS for letter in text)
    is_short = len(text) < _LONGEST_NAME and "\n" not in text
    if not is_short or (several and not _ENDING.fullmatch(Path(text).suffix)):
        return is_short and "\0" not in text and Path(text).exists()
    return True


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
