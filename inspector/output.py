"""Files that users ask for: whether one may be written, and writing it whole or not at all.

`check_output` is called before the expensive work, `write_atomically` after it. A file that
exists is never touched unless the user said so, and no symbolic link is written through.
"""

import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from inspector.errors import InputError, OutputError

_WRITE_BITS = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def check_output(path: str | os.PathLike[str], *, suffixes: Sequence[str], force: bool) -> Path:
    """Return the path as a `Path`, once it is known that a file may be written there.

    Args:
        path: Where the file shall be.
        suffixes: The suffixes that can be written, with their dots, in lower case.
        force: Whether a file that exists may be replaced.

    Raises:
        InputError: If the name cannot be one of a file, or its suffix is not available.
        OutputError: If the folder is missing or cannot be written to, or the place is taken by
            something that may not be replaced.

    Example:
        >>> check_output("maps.pdf", suffixes=[".html"], force=False)
        Traceback (most recent call last):
        inspector.errors.InputError: output (maps.pdf) has the suffix '.pdf', which cannot be
        written: end the name in an available one. Available: '.html'.
    """
    target = Path(path)
    name = _shown(target)
    if not _can_be_a_name(target):
        raise InputError(
            f"output ({name}) holds a character that no file name may hold: choose another name."
        )
    if target.suffix.lower() not in suffixes:
        given = f"has the suffix {target.suffix!r}" if target.suffix else "has no suffix"
        available = ", ".join(repr(suffix) for suffix in suffixes)
        raise InputError(
            f"output ({name}) {given}, which cannot be written: "
            f"end the name in an available one. Available: {available}."
        )
    try:
        _check_folder(target.parent)
        _check_place(target, force=force)
    except OutputError:
        raise
    except OSError as error:
        raise _failure(target, error) from error
    return target


def write_atomically(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write the data as one file: afterwards all of it stands there, or nothing has changed.

    Args:
        path: Where the file shall be, as `check_output` returned it.
        data: What the file shall hold.
        force: Whether a file that exists may be replaced. Without it, a file that came to be
            since `check_output` is refused too.

    Raises:
        OutputError: If the file cannot be written, or exists and `force` is not given.
    """
    temporary = path.parent / f".inspector-{secrets.token_hex(8)}.tmp"
    try:
        _check_place(path, force=force)
        try:
            _write_new(temporary, data, like=path)
            if force:
                temporary.replace(path)
            else:
                _publish_new(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OutputError:
        raise
    except FileExistsError as error:
        raise _taken(path) from error
    except OSError as error:
        raise _failure(path, error) from error


def _shown(path: Path) -> str:
    text = str(path)
    return text if text.isprintable() else ascii(text)[1:-1]


def _can_be_a_name(path: Path) -> bool:
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def _check_folder(folder: Path) -> None:
    name = _shown(folder)
    if not folder.exists():
        raise OutputError(
            f"folder ({name}) does not exist: make it first, or choose another place."
        )
    if not folder.is_dir():
        raise OutputError(f"folder ({name}) is a file: choose another place.")
    # Root passes os.access everywhere; a folder that is marked read-only for everyone is
    # read-only for root too.
    marked = not folder.stat().st_mode & _WRITE_BITS
    if marked or not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            f"folder ({name}) is read-only: change its permissions, or choose another place."
        )


def _check_place(path: Path, *, force: bool) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    name = _shown(path)
    if stat.S_ISDIR(mode):
        raise OutputError(f"output ({name}) is a folder: give the name of a file.")
    if stat.S_ISLNK(mode):
        raise OutputError(
            f"output ({name}) is a symbolic link, which is never written through: "
            "give the name of the file itself, or another name."
        )
    if not stat.S_ISREG(mode):
        raise OutputError(f"output ({name}) is not a regular file: choose another name.")
    if not force:
        raise _taken(path)
    if not mode & _WRITE_BITS or not os.access(path, os.W_OK):
        raise OutputError(
            f"output ({name}) is read-only: change its permissions, or choose another name."
        )


def _taken(path: Path) -> OutputError:
    return OutputError(
        f"output ({_shown(path)}) already exists: "
        "choose another name, or allow replacing it (force=True, --force on the command line)."
    )


def _failure(path: Path, error: OSError) -> OutputError:
    reason = error.strerror or type(error).__name__
    return OutputError(
        f"output ({_shown(path)}) could not be written ({reason}): "
        "choose another place. Nothing was changed."
    )


def _write_new(path: Path, data: bytes, *, like: Path) -> None:
    """Write a new file to the disk itself, with the permissions of `like` where that exists."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_BINARY", 0)  # of Windows, where line ends are changed without it
    descriptor = os.open(path, flags, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        if like.is_file():
            path.chmod(stat.S_IMODE(like.stat().st_mode))
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _publish_new(temporary: Path, path: Path) -> None:
    """Give the file its name, which must be free: linking fails where renaming would replace."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links: take the name first, then replace what took it.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        try:
            temporary.replace(path)
        except BaseException:
            path.unlink()
            raise


def _sync_folder(folder: Path) -> None:
    """Write the folder's new entry to the disk, where folders can be synced; the file is whole."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
