"""The corpora that sessions share, and which of them a run was made from.

Texts that readers type are never kept here.
"""

from contextlib import suppress

import streamlit as st

from inspector.corpora import Corpus, default_corpus, read_corpus
from inspector.corpora.annotation.annotated_corpus import read_annotated
from inspector.corpora.annotation.registry import annotate
from inspector.corpora.default import DEFAULT_NAME, default_sha256
from inspector.corpora.sentence import Labels, check_labels
from inspector.dashboard.guards import guarded
from inspector.dashboard.runs.texts import own_text
from inspector.dashboard.settings import Visit
from inspector.errors import InputError
from inspector.runs.run import Run

_CORPORA = 6
Source = tuple[tuple[str, ...] | None, Labels, tuple[str, ...]]
"""Of a corpus: its files, None of inspector's own; how far its relations are told apart; further
annotation."""
OWN: Source = (None, "universal", ())


def own_corpus() -> Corpus:
    """Return inspector's own corpus, read once for all sessions."""
    return corpus_in(None)


def corpus_in(*files: str | None) -> Corpus:
    """Return the corpus of files, inspector's own of None, read once for all sessions.

    Raises:
        InspectorError: If it cannot be read.
    """
    given = tuple(file for file in files if file is not None)
    corpus: Corpus = read(given or None, "universal", ())
    return corpus


def name_and_sha256(source: Source) -> tuple[str, str]:
    """Return what tells a corpus from others; inspector's own is not read for it."""
    if source == OWN:
        return DEFAULT_NAME, default_sha256()
    corpus: Corpus = read(*source)
    return corpus.name, corpus.sha256


def source_of(run: Run, visit: Visit) -> Source | None:
    """Return what a run was made from, None where that is not at hand.

    It is where the settings name its files, this session gave its text, or it is inspector's own.

    Raises:
        InputError: If the run's manifest says of its relations what no corpus has.
    """
    settings, wanted = visit.settings, run.manifest.corpus_sha256
    labels = check_labels(str(run.manifest.settings["labels"]))
    extra, own = tuple(settings.annotations), own_text(wanted)
    known: list[tuple[str, ...] | None] = [None if own is None else (own,), None]
    known += [(file,) for file in settings.corpora]
    added = dict.fromkeys([(), extra])
    sources = [(files, labels, more) for files in dict.fromkeys(known) for more in added]
    if settings.corpus:
        sources.insert(0, (tuple(settings.corpus), labels, extra))
    for source in sources:
        with suppress(InputError):  # the annotation is of another corpus
            if read(*source).sha256 == wanted:
                return source
    return None


def corpus_of(run: Run, visit: Visit) -> Corpus:
    """Return the corpus that a run's example sentences come from: its own, or inspector's own.

    Stops the page where the settings say which files the run was made from, and it was not.
    """
    files = visit.settings.corpus
    with guarded():
        source = source_of(run, visit)
        if source is None and files and _is_named(visit):
            corpus_in(*files)  # says what is wrong with them, if they cannot be read
            raise InputError(
                f"corpus ({', '.join(files)}) is not what the run was made from: name "
                "the same files, or leave the setting out."
            )
        corpus: Corpus = read(*(source or OWN))
        return corpus


def _is_named(visit: Visit) -> bool:
    """Return whether the run is the one that `corpus` of the settings says the files of."""
    return visit.run is not None and isinstance(visit.settings.run, str)


@st.cache_resource(max_entries=_CORPORA, show_spinner=False)
def read(files: tuple[str, ...] | None, labels: Labels, annotations: tuple[str, ...]) -> Corpus:
    """Return the corpus of a `Source`, annotated, read once for all sessions."""
    read = default_corpus() if files is None else read_corpus(list(files), labels=labels)
    (corpus,) = read_annotated([annotate(read)], annotations)
    return corpus
