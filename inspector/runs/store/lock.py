"""One writer a folder: a lock file that names the process, and outlives it at most till the next.

While the lock is held, SIGTERM ends the process as Ctrl-C does, so that the lock is released. A
process that was killed outright leaves its lock behind; the next one sees that it is gone.
Must not know: what the folder holds.
"""

import json
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from inspector.errors import OutputError
from inspector.input import read_regular
from inspector.output import write_atomically

LOCK = "lock"
_MOST_BYTES = 10_000
_PROCESSES = Path("/proc")
_ENDED = "ended"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: no other process, and nothing else in this one, can hold it too.

    Args:
        folder: The folder, which must exist.

    Raises:
        OutputError: If a living process holds the lock, or it cannot be known whether one does.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as name, locked(Path(name)):
        ...     (Path(name) / LOCK).exists()
        True
    """
    path = folder / LOCK
    pid = os.getpid()
    mine = {"host": socket.gethostname(), "pid": pid, "started": _started(pid)}
    text = json.dumps({**mine, "token": secrets.token_hex(8)}).encode()
    with _terminating_as_interrupt():
        try:
            with _one_at_a_time(folder):
                check_unlocked(folder)
                path.unlink(missing_ok=True)
                write_atomically(path, text)
            yield
        finally:
            # Only our own: another's stays, whether it kept us out or was let in by hand.
            with suppress(FileNotFoundError):
                if path.read_bytes() == text:
                    path.unlink()


def check_unlocked(folder: Path) -> None:
    """Pass if no living process holds the folder's lock.

    Raises:
        OutputError: If one does, or it cannot be known whether one does.
    """
    path = folder / LOCK
    try:
        owner = json.loads(read_regular(path, most=_MOST_BYTES))
        host, pid, started = owner["host"], int(owner["pid"]), owner["started"]
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"lock ({path}) does not say which process holds it: "
            "delete this file if no other run writes there."
        ) from error
    if host != socket.gethostname():
        raise OutputError(
            f"folder ({folder}) is locked by process {pid} on {host!r:.80}: wait for it, or "
            f"choose another folder. If that process is gone, delete {path}."
        )
    if not _is_gone(pid, started):
        whose = "by this process already" if pid == os.getpid() else f"by process {pid}"
        raise OutputError(
            f"folder ({folder}) is being written to {whose}: wait for it, or choose another folder."
        )


def _started(pid: int) -> str | None:
    """Return when the process started, so that its number, used again, is not taken for it.

    None where that cannot be known. A process that only waits for its parent's notice has ended.
    """
    try:
        boot = (_PROCESSES / "sys/kernel/random/boot_id").read_text().strip()
        # The name of the program, in brackets, may hold spaces and brackets itself.
        after_name = (_PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return _ENDED if after_name[0] in "ZX" else f"{boot} {after_name[19]}"


def _is_gone(pid: int, started: Any) -> bool:
    now = _started(pid)
    if now is not None:
        return now == _ENDED if started is None else now != started
    if os.name != "posix":
        return False  # signal 0 would end the process there
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process of this machine at a time judge a lock and take it.

    The kernel's lock on the folder, where it has one: it ends with its process.
    """
    descriptor = None
    try:
        with suppress(ImportError, OSError):
            import fcntl

            descriptor = os.open(folder, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


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
