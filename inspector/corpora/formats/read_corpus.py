"""One door for every corpus: treebanks, plain text, and corpora that have a name."""

from pathlib import Path

from inspector.corpora.formats.conllu_files import read_conllu
from inspector.corpora.formats.conllu_plus import SUFFIXES as PLUS
from inspector.corpora.formats.download import fetch_corpus, named_corpora
from inspector.corpora.formats.line_reader import Paths, as_paths, folder_refused, shown
from inspector.corpora.formats.plain_text import read_text
from inspector.corpora.formats.pronoun_tests import read_schemas
from inspector.corpora.formats.spacy_parse import parse_text
from inspector.corpora.sentence import Corpus, Labels
from inspector.errors import InputError

_SCHEMAS = (".tsv", ".dev")
_TREES = (".conllu", *PLUS)
_SUFFIXES = (*_TREES, ".txt", *_SCHEMAS)
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".tar", ".tgz")


def read_corpus(
    paths: Paths, *, labels: Labels = "universal", strict: bool = False, parse: bool = False
) -> Corpus:
    """Return the sentences of files, read by what their suffix says they are.

    Args:
        paths: One or several `.conllu` files (`.conllup`, `.cupt`: CoNLL-U Plus), or one or
            several `.txt` files, or GAP (`.tsv`), Winogender (`.tsv`) and WinoBias (`.dev`) files,
            or names of known corpora (`named_corpora`), which are fetched the first time.
        labels: 'universal' keeps of each label the part before the colon; 'full' all of it.
        strict: Whether a malformed sentence stops the reading, not only that sentence.
        parse: Whether plain text is given trees by spaCy (`parse_text`).

    Raises:
        InputError: If a file cannot be understood, or there is no such corpus, or trees and
            plain text are mixed.
        OutputError: If a file cannot be read, or a corpus cannot be fetched.
    """
    files = [_found(path) for path in as_paths(paths)]
    kinds = sorted({_kind(path) for path in files})
    if len(kinds) > 1:
        raise InputError(
            f"corpus must be of one kind, not {' and '.join(map(repr, kinds))}: plain text has no "
            "gold trees. Give them as two corpora."
        )
    if kinds == [_TREES[0]]:
        if parse:
            raise InputError(
                f"parse is for plain text: corpus ({shown(files[0])}) has trees already. "
                "Leave it out (--parse)."
            )
        return read_conllu(files, labels=labels, strict=strict)
    if kinds == [_SCHEMAS[0]]:
        return read_schemas(files, strict=strict)
    if parse:
        return parse_text(files, labels=labels, strict=strict)
    return read_text(files, strict=strict)


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    for kind in (_TREES, _SCHEMAS):
        if suffix in kind:
            return kind[0]
    return suffix


def _found(path: Path) -> Path:
    if path.is_dir():
        raise folder_refused(path)
    if path.suffix.lower() in _SUFFIXES:
        return path
    if path.exists():
        given = f"has the suffix {path.suffix!r}" if path.suffix else "has no suffix"
        is_packed = path.suffix.lower() in _PACKED
        do = "unpack it first" if is_packed else "save it as, or rename it to, what it is"
        raise InputError(
            f"corpus ({shown(path)}) {given}, which cannot be read: {do}. "
            f"Available: {', '.join(map(repr, _SUFFIXES))}."
        )
    if str(path) in named_corpora():
        return fetch_corpus(str(path))
    raise InputError(
        f"corpus ({shown(path)}) must be a file that exists, or a known name. "
        f"Available: {', '.join(named_corpora())}."
    )
