"""A text file's lines, one at a time: bounded, decoded, hashed, and recognised when no text.

A file of any size is read in constant memory.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from inspector.arguments import are_several, as_path, refused
from inspector.errors import InputError, OutputError
from inspector.input import open_regular

Paths = str | Path | Sequence[str | Path]
"""One file or several."""
MAX_LINE_BYTES = 1_000_000
"""A line longer than this is no line of a corpus; it is skipped without being kept."""

_MAGIC = {
    b"\x1f\x8b": "gzip-compressed: unpack it (gunzip) and give the file inside",
    b"PK\x03\x04": "a zip archive: unpack it and give the file inside",
    b"BZh": "bzip2-compressed: unpack it (bunzip2) and give the file inside",
    b"\xfd7zXZ": "xz-compressed: unpack it (unxz) and give the file inside",
    b"\xff\xfe": "UTF-16 text, not UTF-8 at byte 0, line 1: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text, not UTF-8 at byte 0, line 1: save it as UTF-8",
    b"version https://git-lfs": "a Git LFS pointer, not the text: run `git lfs pull`",
}
_BOM = b"\xef\xbb\xbf"
_WEB_PAGE = (b"<!doctype html", b"<html")


class LineReader:
    """Iterates over (number, text) of a file's lines; text is None for one that is too long.

    Line ends are LF or CR LF, the last may lack its own; a byte order mark before a line, where a
    file begins or was put behind another, is dropped.
    """

    def __init__(self, path: Path, digest: "hashlib._Hash", what: str = "corpus") -> None:
        """Look at the file, without opening it.

        Args:
            path: A regular file.
            digest: Is fed every byte that is read.
            what: What messages call the file.

        Raises:
            InputError: If it is a folder, or not a regular file.
            OutputError: If it is missing or cannot be looked at.
        """
        self.path = path
        self._digest = digest
        self._what = what
        self.name = shown(str(path))
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from None
        if stat.S_ISDIR(mode):
            raise folder_refused(path, what)
        if not stat.S_ISREG(mode):
            raise InputError(f"{what} ({self.name}) is not a regular file: save the text in one.")

    def __iter__(self) -> Iterator[tuple[int, str | None]]:
        """Yield the lines, numbered from 1.

        Raises:
            InputError: If the file is not UTF-8 text.
            OutputError: If it cannot be read.
        """
        try:
            with open_regular(self.path) as stream:
                self._recognise(stream.read(512))
                stream.seek(0)
                yield from self._decoded(stream)
        except OSError as error:
            if isinstance(error, OutputError):
                raise
            raise self._unreadable(error) from None

    def _decoded(self, stream: BinaryIO) -> Iterator[tuple[int, str | None]]:
        position, number = 0, 0
        while raw := stream.readline(MAX_LINE_BYTES):
            number += 1
            start = position
            position += len(raw)
            self._digest.update(raw)
            if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
                position += self._pass_over(stream)
                yield number, None
                continue
            if raw.startswith(_BOM):
                start += len(_BOM)
                raw = raw.removeprefix(_BOM)
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{self._what} ({self.name}) is not UTF-8 at byte {start + error.start}, "
                    f"line {number}: save it as UTF-8."
                ) from None
            yield number, text.removesuffix("\n").removesuffix("\r")

    def _pass_over(self, stream: BinaryIO) -> int:
        passed = 0
        while rest := stream.readline(MAX_LINE_BYTES):
            passed += len(rest)
            self._digest.update(rest)
            if rest.endswith(b"\n"):
                break
        return passed

    def _recognise(self, start: bytes) -> None:
        for magic, what in _MAGIC.items():
            if start.startswith(magic):
                raise InputError(f"{self._what} ({self.name}) is {what}.")
        if start.removeprefix(_BOM).lstrip()[:14].lower().startswith(_WEB_PAGE):
            raise InputError(
                f"{self._what} ({self.name}) is a web page (HTML): download the file itself, "
                "not the page that shows it."
            )
        if start.count(b"\r") > 1 and b"\n" not in start:
            raise InputError(
                f"{self._what} ({self.name}) has lines that end in a carriage return alone, as old "
                "Macs wrote them: save it with line ends of Unix or Windows."
            )
        if start.count(0) > len(start) // 4:
            raise InputError(
                f"{self._what} ({self.name}) is not UTF-8 text (every second byte is 0, as in "
                "UTF-16, or it is binary): save it as UTF-8."
            )

    def _unreadable(self, error: OSError | ValueError) -> OutputError:
        reason = getattr(error, "strerror", None) or str(error)
        return OutputError(f"{self._what} ({self.name}) cannot be read ({reason}): check the name.")


def folder_refused(path: Path, what: str = "corpus") -> InputError:
    """Return the refusal of a folder where a file must be given."""
    return InputError(
        f"{what} ({shown(path)}) is a folder: give its files, one by one or as *.conllu."
    )


def shown(text: str | os.PathLike[str]) -> str:
    r"""Return a name fit for a message: shortened, no control characters, no line ends.

    Example:
        >>> print(shown("a" + chr(27) + "b"))
        a\x1bb
    """
    name = str(text)
    name = name if name.isprintable() else ascii(name)[1:-1]
    return name if len(name) <= 300 else f"{name[:300]}…"


def corpus_name(paths: Sequence[Path]) -> str:
    """Return a corpus' name: that of its first file, and how many more there are.

    Example:
        >>> corpus_name([Path("a.conllu"), Path("b.conllu")])
        'a and 1 more'
    """
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0].stem}{more}"


def as_paths(paths: Paths) -> list[Path]:
    """Return one file or several as a list.

    Raises:
        InputError: If there is none.
    """
    if not (isinstance(paths, str | Path) or are_several(paths)):
        raise refused("corpus", paths, "the path of a file, or several")
    several = [paths] if isinstance(paths, str | Path) else paths
    files = [as_path("corpus", path) for path in several]
    if not files:
        raise InputError("corpus ([]) must hold at least one file: give a .conllu or .txt file.")
    return files


def unique_names(given: Iterable[str]) -> list[str]:
    """Return names of files or corpora, numbered where several have the same.

    Example:
        >>> unique_names(["x", "x", "y"])
        ['x', 'x~2', 'y']
    """
    names: list[str] = []
    for one in given:
        name, count = one, 1
        while name in names:
            count += 1
            name = f"{one}~{count}"
        names.append(name)
    return names
