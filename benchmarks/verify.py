"""The real command `inspector verify --json`, start to end, in processor seconds.

Must not know: what the command does.
"""

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.fresh import environment
from benchmarks.table import Measure
from benchmarks.timing import children_time

CPU_SECONDS = 15.0
_MOST_CORES = 2


@dataclass(frozen=True)
class Settings:
    """How often, and what runs instead of the command in tests."""

    repeats: int = 2
    command: tuple[str, ...] | None = None


def run(settings: Settings | None = None) -> list[Measure]:
    """Return the processor time (user + system, all threads) of the command on two cores.

    Raises:
        RuntimeError: If the command fails, or says that the model is not verified.
    """
    chosen = settings or Settings()
    seconds = [cpu_seconds(chosen.command or inspector_command()) for _ in range(chosen.repeats)]
    what = "verify: inspector verify --json, minilm, CPU time on at most 2 cores"
    return [
        Measure(f"{what}, median", median(seconds), "s", at_most=CPU_SECONDS),
        Measure(f"{what}, largest", max(seconds), "s"),
    ]


def inspector_command() -> tuple[str, ...]:
    """Return the command as it is installed beside this interpreter."""
    script = Path(sysconfig.get_path("scripts")) / "inspector"
    return (sys.executable, str(script), "verify", "--json")


def cpu_seconds(command: tuple[str, ...]) -> float:
    """Return the user and system time of a command that prints a verification as JSON.

    Raises:
        RuntimeError: If it fails, or the model is not verified.
    """
    before = children_time()
    done = subprocess.run(
        command,
        env={**environment(), **_two_cores()},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = children_time() - before
    if done.returncode or json.loads(done.stdout)["passed"] is not True:
        raise RuntimeError(f"{' '.join(command)} did not verify: {done.stderr.strip()[-2000:]}")
    return seconds


def _two_cores() -> dict[str, str]:
    return {"OMP_NUM_THREADS": str(min(_MOST_CORES, os.cpu_count() or 1))}
