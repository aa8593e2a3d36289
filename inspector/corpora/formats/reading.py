"""A corpus while its files are read: its sentences, what is skipped, the digest of its bytes."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from inspector.corpora.formats.line_reader import (
    MAX_LINE_BYTES,
    LineReader,
    Paths,
    as_paths,
    corpus_name,
    shown,
    unique_names,
)
from inspector.corpora.sentence import Corpus, Sentence, Skipped
from inspector.errors import InputError

TOO_LONG = f"the line is longer than {MAX_LINE_BYTES:,} bytes"


class Reading:
    """What every reader of corpora fills, file by file."""

    def __init__(self, paths: Paths, *, strict: bool) -> None:
        """Start with nothing.

        Args:
            paths: One file or several.
            strict: Whether what would be skipped stops the reading.

        Raises:
            InputError: If there is no file.
        """
        self.strict = strict
        self.sentences: list[Sentence] = []
        self.skipped: list[Skipped] = []
        self._files = as_paths(paths)
        self._digest = hashlib.sha256()

    def files(self) -> Iterator[tuple[Path, str]]:
        """Yield each file and a name of its own, and see that it gives a sentence.

        Raises:
            InputError: If it gives none.
        """
        names = unique_names(path.stem for path in self._files)
        for path, name in zip(self._files, names, strict=True):
            n_sentences, n_skipped = len(self.sentences), len(self.skipped)
            yield path, name
            if len(self.sentences) > n_sentences:
                continue
            skipped = self.skipped[n_skipped:]
            if not skipped:
                raise InputError(
                    f"corpus ({shown(path)}) holds no sentence: give a file with text."
                )
            raise InputError(
                f"corpus ({shown(path)}) holds no sentence that can be read: {len(skipped)} "
                f"skipped, the first at line {skipped[0].line}: {skipped[0].reason}. Mend it, "
                "or give the text alone, a sentence a line, as .txt."
            )

    def lines(self, path: Path) -> LineReader:
        """Return the lines of a file, whose bytes become part of the digest."""
        return LineReader(path, self._digest)

    def skip(self, path: Path, line: int, reason: str, sentence: str | None = None) -> None:
        """Leave out a sentence, named where it has a name.

        Raises:
            InputError: If reading is strict.
        """
        if self.strict:
            where = f"line {line} of {shown(path)}"
            if sentence:
                where = f"sentence ({shown(sentence)}) in {shown(path)}, line {line},"
            raise InputError(
                f"{where} is malformed: {reason}. Fix it, or read without strict (--strict) to "
                "skip it."
            )
        self.skipped.append(Skipped(shown(path), line, sentence, reason))

    def corpus(self, annotation: str) -> Corpus:
        """Return what was read."""
        return Corpus(
            corpus_name(self._files),
            self.sentences,
            self.skipped,
            self._digest.hexdigest(),
            annotation,
        )
