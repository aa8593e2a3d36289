"""Steps that are rounded more coarsely than the dtype: wrong in the softmax, right in storage.

Must not know: how a mistake is found.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.attention.softmax import SoftmaxOver
from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.layer import Layer
from inspector.verification.diagnosis.mistake import Changes, Mistake, several

_HALF = {"float16": torch.float16, "bfloat16": torch.bfloat16}
STORED = {f"stored in {name}": dtype for name, dtype in {**_HALF, "float32": torch.float32}.items()}
"""Name of what is right, in a coarser dtype → that dtype."""


@dataclass(frozen=True)
class Rounded:
    """Rounding to a coarser dtype, and back."""

    dtype: torch.dtype

    def __call__(self, values: Tensor) -> Tensor:
        """Return the values as that dtype holds them."""
        return values.to(self.dtype).to(values.dtype)


@dataclass(frozen=True)
class RoundedWeights:
    """Weights that are kept in a coarser dtype."""

    dtype: torch.dtype

    def __call__(self, weights: LayerWeights) -> LayerWeights:
        """Return the weights as that dtype holds them."""
        rounding = Rounded(self.dtype)
        kept: dict[str, Any] = {
            name: rounding(tensor)
            for name, tensor in vars(weights).items()
            if name[:2] in ("W_", "b_") and tensor is not None
        }
        return replace(weights, **kept)


@dataclass(frozen=True)
class RoundedHidden:
    """Hidden states that are rounded when they come in."""

    dtype: torch.dtype

    def __call__(self, hidden: Tensor, layer: Layer) -> Tensor:
        """Return the hidden states as that dtype holds them."""
        return Rounded(self.dtype)(hidden)


@dataclass(frozen=True)
class HalfSoftmax:
    """A softmax whose scores are rounded first: in half precision throughout."""

    dtype: torch.dtype
    axis: int = -1

    def __call__(
        self,
        scores: Tensor,
        sinks: Tensor | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """Return the probabilities, rounded before and after."""
        rounding = Rounded(self.dtype)
        return rounding(SoftmaxOver(self.axis)(rounding(scores), sinks, dtype))


def _coarser(dtype: torch.dtype, layer: Layer) -> bool:
    return torch.finfo(dtype).eps > torch.finfo(layer.weights.W_Q.dtype).eps


def _storage(dtype: torch.dtype) -> tuple[Changes, ...]:
    weights: Changes = {"weights": (RoundedWeights(dtype),)}
    hidden = {**weights, "hidden": (RoundedHidden(dtype),)}
    heads = {**hidden, "heads_rounding": Rounded(dtype)}
    return (
        weights,
        hidden,
        heads,
        {**heads, "context_rounding": Rounded(dtype)},
        {"heads_rounding": Rounded(dtype)},
        {"hidden": (RoundedHidden(dtype),)},
    )


def _applies(dtype: torch.dtype) -> Callable[[Layer], bool]:
    return lambda layer: _coarser(dtype, layer)


PRECISION = (
    *(
        Mistake(
            f"probabilities in half precision ({name})",
            "Keep scores and probabilities in the dtype of the hidden states; round, if at all, "
            "what is stored.",
            equations.SOFTMAX,
            several({"rounding": Rounded(dtype)}, {"softmax": HalfSoftmax(dtype)}),
            _applies(dtype),
        )
        for name, dtype in _HALF.items()
    ),
    *(
        Mistake(
            name,
            f"Nothing to fix: the equations are right, the tensors are {name}.".replace(
                "stored", "kept"
            ),
            equations.QUERY,
            several(*_storage(dtype)),
            _applies(dtype),
            harmless=True,
        )
        for name, dtype in STORED.items()
    ),
)
