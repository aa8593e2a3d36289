"""Figures as whole multiples of 2⁻²⁴, so that sums are exact: the same bits in whatever order."""

import numpy as np
from jaxtyping import Float64, Int64
from torch import Tensor

UNIT = 2.0**-24
"""What a sum counts in."""


def whole_units(sums: Float64[Tensor, "variant group"]) -> Int64[np.ndarray, "group variant"]:
    """Return sums as whole numbers of units.

    Example:
        >>> import torch
        >>> whole_units(torch.tensor([[1.0, 0.5]], dtype=torch.float64)).tolist()
        [[16777216], [8388608]]
    """
    return np.rint(sums.cpu().numpy().T / UNIT).astype(np.int64)
