"""The same sums in another order: how far two right computations may be apart.

`PLAIN` is torch's own. `ONE_BY_ONE` adds products in turn, as a plain loop does, scales the query
before the product, and divides by a running sum. Both are right; only rounding tells them apart.
Must not know: layers, mistakes.
"""

from typing import Any

import torch
from torch import Tensor

from inspector.attention.softmax import with_sinks

Arithmetic = dict[str, Any]
"""Step of `Steps` → the function that takes its sums in another order."""


def add_products_in_turn(left: Tensor, right: Tensor) -> Tensor:
    """Return the matrix product, its terms added from the first to the last.

    Example:
        >>> one = torch.ones(2, 3)
        >>> add_products_in_turn(one, one.T)
        tensor([[3., 3.],
                [3., 3.]])
    """
    total = left[..., :, :1] * right[..., :1, :]
    for index in range(1, left.shape[-1]):
        total = total + left[..., :, index : index + 1] * right[..., index : index + 1, :]
    return total


def _linear_in_turn(features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    product = add_products_in_turn(features, weight.T)
    return product if bias is None else product + bias


def _scores_in_turn(query: Tensor, key: Tensor, scaling: float) -> Tensor:
    return add_products_in_turn(query * scaling, key.transpose(-1, -2))


def softmax_in_turn(
    scores: Tensor, sinks: Tensor | None = None, dtype: torch.dtype | None = None
) -> Tensor:
    """Return e^s over its sum along the last axis, added from the first to the last."""
    n_keys = scores.shape[-1]
    joined = scores if sinks is None else with_sinks(scores, sinks)
    exponents = torch.exp(joined - joined.amax(-1, keepdim=True))
    total = exponents[..., :1]
    for index in range(1, joined.shape[-1]):
        total = total + exponents[..., index : index + 1]
    return exponents[..., :n_keys] / total


PLAIN: Arithmetic = {}
ONE_BY_ONE: Arithmetic = {
    "linear": _linear_in_turn,
    "score": _scores_in_turn,
    "mix": add_products_in_turn,
    "softmax": softmax_in_turn,
}
