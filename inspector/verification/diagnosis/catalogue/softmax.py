"""Mistakes of the softmax: its axis, or that there is none.

Must not know: how a mistake is found.
"""

from torch import Tensor

from inspector.attention.softmax import Softmax, SoftmaxOver
from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.layer import Layer
from inspector.verification.diagnosis.mistake import Mistake, single


def _many_heads(layer: Layer) -> bool:
    return layer.weights.n_heads > 1


def no_softmax(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
    """Return the scores themselves, 0 where a key is not allowed."""
    return scores if allowed is None else scores.masked_fill(~allowed, 0.0)


def _over(axis: int, what: str) -> Mistake:
    return Mistake(
        f"softmax over {what}",
        "Take the softmax over the last axis of (batch, head, query, key), the keys: "
        "every row of a query sums to 1.",
        equations.SOFTMAX,
        single(softmax=SoftmaxOver(axis)),
        _many_heads if what == "heads" else lambda layer: True,
    )


SOFTMAX = (
    _over(-2, "queries"),
    _over(-3, "heads"),
    _over(-4, "the batch"),
    Mistake(
        "softmax omitted",
        "Take the softmax of the scores before they weight the values.",
        equations.SOFTMAX,
        single(masking=no_softmax),
    ),
)
