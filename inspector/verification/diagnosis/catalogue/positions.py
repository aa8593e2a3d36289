"""Mistakes of what tells a head where tokens stand: relative bias, rotary angles.

Must not know: how a mistake is found.
"""

from torch import Tensor

from inspector.attention import LayerWeights
from inspector.attention.positions import Rotation
from inspector.attention.steps import QueryKeyValue, own_bias, rotate_query_and_key
from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.layer import Layer
from inspector.verification.diagnosis.mistake import Mistake, several, single


def no_bias(weights: LayerWeights, n_query: int, n_key: int) -> Tensor | None:
    """Return None: nothing is added to the scores."""
    return None


def transposed_bias(weights: LayerWeights, n_query: int, n_key: int) -> Tensor | None:
    """Return the bias of key and query exchanged."""
    bias = own_bias(weights, n_query, n_key)
    return None if bias is None else bias.transpose(-1, -2)


def no_rotation(query: Tensor, key: Tensor, value: Tensor, rotation: Rotation) -> QueryKeyValue:
    """Return all three as they are."""
    return query, key, value


def rotate_other_features(
    query: Tensor, key: Tensor, value: Tensor, rotation: Rotation
) -> QueryKeyValue:
    """Return neighbours turned together where halves are meant, and the other way round."""
    cos, sin = (_rearranged(angles, rotation.neighbours) for angles in rotation[:2])
    return rotate_query_and_key(query, key, value, Rotation(cos, sin, not rotation.neighbours))


def rotate_other_features_by_these(
    query: Tensor, key: Tensor, value: Tensor, rotation: Rotation
) -> QueryKeyValue:
    """Return the same, by the angles as they stand, made for the right features."""
    other = rotation._replace(neighbours=not rotation.neighbours)
    return rotate_query_and_key(query, key, value, other)


def rotate_wrong_half(
    query: Tensor, key: Tensor, value: Tensor, rotation: Rotation
) -> QueryKeyValue:
    """Return query and key turned with the minus sign on the other half: the other way round."""
    return rotate_query_and_key(query, key, value, rotation._replace(sin=-rotation.sin))


def rotate_query(query: Tensor, key: Tensor, value: Tensor, rotation: Rotation) -> QueryKeyValue:
    """Return the query turned alone."""
    return rotation.turn(query), key, value


def rotate_key(query: Tensor, key: Tensor, value: Tensor, rotation: Rotation) -> QueryKeyValue:
    """Return the key turned alone."""
    return query, rotation.turn(key), value


def rotate_all(query: Tensor, key: Tensor, value: Tensor, rotation: Rotation) -> QueryKeyValue:
    """Return the value turned, too."""
    return rotation.turn(query), rotation.turn(key), rotation.turn(value)


def _rearranged(angles: Tensor, neighbours: bool) -> Tensor:
    """Return the angles where the other features look for them."""
    if neighbours:
        return angles[..., ::2].repeat(1, 2)
    return angles[..., : angles.shape[-1] // 2].repeat_interleave(2, dim=-1)


def _has_bias(layer: Layer) -> bool:
    return layer.weights.relative_bias is not None


def _has_rotary(layer: Layer) -> bool:
    return layer.weights.rotary_cos is not None


POSITIONS = (
    Mistake(
        "relative bias omitted",
        "Add weights.relative_bias, cut to the tokens, to the scores of each head.",
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
        "Turn query and key by the angles of their tokens before the scores.",
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
            {"rotate": rotate_other_features},
            {"rotate": rotate_other_features_by_these},
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
