"""`python -m benchmarks [NAME …]`: run benchmarks, print their table, fail where a bound breaks.

Must not know: what a benchmark measures.
"""

import argparse
import gc
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks import (
    ablation,
    backend,
    call_by_call,
    diagnosis,
    estimate,
    first_use,
    imports,
    long_texts,
    meaning,
    nulls,
    profile,
    truths,
    verify,
    weights,
    whole_profile,
)
from benchmarks.table import Measure, exit_code, table

BENCHMARKS: dict[str, Callable[[], list[Measure]]] = {
    "imports": imports.run,
    "first_use": first_use.run,
    "weights": weights.run,
    "backend": backend.run,
    "verify": verify.run,
    "diagnosis": diagnosis.run,
    "profile": profile.run,
    "whole_profile": whole_profile.run,
    "long_texts": long_texts.run,
    "estimate": estimate.run,
    "meaning": meaning.run,
    "nulls": nulls.run,
    "truths": truths.run,
    "ablation": ablation.run,
    "call_by_call": call_by_call.run,
}


def main(
    arguments: Sequence[str], benchmarks: dict[str, Callable[[], list[Measure]]] = BENCHMARKS
) -> int:
    """Run the benchmarks that are named, all where none is; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(benchmarks))
    parser.add_argument("--threads", type=int, default=1, help="torch's threads (default: 1)")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - set(benchmarks))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}. Available: {', '.join(benchmarks)}.")
    if chosen.threads < 1:
        parser.error(f"--threads ({chosen.threads}) must be at least 1.")

    import torch

    torch.set_num_threads(chosen.threads)
    print(f"$ python -m benchmarks {' '.join(arguments)}".rstrip())
    print(
        f"torch {torch.__version__}, {chosen.threads} thread(s), {os.cpu_count()} core(s), "
        f"Python {platform.python_version()}; ratios are medians of alternated rounds\n"
    )
    measures, took = [], {}
    for name in chosen.names or benchmarks:
        print(f"{name} …", file=sys.stderr, flush=True)
        gc.collect()
        gc.freeze()  # what those before it left is not searched for garbage on its time
        start = time.perf_counter()
        measures += (found := benchmarks[name]())
        took[name] = time.perf_counter() - start
        # The whole takes long: who stops it has what was measured.
        print(table(found), file=sys.stderr, flush=True)
    print(table(measures), end="\n\n")
    print(took_line(took))
    return exit_code(measures)


def took_line(seconds: dict[str, float]) -> str:
    """Return how long each benchmark took, and all of them, as one line.

    Example:
        >>> took_line({"imports": 4.4, "weights": 30.2})
        'took 35 s: imports 4 s, weights 30 s'
    """
    each = ", ".join(f"{name} {value:.0f} s" for name, value in seconds.items())
    return f"took {sum(seconds.values()):.0f} s: {each}"


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.exit(main(sys.argv[1:]))
