"""What people do in the place of a step, and still get right: other ways to hide a key.

Must not know: mistakes, models.
"""

import torch
from torch import Tensor

from inspector.attention.softmax import Softmax


def hide_padding(padding: Tensor, n_tokens: int) -> Tensor | None:
    """Return where queries may look, (batch, 1, query, key), given which tokens are real."""
    return padding[:, None, None, :].expand(-1, -1, n_tokens, -1)


def mask_with_infinity(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
    """Return the same as one who fills with −∞ and thinks no further: NaN where no key is left."""
    return softmax(scores if allowed is None else scores.masked_fill(~allowed, float("-inf")))


def mask_with_nothing(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
    """Return the same as one who fills with the smallest number: uniform where no key is left."""
    least = torch.finfo(scores.dtype).min
    return softmax(scores if allowed is None else scores.masked_fill(~allowed, least))
