"""What mistakes do to a layer's weights: functions from `LayerWeights` to `LayerWeights`.

Those with further arguments get them by `bind`.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.verification.diagnosis.layer import Layer, Norm

_FUSED = ("qkv", "head", "d_head")


def without(weights: LayerWeights, letters: str) -> LayerWeights:
    """Return the weights with zeros for biases, such as those of 'QVO'."""
    given = {f"b_{letter}": getattr(weights, f"b_{letter}") for letter in letters}
    zeros: dict[str, Any] = {n: torch.zeros_like(b) for n, b in given.items() if b is not None}
    return replace(weights, **zeros)


def has_biases(weights: LayerWeights, letters: str) -> bool:
    """Return whether all of some biases are there, and change anything."""
    biases = [getattr(weights, f"b_{letter}") for letter in letters]
    return all(bias is not None and bool(bias.any()) for bias in biases)


def transposed(weights: LayerWeights, letters: str) -> LayerWeights:
    """Return the weights with matrices transposed, such as those of 'QKVO'."""
    turned: dict[str, Any] = {f"W_{c}": getattr(weights, f"W_{c}").T for c in letters}
    return replace(weights, **turned)


def are_square(weights: LayerWeights, letters: str) -> bool:
    """Return whether matrices are square, so that their transposes fit."""
    shapes = [getattr(weights, f"W_{letter}").shape for letter in letters]
    return all(rows == columns for rows, columns in shapes)


def taken(weights: LayerWeights, others: str) -> LayerWeights:
    """Return the weights with W and b of these projections in the places of Q, K and V."""
    given = {
        f"{kind}_{letter}": getattr(weights, f"{kind}_{other}")
        for letter, other in zip("QKV", others, strict=True)
        for kind in "Wb"
    }
    return replace(weights, **given)


def reordered(weights: LayerWeights, order: str, by: int = 0) -> LayerWeights:
    """Return the weights with rows of W_Q, W_K, W_V given to other heads; W_O stays.

    Args:
        weights: Of the layer.
        order: 'reversed', the last head first; or 'rotated', head h with the rows of head h − by.
        by: By how many heads.
    """

    def rows(tensor: Tensor, n_heads: int) -> Tensor:
        heads = torch.unflatten(tensor, 0, (n_heads, -1))
        return (heads.flip(0) if order == "reversed" else heads.roll(by, 0)).flatten(0, 1)

    n_groups = {"Q": weights.n_heads, "K": weights.n_kv_heads, "V": weights.n_kv_heads}
    changed: dict[str, Any] = {
        f"{kind}_{letter}": rows(tensor, n_heads)
        for letter, n_heads in n_groups.items()
        for kind in "Wb"
        if (tensor := getattr(weights, f"{kind}_{letter}")) is not None
    }
    return replace(weights, **changed)


def scaled(weights: LayerWeights, parts: str, power: float) -> LayerWeights:
    """Return the weights with the factor on the scores, to a power, in some: 'W_Q W_K'."""
    by = weights.scaling**power
    given = {part: getattr(weights, part) for part in parts.split()}
    return replace(weights, **{part: by * each for part, each in given.items() if each is not None})


def unset(weights: LayerWeights, name: str) -> LayerWeights:
    """Return the weights without one of their settings, such as 'softcap'."""
    changed: dict[str, Any] = {name: None}
    return replace(weights, **changed)


def wider(weights: LayerWeights, by: int) -> LayerWeights:
    """Return the weights with a window that is wider by some tokens."""
    return replace(weights, window=None if weights.window is None else max(1, weights.window + by))


def alike(weights: LayerWeights) -> bool:
    """Return whether W_Q, W_K and W_V may change places, or stand in one matrix."""
    same = weights.W_Q.shape == weights.W_K.shape == weights.W_V.shape
    biased = {getattr(weights, f"b_{letter}") is not None for letter in "QKV"}
    return same and weights.n_heads == weights.n_kv_heads and len(biased) == 1


def refused(weights: LayerWeights, stacked: str, read: str) -> LayerWeights:
    """Return W_Q, W_K and W_V stacked in one order of axes, '(head, qkv, d_head)', and misread."""
    put, taken_for = (tuple(order.strip("()").split(", ")) for order in (stacked, read))
    changed: dict[str, Any] = {}
    for kind in "Wb":
        rows = [getattr(weights, f"{kind}_{letter}") for letter in "QKV"]
        if any(row is None for row in rows):
            continue
        apart = torch.stack([torch.unflatten(row, 0, (weights.n_heads, -1)) for row in rows])
        rest = list(range(3, apart.ndim))
        memory = apart.permute(*(_FUSED.index(axis) for axis in put), *rest).contiguous()
        sizes = dict(zip(_FUSED, apart.shape, strict=False))
        seen = memory.reshape(*(sizes[axis] for axis in taken_for), *apart.shape[3:])
        ordered = seen.permute(*(taken_for.index(axis) for axis in _FUSED), *rest).flatten(1, 2)
        changed |= {f"{kind}_{letter}": row for letter, row in zip("QKV", ordered, strict=True)}
    return replace(weights, **changed)


def rounded(values: Tensor, dtype: str) -> Tensor:
    """Return the values as a coarser dtype, such as 'float16', holds them, in their own."""
    return values.to(getattr(torch, dtype)).to(values.dtype)


def rounded_weights(weights: LayerWeights, dtype: str) -> LayerWeights:
    """Return the weights as a coarser dtype holds them."""
    kept: dict[str, Any] = {
        name: rounded(tensor, dtype)
        for name, tensor in vars(weights).items()
        if name[:2] in ("W_", "b_") and tensor is not None
    }
    return replace(weights, **kept)


def norms(layer: Layer) -> list[Norm]:
    """Return the normalisations that somebody may apply: the layer's own, and without its gain."""
    eps = layer.norm.eps if layer.norm else 1e-5
    bare = [Norm(None, None, each) for each in dict.fromkeys([eps, 1e-5])]
    bare.append(Norm(None, None, eps if layer.norm else 1e-6, centred=False))
    return [layer.norm, *bare] if layer.norm else bare
