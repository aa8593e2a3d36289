"""The weights of one layer, and all else that its attention follows from.

Nothing that is given here may be ignored: what does not fit together is refused.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inspector.attention.functional import repeat_key_value_heads


@dataclass(frozen=True)
class HeadWeights:
    """One layer's weights, head by head, in the layer's dtype.

    Views of the layer's, but where key/value heads are shared: those are repeated, so that index h
    is of query head h in each.
    """

    W_Q: Float[Tensor, "head d_head d_model"]
    W_K: Float[Tensor, "head d_head d_source"]
    W_V: Float[Tensor, "head d_value d_value_source"]
    W_O: Float[Tensor, "head d_output d_value"]


@dataclass(frozen=True)
class LayerWeights:
    r"""The weights of one multi-head attention layer, in the layout of `torch.nn.Linear`.

    Rows h·d_head … (h+1)·d_head − 1 of W_Q belong to head h, and the same columns of W_O;
    W_K and W_V have `n_kv_heads` such groups, each shared by n_heads / n_kv_heads query heads.
    As a rule all widths called d_… are d_model, and d_value is d_head; where another text or a
    bottleneck is looked at, or values are wider, they are not.

    Example:
        >>> from inspector.attention import MultiHeadAttention
        >>> weights = MultiHeadAttention(d_model=6, n_heads=2).weights
        >>> weights.d_head, weights.by_head().W_O.shape
        (3, torch.Size([2, 6, 3]))
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
    window: int | None = None
    """A query i sees key j only where |i − j| < window."""
    relative_bias: Float[Tensor, "n_heads longest longest"] | None = None
    """What each head adds to the scores of query i and key j, at [i, j]; cut it to the tokens."""
    rotary_cos: Float[Tensor, "longest rotary"] | None = None
    """cos of token i's angles: q and k become q·cos + rotate_half(q)·sin before the scores.

    rotate_half((a, b)) = (−b, a) for the halves a, b of a head's features."""
    rotary_sin: Float[Tensor, "longest rotary"] | None = None
    rotary_neighbours: bool = False
    """Whether features 2i and 2i + 1 are turned together, not i and i + rotary/2: then
    rotate_half((a, b, c, d, …)) = (−b, a, −d, c, …)."""
    query_norm: Float[Tensor, "*d_query_norm"] | None = None
    """The gain of a norm of the queries: over the features of each head where it is (d_head) or
    (n_heads, d_head), over those of all heads where it is (n_heads · d_head)."""
    key_norm: Float[Tensor, "*d_key_norm"] | None = None
    query_norm_bias: Float[Tensor, "*d_query_norm"] | None = None
    key_norm_bias: Float[Tensor, "*d_key_norm"] | None = None
    norm_eps: float | None = None
    """What is added to the mean square under the norms' root."""
    norm_centred: bool = False
    """Whether the norms take off the mean first, as LayerNorm does and RMSNorm does not."""
    norm_after_rotation: bool = False
    """Whether queries and keys are rotated first, then normed."""
    softcap: float | None = None
    """c: scores s become c·tanh(s / c), before the bias is added."""
    sinks: Float[Tensor, " n_heads"] | None = None
    """Of each head the score of one key more, which every query sees and which has no value."""

    def __post_init__(self) -> None:
        """Refuse what does not fit together, and what would be ignored.

        Raises:
            ValueError: If n_heads does not divide W_Q's rows, or n_kv_heads n_heads; if one of a
                pair is given alone; or a size does not fit.
        """
        check_head_counts(self.W_Q.shape[0], self.n_heads, self.n_kv_heads)
        if self.W_K.shape[0] != self.n_kv_heads * self.d_head:
            raise ValueError(
                f"W_K has {self.W_K.shape[0]} rows, expected n_kv_heads × d_head = "
                f"{self.n_kv_heads} × {self.d_head} = {self.n_kv_heads * self.d_head}."
            )
        _check_positions(self)
        _check_norms(self)
        if self.sinks is not None and self.sinks.shape != (self.n_heads,):
            raise ValueError(
                f"sinks has shape {tuple(self.sinks.shape)}, expected (n_heads) = "
                f"({self.n_heads},)."
            )

    @property
    def d_head(self) -> int:
        """Return the width of one head's queries and keys."""
        return self.W_Q.shape[0] // self.n_heads

    @property
    def d_model(self) -> int:
        """Return the width of the hidden states."""
        return self.W_Q.shape[1]

    def by_head(self) -> HeadWeights:
        """Return W_Q, W_K, W_V and W_O of each query head."""

        def rows(matrix: Tensor, n_heads: int) -> Tensor:
            heads = torch.unflatten(matrix, 0, (n_heads, -1))
            return repeat_key_value_heads(heads[None], self.n_heads)[0]

        return HeadWeights(
            W_Q=rows(self.W_Q, self.n_heads),
            W_K=rows(self.W_K, self.n_kv_heads),
            W_V=rows(self.W_V, self.n_kv_heads),
            W_O=torch.unflatten(self.W_O, 1, (self.n_heads, -1)).movedim(1, 0),
        )

    def to(self, dtype: torch.dtype) -> "LayerWeights":
        """Return the same weights in another dtype."""
        changed = {
            name: tensor.to(dtype)
            for name, tensor in vars(self).items()
            if isinstance(tensor, Tensor)
        }
        return LayerWeights(**{**vars(self), **changed})


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


def _check_positions(weights: LayerWeights) -> None:
    cos, sin, bias = weights.rotary_cos, weights.rotary_sin, weights.relative_bias
    if (cos is None) != (sin is None):
        given, other = ("rotary_cos", "rotary_sin")[:: 1 if sin is None else -1]
        raise ValueError(f"{given} must be given with {other}: alone it turns nothing.")
    if cos is None or sin is None:
        if weights.rotary_neighbours:
            raise ValueError(
                "rotary_neighbours (True) must be given with rotary_cos and rotary_sin: "
                "without angles nothing is turned."
            )
    elif cos.shape != sin.shape or cos.shape[-1] > weights.d_head or cos.shape[-1] % 2:
        raise ValueError(
            f"rotary_cos {tuple(cos.shape)} and rotary_sin {tuple(sin.shape)} must have one "
            f"shape, (longest, rotary), with rotary even and at most d_head ({weights.d_head})."
        )
    if bias is not None and (bias.ndim != 3 or bias.shape[0] != weights.n_heads):
        raise ValueError(
            f"relative_bias has shape {tuple(bias.shape)}, expected (n_heads, longest, longest) "
            f"with n_heads = {weights.n_heads}."
        )
    if weights.window is not None and weights.window < 1:
        raise ValueError(f"window ({weights.window}) must be at least 1: a query sees itself.")


def _check_norms(weights: LayerWeights) -> None:
    for side, heads in (("query", weights.n_heads), ("key", weights.n_kv_heads)):
        gain, bias = getattr(weights, f"{side}_norm"), getattr(weights, f"{side}_norm_bias")
        fitting = ((weights.d_head,), (heads, weights.d_head), (heads * weights.d_head,))
        if gain is not None and tuple(gain.shape) not in fitting:
            raise ValueError(
                f"{side}_norm has shape {tuple(gain.shape)}, expected one of "
                f"{', '.join(map(str, fitting))}."
            )
        if bias is not None and (gain is None or bias.shape != gain.shape):
            raise ValueError(f"{side}_norm_bias must be given with {side}_norm, in the same shape.")
    normed = weights.query_norm is not None or weights.key_norm is not None
    if normed and weights.norm_eps is None:
        raise ValueError("norm_eps (None) must be given with query_norm or key_norm.")
    told = weights.norm_eps is not None or weights.norm_centred or weights.norm_after_rotation
    if told and not normed:
        raise ValueError(
            "norm_eps, norm_centred and norm_after_rotation must be given with query_norm or "
            "key_norm: without a gain nothing is normed."
        )
