"""Mistakes of what tells a head where pieces stand: relative bias, rotary angles.

Must not know: how a mistake is found.
"""

import torch
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.layer import Layer
from inspector.verification.diagnosis.mistake import Mistake, several, single
from inspector.verification.diagnosis.steps import rotated

Turned = tuple[Tensor, Tensor, Tensor]


def no_bias(weights: LayerWeights, n_pieces: int) -> Tensor | None:
    """Return None: nothing is added to the scores."""
    return None


def transposed_bias(weights: LayerWeights, n_pieces: int) -> Tensor | None:
    """Return the bias of key and query exchanged."""
    bias = weights.relative_bias
    return None if bias is None else bias[:, :n_pieces, :n_pieces].transpose(-1, -2)


def no_rotation(query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor) -> Turned:
    """Return all three as they are."""
    return query, key, value


def rotate_neighbours(
    query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor
) -> Turned:
    """Return query and key with features 2i and 2i + 1 turned together, not i and i + d/2."""
    return _neighbours(query, cos, sin), _neighbours(key, cos, sin), value


def rotate_neighbours_by_halves(
    query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor
) -> Turned:
    """Return neighbours turned together, by the angles as they stand, made for halves."""

    def turned(heads: Tensor) -> Tensor:
        part, rest = heads.split([cos.shape[-1], heads.shape[-1] - cos.shape[-1]], dim=-1)
        return torch.cat([part * cos + _turn_neighbours(part) * sin, rest], dim=-1)

    return turned(query), turned(key), value


def rotate_wrong_half(
    query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor
) -> Turned:
    """Return query and key turned with the minus sign on the other half: the other way round."""
    return rotated(query, cos, -sin), rotated(key, cos, -sin), value


def rotate_query(query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor) -> Turned:
    """Return the query turned alone."""
    return rotated(query, cos, sin), key, value


def rotate_key(query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor) -> Turned:
    """Return the key turned alone."""
    return query, rotated(key, cos, sin), value


def rotate_all(query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor) -> Turned:
    """Return the value turned, too."""
    return rotated(query, cos, sin), rotated(key, cos, sin), rotated(value, cos, sin)


def _turn_neighbours(heads: Tensor) -> Tensor:
    return torch.stack([-heads[..., 1::2], heads[..., ::2]], dim=-1).flatten(-2)


def _neighbours(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    width = cos.shape[-1]
    part, rest = heads.split([width, heads.shape[-1] - width], dim=-1)
    by_pair = [angles[..., : width // 2].repeat_interleave(2, dim=-1) for angles in (cos, sin)]
    return torch.cat([part * by_pair[0] + _turn_neighbours(part) * by_pair[1], rest], dim=-1)


def _has_bias(layer: Layer) -> bool:
    return layer.weights.relative_bias is not None


def _has_rotary(layer: Layer) -> bool:
    return layer.weights.rotary_cos is not None


POSITIONS = (
    Mistake(
        "relative bias omitted",
        "Add weights.relative_bias, cut to the pieces, to the scores of each head.",
        equations.BIAS,
        single(bias=no_bias),
        _has_bias,
    ),
    Mistake(
        "relative bias transposed",
        "The bias of query i and key j stands at [i, j]: queries are the rows.",
        equations.BIAS,
        single(bias=transposed_bias),
        _has_bias,
    ),
    Mistake(
        "rotary omitted",
        "Turn query and key by the angles of their pieces before the scores.",
        equations.ROTARY,
        single(rotate=no_rotation),
        _has_rotary,
    ),
    Mistake(
        "rotary applied to the wrong halves",
        "Turn feature i with feature i + d/2, the second of them with the minus sign: "
        "rotate_half((a, b)) = (−b, a).",
        equations.ROTARY,
        several(
            {"rotate": rotate_neighbours},
            {"rotate": rotate_neighbours_by_halves},
            {"rotate": rotate_wrong_half},
        ),
        _has_rotary,
    ),
    Mistake(
        "rotary applied to the query or the key alone",
        "Turn both query and key.",
        equations.ROTARY,
        several({"rotate": rotate_query}, {"rotate": rotate_key}),
        _has_rotary,
    ),
    Mistake(
        "rotary applied to the value, too",
        "Turn query and key only: values carry no position.",
        equations.ROTARY,
        single(rotate=rotate_all),
        _has_rotary,
    ),
)
