"""What tests of killed runs share: a process of its own, and the bytes of a folder."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path


def contents(folder):
    """Return every file's bytes, by its path in the folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def shards(folder):
    """Return how many shards are finished."""
    return len(list((folder / "shards").glob("*.safetensors")))


def assert_eventually(is_true, seconds=60):
    """Wait until it is true."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.002)


def session(process):
    """Return the processes of the run that are alive: all are of one session."""
    alive = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == process.pid and fields[0] not in "ZX":
            alive.append(int(stat.parent.name))
    return alive


@contextmanager
def starting():
    """Give a function that runs a script as a process group of its own; none outlives the test."""
    from support.processes.interrupting import (
        start_interruptible,  # not there for those that run as a script
    )

    started = []

    def begin(*words, **environment):
        process = start_interruptible(
            [sys.executable, *map(str, words)],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # Helpers of the room lie here, wherever the script does.
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()
