"""The real command `inspector verify --json`, start to end, in passes of the model it verifies.

Must not know: what the command does.
"""

import json
import os
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.fresh import environment, in_fresh_process
from benchmarks.table import Measure
from benchmarks.timing import children_time

TEXTS, TOKENS, PASSES = 8, 512, 3
IN_PASSES = 3.0
"""Times PASSES passes: 2.4 were measured beside three other processes."""
_MOST_CORES = 2


@dataclass(frozen=True)
class Settings:
    """How often, and what runs instead of the command in tests."""

    repeats: int = 2
    tokens: int = TOKENS
    command: tuple[str, ...] | None = None


def run(settings: Settings | None = None) -> list[Measure]:
    """Return the processor time (user + system, all threads) of the command on two cores.

    A machine may be twice as slow an hour later, so the bound is on a ratio to passes of the model,
    timed in turns with the command.

    Raises:
        RuntimeError: If the command fails, or says that the model is not verified.
    """
    chosen = settings or Settings()
    seconds, passes = [], []
    for _ in range(chosen.repeats):
        seconds.append(cpu_seconds(chosen.command or inspector_command()))
        passes.append(in_fresh_process(pass_seconds, _two_cores(), tokens=chosen.tokens))
    what = "verify: inspector verify --json, minilm, CPU time on at most 2 cores"
    ratio = median(one / other for one, other in zip(seconds, passes, strict=True))
    return [
        Measure(f"{what}, median", median(seconds), "s"),
        Measure(f"{what}, largest", max(seconds), "s"),
        Measure(f"{what}, over {PASSES} passes of {TEXTS}×{chosen.tokens}", ratio, "×", IN_PASSES),
    ]


def pass_seconds(tokens: int) -> float:
    """Return the processor time of a few passes of minilm, all threads, without loading."""
    import torch

    from benchmarks.subjects import batch, minilm

    network, inputs = minilm().model, batch(TEXTS, tokens, padded=False)
    with torch.no_grad():
        network(**inputs)
        start = time.process_time()
        for _ in range(PASSES):
            network(**inputs)
    return time.process_time() - start


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
    """Return the settings: a thread that waits for another counts as no work."""
    cores = str(min(_MOST_CORES, os.cpu_count() or 1))
    return {"OMP_NUM_THREADS": cores, "OMP_WAIT_POLICY": "passive"}
