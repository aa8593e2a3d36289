"""Whether the peak memory of some work grows with the length of what it reads.

Must not know: what the work is.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.fresh import DIRECT_ALLOCATION, in_fresh_process
from benchmarks.table import Measure


def peak_growth(
    what: str, peak: Callable[..., float], lengths: tuple[int, int], bound: float, **arguments: Any
) -> list[Measure]:
    """Return the peak on few sentences, in MB, and how often that is the peak on many.

    Args:
        what: Whose memory it is.
        peak: Returns the peak in MB on so many `sentences`; each call is in a process of its own.
        lengths: Few, and many.
        bound: On the ratio.
        arguments: What else `peak` takes.
    """
    few, many = (
        in_fresh_process(peak, DIRECT_ALLOCATION, sentences=count, **arguments) for count in lengths
    )
    row = f"{what}, {lengths[0]} sentences"
    return [
        Measure(row, few, "MB"),
        Measure(f"{row} and {lengths[1]}: ratio", many / few, "×", bound),
    ]
