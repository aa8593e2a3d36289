"""Mistakes of what comes after the heads: W_O, the residual, a norm.

Must not know: how a mistake is found.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.attention.steps import Linear
from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.catalogue.projections import norms
from inspector.verification.diagnosis.layer import Layer, Norm
from inspector.verification.diagnosis.mistake import Changes, Mistake, several, single


def no_output(context: Tensor, weights: LayerWeights, linear: Linear) -> Tensor:
    """Return the context as it is."""
    return context


def bias_alone(context: Tensor, weights: LayerWeights, linear: Linear) -> Tensor:
    """Return the context with b_O, but without W_O."""
    return context if weights.b_O is None else context + weights.b_O


def mean_of_heads(context: Tensor, weights: LayerWeights, linear: Linear) -> Tensor:
    """Return the mean, not the sum, of what W_O makes of each head."""
    return linear(context / weights.n_heads, weights.W_O, weights.b_O)


class OneHead:
    """W_O of one head alone."""

    def __init__(self, head: int) -> None:
        """Choose the head: 0 for the first, −1 for the last."""
        self._head = head

    def __call__(self, context: Tensor, weights: LayerWeights, linear: Linear) -> Tensor:
        """Return what W_O makes of that head."""
        heads = torch.unflatten(context, -1, (weights.n_heads, -1))
        only = heads.new_zeros(heads.shape)
        only[..., self._head, :] = heads[..., self._head, :]
        return linear(only.flatten(-2), weights.W_O, weights.b_O)


def bias_for_each_head(context: Tensor, weights: LayerWeights, linear: Linear) -> Tensor:
    """Return the sum over the heads, each with the whole of b_O."""
    bias = None if weights.b_O is None else weights.n_heads * weights.b_O
    return linear(context, weights.W_O, bias)


def with_residual(output: Tensor, hidden: Tensor, layer: Layer) -> Tensor:
    """Return the output with the layer's input added."""
    return output + hidden


def without_residual(output: Tensor, hidden: Tensor, layer: Layer) -> Tensor:
    """Return the output with the layer's input taken off."""
    return output - hidden


class _Normalise:
    """A normalisation of the output."""

    def __init__(self, norm: Norm, residual: bool) -> None:
        self._norm, self._residual = norm, residual

    def __call__(self, output: Tensor, hidden: Tensor, layer: Layer) -> Tensor:
        return self._norm(output + hidden if self._residual else output)


def _normalised(residual: bool) -> Callable[[Layer], tuple[Changes, ...]]:
    return lambda layer: tuple({"finish": (_Normalise(norm, residual),)} for norm in norms(layer))


def _square(layer: Layer) -> bool:
    return layer.weights.W_O.shape[0] == layer.weights.W_O.shape[1]


def _many(layer: Layer) -> bool:
    return layer.weights.n_heads > 1


def _many_and_bias(layer: Layer) -> bool:
    bias = layer.weights.b_O
    return _many(layer) and bias is not None and bool(bias.any())


OUTPUT = (
    Mistake(
        "W_O omitted",
        "Multiply the concatenated heads by W_Oᵀ and add b_O.",
        equations.OUTPUT,
        several({"combine": no_output}, {"combine": bias_alone}),
        _square,
    ),
    Mistake(
        "W_O applied per head without sum",
        "Add up what W_O makes of every head: neither their mean nor one head alone is the output.",
        equations.OUTPUT,
        several({"combine": mean_of_heads}, {"combine": OneHead(-1)}, {"combine": OneHead(0)}),
        _many,
    ),
    Mistake(
        "output bias added for every head",
        "Add b_O once, after the sum over the heads.",
        equations.OUTPUT,
        single(combine=bias_for_each_head),
        _many_and_bias,
    ),
    Mistake(
        "residual added",
        "Return what W_O gives: the hidden states are added outside the attention.",
        equations.OUTPUT,
        single(finish=(with_residual,)),
        lambda layer: not layer.residual,
    ),
    Mistake(
        "residual left out",
        "Add the hidden states to what W_O gives: this layer's output holds them.",
        equations.OUTPUT,
        single(finish=(without_residual,)),
        lambda layer: layer.residual,
    ),
    Mistake(
        "layer norm applied after",
        "Return what W_O gives: it is normalised outside the attention.",
        equations.OUTPUT,
        _normalised(False),
    ),
    Mistake(
        "residual added and layer norm applied after",
        "Return what W_O gives: the residual and the norm come outside the attention.",
        equations.OUTPUT,
        _normalised(True),
        lambda layer: not layer.residual,
    ),
)
