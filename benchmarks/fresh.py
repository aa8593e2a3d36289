"""A function of the benchmarks run in a process of its own, and the memory that a call adds there.

Only a process that has done nothing else says what a call's peak is. `python -m benchmarks.fresh
module function JSON` is the far end. Must not know: what is measured.
"""

import ctypes
import gc
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"
DIRECT_ALLOCATION = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
"""Lets glibc take blocks of 64 kB and more straight from the system and give them back when freed:
a peak is then what was live at once, not what the heap's layout happened to need."""


def in_fresh_process(
    function: Callable[..., Any], settings: Mapping[str, str] | None = None, /, **arguments: Any
) -> Any:
    """Return what a module's function returns when a new process calls it.

    Args:
        function: Defined at the top of a module that can be imported.
        settings: Environment variables to set besides.
        arguments: Such as JSON can hold; so must be what is returned.

    Raises:
        RuntimeError: If the process fails; the message ends with what it said.
    """
    command = [sys.executable, "-m", "benchmarks.fresh", function.__module__, function.__name__]
    done = subprocess.run(
        [*command, json.dumps(arguments)],
        cwd=_ROOT,
        env={
            **environment(),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            **(settings or {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def environment() -> dict[str, str]:
    """Return the environment of new processes: no network, no threads of the tokenizer."""
    return {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def peak_megabytes(call: Callable[[], object]) -> float:
    """Return by how much a call raises this process's memory at its peak, in MB (10⁶ bytes).

    Linux says so exactly (VmHWM, set back before the call); elsewhere it is the process's peak
    before and after, which misses what an earlier peak hides.
    """
    gc.collect()
    _give_back_freed_memory()
    if not _STATUS.exists():
        before = _lifetime_peak()
        call()
        return (_lifetime_peak() - before) / 1e6
    _CLEAR.write_text(_RESET_PEAK)
    before = _status("VmRSS")
    call()
    return (_status("VmHWM") - before) / 1e6


def lifetime_peak_megabytes() -> float:
    """Return the most memory that this process has held so far, in MB (10⁶ bytes).

    On Linux not what `getrusage` says: that begins with what the process that started this one
    held, so that after a large benchmark every smaller one would be as large.
    """
    return (_status("VmHWM") if _STATUS.exists() else _lifetime_peak()) / 1e6


def _give_back_freed_memory() -> None:
    """Let the C library return what is free, so that the call cannot hide in it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _status(field: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def _lifetime_peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    """Call the function that the command line names; print what it returns as the last line."""
    module, function, arguments = sys.argv[1:]
    print(json.dumps(getattr(import_module(module), function)(**json.loads(arguments))))


if __name__ == "__main__":
    main()
