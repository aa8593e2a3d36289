"""Processes, read from /proc: who descends from one, what memory they take or may; their end."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from inspector.errors import InputError

_PROC = Path("/proc")
_PATIENCE_SECONDS = 5.0


def can_be_read() -> bool:
    """Return whether this system tells of its processes in the way that this module reads."""
    return (_PROC / "self" / "stat").exists()


def below(root: int) -> list[int]:
    """Return the processes that descend from one, those included that ended and still count."""
    parents: dict[int, int] = {}
    for process in _processes():
        with suppress(OSError):
            # The name before it, in parentheses, may hold anything.
            rest = (_PROC / str(process) / "stat").read_bytes().rpartition(b")")[2]
            parents[process] = int(rest.split()[1])
    found = [root]
    for process in found:  # it grows meanwhile
        found += [child for child, parent in parents.items() if parent == process]
    return found[1:]


def memory_of(processes: Iterable[int], most: int) -> int:
    """Return the bytes of memory that belong to processes; exactly only if more than `most`.

    What several share counts once: a copy of a process has, to begin with, none of its own.
    """
    processes = list(processes)
    roughly = sum(
        _kilobytes(each, "status", ("RssAnon", "RssShmem", "VmSwap")) for each in processes
    )
    if 1024 * roughly <= most:
        return 1024 * roughly
    shared_out = ("Pss_Anon", "Pss_Shmem", "SwapPss")
    return 1024 * sum(_kilobytes(each, "smaps_rollup", shared_out) for each in processes)


def end_below() -> None:
    """End every process that descends from this one, and wait for its end.

    This one must be the reaper of its descendants: a descendant whose parent ends is then its
    child, so that there is nobody left once it has no child.
    """
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up:
        for process in below(os.getpid()):
            _end(process)
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def end_marked(mark: str) -> None:
    """End every process that was started with the mark in its environment."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    found = True
    while found and time.monotonic() < give_up:
        found = False
        for process in _processes():
            with suppress(OSError):
                if mark.encode() in (_PROC / str(process) / "environ").read_bytes():
                    found = True
                    _end(process)


def _processes() -> list[int]:
    with suppress(OSError):
        return [int(each.name) for each in _PROC.iterdir() if each.name.isdigit()]
    return []


def _end(process: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGKILL)


def _kilobytes(process: int, file: str, names: tuple[str, ...]) -> int:
    """Return the sum of some lines such as `RssAnon:   116 kB`; 0 of a process that is gone."""
    total = 0
    with suppress(OSError):
        for line in (_PROC / str(process) / file).read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name in names:
                total += int(value.split()[0])
    return total


_MEMORY = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def check_timeout(timeout: float | None) -> None:
    """Refuse what is no time to wait; infinity waits without end.

    Raises:
        InputError: If it is not more than 0.
    """
    if timeout is not None and not timeout > 0.0:
        raise InputError(f"timeout ({timeout:g}) must be more than 0 seconds.")


def check_memory(memory: int | None) -> None:
    """Refuse what is no limit of memory, or cannot be watched.

    Raises:
        InputError: If it is not more than 0, or this system does not tell what processes take.
    """
    if memory is None:
        return
    if memory <= 0:
        raise InputError(f"memory ({memory}) must be more than 0 bytes.")
    if not can_be_read():
        raise InputError(
            f"memory ({memory}) needs a system that tells in /proc what memory processes take: "
            "leave it out."
        )


def half_of_free() -> int | None:
    """Return half of the bytes that are free here; None where the system does not tell."""
    free = free_bytes()
    return None if free is None else free // 2


def free_bytes() -> int | None:
    """Return the bytes that are free here; None where the system does not tell."""
    free = [_of_the_machine(), _of_the_group()]
    known = [each for each in free if each is not None]
    return max(min(known), 0) if known else None


def _of_the_machine() -> int | None:
    with suppress(OSError):
        for line in _MEMORY.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    return None


def _of_the_group() -> int | None:
    """Return what a container has left: its limit less what cannot be taken back."""
    with suppress(OSError, ValueError):
        lines = (_GROUP / "memory.stat").read_text().splitlines()
        counts = {name: int(count) for name, count in map(str.split, lines)}
        files = counts["active_file"] + counts["inactive_file"]
        used = int((_GROUP / "memory.current").read_text()) - files
        return int((_GROUP / "memory.max").read_text()) - used
    return None


def resident_bytes() -> int:
    """Return the bytes that this process has; 0 where the system does not tell."""
    with suppress(OSError):
        pages = int((_PROC / "self" / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0
