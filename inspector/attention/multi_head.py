"""Several attentions at once, each in a subspace of its own.

`multi_head_attention` is the whole computation and keeps every stage of it; its three parts are
functions too (`project_heads`, `attend_heads`, `combine_heads`), for whoever wants to go through
them one by one. Each takes the steps it is made of, so that any of them can be replaced.
"""

from functools import partial
from typing import NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor

from inspector.attention.functional import Attended, attention
from inspector.attention.layer_weights import LayerWeights
from inspector.attention.positions import Rotation
from inspector.attention.steps import STEPS, Steps


class MultiHeadStages(NamedTuple):
    """Every stage of one multi-head attention, first to last."""

    query: Float[Tensor, "batch head query d_head"]
    """After norm and rotation, where there are any; so is the key."""
    key: Float[Tensor, "batch kv_head key d_head"]
    value: Float[Tensor, "batch kv_head key d_head"]
    probabilities: Float[Tensor, "batch head query key"]
    context: Float[Tensor, "batch query heads_d_head"]
    """The heads' outputs, concatenated."""
    output: Float[Tensor, "batch query d_model"]
    """The context after W_O."""


def project_heads(
    target: Float[Tensor, "batch query d_model"],
    source: Float[Tensor, "batch key d_model"],
    weights: LayerWeights,
    steps: Steps = STEPS,
) -> tuple[
    Float[Tensor, "batch head query d_head"],
    Float[Tensor, "batch kv_head key d_head"],
    Float[Tensor, "batch kv_head key d_head"],
]:
    r"""Return the queries, keys and values of each head, normed and rotated where the layer is.

    $Q = X_t W_Q^\top + b_Q$, $K = X_s W_K^\top + b_K$, $V = X_s W_V^\top + b_V$ in the layout of
    `torch.nn.Linear`, split into heads.

    Raises:
        ValueError: If the layer counts places, and there are fewer keys than queries or more than
            it has places for.
    """
    check_lengths(weights, target.shape[1], source.shape[1])
    query = steps.split(steps.linear(target, weights.W_Q, weights.b_Q), weights.n_heads)
    key = steps.split(steps.linear(source, weights.W_K, weights.b_K), weights.n_kv_heads)
    value = steps.split(steps.linear(source, weights.W_V, weights.b_V), weights.n_kv_heads)
    if not weights.norm_after_rotation:
        query, key = steps.norm(query, key, weights)
    if weights.rotary_cos is not None and weights.rotary_sin is not None:
        n = source.shape[1]
        angles = weights.rotary_cos[:n], weights.rotary_sin[:n]
        rotation = Rotation(*angles, weights.rotary_neighbours)
        query, key, value = steps.rotate(query, key, value, rotation)
    if weights.norm_after_rotation:
        query, key = steps.norm(query, key, weights)
    return steps.heads_rounding(query), steps.heads_rounding(key), steps.heads_rounding(value)


def attend_heads(
    query: Float[Tensor, "batch head query d_head"],
    key: Float[Tensor, "batch kv_head key d_head"],
    value: Float[Tensor, "batch kv_head key d_head"],
    weights: LayerWeights,
    *,
    mask: Bool[Tensor, "*#batch_head #query #key"] | None = None,
    dropout: float = 0.0,
    steps: Steps = STEPS,
) -> Attended:
    """Return what each head takes home, (batch, head, query, d_head), and its probabilities.

    The scale, bias, cap, sinks and order of the weights are used; all else is as in
    `multi_head_attention`.
    """
    n_query, n_key = query.shape[-2], key.shape[-2]
    order = steps.order(weights, n_query, n_key, query.device)
    if mask is not None:
        mask = with_head_axis(mask)
    allowed = mask if order is None else order if mask is None else mask & order
    sinks = weights.sinks
    return attention(
        query,
        key,
        value,
        mask=allowed,
        bias=steps.bias(weights, n_query, n_key),
        softcap=weights.softcap,
        sinks=None if sinks is None else sinks[None, :, None, None],
        score=partial(steps.score, scaling=steps.factor(weights, n_key)),
        dropout=dropout,
        steps=steps,
    )


def combine_heads(
    heads: Float[Tensor, "batch head query d_head"], weights: LayerWeights, steps: Steps = STEPS
) -> tuple[Float[Tensor, "batch query heads_d_head"], Float[Tensor, "batch query d_model"]]:
    r"""Return the concatenated heads, and what W_O makes of them.

    $\mathrm{Concat}(\mathrm{head}_1 \ldots \mathrm{head}_h)\,W^O$.
    """
    context = steps.context_rounding(steps.merge(heads))
    return context, steps.combine(context, weights, steps.linear)


def multi_head_attention(
    target: Float[Tensor, "batch query d_model"],
    source: Float[Tensor, "batch key d_model"],
    weights: LayerWeights,
    *,
    mask: Bool[Tensor, "*#batch_head #query #key"] | None = None,
    dropout: float = 0.0,
    steps: Steps = STEPS,
) -> MultiHeadStages:
    r"""Return all stages of multi-head attention of `target` over `source`.

    $\mathrm{MultiHead}(Q,K,V) = \mathrm{Concat}(\mathrm{head}_1 \ldots \mathrm{head}_h)\,W^O$,
    $\mathrm{head}_i = \mathrm{Attention}(QW_i^Q, KW_i^K, VW_i^V)$. Self-attention where target and
    source are the same. All that the weights say is used: a causal layer hides what stands behind
    the query, whatever the mask; rotation, bias, cap and sinks come in where they are given.

    Args:
        target: The hidden states that look. Where the layer counts places (it is causal, has a
            window, angles or a relative bias), they are the last of the source's places.
        source: The hidden states that are looked at.
        weights: The layer's weights.
        mask: True where the query may look at the key: (query, key) for all texts and heads,
            (batch, query, key) for all heads, or (batch, head, query, key).
        dropout: Probability of dropping an attention weight, in [0, 1].
        steps: The functions that compute; those of the equations where not given.

    Raises:
        ValueError: If the mask is not boolean or does not broadcast, `dropout` is outside
            [0, 1], or the layer counts places and target and source do not fit it.

    Source: Vaswani et al. (2017), arXiv:1706.03762, sec. 3.2.2.
    """
    query, key, value = project_heads(target, source, weights, steps)
    heads, probabilities = attend_heads(
        query, key, value, weights, mask=mask, dropout=dropout, steps=steps
    )
    context, output = combine_heads(heads, weights, steps)
    return MultiHeadStages(query, key, value, probabilities, context, output)


def check_lengths(weights: LayerWeights, n_query: int, n_key: int) -> None:
    """Refuse lengths that leave open where a query stands.

    Raises:
        ValueError: If the layer counts places, and there are fewer keys than queries, or more
            than it has angles or a bias for.
    """
    counting = {
        "causal": weights.causal,
        "window": weights.window is not None,
        "rotary_cos": weights.rotary_cos is not None,
        "relative_bias": weights.relative_bias is not None,
    }
    names = [name for name, counts in counting.items() if counts]
    if names and n_key < n_query:
        raise ValueError(
            f"source ({n_key} tokens) must be at least as long as target ({n_query}): this layer "
            f"counts places ({', '.join(names)}), and the target's are the last of the source's."
        )
    for name in ("rotary_cos", "relative_bias"):
        table: Tensor | None = getattr(weights, name)
        if table is not None and n_key > table.shape[-2]:
            raise ValueError(
                f"source ({n_key} tokens) must have at most {table.shape[-2]} tokens: "
                f"{name} goes no further."
            )


def with_head_axis(mask: Bool[Tensor, "*#batch_head #query #key"]) -> Bool[Tensor, "..."]:
    """Return the mask so that it broadcasts to (batch, head, query, key).

    A mask of three axes has one per text, and needs an axis for the heads; a mask of two or four
    broadcasts as it is.

    Example:
        >>> import torch
        >>> with_head_axis(torch.ones(2, 1, 3, dtype=torch.bool)).shape
        torch.Size([2, 1, 1, 3])
    """
    return mask.unsqueeze(1) if mask.ndim == 3 else mask
