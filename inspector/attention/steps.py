"""The steps of a layer, as the equations have them, each to be replaced by another function."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import linear

from inspector.attention.functional import AttentionSteps, unchanged
from inspector.attention.layer_weights import LayerWeights, check_head_counts
from inspector.attention.masks import causal_mask, window_mask
from inspector.attention.norms import normalised
from inspector.attention.positions import Rotation
from inspector.attention.scores import scaled_dot_product_scores

Linear = Callable[[Tensor, Tensor, Tensor | None], Tensor]
QueryKeyValue = tuple[Tensor, Tensor, Tensor]


def split_heads(
    features: Float[Tensor, "batch token heads_d_head"], n_heads: int
) -> Float[Tensor, "batch {n_heads} token d_head"]:
    """Return the features of each head apart, the head axis before the tokens.

    Example:
        >>> split_heads(torch.arange(4.0).reshape(1, 1, 4), 2)[0, 1, 0]
        tensor([2., 3.])
    """
    check_head_counts(features.shape[-1], n_heads, n_heads)
    return torch.unflatten(features, -1, (n_heads, -1)).transpose(1, 2)


def merge_heads(
    heads: Float[Tensor, "batch head token d_head"],
) -> Float[Tensor, "batch token heads_d_head"]:
    """Return the heads' features side by side: the inverse of `split_heads`."""
    return heads.transpose(1, 2).flatten(-2)


def norm_query_and_key(
    query: Tensor, key: Tensor, weights: LayerWeights
) -> tuple[Float[Tensor, "batch head query d_head"], Float[Tensor, "batch kv_head key d_head"]]:
    """Return queries and keys, normalised as the layer's weights say; as they are, where not."""
    return _normed(query, "query", weights), _normed(key, "key", weights)


def _normed(heads: Tensor, side: str, weights: LayerWeights) -> Tensor:
    gain: Tensor | None = getattr(weights, f"{side}_norm")
    bias: Tensor | None = getattr(weights, f"{side}_norm_bias")
    if gain is None or weights.norm_eps is None:
        return heads
    if gain.ndim == 1 and len(gain) != heads.shape[-1]:  # over the features of all heads
        together = normalised(
            merge_heads(heads), gain, bias, weights.norm_eps, weights.norm_centred
        )
        return split_heads(together, heads.shape[1])
    if gain.ndim == 2:
        gain = gain[:, None]
        bias = None if bias is None else bias[:, None]
    return normalised(heads, gain, bias, weights.norm_eps, weights.norm_centred)


def rotate_query_and_key(
    query: Tensor, key: Tensor, value: Tensor, rotation: Rotation
) -> QueryKeyValue:
    """Return query and key turned, value as it is."""
    return rotation.turn(query), rotation.turn(key), value


def own_factor(weights: LayerWeights, n_key: int) -> float:
    """Return the factor on the scores."""
    return weights.scaling


def own_bias(weights: LayerWeights, n_query: int, n_key: int) -> Tensor | None:
    """Return what is added to the scores: (head, query, key), or None.

    Raises:
        ValueError: If the weights' bias is for fewer keys.
    """
    bias = weights.relative_bias
    return None if bias is None else bias[:, n_key - n_query : n_key, :n_key]


def own_order(
    weights: LayerWeights, n_query: int, n_key: int, device: torch.device
) -> Bool[Tensor, "query key"] | None:
    """Return where queries may look by their place alone, or None for everywhere."""
    mask = causal_mask(n_query, n_key, device) if weights.causal else None
    if weights.window is None:
        return mask
    near = window_mask(weights.window, n_query, n_key, device)
    return near if mask is None else mask & near


def apply_output(context: Tensor, weights: LayerWeights, linear: Linear) -> Tensor:
    """Return the context after W_O."""
    return linear(context, weights.W_O, weights.b_O)


@dataclass(frozen=True)
class Steps(AttentionSteps):
    """What `multi_head_attention` does, step by step, each a function; those of the equations.

    Whoever wants one thing done otherwise, or to look at what goes through, gives another
    function in its place: `dataclasses.replace(STEPS, rotate=…)`.
    """

    linear: Linear = linear
    """(features, W, b or None) → features · Wᵀ + b."""
    split: Callable[[Tensor, int], Tensor] = split_heads
    """(features, number of heads) → heads."""
    norm: Callable[[Tensor, Tensor, LayerWeights], tuple[Tensor, Tensor]] = norm_query_and_key
    rotate: Callable[[Tensor, Tensor, Tensor, Rotation], QueryKeyValue] = rotate_query_and_key
    """(query, key, value, angles) → the three; asked where the layer has angles."""
    heads_rounding: Callable[[Tensor], Tensor] = unchanged
    """What becomes of queries, keys and values then: nothing."""
    factor: Callable[[LayerWeights, int], float] = own_factor
    """(weights, number of keys) → the factor on the scores."""
    score: Callable[..., Tensor] = scaled_dot_product_scores
    """(query, key, scaling=factor) → scores."""
    bias: Callable[[LayerWeights, int, int], Tensor | None] = own_bias
    """(weights, number of queries, of keys) → what is added to the scores."""
    order: Callable[..., Tensor | None] = own_order
    """(weights, number of queries, of keys, device) → where queries may look by their place."""
    merge: Callable[[Tensor], Tensor] = merge_heads
    """Heads → the context: the heads' outputs side by side."""
    context_rounding: Callable[[Tensor], Tensor] = unchanged
    """What becomes of the context: nothing."""
    combine: Callable[[Tensor, LayerWeights, Linear], Tensor] = apply_output
    """(context, weights, `linear`) → output."""


STEPS = Steps()
