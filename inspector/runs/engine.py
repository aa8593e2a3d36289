"""Where shards are computed: in this process, or in a pool of processes. The one seam for both.

Shard ids go in, (id, result) come out as each is done; what a shard gives must depend on its id
alone. A worker process that dies is replaced and its shard given out again.
Must not know: what is computed; models, corpora, UI.
"""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any

from inspector.errors import InputError, InspectorError
from inspector.runs.shards import ShardResult

Worker = Callable[[int], ShardResult]

ATTEMPTS = 3
_PATIENCE_SECONDS = 5.0
_PROCESSES = multiprocessing.get_context("spawn")  # no thread or lock of ours is copied half-used


class WorkerError(InspectorError):
    """A shard that ended every worker process it was given to."""

    exit_code = 3


def run_shards(
    shard_ids: Sequence[int], make_worker: Callable[[], Worker], *, workers: int = 1
) -> Generator[tuple[int, ShardResult], None, None]:
    """Return an iterator of (shard id, result), as each is done. Close it to stop early.

    Args:
        shard_ids: What to compute.
        make_worker: Called once in every process that computes; returns the function from shard
            id to result. With more than one worker it is pickled, so it must be a function or
            class of a module that can be imported, or a `functools.partial` of one. It must fix
            whatever else the result depends on, such as the number of torch threads.
        workers: How many processes; 1 computes in this one.

    Raises:
        InputError: If `workers` is less than 1.
        InspectorError: What a worker raised, as it raised it.
        WorkerError: If a shard ended three worker processes.
        RuntimeError: If a worker process raised anything else; its traceback is in the notes.

    Example:
        >>> import numpy as np
        >>> def make_worker():
        ...     return lambda shard_id: ShardResult({"square": np.array(shard_id**2)})
        >>> [(i, int(result.arrays["square"])) for i, result in run_shards([2, 3], make_worker)]
        [(2, 4), (3, 9)]
    """
    if workers < 1:
        raise InputError(f"workers ({workers}) must be at least 1: 1 computes in this process.")
    if workers == 1:
        return _in_this_process(shard_ids, make_worker)
    return _in_processes(shard_ids, make_worker, workers)


def _in_this_process(
    shard_ids: Sequence[int], make_worker: Callable[[], Worker]
) -> Generator[tuple[int, ShardResult], None, None]:
    if shard_ids:
        worker = make_worker()
        for shard_id in shard_ids:
            yield shard_id, worker(shard_id)


def _in_processes(
    shard_ids: Sequence[int], make_worker: Callable[[], Worker], workers: int
) -> Generator[tuple[int, ShardResult], None, None]:
    waiting = deque(shard_ids)
    deaths: Counter[int] = Counter()
    members: list[_Member] = []
    try:
        while waiting and len(members) < workers:
            members.append(_Member(make_worker, waiting.popleft()))
        while members:
            ready = wait([end for member in members for end in member.ends])
            for member in [one for one in members if any(end in ready for end in one.ends)]:
                shard_id, answer = member.shard_id, member.answer()
                if answer is None:
                    deaths[shard_id] += 1
                    members.remove(member)
                    how = member.stop()
                    if deaths[shard_id] == ATTEMPTS:
                        raise WorkerError(
                            f"shard ({shard_id}) ended its worker process {ATTEMPTS} times "
                            f"({how}): the machine may be short of memory. Run the command again "
                            "with --resume and fewer --workers; finished shards are kept."
                        )
                    members.append(_Member(make_worker, shard_id))
                    continue
                if isinstance(answer, _Failure):
                    answer.raise_again(shard_id)
                if waiting:
                    member.give(waiting.popleft())
                else:
                    members.remove(member)
                    member.stop()
                yield shard_id, answer
    finally:
        for member in members:
            member.stop()


class _Member:
    """A worker process, seen from here, and the shard it is at."""

    def __init__(self, make_worker: Callable[[], Worker], shard_id: int) -> None:
        self.connection, theirs = _PROCESSES.Pipe()
        self.process = _PROCESSES.Process(target=_serve, args=(theirs, make_worker), daemon=True)
        with _interrupts_held(), _script_not_run_again():
            self.process.start()
        theirs.close()  # so that its end is seen here
        self.ends = (self.connection, self.process.sentinel)
        self.give(shard_id)

    def give(self, shard_id: int) -> None:
        self.shard_id = shard_id
        # If it is dead, that is seen when its answer is waited for.
        with suppress(OSError):
            self.connection.send(shard_id)

    def answer(self) -> Any:
        """Return the result or the `_Failure`; None if the process died before it had answered."""
        with suppress(EOFError, OSError):
            if self.connection.poll():
                return self.connection.recv()
        return None

    def stop(self) -> str:
        """End the process, whatever it is at, and say how it ended."""
        self.connection.close()
        if self.process.is_alive():
            self.process.terminate()
        self.process.join(_PATIENCE_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        code = self.process.exitcode or 0
        self.process.close()
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


@dataclass(frozen=True)
class _Failure:
    """What a worker raised, on its way to the process that asked."""

    error: InspectorError | None
    summary: str
    trace: str

    def raise_again(self, shard_id: int) -> None:
        error = self.error or RuntimeError(f"shard ({shard_id}) failed in a worker: {self.summary}")
        error.add_note(self.trace)
        raise error


def _serve(connection: Connection, make_worker: Callable[[], Worker]) -> None:
    """Answer shard ids with results, in a worker process, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too; our parent stops us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        worker = make_worker()
        while (shard_id := _received(connection)) is not None:
            connection.send(worker(shard_id))
    except BaseException as error:
        kept = error if isinstance(error, InspectorError) else None
        summary = "".join(traceback.format_exception_only(error)).strip()
        with suppress(OSError):
            connection.send(_Failure(kept, summary, traceback.format_exc()))
        raise SystemExit(1) from error


def _received(connection: Connection) -> int | None:
    with suppress(EOFError, OSError):
        return int(connection.recv())
    return None


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however that happened."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


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
