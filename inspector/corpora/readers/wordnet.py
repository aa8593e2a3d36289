"""A plain reader of WordNet's own database files: index.* and data.* of nouns, verbs, ….

Only what is asked for is read: an index is gone through once for the lemmas wanted, a synset is
fetched from its place in the data file.

Source: the manual pages wndb(5WN) and wninput(5WN) of WordNet 3.0.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from inspector.corpora.formats.line_reader import shown
from inspector.errors import InputError, OutputError
from inspector.input import open_regular

DEBIAN = Path("/usr/share/wordnet")
"""Where Debian's wordnet-base puts the files."""
TAGS = {"NOUN": "noun", "VERB": "verb", "ADJ": "adj", "ADV": "adv"}
"""Universal part of speech → ending of its files."""
_LETTERS = {"n": "noun", "v": "verb", "a": "adj", "s": "adj", "r": "adv"}
_MAX_LINE = 100_000
_DIGITS = 8  # of an offset


class Synset(NamedTuple):
    """A meaning: the part of speech and the place of its line in the data file."""

    part: str
    offset: int


class Pointer(NamedTuple):
    """A relation of a synset, or of one word of it, to another."""

    symbol: str
    """'@' hypernym, '@i' of an instance, '!' antonym, '#p' '#m' '#s' whole of which it is part."""
    target: Synset
    source_word: int
    """Which word of this synset, counted from 1; 0 for all."""
    target_word: int


@dataclass(frozen=True)
class Meaning:
    """A synset's words in small letters, and its pointers."""

    words: tuple[str, ...] = ()
    pointers: tuple[Pointer, ...] = ()


@dataclass
class WordNet:
    """The database in a folder."""

    folder: Path
    broken: int = 0
    """Synsets that did not stand where an index or a pointer says."""
    _known: dict[Synset, Meaning] = field(default_factory=dict)

    def senses(
        self, lemmas: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[Synset, ...]]:
        """Return the meanings of each (lemma in small letters, universal tag), commonest first.

        Raises:
            InputError: If the folder lacks the files.
            OutputError: If they cannot be read.
        """
        wanted: dict[str, set[str]] = {}
        for lemma, tag in lemmas:
            wanted.setdefault(TAGS[tag], set()).add(lemma.replace(" ", "_"))
        tags = {part: tag for tag, part in TAGS.items()}
        found: dict[tuple[str, str], tuple[Synset, ...]] = {}
        for part, names in wanted.items():
            for line in self._index(part):
                lemma = line.partition(" ")[0]
                if lemma in names:
                    found[lemma.replace("_", " "), tags[part]] = _synsets(line, part)
        return found

    def meaning(self, synset: Synset) -> Meaning:
        """Return a synset's words and pointers; an empty one, counted, where it is not there."""
        if synset not in self._known:
            self._known[synset] = self._fetch(synset)
        return self._known[synset]

    def sha256(self) -> str:
        """Return the SHA-256 of the files, one after the other."""
        digest = hashlib.sha256()
        for part in TAGS.values():
            for kind in ("index", "data"):
                with self._open(kind, part) as stream:
                    while chunk := stream.read(1 << 20):
                        digest.update(chunk)
        return digest.hexdigest()

    def _index(self, part: str) -> list[str]:
        with self._open("index", part) as stream:
            return stream.read().decode("latin-1").splitlines()

    def _fetch(self, synset: Synset) -> Meaning:
        with self._open("data", synset.part) as stream:
            stream.seek(synset.offset)
            line = stream.readline(_MAX_LINE).decode("latin-1")
        found = _read_meaning(line, synset)
        if found is None:
            self.broken += 1
            return Meaning()
        return found

    def _open(self, kind: str, part: str) -> BinaryIO:
        path = self.folder / f"{kind}.{part}"
        try:
            return open_regular(path)
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(
                f"wordnet ({shown(self.folder)}) must be a folder with WordNet's files: "
                f"{path.name} is not there. Install Debian's package wordnet-base, or give the "
                "folder of a WordNet of your own (index.noun, data.noun, and so on for verb, adj, "
                "adv)."
            ) from None
        except OSError as error:
            raise OutputError(
                f"wordnet ({shown(path)}) cannot be read ({error.strerror}): check the name."
            ) from None


def _synsets(line: str, part: str) -> tuple[Synset, ...]:
    """Return the synsets of an index line: lemma pos n_synsets n_pointers … offsets."""
    cells = line.split()
    said = cells[2] if len(cells) > 2 else ""
    n_synsets = int(said) if said.isdecimal() and len(said) <= _DIGITS else 0
    offsets = cells[len(cells) - n_synsets :] if 0 < n_synsets < len(cells) else []
    if not all(offset.isdecimal() and len(offset) == _DIGITS for offset in offsets):
        return ()
    return tuple(Synset(part, int(offset)) for offset in offsets)


def _read_meaning(line: str, synset: Synset) -> Meaning | None:
    """Return what a data line says: offset file type n_words word id … n_pointers pointer …."""
    cells = line.partition("|")[0].split()
    try:
        if int(cells[0]) != synset.offset:
            return None
        n_words = int(cells[3], 16)
        words = [cell.partition("(")[0].lower() for cell in cells[4 : 4 + 2 * n_words : 2]]
        rest = cells[4 + 2 * n_words :]
        pointers = []
        for start in range(1, 1 + 4 * int(rest[0]), 4):
            symbol, offset, letter, words_of = rest[start : start + 4]
            target = Synset(_LETTERS[letter], int(offset))
            which = int(words_of[:2], 16), int(words_of[2:], 16)
            pointers.append(Pointer(symbol, target, *which))
    except (ValueError, IndexError, KeyError):
        return None
    return Meaning(tuple(words), tuple(pointers))
