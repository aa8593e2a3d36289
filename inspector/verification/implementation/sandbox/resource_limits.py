"""How long a user's implementation may take, and how much memory.

Must not know: how it is ended.
"""

from contextlib import suppress
from pathlib import Path

from inspector.errors import InputError
from inspector.verification.implementation.sandbox.process_tree import can_be_read

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
    free = [_of_the_machine(), _of_the_group()]
    known = [each for each in free if each is not None]
    return max(min(known), 0) // 2 if known else None


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
