"""Attention itself: scores → softmax over the allowed keys → weighted sum of the values.

The one definition that every part of inspector computes with, and all that real models add to
it: a bias on the scores, a cap, sinks, key and value heads that several query heads share.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from inspector.attention.masks import check_broadcasts
from inspector.attention.scores import scaled_dot_product_scores
from inspector.attention.softmax import Softmax, mask_before_softmax, over_the_keys

ScoreFunction = Callable[[Tensor, Tensor], Tensor]


class Attended(NamedTuple):
    """What attention returns."""

    output: Float[Tensor, "*batch query d_value"]
    """The values' sum, weighted by the probabilities."""
    probabilities: Float[Tensor, "*batch query key"]
    """The weights that were used: after dropout, where there was dropout."""


def repeat_key_value_heads(
    heads: Float[Tensor, "*batch kv_head token d_head"], n_heads: int
) -> Float[Tensor, "*batch {n_heads} token d_head"]:
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
        raise ValueError(f"softcap ({softcap}) must be positive: scores are soft-capped at it.")
    return torch.tanh(scores / softcap) * softcap


def unchanged(values: Tensor) -> Tensor:
    """Return the values as they are."""
    return values


@dataclass(frozen=True)
class AttentionSteps:
    """What `attention` does, step by step; another function may stand in the place of each."""

    share: Callable[[Tensor, int], Tensor] = repeat_key_value_heads
    """(key or value heads, number of query heads) → one for each query head."""
    masking: Callable[[Tensor, Tensor | None, Softmax], Tensor] = mask_before_softmax
    """(scores, where queries may look, softmax) → probabilities."""
    softmax: Callable[..., Tensor] = over_the_keys
    """(scores, sinks, dtype) → probabilities, of which nothing is hidden."""
    rounding: Callable[[Tensor], Tensor] = unchanged
    """What becomes of the probabilities before they weight the values: nothing."""
    mix: Callable[[Tensor, Tensor], Tensor] = torch.matmul
    """(probabilities, values) → the heads' outputs."""


STEPS = AttentionSteps()


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
    steps: AttentionSteps = STEPS,
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
        steps: The functions that compute; those of the equations where not given.

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
        key = steps.share(key, query.shape[-3])
        value = steps.share(value, query.shape[-3])
    softmax = partial(steps.softmax, sinks=sinks, dtype=softmax_dtype)
    # The scores are handed on without a name, so that they are freed once they are masked.
    # Another score function may hold on to what it returned; ours does not.
    if (
        steps.masking is mask_before_softmax
        and getattr(score, "func", score) is scaled_dot_product_scores
    ):
        probabilities = mask_before_softmax(
            _adjusted(score(query, key), softcap, bias), mask, softmax, owned=True
        )
    else:
        probabilities = steps.masking(_adjusted(score(query, key), softcap, bias), mask, softmax)
    probabilities = steps.rounding(probabilities)
    if dropout > 0.0:
        probabilities = torch.nn.functional.dropout(probabilities, p=dropout, training=True)
    return Attended(steps.mix(probabilities, value), probabilities)


def _adjusted(scores: Tensor, softcap: float | None, bias: Tensor | None) -> Tensor:
    if softcap is not None:
        scores = capped_scores(scores, softcap)
    if bias is None:
        return scores
    check_broadcasts("bias", bias, scores.shape)
    return scores + bias
