"""The same sums in another order: how far two right computations may be apart.

`PLAIN` is torch's own. `ONE_BY_ONE` adds products in turn, as a plain loop does, scales the query
before the product, and divides by a running sum. Both are right; only rounding tells them apart.
Must not know: layers, mistakes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear


@dataclass(frozen=True)
class Arithmetic:
    """How sums of products are taken."""

    linear: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    matmul: Callable[[Tensor, Tensor], Tensor]
    softmax: Callable[[Tensor], Tensor] | None = None
    """Over the keys; None for torch's own."""
    scale_first: bool = False
    """Whether the query is scaled, not its product with the key."""


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


def softmax_in_turn(scores: Tensor) -> Tensor:
    """Return e^s over its sum along the last axis, added from the first to the last."""
    exponents = torch.exp(scores - scores.amax(-1, keepdim=True))
    total = exponents[..., :1]
    for index in range(1, scores.shape[-1]):
        total = total + exponents[..., index : index + 1]
    return exponents / total


PLAIN = Arithmetic(linear, torch.matmul)
ONE_BY_ONE = Arithmetic(_linear_in_turn, add_products_in_turn, softmax_in_turn, scale_first=True)
