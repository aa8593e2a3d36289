"""Attention, self-attention and multi-head attention as modules that hold their parameters.

Each owns projections and nothing else; the computation is that of the functions.
"""

import math

from jaxtyping import Bool, Float
from torch import Tensor, nn

from inspector.attention.functional import Attended, ScoreFunction, attention
from inspector.attention.layer_weights import LayerWeights, check_head_counts
from inspector.attention.multi_head import MultiHeadStages, multi_head_attention
from inspector.attention.scores import scaled_dot_product_scores


class Attention(nn.Module):
    r"""One attention of a target sequence over a source sequence (cross-attention).

    $Q = X_t W_Q$, $K = X_s W_K$, $V = X_s W_V$, then `attention`.

    Source: Bahdanau et al. (2015), arXiv:1409.0473, for attention between two sequences;
        Vaswani et al. (2017), arXiv:1706.03762, for the projections.

    Example:
        >>> import torch
        >>> target, source = torch.randn(5, 8), torch.randn(7, 8)
        >>> attended = Attention(d_model=8, d_head=4)(target, source)
        >>> attended.output.shape, attended.probabilities.shape
        (torch.Size([5, 4]), torch.Size([5, 7]))
    """

    def __init__(
        self,
        d_model: int,
        d_head: int,
        *,
        d_source: int | None = None,
        bias: bool = True,
        score: ScoreFunction = scaled_dot_product_scores,
        dropout: float = 0.0,
    ) -> None:
        """Make the projections.

        Args:
            d_model: Width of the target's hidden states.
            d_head: Width of queries, keys and values.
            d_source: Width of the source's hidden states; `d_model` where not given.
            bias: Whether the projections have a bias.
            score: Queries and keys → scores: a score function or a module such as `GeneralScore`.
            dropout: Probability of dropping a weight while training.
        """
        super().__init__()
        width = d_model if d_source is None else d_source
        self.W_Q = nn.Linear(d_model, d_head, bias=bias)
        self.W_K = nn.Linear(width, d_head, bias=bias)
        self.W_V = nn.Linear(width, d_head, bias=bias)
        self.score = score
        self.dropout = dropout

    def forward(
        self,
        target: Float[Tensor, "*batch query d_model"],
        source: Float[Tensor, "*batch key d_source"],
        mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    ) -> Attended:
        """Return the output (…, query, d_head) and the probabilities (…, query, key)."""
        return attention(
            self.W_Q(target),
            self.W_K(source),
            self.W_V(source),
            mask=mask,
            score=self.score,
            dropout=self.dropout if self.training else 0.0,
        )


class SelfAttention(nn.Module):
    r"""One attention of a sequence over itself: the special case of `Attention` with one input.

    $Q = XW_Q$, $K = XW_K$, $V = XW_V$.

    Source: Vaswani et al. (2017), arXiv:1706.03762, sec. 3.2.3.

    Example:
        >>> import torch
        >>> SelfAttention(d_model=8, d_head=4)(torch.randn(5, 8)).probabilities.shape
        torch.Size([5, 5])
    """

    def __init__(
        self,
        d_model: int,
        d_head: int,
        *,
        bias: bool = True,
        score: ScoreFunction = scaled_dot_product_scores,
        dropout: float = 0.0,
    ) -> None:
        """Make the projections; the arguments are those of `Attention`."""
        super().__init__()
        self.attention = Attention(d_model, d_head, bias=bias, score=score, dropout=dropout)

    def forward(
        self,
        hidden_states: Float[Tensor, "*batch token d_model"],
        mask: Bool[Tensor, "*#batch #token #token"] | None = None,
    ) -> Attended:
        """Return the output (…, token, d_head) and the probabilities (…, token, token)."""
        attended: Attended = self.attention(hidden_states, hidden_states, mask)
        return attended


class MultiHeadAttention(nn.Module):
    r"""Several attentions in parallel, concatenated and mapped by W_O; self or cross.

    Source: Vaswani et al. (2017), arXiv:1706.03762, sec. 3.2.2; shared key/value heads:
        Ainslie et al. (2023), arXiv:2305.13245.

    Example:
        >>> import torch
        >>> stages = MultiHeadAttention(d_model=8, n_heads=2)(torch.randn(1, 5, 8))
        >>> stages.output.shape, stages.probabilities.shape
        (torch.Size([1, 5, 8]), torch.Size([1, 2, 5, 5]))
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        n_kv_heads: int | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        """Make the projections; ValueError if the head counts do not divide.

        Args:
            d_model: Width of the hidden states.
            n_heads: Number of heads; must divide `d_model`.
            n_kv_heads: Number of key/value heads; must divide `n_heads`, which it is by default.
            bias: Whether the projections have a bias.
            dropout: Probability of dropping a weight while training.
        """
        super().__init__()
        self.n_heads = n_heads
        self.n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        check_head_counts(d_model, self.n_heads, self.n_kv_heads)
        self.d_head = d_model // n_heads
        self.W_Q = nn.Linear(d_model, d_model, bias=bias)
        self.W_K = nn.Linear(d_model, self.n_kv_heads * self.d_head, bias=bias)
        self.W_V = nn.Linear(d_model, self.n_kv_heads * self.d_head, bias=bias)
        self.W_O = nn.Linear(d_model, d_model, bias=bias)
        self.dropout = dropout

    @property
    def weights(self) -> LayerWeights:
        """Return the parameters as `LayerWeights` (the same tensors, not copies)."""
        return LayerWeights(
            W_Q=self.W_Q.weight,
            W_K=self.W_K.weight,
            W_V=self.W_V.weight,
            W_O=self.W_O.weight,
            b_Q=self.W_Q.bias,
            b_K=self.W_K.bias,
            b_V=self.W_V.bias,
            b_O=self.W_O.bias,
            n_heads=self.n_heads,
            n_kv_heads=self.n_kv_heads,
            scaling=1.0 / math.sqrt(self.d_head),
        )

    def forward(
        self,
        target: Float[Tensor, "batch query d_model"],
        source: Float[Tensor, "batch key d_model"] | None = None,
        mask: Bool[Tensor, "*#batch_head #query #key"] | None = None,
    ) -> MultiHeadStages:
        """Return every stage, the output last. Self-attention where no source is given.

        The mask is (query, key), (batch, query, key) or (batch, head, query, key).
        """
        return multi_head_attention(
            target,
            target if source is None else source,
            self.weights,
            mask=mask,
            dropout=self.dropout if self.training else 0.0,
        )
