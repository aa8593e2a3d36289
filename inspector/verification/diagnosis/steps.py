"""The steps of attention, as the equations have them: what a plan does where nothing is changed.

Each step is a plain function, so that a mistake is another function in its place.
Must not know: mistakes, models.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from inspector.attention import LayerWeights, causal_mask

Softmax = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class SoftmaxOver:
    """The softmax of (batch, head, query, key) over one axis."""

    axis: int = -1

    def __call__(self, scores: Tensor) -> Tensor:
        """Return e^s over its sum along the axis; half types are computed in float32."""
        half = scores.dtype in (torch.float16, torch.bfloat16)
        working = torch.float32 if half else scores.dtype
        return torch.softmax(scores, dim=self.axis, dtype=working).to(scores.dtype)


over_the_keys = SoftmaxOver()


def over_keys(softmax: Softmax) -> bool:
    """Return whether a softmax runs over the keys, as it does where it names no other axis."""
    return getattr(softmax, "axis", -1) == -1


def own_factor(weights: LayerWeights) -> float:
    """Return the factor on the scores."""
    return weights.scaling


def rotate_half(heads: Tensor) -> Tensor:
    """Return (−second half, first half) of each head's features."""
    first, second = heads.chunk(2, dim=-1)
    return torch.cat([-second, first], dim=-1)


def rotated(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return the heads turned by their pieces' angles; features beyond the angles stay.

    Source: Su et al. (2021), arXiv:2104.09864, eq. 34, in the order of features of Llama.
    """
    turned, rest = heads.split([cos.shape[-1], heads.shape[-1] - cos.shape[-1]], dim=-1)
    return torch.cat([turned * cos + rotate_half(turned) * sin, rest], dim=-1)


def rotate_query_and_key(
    query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return query and key turned, value as it is."""
    return rotated(query, cos, sin), rotated(key, cos, sin), value


def own_bias(weights: LayerWeights, n_pieces: int) -> Tensor | None:
    """Return what is added to the scores: (head, query, key), or None."""
    bias = weights.relative_bias
    return None if bias is None else bias[:, :n_pieces, :n_pieces]


def hide_padding(padding: Tensor, n_pieces: int) -> Tensor | None:
    """Return where queries may look, (batch, 1, query, key), given which pieces are real."""
    return padding[:, None, None, :].expand(-1, -1, n_pieces, -1)


def hide_later(causal: bool, n_pieces: int) -> Tensor | None:
    """Return where queries may look by their order alone: (query, key), or None for all."""
    return causal_mask(n_pieces) if causal else None


def mask_before_softmax(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
    """Return the probabilities: keys that are not allowed get none, rows without a key zeros."""
    if allowed is None:
        return softmax(scores)
    if not over_keys(softmax):
        # Over another axis whole columns may be forbidden; −∞ throughout would be no number.
        return softmax(scores.masked_fill(~allowed, torch.finfo(scores.dtype).min))
    empty = ~allowed.any(-1, keepdim=True)
    masked = scores.masked_fill(~(allowed | empty), float("-inf"))
    return softmax(masked).masked_fill(empty, 0.0)


def mask_with_infinity(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
    """Return the same as one who fills with −∞ and thinks no further: NaN where no key is left."""
    return softmax(scores if allowed is None else scores.masked_fill(~allowed, float("-inf")))


def mask_with_nothing(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
    """Return the same as one who fills with the smallest number: uniform where no key is left."""
    least = torch.finfo(scores.dtype).min
    return softmax(scores if allowed is None else scores.masked_fill(~allowed, least))


def unrounded(values: Tensor) -> Tensor:
    """Return the values as they are."""
    return values
