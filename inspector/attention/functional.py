"""Attention itself: scores → softmax over the allowed keys → weighted sum of the values.

The one definition that every part of inspector computes with, and all that real models add to
it: a bias on the scores, a cap, sinks, key and value heads that several query heads share.
Must not know: where queries, keys and values come from.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from inspector.attention.masks import check_broadcasts, check_mask
from inspector.attention.scores import scaled_dot_product_scores

ScoreFunction = Callable[[Tensor, Tensor], Tensor]


class Attended(NamedTuple):
    """What attention returns."""

    output: Float[Tensor, "*batch query d_value"]
    """The values' sum, weighted by the probabilities."""
    probabilities: Float[Tensor, "*batch query key"]
    """The weights that were used: after dropout, where there was dropout."""


def repeat_key_value_heads(
    heads: Float[Tensor, "*batch kv_head piece d_head"], n_heads: int
) -> Float[Tensor, "*batch {n_heads} piece d_head"]:
    """Return one key or value head for each query head: head h gets group h // (n_heads / n_kv).

    Raises:
        ValueError: If the number of query heads is no multiple of the key and value heads'.

    Source: Ainslie et al. (2023), arXiv:2305.13245, sec. 2.2.

    Example:
        >>> repeat_key_value_heads(torch.tensor([[[1.0]], [[2.0]]]), 4).flatten()
        tensor([1., 1., 2., 2.])
    """
    n_kv_heads = heads.shape[-3]
    if n_kv_heads == n_heads:
        return heads
    if n_heads % n_kv_heads:
        raise ValueError(
            f"n_heads ({n_heads}) must be divisible by n_kv_heads ({n_kv_heads}): "
            "every key/value head serves the same number of query heads."
        )
    return heads.repeat_interleave(n_heads // n_kv_heads, dim=-3)


def capped_scores(
    scores: Float[Tensor, "*batch query key"], softcap: float
) -> Float[Tensor, "*batch query key"]:
    r"""Return scores bent into (−softcap, softcap), in the scores' unit.

    $c \tanh(s / c)$: nearly $s$ where it is small.

    Args:
        scores: How well each query matches each key.
        softcap: The bound c, positive.

    Raises:
        ValueError: If the bound is not positive.

    Source: Gemma Team (2024), arXiv:2408.00118, sec. 2.

    Example:
        >>> capped_scores(torch.tensor([[0.1, 1000.0]]), 30.0)
        tensor([[ 0.1000, 30.0000]])
    """
    if not softcap > 0.0:
        raise ValueError(f"softcap ({softcap}) must be positive: scores are bent below it.")
    return torch.tanh(scores / softcap) * softcap


def masked_softmax(
    scores: Float[Tensor, "*batch query key"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    *,
    sinks: Float[Tensor, "*#batch #query 1"] | None = None,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "*batch query key"]:
    r"""Return each query's probabilities over its allowed keys.

    $p_{ij} = e^{s_{ij}} / (\sum_{j' \text{ allowed}} e^{s_{ij'}} + e^{t_i})$, and 0 where j is not
    allowed; $t_i$ is the query's sink, and the term is left out where there are none. A query
    with no allowed key gets zeros.

    Args:
        scores: How well each query matches each key.
        mask: True where the query may look at the key; all may where it is not given.
        sinks: Score of a key that has no value: it takes its share, and gives nothing.
        dtype: In which the softmax is computed, before it is rounded to the scores' own;
            float32 for half types, the scores' own for others, where it is not given.

    Raises:
        ValueError: If the mask is not boolean, or mask or sinks do not broadcast.

    Source: Vaswani et al. (2017), arXiv:1706.03762, sec. 3.2.1 and 3.2.3; sinks: OpenAI (2025),
        gpt-oss model card, arXiv:2508.10925, sec. 2.2.

    Example:
        >>> masked_softmax(torch.zeros(1, 3), torch.tensor([[True, True, False]]))
        tensor([[0.5000, 0.5000, 0.0000]])
        >>> masked_softmax(torch.zeros(1, 3), sinks=torch.zeros(1, 1))
        tensor([[0.2500, 0.2500, 0.2500]])
    """
    return _masked_softmax(scores, mask, sinks, dtype, owned=False)


def _masked_softmax(
    scores: Tensor,
    mask: Tensor | None,
    sinks: Tensor | None,
    dtype: torch.dtype | None,
    *,
    owned: bool,
) -> Tensor:
    """Return what `masked_softmax` says; scores that nobody else holds are masked in place."""
    half = scores.dtype in (torch.float16, torch.bfloat16)
    working = dtype or (torch.float32 if half else scores.dtype)
    empty = None
    if mask is not None:
        check_mask(mask, scores.shape)
        # A row with no allowed key keeps its scores, so that neither its value nor its gradient
        # is NaN, and is set to zero afterwards.
        empty = ~mask.any(dim=-1, keepdim=True)
        in_place = owned and not scores.requires_grad
        fill = scores.masked_fill_ if in_place else scores.masked_fill
        scores = fill(~(mask | empty), float("-inf"))
        del fill  # it holds the scores from before
    probabilities = _softmax(scores, sinks, working)
    if empty is not None and bool(empty.any()):
        probabilities = probabilities.masked_fill(empty, 0.0)
    return probabilities


def _softmax(scores: Tensor, sinks: Tensor | None, working: torch.dtype) -> Tensor:
    if sinks is None:
        return torch.softmax(scores, dim=-1, dtype=working).to(scores.dtype)
    rows = (*scores.shape[:-1], 1)
    check_broadcasts("sinks", sinks, torch.Size(rows), "(…, query, 1)")
    joined = torch.cat([scores, sinks.to(scores.dtype).expand(rows)], dim=-1)
    return torch.softmax(joined, dim=-1, dtype=working)[..., :-1].to(scores.dtype)


def attention(
    query: Float[Tensor, "*batch query d_query"],
    key: Float[Tensor, "*key_batch key d_key"],
    value: Float[Tensor, "*key_batch key d_value"],
    *,
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    bias: Float[Tensor, "*#batch #query #key"] | None = None,
    softcap: float | None = None,
    sinks: Float[Tensor, "*#batch #query 1"] | None = None,
    softmax_dtype: torch.dtype | None = None,
    score: ScoreFunction = scaled_dot_product_scores,
    dropout: float = 0.0,
) -> Attended:
    r"""Return, for each query, the mean of the values weighted by its match with their keys.

    $\mathrm{Attention}(Q, K, V) = \mathrm{softmax}(QK^\top/\sqrt{d_k})\,V$ with the default score;
    with all that may be added, $\mathrm{softmax}(c\tanh(QK^\top/(c\sqrt{d_k})) + B)\,V$.

    Args:
        query: What looks.
        key: What is looked at. Where it has fewer heads than the queries, in (batch, head, key,
            d_key), each is shared by as many query heads as every other.
        value: What is taken from there.
        mask: True where the query may look at the key; all may where it is not given.
        bias: B, added to the (capped) scores: of relative positions, as a rule.
        softcap: c, the bound of `capped_scores`.
        sinks: Score of a key without a value, of each query, as in `masked_softmax`.
        softmax_dtype: As in `masked_softmax`.
        score: Queries and keys → scores; any of the score functions of this package.
        dropout: Probability in [0, 1] with which a weight is set to zero; the others are
            divided by 1 − dropout. Give 0 outside training.

    Raises:
        ValueError: If `dropout` is outside [0, 1], `softcap` is not positive, heads do not
            divide, the mask is not boolean, or mask, bias or sinks do not broadcast.

    Source: Vaswani et al. (2017), arXiv:1706.03762, eq. 1; dropout on the weights as in
        their released code and in BERT; a bias as in Shaw et al. (2018), arXiv:1803.02155, and
        Raffel et al. (2020), arXiv:1910.10683, sec. 2.1.

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
    if query.ndim > 3:
        key = repeat_key_value_heads(key, query.shape[-3])
        value = repeat_key_value_heads(value, query.shape[-3])
    # The scores are handed on without a name, so that they are freed once they are masked.
    # Another score function may hold on to what it returned; ours does not.
    owned = getattr(score, "func", score) is scaled_dot_product_scores
    probabilities = _masked_softmax(
        _adjusted(score(query, key), softcap, bias), mask, sinks, softmax_dtype, owned=owned
    )
    if dropout > 0.0:
        probabilities = torch.nn.functional.dropout(probabilities, p=dropout, training=True)
    return Attended(torch.matmul(probabilities, value), probabilities)


def _adjusted(scores: Tensor, softcap: float | None, bias: Tensor | None) -> Tensor:
    if softcap is not None:
        scores = capped_scores(scores, softcap)
    if bias is None:
        return scores
    check_broadcasts("bias", bias, scores.shape)
    return scores + bias
