"""Files that users give: opened only where they are regular files, read only up to a bound.

A pipe would never answer, a device never end. What cannot be read is an `OSError`, as the
operating system's own are, so that a reader has one sentence for all of them (its `strerror`).
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def irregular(mode: int) -> str | None:
    """Return what kind of thing has a mode, None where it is a regular file or a folder.

    Example:
        >>> irregular(Path("/dev/null").stat().st_mode)
        'a device'
    """
    return _KINDS.get(stat.S_IFMT(mode))


def open_regular(path: str | os.PathLike[str]) -> BufferedReader:
    """Return a regular file (or what a link to one leads to), open for reading.

    Args:
        path: The file.

    Raises:
        OSError: If it is missing, no regular file, or cannot be read; never blocks.

    Example:
        >>> open_regular("/dev/zero")
        Traceback (most recent call last):
        OSError: [Errno 22] it is a device, not a regular file: '/dev/zero'
    """
    name = os.fspath(path)
    _check(Path(name).stat().st_mode, name)  # some devices act on being opened
    # A pipe that took the file's place meanwhile would wait for a writer.
    # Not every system has all of these; Windows needs to be told that bytes are bytes.
    extra = [getattr(os, flag, 0) for flag in ("O_CLOEXEC", "O_NONBLOCK", "O_BINARY")]
    descriptor = os.open(name, os.O_RDONLY | sum(extra))
    try:
        _check(os.fstat(descriptor).st_mode, name)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: str | os.PathLike[str], *, most: int) -> bytes:
    """Return what a regular file holds.

    Args:
        path: The file.
        most: The most bytes that it may hold; one that holds more is not read.

    Raises:
        OSError: If it is missing, no regular file, larger, or cannot be read.
    """
    with open_regular(path) as stream:
        if os.fstat(stream.fileno()).st_size <= most:
            data = stream.read(most + 1)  # it may grow while it is read
            if len(data) <= most:
                return data
    raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes", os.fspath(path))


def _check(mode: int, name: str) -> None:
    kind = irregular(mode)
    if kind is not None:
        raise OSError(errno.EINVAL, f"it is {kind}, not a regular file", name)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
