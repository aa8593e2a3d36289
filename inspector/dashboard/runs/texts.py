"""Texts that readers give to be profiled: checked as hostile, read, and kept for their reader."""

import re
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from inspector import words
from inspector.corpora import Corpus
from inspector.corpora.annotation.annotated_corpus import read_annotated
from inspector.corpora.default import DEFAULT_NAME
from inspector.dashboard.settings import Settings
from inspector.errors import InputError, InspectorError

SUFFIXES = (".conllu", ".conllup", ".cupt", ".txt")
_MB = 1_000_000
_OWN = "_own_texts"
_LONGEST_NAME = 80
_TABLE_LINE = re.compile(r"^[0-9][^\t\n]*(?:\t[^\t\n]*){9}$", re.MULTILINE)


def called(corpus: str, language: str) -> str:
    """Return what a corpus is called on a page: inspector's own by what it is.

    Example:
        >>> called("default", "en"), called("mine", "zh")
        ("inspector's own corpus", 'mine')
    """
    return words.of("shell", language)["own_corpus"] if corpus == DEFAULT_NAME else corpus


def suffix_of(text: str) -> str:
    r"""Return what a pasted text is: CoNLL-U if a line has its ten columns, else plain text.

    Example:
        >>> suffix_of("The cat sat."), suffix_of("1\t" + "\t".join("abcdefghi"))
        ('.txt', '.conllu')
    """
    return SUFFIXES[0] if _TABLE_LINE.search(text) else SUFFIXES[-1]


def read_given(data: bytes, name: str, settings: Settings) -> Corpus:
    """Return what a text holds, if it may be profiled.

    Args:
        data: Of the file; nothing about it is trusted.
        name: What the file is called, with its suffix.
        settings: Which limit it.

    Raises:
        InputError: If it is too large, of another kind, or cannot be read.
    """
    shown = name[:_LONGEST_NAME]
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"file ({shown}) must be CoNLL-U or plain text: save it as one. "
            f"Available: {', '.join(SUFFIXES)}."
        )
    if len(data) > settings.most_upload_mb * _MB:
        raise InputError(
            f"file ({shown}, {len(data) / _MB:.1f} MB) must have at most "
            f"{settings.most_upload_mb} MB here: give a part of it, or run `inspector profile`."
        )
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"text{suffix}"
        path.write_bytes(data)
        try:
            (corpus,) = read_annotated([path])
        except InspectorError as error:
            raise InputError(str(error).replace(str(path), shown)) from None
    n_words = sum(len(sentence.words) for sentence in corpus.sentences)
    if n_words > settings.most_words:
        raise InputError(
            f"file ({shown}, {n_words} words) must have at most {settings.most_words} words here: "
            "give a part of it, or run `inspector profile`."
        )
    return corpus


def encoded(text: str) -> bytes:
    r"""Return a pasted text as bytes.

    Raises:
        InputError: If it holds half a character.

    Example:
        >>> encoded("猫")
        b'\xe7\x8c\xab'
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InputError("text holds half a character (a surrogate): paste it again.") from None


def digest(data: bytes) -> str:
    """Return by what a text is known: its SHA-256, which its corpus has too."""
    return sha256(data).hexdigest()


def remember(path: Path) -> None:
    """Let this session, and no other, see the sentences of a text that it gave."""
    st.session_state.setdefault(_OWN, {})[digest(path.read_bytes())] = str(path)


def own_text(wanted: str) -> str | None:
    """Return the file of a text that this session gave, None if it gave none of that digest."""
    found: str | None = st.session_state.get(_OWN, {}).get(wanted)
    return found
