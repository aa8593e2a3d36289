"""What tests of killed runs share: a process of its own, and the bytes of a folder."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager


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


@contextmanager
def starting():
    """Give a function that runs a script as a process group of its own; none outlives the test."""
    started = []

    def begin(*words):
        process = subprocess.Popen(
            [sys.executable, *map(str, words)],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()
