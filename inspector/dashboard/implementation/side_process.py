"""A process of its own for one reader's work: what it prints is kept, and it can be stopped.

Whatever it does, the server's other readers do not wait for it.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock, Thread, Timer
from typing import IO

from inspector.errors import InputError

_MOST = max(2, os.cpu_count() or 2)
"""Such processes at once; more readers wait for their turn."""
_MOST_PRINTED = 16 * 1024 * 1024
_SERVER = Path(__file__).parents[3]

_running: set["SideProcess"] = set()
_lock = Lock()


class SideProcess:
    """A Python process with what it has printed so far."""

    def __init__(self, code: str, arguments: Sequence[str], seconds: float) -> None:
        """Start it.

        Args:
            code: What it runs, our own.
            arguments: Its words.
            seconds: After which it is ended.

        Raises:
            InputError: If as many are running as there is room for.
        """
        with _lock:
            _running.difference_update([each for each in _running if each.ended])
            if len(_running) >= _MOST:
                raise InputError(
                    f"processes ({len(_running)}) are running for other readers, as many as there "
                    "is room for: wait until one is done."
                )
            self.lines: list[str] = []
            self.complaint = ""
            self.stopped = False
            # -P: no file of the current folder is taken for a module. What it inherits of the
            # server is nothing but its environment.
            self._process = subprocess.Popen(  # noqa: S603 - our own code
                [sys.executable, "-P", "-c", code, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": str(_SERVER), "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )
            _running.add(self)
        told = ((self._read, self._process.stdout), (self._hear, self._process.stderr))
        self._readers = [
            Thread(target=read, args=[stream], daemon=True) for read, stream in told if stream
        ]
        # A reader who left does not keep it alive.
        limit = Timer(seconds, self.stop)
        limit.daemon = True
        for thread in (*self._readers, limit):
            thread.start()

    @property
    def ended(self) -> bool:
        """Whether it has ended and all that it printed is here."""
        return self._process.poll() is not None and not any(
            reader.is_alive() for reader in self._readers
        )

    def stop(self) -> None:
        """End it; what it has printed stays."""
        self.stopped = True
        self._process.terminate()

    def _read(self, output: IO[bytes]) -> None:
        room = _MOST_PRINTED
        with output:
            for line in output:
                room -= len(line)
                if room < 0:
                    self.stop()
                    return
                self.lines.append(line.decode("utf-8", "replace"))

    def _hear(self, errors: IO[bytes]) -> None:
        with errors:
            for line in errors:
                told = line.decode("utf-8", "replace").strip()
                if told:
                    self.complaint = told[-2000:]
