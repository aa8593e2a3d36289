"""The processes of jobs: started, stopped, known to be running by the lock that they hold.

A process ends with the server that started it; what it had finished is on the disk.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from inspector.errors import InputError, OutputError
from inspector.runs.background.job import Status, write_status
from inspector.runs.store.lock import check_unlocked, holder

_MODULE = "inspector.runs.background.worker"
_LOG = "log.txt"
_PATIENCE_S = 8.0
_CHILDREN: dict[Path, subprocess.Popen[bytes]] = {}
_ONE_AT_A_TIME = threading.Lock()


def start(folder: Path, most: int) -> None:
    """Start the process of a job, unless it runs already, for whichever server.

    Args:
        folder: Of the job.
        most: Jobs that this server may compute at once.

    Raises:
        InputError: If as many are being computed.
        OutputError: If the folder cannot be written to.
    """
    with _ONE_AT_A_TIME:
        if is_running(folder):
            return
        alive = [other for other in list(_CHILDREN) if _is_alive(other)]
        if len(alive) >= most:
            raise InputError(
                f"runs ({', '.join(one.name for one in alive)}) are being computed, as many as "
                f"may be at once ({most}): wait until one is done, or stop one."
            )
        write_status(folder, Status())
        with (folder / _LOG).open("wb") as log:
            # -P: no file of the current folder is taken for a module.
            _CHILDREN[folder] = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", _MODULE, str(folder)],
                stdin=subprocess.PIPE,  # it closes with us, and the process ends
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONSAFEPATH": "1"},
                start_new_session=True,
            )


def stop(folder: Path) -> None:
    """Stop the process of a job, and no other; what it has finished is kept."""
    child = _CHILDREN.get(folder)
    if child is None:
        pid = holder(folder)
        if pid is not None:
            with suppress(OSError):
                os.kill(pid, signal.SIGTERM)
        return
    child.terminate()
    try:
        child.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()  # files are written whole or not at all
        child.wait()
    _is_alive(folder)


def is_running(folder: Path) -> bool:
    """Return whether a process computes the job, of this server or another."""
    if _is_alive(folder):
        return True
    try:
        check_unlocked(folder)
    except OutputError:
        return True
    return False


def _is_alive(folder: Path) -> bool:
    """Return whether a process of ours computes the job; one that ended is forgotten."""
    child = _CHILDREN.get(folder)
    if child is None:
        return False
    if child.poll() is None:
        return True
    if child.stdin is not None:
        with suppress(OSError):
            child.stdin.close()
    _CHILDREN.pop(folder, None)
    return False
