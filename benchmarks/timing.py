"""Two or more ways of doing the same, timed in turn, so that a busy machine slows all alike.

Must not know: what is timed.
"""

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


def children_time() -> float:
    """Return the processor's seconds of all processes that this one started and that ended.

    As the system adds them up: by its clock's ticks an empty program may have taken none.
    """
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass(frozen=True)
class Timings:
    """The seconds of each way, repeat by repeat: entry i of each was taken in the same round."""

    seconds: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        """Return the median time of one way, in seconds."""
        return median(self.seconds[name])

    def ratio(self, name: str, reference: str) -> float:
        """Return the median, over the rounds, of one way's time over another's."""
        pairs = zip(self.seconds[name], self.seconds[reference], strict=True)
        return median(ours / theirs for ours, theirs in pairs)


def alternate(
    ways: Mapping[str, Callable[[], object]],
    repeats: int,
    *,
    warm_ups: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> Timings:
    """Return the times of several ways, run in turn; every other round runs them backwards.

    Args:
        ways: Name → what is done.
        repeats: Rounds that count, at least 1.
        warm_ups: Rounds before them that do not.
        clock: In seconds: the processor's, so that other programs do not count, where not given;
            `children_time` where it is other processes that work.

    Raises:
        ValueError: If no round would count.
    """
    if repeats < 1:
        raise ValueError(f"repeats ({repeats}) must be at least 1: a median needs a value.")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(warm_ups + repeats):
        names = list(ways) if number % 2 == 0 else list(ways)[::-1]
        for name in names:
            start = clock()
            ways[name]()
            elapsed = clock() - start
            if number >= warm_ups:
                seconds[name].append(elapsed)
    return Timings(seconds)
