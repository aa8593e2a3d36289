"""The same sums in another order: how far two right computations may be apart.

`PLAIN` is torch's own. `ONE_BY_ONE` adds products in turn, as a plain loop does, scales the query
before the product, and divides by a running sum. `BY_LOGARITHM` takes the logarithm of that sum
off, as flash attention does on the way back. All are right; only rounding tells them apart.

Three are few where scores are large. A softmax passes on what its scores are off, p (ds - Σ p ds):
all of the error is then that of the few queries in which two keys are nearly equal, and whether
an order is lucky there is chance. So scores are moved at random, too, by twice as much as
rounding moved them in these, in proportion to Σ |q k|, from which a sum's rounding comes.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from inspector.attention.scores import scaled_dot_product_scores
from inspector.attention.softmax import over_the_keys, with_sinks
from inspector.verification.judge import rms_of

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


def softmax_by_logarithm(
    scores: Tensor, sinks: Tensor | None = None, dtype: torch.dtype | None = None
) -> Tensor:
    """Return e^(s − log Σ e^s) along the last axis: off by as much as rounding moves the log."""
    joined = scores if sinks is None else with_sinks(scores, sinks)
    return torch.exp(scores - torch.logsumexp(joined, -1, keepdim=True))


PLAIN: Arithmetic = {}
ONE_BY_ONE: Arithmetic = {
    "linear": lambda features, weight, bias: (
        add_products_in_turn(features, weight.T) + (0.0 if bias is None else bias)
    ),
    "score": lambda query, key, scaling: add_products_in_turn(query * scaling, key.mT),
    "mix": add_products_in_turn,
    "softmax": softmax_in_turn,
}
BY_LOGARITHM: Arithmetic = {"softmax": softmax_by_logarithm}
ORDERS = (PLAIN, ONE_BY_ONE, BY_LOGARITHM)

# Σ |q k| is larger than a score's rounding by a factor that is nearly the same for all scores of
# a layer: 1.4 to 2.4 u in float32, 0.3 to 0.9 u in bfloat16. Of so many draws, each moving two
# nearly equal scores up or down, one in 65,536 inputs sees none in which they part. With 8 draws
# two right ones of some 3,000 in bfloat16 were refused, at 1.31 and 1.32 of what is allowed.
_MOVED, _DRAWS = 2.0, 16
_NO_SCORE = 1e30


def right_orders(
    scores_of: Callable[[torch.dtype, Arithmetic], Tensor],
    dtype: torch.dtype,
    *,
    backward: bool = False,
) -> Iterator[tuple[torch.dtype, Arithmetic]]:
    """Yield right arithmetics, each with the dtype that it is computed in; the slow ones last.

    Args:
        scores_of: Computes scores so.
        dtype: Of what shall be judged.
        backward: Whether that is a gradient. Flash attention takes the scores anew for it, and
            the logarithm that it keeps off them: probabilities no longer add up to 1.
    """
    half = torch.finfo(dtype).bits < 32
    # Nobody takes sums one by one, or their logarithm, in half precision.
    orders = ORDERS[:1] if half else ORDERS
    yield from ((dtype, order) for order in orders)
    exact = scores_of(torch.float64, PLAIN)
    terms = rms_of(scores_of(torch.float64, {"score": _sum_of_magnitudes}))
    rounding = max(rms_of(scores_of(dtype, order).double() - exact) for order in orders[:2])
    for seed in range(_DRAWS) if terms > 0.0 else ():
        yield torch.float64, _moved(_MOVED * rounding / terms, seed, sums=backward and not half)


def _moved(share: float, seed: int, *, sums: bool) -> Arithmetic:
    """Return exact arithmetic, but scores are moved up or down by a share of Σ |q k|.

    And the logarithms of the sums by this share of themselves, where that is said.
    """

    def either(size: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        up = torch.randint(2, size.shape, generator=generator, dtype=torch.bool)
        return size.where(up, -size)

    def score(query: Tensor, key: Tensor, scaling: float) -> Tensor:
        by = share * _sum_of_magnitudes(query.detach(), key.detach(), scaling)
        return scaled_dot_product_scores(query, key, scaling) + either(by)

    def softmax(
        scores: Tensor, sinks: Tensor | None = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        largest = scores.detach().amax(-1, keepdim=True).abs()
        # Where no key is left there is no sum.
        by = share * largest.where(largest < _NO_SCORE, 0.0)
        return over_the_keys(scores, sinks, dtype) * torch.exp(either(by))

    return {"score": score, "softmax": softmax} if sums else {"score": score}


def _sum_of_magnitudes(query: Tensor, key: Tensor, scaling: float) -> Tensor:
    return scaled_dot_product_scores(query.abs(), key.abs(), abs(scaling))
