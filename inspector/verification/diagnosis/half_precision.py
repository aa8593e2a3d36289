"""What the size of differences alone suggests: a step in half precision.

Must not know: mistakes that change more than the last bits.
"""

import torch

from inspector.verification.diagnosis.catalogue.precision import (
    HalfSoftmax,
    Rounded,
    RoundedHidden,
    RoundedWeights,
)
from inspector.verification.diagnosis.evaluation import REFERENCE, Plan
from inspector.verification.diagnosis.plan_comparison import Comparison

# How many times larger or smaller than the rounding of all steps a difference may be.
_ALIKE = 4.0


def likely_precision(comparison: Comparison) -> str | None:
    """Return in words which half precision differences as large as these come from, if any."""
    distance = comparison.distance(REFERENCE)
    for dtype in (torch.float16, torch.bfloat16):
        if torch.finfo(dtype).eps <= torch.finfo(comparison.dtype).eps:
            continue
        whole = comparison.between(everything_rounded(dtype), REFERENCE)
        softmax = comparison.between(REFERENCE.changed({"softmax": HalfSoftmax(dtype)}), REFERENCE)
        name = str(dtype).removeprefix("torch.")
        if softmax / 2.0 < distance < 2.0 * softmax:
            return f"The size of the differences is that of a softmax in {name}."
        if whole / _ALIKE < distance < _ALIKE * whole:
            return f"The size of the differences is that of computing in {name}."
    return None


def everything_rounded(dtype: torch.dtype) -> Plan:
    """Return the reference with every stage rounded to a dtype."""
    rounding = Rounded(dtype)
    return REFERENCE.changed(
        {
            "hidden": (RoundedHidden(dtype),),
            "weights": (RoundedWeights(dtype),),
            "heads_rounding": rounding,
            "softmax": HalfSoftmax(dtype),
            "context_rounding": rounding,
        }
    )
