"""One attention layer with its settings, the inputs it is tried on, and a known mistake in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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


Changes = dict[str, Any]
"""Step of `Plan` → what is done there; a tuple is done besides what is done already."""


@dataclass(frozen=True)
class Bound:
    """A function whose last arguments are set. Two of the same are equal, and computed once."""

    function: Callable[..., Any]
    last: tuple[Any, ...]

    def __call__(self, *first: Any, **named: Any) -> Any:
        """Return what the function makes of the first arguments and these."""
        return self.function(*first, *self.last, **named)


def bind(function: Callable[..., Any], *last: Any) -> Bound:
    """Return the function with its last arguments set.

    Example:
        >>> bind(pow, 2)(3)
        9
    """
    return Bound(function, last)


@dataclass(frozen=True, eq=False)
class Parameter:
    """A number that a mistake leaves open, and that is fitted to what is seen."""

    starts: tuple[float, ...]
    """Where a fit may start, in the unit in which it is linear or nearly so."""
    changes: Callable[[float], Changes]
    """The steps that a value makes."""
    shown: Callable[[float], str]
    """The value in words."""


@dataclass(frozen=True, eq=False)
class Mistake:
    """One mistake, by name. The controls of a verification are such, too."""

    name: str
    ways: Callable[[Any], tuple[Changes, ...]]
    """How it can be made: each way a set of changed steps."""
    applies: Callable[[Any], bool] = lambda subject: True
    """Whether it is a mistake at all in such a layer, or call."""
    fix: str = ""
    """One sentence."""
    said: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language → its `name` and its `fix` in it."""
    equation: str = ""
    """The line of the equations that it is in, as it should be."""
    parameter: Parameter | None = None
    told: Callable[[Changes], str | None] = lambda changes: None
    """Which of the ways it is, in words, where that is worth words."""
    harmless: bool = False
    """Whether what it describes is right, only stored more coarsely."""
