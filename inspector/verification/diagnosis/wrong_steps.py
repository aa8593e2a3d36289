"""What mistakes do in the place of a step: each function has the arguments of the step it is for.

Further arguments come last, and are set by `bind`. Heads are (batch, head, token, d_head).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.attention.positions import Rotation
from inspector.attention.softmax import mask_before_softmax, over_the_keys
from inspector.attention.steps import (
    merge_heads,
    own_bias,
    own_order,
    rotate_query_and_key,
    split_heads,
)
from inspector.verification.diagnosis.wrong_weights import rounded


def any_order(
    weights: LayerWeights, n_query: int, n_key: int, device: torch.device
) -> Tensor | None:
    """Return where queries may look by their place if the layer were not causal."""
    return own_order(replace(weights, causal=False), n_query, n_key, device)


def padding_of_another(padding: Tensor, n_tokens: int, n_heads: int, text_fastest: bool) -> Tensor:
    """Return the masks of all texts and heads in one row, in the wrong order.

    The text runs fastest in the masks' row, and the head in the scores'; or the other way round.
    """
    batch = padding.shape[0]
    if text_fastest:
        row = padding.repeat(n_heads, 1).reshape(batch, n_heads, -1)
    else:
        row = padding.repeat_interleave(n_heads, 0).reshape(n_heads, batch, -1).transpose(0, 1)
    return row[:, :, None, :].expand(-1, -1, n_tokens, -1)


def _all(allowed: Tensor | None) -> Tensor:
    """Return where queries may look: everywhere, where nothing says otherwise."""
    return torch.ones((), dtype=torch.bool) if allowed is None else allowed


def _turned(allowed: Tensor | None, scores: Tensor) -> Tensor | None:
    """Return where queries may look, queries and keys exchanged."""
    if allowed is None:
        return None
    return allowed.expand(*allowed.shape[:-2], scores.shape[-2], -1).mT


def _read_as(heads: Tensor, *first: int) -> Tensor:
    """Return the memory of heads read as if their first two axes were of these sizes."""
    return heads.reshape(*first, *heads.shape[2:])


def _sum_first(heads: Tensor) -> Tensor:
    """Put the sum of the heads in the place of the first, nothing in the others'."""
    return merge_heads(_only(heads.sum(1, keepdim=True).expand_as(heads), 1, 0, others=True))


def _only(heads: Tensor, axis: int, head: int, others: bool = False) -> Tensor:
    """Return the heads with one of them emptied, or all others."""
    chosen = torch.arange(heads.shape[axis]).eq(head % heads.shape[axis]).to(heads.device) ^ others
    shape = [-1 if each == axis % heads.ndim else 1 for each in range(heads.ndim)]
    return heads.masked_fill(chosen.reshape(shape), 0.0)


def _other_angles(rotation: Rotation) -> Rotation:
    """Return the same angles for neighbours where halves are meant, and the other way round."""
    cos, sin = (
        angles[..., ::2].repeat(1, 2)
        if rotation.neighbours
        else angles[..., : angles.shape[-1] // 2].repeat_interleave(2, dim=-1)
        for angles in rotation[:2]
    )
    return Rotation(cos, sin, not rotation.neighbours)


WRONG_STEPS: dict[str, Callable[..., Any]] = {
    # padding: where queries may look, of which tokens are real
    "no_padding": lambda padding, n_tokens: None,
    "inverted_padding": lambda padding, n: (~padding)[:, None, None, :].expand(-1, -1, n, -1),
    "transposed_padding": lambda padding, n: padding[:, None, :, None].expand(-1, -1, -1, n),
    # order: where they may look by their place
    "any_order": any_order,
    "imposed_order": lambda weights, n_query, n_key, device, diagonal=0, later=False: (
        (torch.triu if later else torch.tril)(
            torch.ones(n_query, n_key, dtype=torch.bool, device=device), diagonal
        )
        & _all(any_order(weights, n_query, n_key, device))
    ),
    # masking: what becomes of keys that are hidden
    "mask_transposed": lambda scores, allowed, softmax: mask_before_softmax(
        scores, _turned(allowed, scores), softmax
    ),
    "unmasked": lambda scores, allowed, softmax: softmax(scores),
    "multiplied": lambda scores, allowed, softmax: softmax(scores * _all(allowed)),
    "mask_afterwards": lambda scores, allowed, softmax: softmax(scores) * _all(allowed),
    "add_afterwards": lambda scores, allowed, softmax, number: (
        softmax(scores) + number * ~_all(allowed)
    ),
    "add_before": lambda scores, allowed, softmax, number: softmax(
        scores + number * ~_all(allowed)
    ),
    "no_softmax": lambda scores, allowed, softmax: scores.masked_fill(~_all(allowed), 0.0),
    "half_softmax": lambda scores, half, sinks=None, dtype=None: rounded(
        over_the_keys(rounded(scores, half), sinks, dtype), half
    ),
    "rounded": rounded,
    "not_normed": lambda query, key, weights: (query, key),
    # split: which features are whose
    "split_interleaved": lambda features, n: features.unflatten(-1, (-1, n)).permute(0, 3, 1, 2),
    "split_in_place": lambda features, n: features.reshape(
        len(features), n, features.shape[1], features.shape[2] // n
    ),
    "split_heads_first": lambda features, n_heads: _read_as(
        split_heads(features, n_heads).transpose(0, 1), len(features), n_heads
    ),
    "split_batch_first": lambda features, n_heads: _read_as(
        split_heads(features, n_heads), n_heads, len(features)
    ).transpose(0, 1),
    # share: which key or value head a head looks at
    "tile": lambda heads, n_heads: heads.repeat(1, n_heads // heads.shape[1], 1, 1),
    # merge: how heads become the context
    "merge_interleaved": lambda heads: heads.permute(0, 2, 3, 1).flatten(-2),
    "merge_in_place": lambda heads: heads.reshape(len(heads), heads.shape[2], -1),
    "merge_reversed": lambda heads: merge_heads(heads.flip(1)),
    "merge_heads_first": lambda heads: merge_heads(
        _read_as(heads, heads.shape[1], len(heads)).transpose(0, 1)
    ),
    "merge_batch_first": lambda heads: merge_heads(
        _read_as(heads.transpose(0, 1), *heads.shape[:2])
    ),
    "repeat_mean": lambda heads: merge_heads(heads.mean(1, keepdim=True).expand_as(heads)),
    "repeat_sum": lambda heads: merge_heads(heads.sum(1, keepdim=True).expand_as(heads)),
    "mean_first": lambda heads: _sum_first(heads / heads.shape[1]),
    "sum_first": _sum_first,
    # heads: what each of them takes home
    "without_head": lambda heads, head: _only(heads, 1, head),
    # mix: probabilities and values
    "mix_transposed": lambda probabilities, value: probabilities.mT @ value,
    "mix_by_mean": lambda probabilities, value: probabilities.mean(1, keepdim=True) @ value,
    # hidden: the hidden states first
    "normalised_hidden": lambda hidden, layer, norm: norm(hidden),
    "rounded_hidden": lambda hidden, layer, dtype: rounded(hidden, dtype),
    # combine: the context with W_O and b_O
    "no_output": lambda context, weights, linear: context,
    "bias_alone": lambda context, weights, linear: (
        context if weights.b_O is None else context + weights.b_O
    ),
    "mean_of_heads": lambda context, weights, linear: linear(
        context / weights.n_heads, weights.W_O, weights.b_O
    ),
    "one_head": lambda context, weights, linear, head: linear(
        _only(context.unflatten(-1, (weights.n_heads, -1)), -2, head, others=True).flatten(-2),
        weights.W_O,
        weights.b_O,
    ),
    "bias_for_each_head": lambda context, weights, linear: linear(
        context, weights.W_O, None if weights.b_O is None else weights.n_heads * weights.b_O
    ),
    # finish: the output, the hidden states, the layer
    "with_residual": lambda output, hidden, layer: output + hidden,
    "without_residual": lambda output, hidden, layer: output - hidden,
    "normalised_output": lambda output, hidden, layer, norm: norm(output),
    "normalised_sum": lambda output, hidden, layer, norm: norm(output + hidden),
    # bias, rotate: where tokens stand
    "no_bias": lambda weights, n_query, n_key: None,
    "transposed_bias": lambda weights, n_query, n_key: (
        None if (bias := own_bias(weights, n_query, n_key)) is None else bias.mT
    ),
    "rotate_some": lambda query, key, value, rotation, which: tuple(
        rotation.turn(each) if letter in which else each
        for letter, each in zip("qkv", (query, key, value), strict=True)
    ),
    "rotate_other_features": lambda query, key, value, rotation: rotate_query_and_key(
        query, key, value, _other_angles(rotation)
    ),
    "rotate_other_features_by_these": lambda query, key, value, rotation: rotate_query_and_key(
        query, key, value, rotation._replace(neighbours=not rotation.neighbours)
    ),
    "rotate_wrong_half": lambda query, key, value, rotation: rotate_query_and_key(
        query, key, value, rotation._replace(sin=-rotation.sin)
    ),
}
"""Name → the function, by the step that it replaces."""
