"""Mistakes of the factor on the scores.

Must not know: how a mistake is found.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from inspector.attention import LayerWeights
from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.layer import Layer
from inspector.verification.diagnosis.mistake import Mistake, Parameter, single


@dataclass(frozen=True)
class TimesFactor:
    """The layer's own factor times a number."""

    number: float

    def __call__(self, weights: LayerWeights, n_key: int) -> float:
        """Return the factor on the scores."""
        return self.number * weights.scaling


def _differs(factor: Callable[[LayerWeights, int], float]) -> Callable[[Layer], bool]:
    return lambda layer: not math.isclose(factor(layer.weights, 1), layer.weights.scaling)


def _one(weights: LayerWeights, n_key: int) -> float:
    return 1.0


def _root_of_model(weights: LayerWeights, n_key: int) -> float:
    return float(weights.d_model**-0.5)


def _model(weights: LayerWeights, n_key: int) -> float:
    return 1.0 / weights.d_model


def _twice(weights: LayerWeights, n_key: int) -> float:
    return weights.scaling**2


def _root_of_head(weights: LayerWeights, n_key: int) -> float:
    return float(weights.d_head**-0.5)


def _inverse(weights: LayerWeights, n_key: int) -> float:
    return 1.0 / weights.scaling


def _root_of_length(weights: LayerWeights, n_key: int) -> float:
    return float(n_key**-0.5)


def _length(weights: LayerWeights, n_key: int) -> float:
    return 1.0 / n_key


def _root_of_heads(weights: LayerWeights, n_key: int) -> float:
    return float(weights.n_heads**-0.5)


def _fixed(name: str, fix: str, factor: Callable[[LayerWeights, int], float]) -> Mistake:
    return Mistake(name, fix, equations.SCORES, single(factor=factor), _differs(factor))


def _factor(logarithm: float) -> float:
    """Return e to the logarithm, within 1/400 and 400: beyond, a softmax is all or nothing."""
    return math.exp(max(-6.0, min(logarithm, 6.0)))


def _shown(logarithm: float, layer: Layer) -> str:
    number = _factor(logarithm)
    known = {
        math.log(2.0): "ln 2: an exponential to base 2 where e is meant",
        1.0 / math.log(2.0): "1/ln 2: a factor log2(e) without an exponential to base 2",
    }
    words = next((text for value, text in known.items() if abs(number - value) < 1e-5), None)
    return f"{number:.6g} times too large" + (f" ({words})" if words else "")


SCALE = (
    _fixed("scale omitted", "Multiply Q Kᵀ by weights.scaling, as a rule 1/√d_head.", _one),
    _fixed(
        "scale of √d_model",
        "Divide by the root of d_head, the width of one head, not of d_model.",
        _root_of_model,
    ),
    _fixed(
        "scale of d_model",
        "Divide by the root of d_head, the width of one head, not by d_model.",
        _model,
    ),
    _fixed(
        "scale applied twice",
        "Scale either the query or the scores, once: the factor's square was applied (the same "
        "as dividing by d_head without the root).",
        _twice,
    ),
    _fixed(
        "scale of √d_head where the model has none",
        "Take weights.scaling: this model does not divide by √d_head.",
        _root_of_head,
    ),
    Mistake(
        "scale of √length",
        "Divide by the root of d_head, the width of one head, not of the number of tokens, which "
        "differs from text to text.",
        equations.SCORES,
        single(factor=_root_of_length),
    ),
    Mistake(
        "scale of length",
        "Divide by the root of d_head, the width of one head, not by the number of tokens, which "
        "differs from text to text.",
        equations.SCORES,
        single(factor=_length),
    ),
    _fixed(
        "scale of √n_heads",
        "Divide by the root of d_head, the width of one head, not of the number of heads.",
        _root_of_heads,
    ),
    _fixed("scale inverted", "Divide by √d_head where you multiply by it.", _inverse),
    Mistake(
        "scale off by a factor",
        "Take weights.scaling as it is.",
        equations.SCORES,
        parameter=Parameter(
            tuple(0.5 * k for k in range(-8, 9)),
            lambda logarithm: {"factor": TimesFactor(_factor(logarithm))},
            _shown,
        ),
    ),
)
