"""Every mistake that is known, read from mistakes.yaml, in the order in which they are told.

That file says what is wrong, in words and by the names of functions. Here stand the conditions
under which something is a mistake at all, the factors on the scores, the numbers that are fitted,
and the ways that depend on the layer.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from inspector.attention import LayerWeights
from inspector.attention.softmax import SoftmaxOver
from inspector.verification.diagnosis import wrong_weights
from inspector.verification.diagnosis.evaluation import REFERENCE, mask_with_nothing
from inspector.verification.diagnosis.layer import Changes, Layer, Mistake, Parameter, bind
from inspector.verification.diagnosis.wrong_steps import WRONG_STEPS, any_order, padding_of_another
from inspector.verification.diagnosis.wrong_weights import alike, are_square, has_biases, norms
from inspector.yaml_file import read_own_yaml

_FACTORS: dict[str, Callable[[LayerWeights, int], float]] = {
    "one": lambda weights, n_key: 1.0,
    "root of d_model": lambda weights, n_key: weights.d_model**-0.5,
    "d_model": lambda weights, n_key: 1.0 / weights.d_model,
    "twice": lambda weights, n_key: weights.scaling**2,
    "root of d_head": lambda weights, n_key: weights.d_head**-0.5,
    "root of length": lambda weights, n_key: n_key**-0.5,
    "length": lambda weights, n_key: 1.0 / n_key,
    "root of n_heads": lambda weights, n_key: weights.n_heads**-0.5,
    "inverse": lambda weights, n_key: 1.0 / weights.scaling,
}
_CONDITIONS: dict[str, Callable[..., bool]] = {
    "always": lambda layer: True,
    "many heads": lambda layer: layer.weights.n_heads > 1,
    "three heads": lambda layer: layer.weights.n_heads > 2,
    "wide heads": lambda layer: layer.weights.d_head > 1,
    "groups": lambda layer: 1 < layer.weights.n_kv_heads < layer.weights.n_heads,
    "no groups": lambda layer: layer.weights.n_heads == layer.weights.n_kv_heads,
    "causal": lambda layer: layer.weights.causal,
    "not causal": lambda layer: not layer.weights.causal,
    "scaled": lambda layer: layer.weights.scaling != 1.0,
    "other factor": lambda layer, name: (
        not math.isclose(_FACTORS[name](layer.weights, 1), layer.weights.scaling)
    ),
    "bias": lambda layer, letters: has_biases(layer.weights, letters),
    "square": lambda layer, letters: are_square(layer.weights, letters),
    "alike": lambda layer: alike(layer.weights),
    "relative bias": lambda layer: layer.weights.relative_bias is not None,
    "rotary": lambda layer: layer.weights.rotary_cos is not None,
    "given": lambda layer, name: getattr(layer.weights, name) is not None,
    "residual": lambda layer: layer.residual,
    "no residual": lambda layer: not layer.residual,
    "coarser": lambda layer, dtype: (
        torch.finfo(getattr(torch, dtype)).eps > torch.finfo(layer.weights.W_Q.dtype).eps
    ),
}


def _over_the_batch(layer: Layer) -> list[Changes]:
    ways: list[Changes] = [
        {"batch_first": False},
        {"batch_first": False, "padding": WRONG_STEPS["no_padding"]},
    ]
    if layer.weights.causal:
        ways += [{**way, "order": any_order} for way in ways]
    return ways


def _masks_of_others(layer: Layer) -> list[Changes]:
    n_heads, another = layer.weights.n_heads, padding_of_another
    return [{"padding": bind(another, n_heads, fastest)} for fastest in (True, False)]


def _without_a_head(layer: Layer) -> list[Changes]:
    heads = range(layer.weights.n_heads)
    return [{"heads": (bind(WRONG_STEPS["without_head"], head),)} for head in heads]


def _normed(layer: Layer, step: str, function: str) -> list[Changes]:
    return [{step: (bind(WRONG_STEPS[function], norm),)} for norm in norms(layer)]


_WAYS_IN: dict[str, Callable[..., list[Changes]]] = {
    "over the batch": _over_the_batch,
    "masks of others": _masks_of_others,
    "without a head": _without_a_head,
    "normed": _normed,
}
_TOLD: dict[str, Callable[[Changes], str | None]] = {
    "head": lambda changes: f"head {changes['heads'][0].last[0]}",
}


def _from_logarithm(logarithm: float) -> float:
    """Return e to the logarithm, within 1/400 and 400: beyond, a softmax is all or nothing."""
    return math.exp(max(-6.0, min(logarithm, 6.0)))


def _times(logarithm: float) -> str:
    number = _from_logarithm(logarithm)
    known = {
        math.log(2.0): "ln 2: an exponential to base 2 where e is meant",
        1.0 / math.log(2.0): "1/ln 2: a factor log2(e) without an exponential to base 2",
    }
    words = next((text for value, text in known.items() if abs(number - value) < 1e-5), None)
    return f"{number:.6g} times too large" + (f" ({words})" if words else "")


def times_factor(weights: LayerWeights, n_key: int, number: float) -> float:
    """Return the layer's own factor on the scores, times a number."""
    return number * weights.scaling


def _added(masking: str, *starts: float) -> Parameter:
    return Parameter(
        starts,
        lambda number: {"masking": bind(WRONG_STEPS[masking], number)},
        lambda number: f"{number:.6g} is added",
    )


_PARAMETERS = {
    "times": Parameter(
        tuple(0.5 * k for k in range(-8, 9)),
        lambda logarithm: {"factor": bind(times_factor, _from_logarithm(logarithm))},
        _times,
    ),
    "added afterwards": _added("add_afterwards", -1.0, -1e4),
    "added before": _added("add_before", *(-0.5 * 1.6**k for k in range(10))),
}
_FUNCTIONS: dict[str, Any] = {
    **WRONG_STEPS, **vars(wrong_weights), **_FACTORS, "SoftmaxOver": SoftmaxOver,
}  # fmt: skip


class _Entry:
    """One entry of mistakes.yaml, with the words of one row of its `each`."""

    def __init__(self, name: str, entry: dict[str, Any], words: dict[str, Any]) -> None:
        self._entry, self._words = entry, words
        self.name = self._filled(name)

    def mistake(self) -> Mistake:
        """Return the mistake that it describes."""
        entry = self._entry
        parameter = _PARAMETERS.get(entry.get("parameter", ""))
        fixed = [self._changes(way) for way in entry.get("ways", [])]
        if parameter is not None:
            fixed = [parameter.changes(parameter.starts[0])]
        more, *last = self._listed(entry.get("ways_in", [])) or [None]
        conditions = [self._listed(each) for each in entry.get("when", [])]

        def ways(layer: Any) -> tuple[Changes, ...]:  # a control is made in any layer
            found = [*fixed, *(_WAYS_IN[more](layer, *last) if more else [])]
            if entry.get("mixes_rows") and layer.weights.causal:
                # It matters then what rows without a key hold.
                mixing = [way for way in found if way.keys() & {"merge", "mix"}]
                found += [{**way, "masking": mask_with_nothing} for way in mixing]
            return tuple(found)

        return Mistake(
            self.name,
            ways,
            lambda layer: all(_CONDITIONS[name](layer, *given) for name, *given in conditions),
            fix=self._filled(entry["fix"]),
            said={
                language: {part: self._filled(text) for part, text in texts.items()}
                for language, texts in entry.items()
                if isinstance(texts, dict)
            },
            equation=self._filled(entry["equation"]),
            parameter=parameter,
            told=_TOLD.get(entry.get("told", ""), lambda changes: None),
            harmless=entry.get("harmless", False),
        )

    def _filled(self, text: str) -> str:
        return text.format(**self._words)

    def _listed(self, given: Any) -> list[Any]:
        """Return a name, or a list of it and its last arguments, as a list, its braces filled."""
        return [
            self._words[each[1:-1]] if isinstance(each, str) and each.startswith("{") else each
            for each in (given if isinstance(given, list) else [given])
        ]

    def _changes(self, way: dict[str, Any]) -> Changes:
        changes = {}
        for step, given in way.items():
            name, *last = self._listed(given)
            function = _FUNCTIONS[name]
            if isinstance(function, type):
                made = function(*last)
            else:
                made = bind(function, *last) if last else function
            changes[step] = (made,) if isinstance(getattr(REFERENCE, step), tuple) else made
        return changes


def _catalogue() -> tuple[Mistake, ...]:
    texts = read_own_yaml(Path(__file__).with_name("mistakes.yaml"))
    equations: dict[str, str] = texts["equations"]
    mistakes = []
    for name, entry in texts["mistakes"].items():
        for row in entry.get("each", [{}]):
            words = {key: equations.get(value, value) for key, value in row.items()}
            mistakes.append(_Entry(name, entry, {**equations, **words}).mistake())
    return tuple(mistakes)


CATALOGUE = _catalogue()
_BY_NAME = {mistake.name: mistake for mistake in CATALOGUE}
DROPOUT = _BY_NAME["dropout left on"]
"""Random, so that no plan computes it: it is seen by calling twice."""
STORED = {f"stored in {name}": getattr(torch, name) for name in ("float16", "bfloat16", "float32")}
"""Name of what is right, in a coarser dtype → that dtype."""


def known(name: str) -> Mistake:
    """Return the mistake of a name."""
    return _BY_NAME[name]
