"""The process between ours and a user's code: it watches that code, and leaves nothing of it.

It runs nothing of the user's. It ends the code, and all that the code has started, when our process
says so or is gone, when the code itself ends, and when all of it takes too much memory.
"""

import ctypes
import os
import select
import signal
import stat
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from inspector.verification.implementation.sandbox.process_tree import below, end_below, memory_of

STOPPED, ENDED, TOO_LARGE = 0, 1, 2
LAST_WORD = struct.Struct("!qq")
"""What is said last, when nothing is left of the code: STOPPED, as was wanted; ENDED, with its exit
code; TOO_LARGE, with the bytes it took."""

_EVERY_SECONDS = 0.03
_SHARE = 10
_DEATH_SIGNAL, _REAPER = 1, 36  # of prctl, in <linux/prctl.h>


@dataclass(frozen=True)
class Ends:
    """The supervisor's ends of its five pipes."""

    requests: int
    answers: int
    output: int
    last_word: int
    life: int
    """Written to, or closed, when the code is to be ended."""


def supervise(
    work: Callable[[int, int], None], ends: Ends, parent: int, memory: int | None
) -> None:
    """Run user's code in a process of its own until it is to end; then end all of it.

    Args:
        work: Gets where requests come from and where answers go.
        ends: Of the pipes.
        parent: The process whose end is the end of all this.
        memory: Bytes that the code and all that it starts may take; None for no limit.
    """
    _ask_of_linux(_REAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
    supervisor = os.getpid()
    code = os.fork()
    if code == 0:
        _run(work, ends, supervisor)
    for end in (ends.requests, ends.answers, ends.output):
        os.close(end)
    last_word = STOPPED, 0
    try:
        last_word = _watch(code, ends.life, parent, memory)
    finally:
        _end_all(code)
        with suppress(OSError):  # there may be nobody left to hear it
            os.write(ends.last_word, LAST_WORD.pack(*last_word))


def _watch(code: int, life: int, parent: int, memory: int | None) -> tuple[int, int]:
    """Return the last word about the code, once it is to be ended."""
    pause = _EVERY_SECONDS
    while not select.select([life], [], [], pause)[0] and os.getppid() == parent:
        while True:  # those whose parents ended are our children too
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == code:
                return ENDED, os.waitstatus_to_exitcode(status)
            if child == 0:
                break
        if memory is not None:
            start = time.monotonic()
            taken = memory_of(below(os.getpid()), memory)
            if taken > memory:
                return TOO_LARGE, taken
            pause = max(_EVERY_SECONDS, _SHARE * (time.monotonic() - start))
    return STOPPED, 0


def _end_all(code: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is ending
    if sys.platform == "linux":
        end_below()
    else:  # those that left its group are not found
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(code, signal.SIGKILL)


def _run(work: Callable[[int, int], None], ends: Ends, supervisor: int) -> NoReturn:
    """Become the process of a user's code: no terminal, no stdin, nothing of the supervisor's."""
    exit_code = 1
    try:
        _ask_of_linux(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != supervisor:
            os._exit(exit_code)  # it ended before we asked to end with it
        os.setsid()
        _hang_up({ends.requests, ends.answers, ends.output})
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        import resource  # Windows has none, and never comes here

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with suppress(OSError):  # if the machine is short of memory, it is to take this process
            Path("/proc/self/oom_score_adj").write_text("1000")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(ends.output, number)
            stream = os.fdopen(
                number, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False
            )
            setattr(sys, name, stream)
        if ends.output > 2:
            os.close(ends.output)
        work(ends.requests, ends.answers)
        exit_code = 0
    finally:
        os._exit(exit_code)  # nothing that the code has left for the end is run


def _hang_up(kept: set[int]) -> None:
    """Close the pipes and sockets of the process that this one is a copy of, and the supervisor's.

    What the code writes to every descriptor that it finds would come out at their other ends.
    """
    for entry in list(Path("/dev/fd").iterdir()):
        descriptor = int(entry.name)
        if descriptor <= 2 or descriptor in kept:
            continue
        with suppress(OSError):  # that of the listing itself is closed by now
            kind = os.fstat(descriptor).st_mode
            if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
                os.close(descriptor)


def _ask_of_linux(what: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(what, value, 0, 0, 0)
