"""How far what was returned is from the truth, in figures.

Must not know: where the numbers come from.
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Distance:
    """How far one stage is from a plan."""

    stage: str
    probe: str
    max_error: float
    """max |theirs - truth|."""
    rms_error: float
    scale: float
    """max |truth|."""
    error_in_u: float
    """max_error / (u·scale)."""
    share: float
    """Of what rounding explains: see `user_share`."""

    @property
    def passed(self) -> bool:
        """Return whether rounding explains it."""
        return self.share <= 1.0


def largest(values: Tensor) -> float:
    """Return the largest magnitude, 0 of nothing."""
    return float(values.abs().max()) if values.numel() else 0.0


def rms_of(values: Tensor) -> float:
    """Return the root mean square, 0 of nothing."""
    return float(values.square().mean().sqrt()) if values.numel() else 0.0
