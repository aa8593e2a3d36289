"""Mistakes of the projections: the wrong matrix, its transpose, a bias that is missing.

Must not know: how a mistake is found.
"""

from dataclasses import replace

from torch import Tensor

from inspector.attention import LayerWeights
from inspector.verification.changes import (
    Applies,
    Change,
    are_square,
    has,
    no_groups,
    swap_query_and_key,
    transposed,
    value_from_key,
    without,
)
from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.layer import Layer, Norm
from inspector.verification.diagnosis.mistake import Changes, Mistake, single

_LINES = {
    "Q": ("query", equations.QUERY),
    "K": ("key", equations.KEY),
    "V": ("value", equations.VALUE),
    "O": ("output", equations.OUTPUT),
}


def _changed(name: str, fix: str, line: str, change: Change, applies: Applies) -> Mistake:
    return Mistake(name, fix, line, single(weights=(change,)), lambda layer: applies(layer.weights))


def _any_nonzero(bias: str) -> Applies:
    return lambda weights: has(bias)(weights) and bool(getattr(weights, bias).any())


def key_from_query(weights: LayerWeights) -> LayerWeights:
    """Return the weights with W_Q in the place of W_K."""
    return replace(weights, W_K=weights.W_Q, b_K=weights.b_Q)


def value_from_query(weights: LayerWeights) -> LayerWeights:
    """Return the weights with W_Q in the place of W_V."""
    return replace(weights, W_V=weights.W_Q, b_V=weights.b_Q)


class _Normalise:
    """A normalisation of the hidden states, before they are projected."""

    def __init__(self, norm: Norm) -> None:
        self._norm = norm

    def __call__(self, hidden: Tensor, layer: Layer) -> Tensor:
        return self._norm(hidden)


def norms(layer: Layer) -> list[Norm]:
    """Return the normalisations that somebody may apply: the layer's own, and without its gain."""
    eps = layer.norm.eps if layer.norm else 1e-5
    bare = [Norm(None, None, each) for each in dict.fromkeys([eps, 1e-5])]
    bare.append(Norm(None, None, eps if layer.norm else 1e-6, centred=False))
    return [layer.norm, *bare] if layer.norm else bare


def _normalised(layer: Layer) -> tuple[Changes, ...]:
    return tuple({"hidden": (_Normalise(norm),)} for norm in norms(layer))


PROJECTIONS = (
    _changed(
        "query and key swapped",
        "Project queries with W_Q and keys with W_K: they are the other way round.",
        f"{equations.QUERY}, {equations.KEY}",
        swap_query_and_key,
        no_groups,
    ),
    _changed(
        "value taken from key",
        "Project values with W_V and b_V, not with W_K and b_K.",
        equations.VALUE,
        value_from_key,
        lambda weights: True,
    ),
    _changed(
        "key taken from query",
        "Project keys with W_K and b_K, not with W_Q and b_Q.",
        equations.KEY,
        key_from_query,
        no_groups,
    ),
    _changed(
        "value taken from query",
        "Project values with W_V and b_V, not with W_Q and b_Q.",
        equations.VALUE,
        value_from_query,
        no_groups,
    ),
    *(
        _changed(
            f"{side} bias omitted",
            f"Add b_{letter} after the product with W_{letter}.",
            line,
            without(f"b_{letter}"),
            _any_nonzero(f"b_{letter}"),
        )
        for letter, (side, line) in _LINES.items()
    ),
    *(
        _changed(
            f"W_{letter} transposed",
            f"Multiply by W_{letter}ᵀ: the rows of W_{letter} are its outputs, as nn.Linear "
            "keeps them.",
            line,
            transposed(letter),
            are_square(letter),
        )
        for letter, (_, line) in _LINES.items()
    ),
    _changed(
        "W_Q, W_K, W_V and W_O transposed",
        "Multiply by each W's transpose (x @ W.T): its rows are its outputs, as nn.Linear "
        "keeps them.",
        f"{equations.QUERY}, and all other projections",
        transposed("QKVO"),
        are_square("QKVO"),
    ),
    _changed(
        "W_Q, W_K and W_V transposed",
        "Multiply by each W's transpose (x @ W.T): its rows are its outputs, as nn.Linear "
        "keeps them.",
        f"{equations.QUERY}, {equations.KEY}, {equations.VALUE}",
        transposed("QKV"),
        are_square("QKV"),
    ),
    Mistake(
        "layer norm applied before",
        "Project the hidden states as they are given: they are not normalised once more.",
        equations.QUERY,
        _normalised,
    ),
)
