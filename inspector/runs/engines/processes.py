"""Worker processes of this machine: started clean, given shards through a pipe, always ended."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import ModuleType
from typing import Any

from inspector.runs.engines.pool import Failure, Results, Worker, hand_out

_PATIENCE_SECONDS = 5.0
_SAFE_PATH = "PYTHONSAFEPATH"
_PROCESSES = multiprocessing.get_context("spawn")  # no thread or lock of ours is copied half-used


def in_processes(
    shard_ids: Sequence[int],
    make_worker: Callable[[], Worker],
    workers: int,
) -> Results:
    """Yield (shard id, result), as each is done, computed in processes of their own."""
    return hand_out(shard_ids, workers, lambda first: _Member(make_worker, first), _ready)


def start_process(target: Callable[..., None], *given: Any) -> tuple[SpawnProcess, Connection]:
    """Return a new process that runs target(connection, *given), and our end of the connection.

    An interrupt of the terminal does not reach it, and it does not run the script that we run.
    """
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=target, args=(theirs, *given), daemon=True)
    with _no_file_of_this_folder_run(), _interrupts_held(), _script_not_run_again():
        process.start()
    theirs.close()  # so that its end is seen here
    return process, ours


def end_process(process: SpawnProcess) -> str:
    """End the process, whatever it is at, and say how it ended."""
    if process.is_alive():
        process.terminate()
    process.join(_PATIENCE_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    code = process.exitcode or 0
    process.close()
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


class _Member:
    """A worker process, seen from here, and the shard it is at."""

    def __init__(self, make_worker: Callable[[], Worker], shard_id: int) -> None:
        self.process, self.connection = start_process(_serve, make_worker)
        self.ends = (self.connection, self.process.sentinel)
        self.give(shard_id)

    def give(self, shard_id: int) -> None:
        self.shard_id = shard_id
        # If it is dead, that is seen when its answer is waited for.
        with suppress(OSError):
            self.connection.send(shard_id)

    def answer(self) -> Any:
        with suppress(EOFError, OSError):
            if self.connection.poll():
                return received(self.connection)
        return None

    def stop(self) -> str:
        self.connection.close()
        return end_process(self.process)


def _ready(members: list[_Member]) -> list[_Member]:
    done = wait([end for member in members for end in member.ends])
    return [member for member in members if any(end in done for end in member.ends)]


def _serve(connection: Connection, make_worker: Callable[[], Worker]) -> None:
    """Answer shard ids with results, in a worker process, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too; our parent stops us
    end_with_parent()
    try:
        worker = make_worker()
        while (shard_id := received(connection)) is not None:
            connection.send(worker(shard_id))
    except BaseException as error:
        with suppress(OSError):
            connection.send(Failure.of(error))
        raise SystemExit(1) from error


def received(connection: Connection) -> Any:
    """Return what comes through a connection, None once its other end is closed."""
    with suppress(EOFError, OSError):
        return connection.recv()
    return None


def end_with_parent(patience: float = 0.0) -> None:
    """End this process when the one that started it is gone, however that happened.

    Args:
        patience: Seconds in which it may see that by itself.
    """

    def wait_for_it() -> None:
        if (parent := multiprocessing.parent_process()) is not None:
            parent.join()
            time.sleep(patience)
            os._exit(1)

    threading.Thread(target=wait_for_it, daemon=True).start()


@contextmanager
def _script_not_run_again() -> Iterator[None]:
    """Keep a new process from running its parent's script, as multiprocessing would have it.

    The script may be without `if __name__ == "__main__"`, or be a page of Streamlit, which puts
    itself in the place of the main module. No worker needs anything of it.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


@contextmanager
def _no_file_of_this_folder_run() -> Iterator[None]:
    """Keep new processes, and theirs, from taking a file of the current folder for a module.

    Python would look there first, for its own modules too. Our path, which they are told, stands.
    """
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start a process whole: an interrupt waits till it is started, and Ctrl-C never reaches it.

    The mask is for the new process, which inherits it. It does not keep signals from us, whom
    they reach through any thread; so our handlers stand aside as well.
    """
    held: list[int] = []
    handlers = {}
    masked = hasattr(signal, "pthread_sigmask")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ()) if masked else set()
    try:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if callable(handler := signal.getsignal(number)):
                    handlers[number] = handler
                    signal.signal(number, lambda received, frame: held.append(received))
        resource_tracker.ensure_running()  # else the first start would, and lift the mask
        if masked:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        yield
    finally:
        if masked:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])
