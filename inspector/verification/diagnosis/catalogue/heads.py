"""Mistakes of the heads: which features are whose, and in which order they are put together.

Must not know: how a mistake is found.
"""

from typing import Any

import torch
from torch import Tensor

from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.layer import Layer
from inspector.verification.diagnosis.mistake import Changes, Mistake, several, single
from inspector.verification.diagnosis.right_alternatives import mask_with_nothing
from inspector.verification.weight_changes import (
    interleaved_rows,
    reorder_heads,
    reversed_rows,
    rotated_rows,
)


def split_interleaved(features: Tensor, n_heads: int) -> Tensor:
    """Return heads of which each takes every n-th feature."""
    return torch.unflatten(features, -1, (-1, n_heads)).permute(0, 3, 1, 2)


def split_in_place(features: Tensor, n_heads: int) -> Tensor:
    """Return the memory read as (batch, head, token, d_head), without moving the axes."""
    batch, tokens, width = features.shape
    return features.reshape(batch, n_heads, tokens, width // n_heads)


def merge_interleaved(heads: Tensor) -> Tensor:
    """Return the heads' features with the head index fastest."""
    return heads.permute(0, 2, 3, 1).flatten(-2)


def merge_in_place(heads: Tensor) -> Tensor:
    """Return the memory read as (batch, token, features), without moving the axes."""
    batch, n_heads, tokens, d_head = heads.shape
    return heads.reshape(batch, tokens, n_heads * d_head)


def merge_reversed(heads: Tensor) -> Tensor:
    """Return the heads' features side by side, the last head first."""
    return heads.flip(1).transpose(1, 2).flatten(-2)


def tile(heads: Tensor, n_heads: int) -> Tensor:
    """Return key or value heads in turn, again and again: head h gets group h mod n_kv_heads."""
    return heads.repeat(1, n_heads // heads.shape[1], 1, 1)


def _many(layer: Layer) -> bool:
    return layer.weights.n_heads > 1


def _many_wide(layer: Layer) -> bool:
    return layer.weights.n_heads > 1 and layer.weights.d_head > 1


def _groups(layer: Layer) -> bool:
    return 1 < layer.weights.n_kv_heads < layer.weights.n_heads


def _merged_in_place(layer: Layer, **also: Any) -> tuple[Changes, ...]:
    """Return the ways of mixing rows; it matters then what rows without a key hold."""
    mixed = {"merge": merge_in_place, **also}
    return (mixed, {**mixed, "masking": mask_with_nothing}) if layer.weights.causal else (mixed,)


_INTERLEAVED = reorder_heads(interleaved_rows)
_REVERSED = reorder_heads(reversed_rows)
_ROTATED = tuple(reorder_heads(rotated_rows(steps)) for steps in (1, -1))

HEADS = (
    Mistake(
        "heads interleaved",
        "Split (head, feature) with the head as the slower index: "
        "reshape(batch, token, n_heads, d_head).",
        equations.HEADS,
        several(
            {"split": split_interleaved}, {"split": split_interleaved, "merge": merge_interleaved}
        ),
        _many_wide,
    ),
    Mistake(
        "heads split without moving the axes",
        "Split into (batch, token, head, d_head) first, then transpose token and head: "
        "a reshape alone mixes them.",
        equations.HEADS,
        lambda layer: ({"split": split_in_place}, *_merged_in_place(layer, split=split_in_place)),
        _many,
    ),
    Mistake(
        "heads reversed",
        "Give head h the rows h·d_head … of W_Q, W_K, W_V: the last head comes first.",
        equations.HEADS,
        single(weights=(_REVERSED,)),
        _many,
    ),
    Mistake(
        "heads rotated",
        "Give head h the rows h·d_head … of W_Q, W_K, W_V: they are those of its neighbour.",
        equations.HEADS,
        several(*({"weights": (rotated,)} for rotated in _ROTATED)),
        lambda layer: layer.weights.n_heads > 2,
    ),
    Mistake(
        "concatenation in the wrong order",
        "Put the heads side by side, each head's features together: transpose "
        "(batch, head, token, d_head) to (batch, token, head, d_head), then flatten.",
        equations.CONTEXT,
        several({"merge": merge_interleaved}, {"merge": merge_reversed}),
        _many_wide,
    ),
    Mistake(
        "heads merged without moving the axes",
        "Transpose head and token before the heads are put side by side: "
        "a reshape alone mixes them.",
        equations.CONTEXT,
        _merged_in_place,
        _many,
    ),
    Mistake(
        "key and value groups tiled instead of repeated",
        "Repeat each key and value head for its group (repeat_interleave), not all in turn.",
        equations.GROUPS,
        single(share=tile),
        _groups,
    ),
)
