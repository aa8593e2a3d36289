"""`import inspector` in a fresh interpreter, beside `import torch` and an empty program.

Must not know: what inspector imports, and when.
"""

import subprocess
import sys
from dataclasses import dataclass
from functools import partial

from benchmarks.fresh import environment
from benchmarks.table import Measure
from benchmarks.timing import alternate, children_time

SECONDS = 0.3


@dataclass(frozen=True)
class Settings:
    """How often."""

    repeats: int = 5


def run(settings: Settings | None = None) -> list[Measure]:
    """Return the time of the import (the interpreter's own start included), and ratios."""
    chosen = settings or Settings()
    programs = {"pass": "pass", "torch": "import torch", "inspector": "import inspector"}
    times = alternate(
        {name: partial(_python, program) for name, program in programs.items()},
        chosen.repeats,
        clock=children_time,
    )
    what = "imports: import inspector, fresh process"
    return [
        Measure(f"{what}, from start to exit", times.median("inspector"), "s", at_most=SECONDS),
        Measure(f"{what}, over import torch", times.ratio("inspector", "torch"), "×"),
        Measure(f"{what}, over an empty program", times.ratio("inspector", "pass"), "×"),
    ]


def _python(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], env=environment(), check=True)
