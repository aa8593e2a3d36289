"""Numbers that a mistake leaves open, fitted to what was seen.

The best of several starts is refined by Gauss and Newton's steps.
"""

from collections.abc import Callable, Sequence
from itertools import product

import torch
from torch import Tensor

_STEPS = 25
_DIFFERENCE = 1e-6
_HALVINGS = 6
_WORTHWHILE, _IDLE = 0.9, 2


def fit(
    residuals: Callable[[tuple[float, ...]], Tensor],
    starts: Sequence[Sequence[float]],
    promising: float | None = None,
) -> tuple[float, ...]:
    """Return the values with nearly the smallest sum of squared residuals.

    Args:
        residuals: Values → differences that shall be small.
        starts: For each value, where it may start; all combinations are tried.
        promising: The best start is refined only where the root of its sum is below this, and only
            until two steps on end take off less than a tenth of what is left.

    Source: Nocedal and Wright (2006), Numerical Optimization, sec. 10.3.

    Example:
        >>> fit(lambda v: torch.tensor([v[0] ** 2 - 4.0], dtype=torch.float64), [[1.0, 10.0]])
        (2.0...,)
    """

    def cost(values: tuple[float, ...]) -> float:
        found = float(residuals(values).norm())
        return found if found == found else float("inf")

    best = min(product(*starts), key=cost)
    lowest = cost(best)
    if promising is not None and lowest > promising:
        return best
    idle = 0
    for _ in range(_STEPS):
        step = _step(residuals, best)
        if step is None:
            break
        for halving in range(_HALVINGS):
            trial = tuple(v - d / 2**halving for v, d in zip(best, step, strict=True))
            reached = cost(trial)
            if reached < lowest:
                break
        else:
            break
        small = all(abs(a - b) <= 1e-12 * (1.0 + abs(b)) for a, b in zip(trial, best, strict=True))
        # Near what explains everything a whole step takes off most of what is left.
        idle = idle + 1 if not halving and reached > _WORTHWHILE * lowest else 0
        best, lowest = trial, reached
        if small or (promising is not None and idle == _IDLE):
            break
    return best


def _step(
    residuals: Callable[[tuple[float, ...]], Tensor], values: tuple[float, ...]
) -> list[float] | None:
    here = residuals(values)
    columns = []
    for index, value in enumerate(values):
        width = _DIFFERENCE * (1.0 + abs(value))
        moved = [
            residuals((*values[:index], value + side * width, *values[index + 1 :]))
            for side in (1.0, -1.0)
        ]
        columns.append((moved[0] - moved[1]) / (2.0 * width))
    slope = torch.stack(columns, dim=-1)
    if not bool(slope.isfinite().all()) or not bool(slope.any()):
        return None
    solved = torch.linalg.lstsq(slope, here[:, None], driver="gelsd").solution[:, 0]
    steps: list[float] = solved.tolist()
    return steps if bool(solved.isfinite().all()) else None
