"""Several attentions at once, each in a subspace of its own.

`multi_head_attention` is the whole computation and keeps every stage of it; the steps are
functions too (`project_heads`, `combine_heads`), for whoever wants to go through them one by one.
Must not know: modules, models; only weights and tensors.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import linear

from inspector.attention.functional import attention
from inspector.attention.scores import scaled_dot_product_scores


@dataclass(frozen=True)
class LayerWeights:
    r"""The weights of one multi-head attention layer, in the layout of `torch.nn.Linear`.

    Rows h·d_head … (h+1)·d_head − 1 of W_Q belong to head h, and the same columns of W_O;
    W_K and W_V have `n_kv_heads` such groups, each shared by n_heads / n_kv_heads query heads.
    As a rule all widths called d_… are d_model, and d_value is d_head; where another text or a
    bottleneck is looked at, or values are wider, they are not.
    """

    W_Q: Float[Tensor, "heads_d_head d_model"]
    W_K: Float[Tensor, "kv_heads_d_head d_source"]
    W_V: Float[Tensor, "kv_heads_d_value d_value_source"]
    W_O: Float[Tensor, "d_output heads_d_value"]
    b_Q: Float[Tensor, " heads_d_head"] | None
    b_K: Float[Tensor, " kv_heads_d_head"] | None
    b_V: Float[Tensor, " kv_heads_d_value"] | None
    b_O: Float[Tensor, " d_output"] | None
    n_heads: int
    n_kv_heads: int
    scaling: float
    """The factor on query · key, 1/√d_head as a rule."""
    causal: bool = False
    """Whether a query sees only itself and what stands before it."""
    relative_bias: Float[Tensor, "n_heads longest longest"] | None = None
    """What each head adds to the scores of query i and key j, at [i, j]; cut it to the pieces."""
    rotary_cos: Float[Tensor, "longest rotary"] | None = None
    """cos of piece i's angles: q and k become q·cos + rotate_half(q)·sin before the scores."""
    rotary_sin: Float[Tensor, "longest rotary"] | None = None

    def __post_init__(self) -> None:
        """Refuse head counts that do not fit the matrices.

        Raises:
            ValueError: If n_heads does not divide W_Q's rows, or n_kv_heads n_heads.
        """
        check_head_counts(self.W_Q.shape[0], self.n_heads, self.n_kv_heads)
        if self.W_K.shape[0] != self.n_kv_heads * self.d_head:
            raise ValueError(
                f"W_K has {self.W_K.shape[0]} rows, expected n_kv_heads × d_head = "
                f"{self.n_kv_heads} × {self.d_head} = {self.n_kv_heads * self.d_head}."
            )

    @property
    def d_head(self) -> int:
        """Return the width of one head's queries and keys."""
        return self.W_Q.shape[0] // self.n_heads

    @property
    def d_model(self) -> int:
        """Return the width of the hidden states."""
        return self.W_Q.shape[1]

    def to(self, dtype: torch.dtype) -> "LayerWeights":
        """Return the same weights in another dtype."""
        changed = {
            name: tensor.to(dtype)
            for name, tensor in vars(self).items()
            if isinstance(tensor, Tensor)
        }
        return LayerWeights(**{**vars(self), **changed})


class MultiHeadStages(NamedTuple):
    """Every stage of one multi-head attention, first to last."""

    query: Float[Tensor, "batch head query d_head"]
    key: Float[Tensor, "batch kv_head key d_head"]
    value: Float[Tensor, "batch kv_head key d_head"]
    probabilities: Float[Tensor, "batch head query key"]
    context: Float[Tensor, "batch query heads_d_head"]
    """The heads' outputs, concatenated."""
    output: Float[Tensor, "batch query d_model"]
    """The context after W_O."""


def check_head_counts(width: int, n_heads: int, n_kv_heads: int) -> None:
    """Refuse head counts that do not divide.

    Raises:
        ValueError: If n_heads does not divide the width, or n_kv_heads does not divide n_heads.
    """
    if n_heads < 1 or width % n_heads:
        raise ValueError(
            f"d_model ({width}) must be divisible by n_heads ({n_heads}): "
            "every head gets d_model / n_heads features."
        )
    if n_kv_heads < 1 or n_heads % n_kv_heads:
        raise ValueError(
            f"n_heads ({n_heads}) must be divisible by n_kv_heads ({n_kv_heads}): "
            "every key/value head serves the same number of query heads."
        )


def split_heads(
    features: Float[Tensor, "batch piece heads_d_head"], n_heads: int
) -> Float[Tensor, "batch {n_heads} piece d_head"]:
    """Return the features of each head apart, the head axis before the pieces.

    Example:
        >>> split_heads(torch.arange(4.0).reshape(1, 1, 4), 2)[0, 1, 0]
        tensor([2., 3.])
    """
    check_head_counts(features.shape[-1], n_heads, n_heads)
    return torch.unflatten(features, -1, (n_heads, -1)).transpose(1, 2)


def merge_heads(
    heads: Float[Tensor, "batch head piece d_head"],
) -> Float[Tensor, "batch piece heads_d_head"]:
    """Return the heads' features side by side: the inverse of `split_heads`."""
    return heads.transpose(1, 2).flatten(-2)


def project_heads(
    target: Float[Tensor, "batch query d_model"],
    source: Float[Tensor, "batch key d_model"],
    weights: LayerWeights,
) -> tuple[
    Float[Tensor, "batch head query d_head"],
    Float[Tensor, "batch kv_head key d_head"],
    Float[Tensor, "batch kv_head key d_head"],
]:
    r"""Return the queries, keys and values of each head.

    $Q = X_t W_Q^\top + b_Q$, $K = X_s W_K^\top + b_K$, $V = X_s W_V^\top + b_V$ in the layout of
    `torch.nn.Linear`, split into heads.
    """
    return (
        split_heads(linear(target, weights.W_Q, weights.b_Q), weights.n_heads),
        split_heads(linear(source, weights.W_K, weights.b_K), weights.n_kv_heads),
        split_heads(linear(source, weights.W_V, weights.b_V), weights.n_kv_heads),
    )


def combine_heads(
    heads: Float[Tensor, "batch head query d_head"], weights: LayerWeights
) -> tuple[Float[Tensor, "batch query heads_d_head"], Float[Tensor, "batch query d_model"]]:
    r"""Return the concatenated heads, and what W_O makes of them.

    $\mathrm{Concat}(\mathrm{head}_1 \ldots \mathrm{head}_h)\,W^O$.
    """
    context = merge_heads(heads)
    return context, linear(context, weights.W_O, weights.b_O)


def multi_head_attention(
    target: Float[Tensor, "batch query d_model"],
    source: Float[Tensor, "batch key d_model"],
    weights: LayerWeights,
    *,
    mask: Bool[Tensor, "*#batch_head #query #key"] | None = None,
    dropout: float = 0.0,
) -> MultiHeadStages:
    r"""Return all stages of multi-head attention of `target` over `source`.

    $\mathrm{MultiHead}(Q,K,V) = \mathrm{Concat}(\mathrm{head}_1 \ldots \mathrm{head}_h)\,W^O$,
    $\mathrm{head}_i = \mathrm{Attention}(QW_i^Q, KW_i^K, VW_i^V)$. Self-attention where target and
    source are the same.

    Args:
        target: The hidden states that look.
        source: The hidden states that are looked at.
        weights: The layer's weights.
        mask: True where the query may look at the key: (query, key) for all texts and heads,
            (batch, query, key) for all heads, or (batch, head, query, key).
        dropout: Probability of dropping an attention weight, in [0, 1].

    Raises:
        ValueError: If the mask is not boolean or does not broadcast, or `dropout` is outside
            [0, 1].

    Source: Vaswani et al. (2017), arXiv:1706.03762, sec. 3.2.2.
    """
    query, key, value = project_heads(target, source, weights)
    heads, probabilities = attention(
        query,
        key,
        value,
        mask=None if mask is None else with_head_axis(mask),
        score=partial(scaled_dot_product_scores, scaling=weights.scaling),
        dropout=dropout,
    )
    context, output = combine_heads(heads, weights)
    return MultiHeadStages(query, key, value, probabilities, context, output)


def with_head_axis(mask: Bool[Tensor, "*#batch_head #query #key"]) -> Bool[Tensor, "..."]:
    """Return the mask so that it broadcasts to (batch, head, query, key).

    A mask of three axes has one per text, and needs an axis for the heads; a mask of two or four
    broadcasts as it is.

    Example:
        >>> with_head_axis(torch.ones(2, 1, 3, dtype=torch.bool)).shape
        torch.Size([2, 1, 1, 3])
    """
    return mask.unsqueeze(1) if mask.ndim == 3 else mask


def default_scaling(d_head: int) -> float:
    """Return 1/√d_head."""
    return 1.0 / math.sqrt(d_head)
