"""One writer a folder: the kernel's lock on a file that names the process, and ends with it.

While the lock is held, SIGTERM ends the process as Ctrl-C does, so that the file is deleted. A
process that was killed outright leaves its file behind, and the kernel's lock on it is gone.
"""

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from inspector.errors import OutputError
from inspector.input import read_regular

LOCK = "lock"
_MOST_BYTES = 10_000


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: no other process, and nothing else in this one, can hold it too.

    Args:
        folder: The folder, which must exist.

    Raises:
        OutputError: If another process holds the lock, or it cannot be known whether one does.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as name, locked(Path(name)):
        ...     (Path(name) / LOCK).exists()
        True
    """
    path = folder / LOCK
    text = json.dumps({"host": socket.gethostname(), "pid": os.getpid()})
    with _terminating_as_interrupt(), _held(folder):
        try:
            path.write_text(text)
            yield
        finally:
            # Only our own: another's stays, which was let in by hand.
            with suppress(FileNotFoundError):
                if path.read_text() == text:
                    path.unlink()


def check_unlocked(folder: Path) -> None:
    """Pass if no process holds the folder's lock.

    Raises:
        OutputError: If one does, or it cannot be known whether one does.
    """
    if (folder / LOCK).exists():
        with _held(folder):
            pass


def holder(folder: Path) -> int | None:
    """Return the process of this machine that holds the folder's lock; None if none does."""
    try:
        check_unlocked(folder)
    except OutputError:
        owner = _owner(folder / LOCK)
        return owner[1] if owner is not None and owner[0] == socket.gethostname() else None
    return None


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the kernel's lock on the folder's lock file, which may name no other machine."""
    path = folder / LOCK
    owner = _owner(path)
    if owner is not None and owner[0] != socket.gethostname():
        raise OutputError(
            f"folder ({folder}) is locked by process {owner[1]} on {owner[0]!r:.80}: wait for it, "
            f"or choose another folder. If that process is gone, delete {path}."
        )
    lock = FileLock(path, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        pid = (_owner(path) or ("", "that has just begun"))[1]
        whose = "by this process already" if pid == os.getpid() else f"by process {pid}"
        raise OutputError(
            f"folder ({folder}) is being written to {whose}: wait for it, or choose another folder."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _owner(path: Path) -> tuple[str, int] | None:
    """Return the machine and the process that a lock file names; None where there is none yet."""
    try:
        text = read_regular(path, most=_MOST_BYTES)
        if not text:  # it was just made
            return None
        owner = json.loads(text)
        return str(owner["host"]), int(owner["pid"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"lock ({path}) does not say which process holds it: "
            "delete this file if no other run writes there."
        ) from error


@contextmanager
def _terminating_as_interrupt() -> Iterator[None]:
    """Make SIGTERM raise KeyboardInterrupt, where it would have ended the process at once."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
