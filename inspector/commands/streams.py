"""The command's standard streams, which may be closed, full, or read by nobody.

A command goes on to its end whatever becomes of what it prints: its exit code is its verdict.
What went wrong is kept, and asked for at the end.
"""

import errno
import os
import sys
from io import BufferedWriter, RawIOBase, TextIOWrapper
from typing import Any

_OUT, _ERR = 1, 2


class _Enduring(RawIOBase):
    """A descriptor that is written to until that fails; what comes after is dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.error: OSError | None = None

    def write(self, data: Any, /) -> int:
        if self.error is None:
            try:
                return os.write(self._descriptor, data)
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)


def open_streams() -> None:
    """Let stdout and stderr take all that is written, whatever stands behind them.

    A descriptor that is closed would be given to the next file that is opened, which then would
    get what is printed. A letter that the encoding lacks is written as an escape.
    """
    for descriptor in (0, _OUT, _ERR):
        try:
            os.fstat(descriptor)
        except OSError:  # what is read only fails when it is written to, as what is closed does
            mode = os.O_WRONLY if descriptor == _ERR else os.O_RDONLY
            os.set_inheritable(os.open(os.devnull, mode), True)
    if sys.stdout in (None, sys.__stdout__):
        sys.stdout = _enduring(sys.stdout, _OUT)
    if sys.stderr in (None, sys.__stderr__):
        sys.stderr = _enduring(sys.stderr, _ERR)


def _enduring(stream: object, descriptor: int) -> TextIOWrapper:
    if isinstance(stream, TextIOWrapper):
        stream.flush()
    raw = _Enduring(descriptor)
    return TextIOWrapper(
        BufferedWriter(raw),
        encoding=getattr(stream, "encoding", "utf-8"),
        errors="backslashreplace",
        line_buffering=descriptor == _ERR or raw.isatty(),
    )


def lost_output() -> str | None:
    """Return why not all of stdout was written; None if it was, or its reader had enough."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    error = raw.error if isinstance(raw, _Enduring) else None
    if error is None or error.errno == errno.EPIPE:
        return None
    return "it is closed" if error.errno == errno.EBADF else str(error.strerror)
