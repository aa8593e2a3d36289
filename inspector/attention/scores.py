"""Score functions: how well a query matches a key, before the softmax.

Each is a pure function of queries and keys; the two that have parameters of their own
(general, additive) also come as a module that holds them.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


def dot_product_scores(
    query: Float[Tensor, "*batch query d_head"],
    key: Float[Tensor, "*batch key d_head"],
) -> Float[Tensor, "*batch query key"]:
    r"""Return the dot product of each query with each key (no unit).

    $s_{ij} = q_i \cdot k_j$.

    Source: Luong et al. (2015), arXiv:1508.04025, eq. 8, "dot".

    Example:
        >>> dot_product_scores(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
        tensor([[11.,  2.]])
    """
    return torch.matmul(query, key.transpose(-1, -2))


def scaled_dot_product_scores(
    query: Float[Tensor, "*batch query d_head"],
    key: Float[Tensor, "*batch key d_head"],
    scaling: float | None = None,
) -> Float[Tensor, "*batch query key"]:
    r"""Return the scaled dot product of each query with each key (no unit).

    $s_{ij} = q_i \cdot k_j / \sqrt{d_k}$. The product is scaled, not the query: in exact
    arithmetic that is the same, but scores of 100 and more occur in real models, and there the
    softmax makes the other order's rounding visible (50 u in the probabilities of minilm).

    Args:
        query: What looks.
        key: What is looked at.
        scaling: The factor; $1/\sqrt{d_k}$ where it is not given.

    Source: Vaswani et al. (2017), arXiv:1706.03762, eq. 1.

    Example:
        >>> scaled_dot_product_scores(torch.ones(1, 4), torch.ones(2, 4))
        tensor([[2., 2.]])
    """
    factor = 1.0 / math.sqrt(query.shape[-1]) if scaling is None else scaling
    # In place: the product is ours alone, and its gradient does not need its value.
    return dot_product_scores(query, key).mul_(factor)


def general_scores(
    query: Float[Tensor, "*batch query d_query"],
    key: Float[Tensor, "*batch key d_key"],
    weight: Float[Tensor, "d_query d_key"],
) -> Float[Tensor, "*batch query key"]:
    r"""Return the bilinear form of each query with each key (no unit).

    $s_{ij} = q_i^\top W k_j$. Queries and keys may differ in width.

    Source: Luong et al. (2015), arXiv:1508.04025, eq. 8, "general".

    Example:
        >>> general_scores(torch.ones(1, 2), torch.ones(1, 3), torch.ones(2, 3))
        tensor([[6.]])
    """
    return torch.matmul(torch.matmul(query, weight), key.transpose(-1, -2))


def additive_scores(
    query: Float[Tensor, "*batch query d_query"],
    key: Float[Tensor, "*batch key d_key"],
    query_weight: Float[Tensor, "d_hidden d_query"],
    key_weight: Float[Tensor, "d_hidden d_key"],
    vector: Float[Tensor, " d_hidden"],
) -> Float[Tensor, "*batch query key"]:
    r"""Return a one-layer network's score of each query with each key (no unit).

    $s_{ij} = v^\top \tanh(W q_i + U k_j)$, with $W$ = `query_weight`, $U$ = `key_weight`,
    $v$ = `vector`. Holds query × key × d_hidden numbers at once.

    Source: Bahdanau et al. (2015), arXiv:1409.0473, appendix A.1.2.

    Example:
        >>> one = torch.ones(1, 1)
        >>> additive_scores(one, 0 * one, one, one, torch.ones(1))
        tensor([[0.7616]])
    """
    hidden_query = torch.matmul(query, query_weight.T).unsqueeze(-2)
    hidden_key = torch.matmul(key, key_weight.T).unsqueeze(-3)
    return torch.matmul(torch.tanh(hidden_query + hidden_key), vector)


class GeneralScore(nn.Module):
    """The bilinear score with a learnt W (`general_scores`)."""

    weight: Float[Tensor, "d_query d_key"]

    def __init__(self, d_query: int, d_key: int) -> None:
        """Draw W so that scores of unit-variance inputs have variance about one."""
        super().__init__()
        scale = 1.0 / math.sqrt(d_query * d_key)
        self.weight = nn.Parameter(torch.randn(d_query, d_key) * scale)

    def forward(
        self,
        query: Float[Tensor, "*batch query d_query"],
        key: Float[Tensor, "*batch key d_key"],
    ) -> Float[Tensor, "*batch query key"]:
        """Return the scores of each query with each key."""
        return general_scores(query, key, self.weight)


class AdditiveScore(nn.Module):
    """The additive score with learnt W, U and v (`additive_scores`)."""

    query_weight: Float[Tensor, "d_hidden d_query"]
    key_weight: Float[Tensor, "d_hidden d_key"]
    vector: Float[Tensor, " d_hidden"]

    def __init__(self, d_query: int, d_key: int, d_hidden: int) -> None:
        """Draw the weights so that each product of unit-variance inputs has variance about one."""
        super().__init__()
        self.query_weight = nn.Parameter(torch.randn(d_hidden, d_query) / math.sqrt(d_query))
        self.key_weight = nn.Parameter(torch.randn(d_hidden, d_key) / math.sqrt(d_key))
        self.vector = nn.Parameter(torch.randn(d_hidden) / math.sqrt(d_hidden))

    def forward(
        self,
        query: Float[Tensor, "*batch query d_query"],
        key: Float[Tensor, "*batch key d_key"],
    ) -> Float[Tensor, "*batch query key"]:
        """Return the scores of each query with each key."""
        return additive_scores(query, key, self.query_weight, self.key_weight, self.vector)
