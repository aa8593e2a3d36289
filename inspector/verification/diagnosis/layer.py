"""One attention layer with its settings, and the inputs on which it is tried.

Must not know: models, mistakes.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.attention.norms import normalised

STAGES = ("query", "key", "value", "scores", "probabilities", "context", "output")
"""The stages of a layer, first to last."""


@dataclass(frozen=True, eq=False)
class Norm:
    """A normalisation that stands beside the attention in the model."""

    weight: Float[Tensor, " d_model"] | None
    bias: Float[Tensor, " d_model"] | None
    eps: float
    centred: bool = True
    """Whether the mean is taken off: LayerNorm does, RMSNorm does not."""

    def __call__(
        self, hidden: Float[Tensor, "batch token d_model"]
    ) -> Float[Tensor, "batch token d_model"]:
        """Return the hidden states, each normalised by itself."""
        return normalised(hidden, self.weight, self.bias, self.eps, self.centred)


@dataclass(frozen=True, eq=False)
class Layer:
    """What is known of one layer."""

    weights: LayerWeights
    norm: Norm | None = None
    """The normalisation nearest to the attention, where the model has one."""
    residual: bool = False
    """Whether the layer's output holds its input, too. Attention of transformers does not."""


@dataclass(frozen=True, eq=False)
class Probe:
    """One input of a layer."""

    name: str
    hidden: Float[Tensor, "batch token d_model"]
    padding: Bool[Tensor, "batch token"] | None = None
    """True for a real token; None where every token is one."""

    @property
    def real(self) -> Bool[Tensor, "batch token"]:
        """Return which tokens are real."""
        if self.padding is None:
            return torch.ones(self.hidden.shape[:2], dtype=torch.bool)
        return self.padding
