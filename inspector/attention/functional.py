"""Attention itself: scores → softmax over the allowed keys → weighted sum of the values.

The one definition that every part of inspector computes with.
Must not know: where queries, keys and values come from; what a head is.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from inspector.attention.masks import check_mask
from inspector.attention.scores import scaled_dot_product_scores

ScoreFunction = Callable[[Tensor, Tensor], Tensor]


class Attended(NamedTuple):
    """What attention returns."""

    output: Float[Tensor, "*batch query d_value"]
    """The values' sum, weighted by the probabilities."""
    probabilities: Float[Tensor, "*batch query key"]
    """The weights that were used: after dropout, where there was dropout."""


def masked_softmax(
    scores: Float[Tensor, "*batch query key"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
) -> Float[Tensor, "*batch query key"]:
    r"""Return each query's probabilities over its allowed keys.

    $p_{ij} = e^{s_{ij}} / \sum_{j' \text{ allowed}} e^{s_{ij'}}$, and 0 where j is not allowed.
    A query with no allowed key gets zeros. Half types are computed in float32 and rounded
    once, at the end.

    Args:
        scores: How well each query matches each key.
        mask: True where the query may look at the key; all may where it is not given.

    Raises:
        ValueError: If the mask is not boolean, or does not broadcast to the scores' shape.

    Source: Vaswani et al. (2017), arXiv:1706.03762, sec. 3.2.1 and 3.2.3.

    Example:
        >>> masked_softmax(torch.zeros(1, 3), torch.tensor([[True, True, False]]))
        tensor([[0.5000, 0.5000, 0.0000]])
    """
    dtype = scores.dtype
    working = torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype
    if mask is None:
        return torch.softmax(scores, dim=-1, dtype=working).to(dtype)
    check_mask(mask, scores.shape)
    # A row with no allowed key keeps its scores, so that neither its value nor its gradient
    # is NaN, and is set to zero afterwards.
    empty = ~mask.any(dim=-1, keepdim=True)
    scores = scores.masked_fill(~(mask | empty), float("-inf"))
    probabilities = torch.softmax(scores, dim=-1, dtype=working).to(dtype)
    if bool(empty.any()):
        probabilities = probabilities.masked_fill(empty, 0.0)
    return probabilities


def attention(
    query: Float[Tensor, "*batch query d_query"],
    key: Float[Tensor, "*batch key d_key"],
    value: Float[Tensor, "*batch key d_value"],
    *,
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    score: ScoreFunction = scaled_dot_product_scores,
    dropout: float = 0.0,
) -> Attended:
    r"""Return, for each query, the mean of the values weighted by its match with their keys.

    $\mathrm{Attention}(Q, K, V) = \mathrm{softmax}(QK^\top/\sqrt{d_k})\,V$ with the default score.

    Args:
        query: What looks.
        key: What is looked at.
        value: What is taken from there.
        mask: True where the query may look at the key; all may where it is not given.
        score: Queries and keys → scores; any of the score functions of this package.
        dropout: Probability in [0, 1] with which a weight is set to zero; the others are
            divided by 1 − dropout. Give 0 outside training.

    Raises:
        ValueError: If `dropout` is outside [0, 1], or the mask is not boolean or does not
            broadcast to (…, query, key).

    Source: Vaswani et al. (2017), arXiv:1706.03762, eq. 1; dropout on the weights as in
        their released code and in BERT.

    Example:
        >>> one_hot = torch.eye(2)
        >>> attention(20 * one_hot, one_hot, torch.tensor([[1.0], [2.0]])).output
        tensor([[1.0000],
                [2.0000]])
    """
    if not 0.0 <= dropout <= 1.0:
        raise ValueError(
            f"dropout ({dropout}) must lie in [0, 1]: it is the probability of dropping a weight."
        )
    # The scores are handed on without a name, so that they are freed once they are masked.
    probabilities = masked_softmax(score(query, key), mask)
    if dropout > 0.0:
        probabilities = torch.nn.functional.dropout(probabilities, p=dropout, training=True)
    return Attended(torch.matmul(probabilities, value), probabilities)
