"""Mistakes of one matrix that holds W_Q, W_K and W_V, stacked one way and read another.

Must not know: how a mistake is found.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import torch
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.layer import Layer
from inspector.verification.diagnosis.mistake import Mistake, single

_AXES = ("qkv", "head", "d_head")
_LETTERS = "QKV"
# Where two of the three change places, the mistake has a name of its own.
_OTHERWISE_NAMED = ("K", "Q", "V")


def _in_words(axes: tuple[str, ...]) -> str:
    return f"({', '.join(axes)})"


@dataclass(frozen=True)
class Refused:
    """The rows of W_Q, W_K and W_V, stacked in one order of axes and read in another."""

    stacked: tuple[str, ...]
    read: tuple[str, ...]

    def __call__(self, weights: LayerWeights) -> LayerWeights:
        """Return the weights that come of it."""
        changed: dict[str, Any] = {}
        for kind in "Wb":
            rows = [getattr(weights, f"{kind}_{letter}") for letter in _LETTERS]
            if any(row is None for row in rows):
                continue
            for letter, row in zip(_LETTERS, self._read(rows, weights.n_heads), strict=True):
                changed[f"{kind}_{letter}"] = row
        return replace(weights, **changed)

    def _read(self, rows: list[Tensor], n_heads: int) -> list[Tensor]:
        apart = torch.stack([torch.unflatten(row, 0, (n_heads, -1)) for row in rows])
        rest = list(range(3, apart.ndim))
        memory = apart.permute(*(_AXES.index(axis) for axis in self.stacked), *rest).contiguous()
        sizes = dict(zip(_AXES, apart.shape, strict=False))
        taken = memory.reshape(*(sizes[axis] for axis in self.read), *apart.shape[3:])
        ordered = taken.permute(*(self.read.index(axis) for axis in _AXES), *rest)
        return list(ordered.flatten(1, 2))


@dataclass(frozen=True)
class Reordered:
    """W_Q, W_K and W_V, each in another's place."""

    order: tuple[str, ...]
    """What is taken for W_Q, W_K and W_V."""

    def __call__(self, weights: LayerWeights) -> LayerWeights:
        """Return the weights that come of it."""
        changed: dict[str, Any] = {
            f"{kind}_{letter}": getattr(weights, f"{kind}_{taken}")
            for kind in "Wb"
            for letter, taken in zip(_LETTERS, self.order, strict=True)
        }
        return replace(weights, **changed)


def _alike(layer: Layer) -> bool:
    w = layer.weights
    biased = [getattr(w, f"b_{letter}") is not None for letter in _LETTERS]
    same = w.W_Q.shape == w.W_K.shape == w.W_V.shape
    return same and w.n_heads == w.n_kv_heads and len(set(biased)) == 1


def _many(layer: Layer) -> bool:
    return _alike(layer) and layer.weights.n_heads > 1


def _wrongly(
    name: str,
    fix: str,
    change: Callable[[LayerWeights], LayerWeights],
    line: str = equations.HEADS,
    applies: Callable[[Layer], bool] = _many,
) -> Mistake:
    return Mistake(name, fix, line, single(weights=(change,)), applies)


_RIGHT = _in_words(_AXES)
_OTHER_AXES = tuple(permutations(_AXES))[1:]
_INTERLEAVED = ("qkv", "d_head", "head")  # read so, each head has every n-th feature: named there
FUSED = (
    *(
        _wrongly(
            f"Q, K, V taken from {', '.join(order)}",
            f"Read the fused matrix in the order Q, K, V: {', '.join(order)} were taken for "
            "Q, K, V.",
            Reordered(order),
            f"{equations.QUERY}, {equations.KEY}, {equations.VALUE}",
            _alike,
        )
        for order in tuple(permutations(_LETTERS))[1:]
        if order != _OTHERWISE_NAMED
    ),
    *(
        _wrongly(
            f"fused Q, K, V read as {_in_words(axes)}",
            f"Read the fused matrix as {_RIGHT}: it stands as {_RIGHT}, and was read as "
            f"{_in_words(axes)}.",
            Refused(_AXES, axes),
        )
        for axes in _OTHER_AXES
        if axes != _INTERLEAVED
    ),
    *(
        _wrongly(
            f"fused Q, K, V stacked as {_in_words(axes)}",
            f"Stack the fused matrix as {_RIGHT}: it was stacked as {_in_words(axes)}, and read "
            f"as {_RIGHT}.",
            Refused(axes, _AXES),
        )
        for axes in _OTHER_AXES
    ),
)
