"""Mistakes of the projections: the wrong matrix, its transpose, a bias that is missing.

Must not know: how a mistake is found.
"""

from dataclasses import dataclass, replace

from torch import Tensor

from inspector.attention import LayerWeights
from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.layer import Layer, Norm
from inspector.verification.diagnosis.mistake import Changes, Mistake, several, single
from inspector.verification.weight_changes import (
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


def without_all(letters: str) -> Change:
    """Return a change that leaves out several biases, such as 'QVO'."""

    def drop(weights: LayerWeights) -> LayerWeights:
        for letter in letters:
            if getattr(weights, f"b_{letter}") is not None:
                weights = without(f"b_{letter}")(weights)
        return weights

    return drop


def _all_nonzero(letters: str) -> Applies:
    return lambda weights: all(_any_nonzero(f"b_{letter}")(weights) for letter in letters)


_NO_BIASES = tuple(without_all(letters) for letters in ("QKVO", "QVO"))


@dataclass(frozen=True)
class Scaled:
    """The factor on the scores, to a power, in some matrices or biases."""

    parts: tuple[str, ...]
    power: float

    def __call__(self, weights: LayerWeights) -> LayerWeights:
        """Return the weights with it in them."""
        by = weights.scaling**self.power
        found = {part: getattr(weights, part) for part in self.parts}
        return replace(
            weights, **{part: by * each for part, each in found.items() if each is not None}
        )


def _no_factor(weights: LayerWeights, n_key: int) -> float:
    return 1.0


def _scale_left_out(layer: Layer) -> tuple[Changes, ...]:
    # The root of the factor, where query and key were scaled by a root each.
    return (
        _scaled(("b_Q",), -1.0),
        _scaled(("b_Q",), -0.5),
        _scaled(("W_Q",), 1.0, ahead=True),
        _scaled(("W_Q", "W_K"), 0.5, ahead=True),
    )


def _bias_alone_scaled(layer: Layer) -> tuple[Changes, ...]:
    return _scaled(("W_Q",), -1.0), _scaled(("b_Q",), 1.0, ahead=True)


def _scaled(parts: tuple[str, ...], power: float, *, ahead: bool = False) -> Changes:
    """Return the changes of a factor in some weights.

    Beside the factor on the scores, so that another mistake may change that; or ahead of them in
    its place, so that another may take the scaled matrix elsewhere.
    """
    changes: Changes = {"weights": (Scaled(parts, power),)}
    return {**changes, "factor": _no_factor} if ahead else changes


def _scaled_query_bias(layer: Layer) -> bool:
    return layer.weights.scaling != 1.0 and _any_nonzero("b_Q")(layer.weights)


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
    Mistake(
        "query, value and output bias omitted",
        "Add b_Q, b_K, b_V and b_O after the products: none of them was added (b_K cannot be seen "
        "in the output).",
        f"{equations.QUERY}, and all other projections",
        several(*({"weights": (change,)} for change in _NO_BIASES)),
        lambda layer: _all_nonzero("QVO")(layer.weights),
    ),
    Mistake(
        "W_Q scaled and b_Q not",
        "Scale the whole query, X W_Qᵀ + b_Q, or the scores: the factor reached W_Q alone.",
        equations.SCORES,
        _scale_left_out,
        _scaled_query_bias,
    ),
    Mistake(
        "b_Q scaled and W_Q not",
        "Scale the whole query, X W_Qᵀ + b_Q, or the scores: the factor reached b_Q alone.",
        equations.SCORES,
        _bias_alone_scaled,
        _scaled_query_bias,
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
