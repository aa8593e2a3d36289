"""From scores to probabilities: the softmax over the allowed keys."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from inspector.attention.masks import check_broadcasts, check_mask

Softmax = Callable[[Tensor], Tensor]
"""Scores → probabilities, of which nothing is hidden; sinks and dtype are bound already."""


@dataclass(frozen=True)
class SoftmaxOver:
    """The softmax of (…, query, key) over one axis."""

    axis: int = -1

    def __call__(
        self,
        scores: Float[Tensor, "*batch query key"],
        sinks: Float[Tensor, "*#batch #query 1"] | None = None,
        dtype: torch.dtype | None = None,
    ) -> Float[Tensor, "*batch query key"]:
        """Return e^s over its sum along the axis, in the scores' dtype, as `masked_softmax` does.

        Sinks have no meaning over another axis than the keys'.

        Raises:
            ValueError: If the sinks do not broadcast.
        """
        half = scores.dtype in (torch.float16, torch.bfloat16)
        working = dtype or (torch.float32 if half else scores.dtype)
        if sinks is None or self.axis != -1:
            return torch.softmax(scores, dim=self.axis, dtype=working).to(scores.dtype)
        joined = with_sinks(scores, sinks)
        return torch.softmax(joined, dim=-1, dtype=working)[..., :-1].to(scores.dtype)


over_the_keys = SoftmaxOver()


def with_sinks(
    scores: Float[Tensor, "*batch query key"], sinks: Float[Tensor, "*#batch #query 1"]
) -> Float[Tensor, "*batch query keys_and_sink"]:
    """Return the scores with each query's sink as one key more, the last.

    Raises:
        ValueError: If the sinks do not broadcast.
    """
    rows = (*scores.shape[:-1], 1)
    check_broadcasts("sinks", sinks, torch.Size(rows), "(…, query, 1)")
    return torch.cat([scores, sinks.to(scores.dtype).expand(rows)], dim=-1)


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
    return mask_before_softmax(scores, mask, partial(over_the_keys, sinks=sinks, dtype=dtype))


def mask_before_softmax(
    scores: Tensor, mask: Tensor | None, softmax: Softmax, *, owned: bool = False
) -> Tensor:
    """Return the probabilities: keys that are not allowed get none, rows without a key zeros.

    The softmax is of scores of which nothing is hidden. Scores that are owned, which nobody else
    holds, are masked in place.

    Raises:
        ValueError: If the mask is not boolean, or does not broadcast.
    """
    if mask is None:
        return softmax(scores)
    check_mask(mask, scores.shape)
    if bool(mask.all()):  # texts of one length: to hide nothing costs as much as to hide a key
        return softmax(scores)
    if not over_keys(softmax):
        # Over another axis whole columns may be forbidden; −∞ throughout would be no number.
        return softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min))
    # A row with no allowed key keeps its scores, so that neither its value nor its gradient
    # is NaN, and is set to zero afterwards.
    empty = ~mask.any(dim=-1, keepdim=True)
    fill = scores.masked_fill_ if owned and not scores.requires_grad else scores.masked_fill
    scores = fill(~(mask | empty), float("-inf"))
    del fill  # it holds the scores from before
    probabilities = softmax(scores)
    return probabilities.masked_fill(empty, 0.0) if bool(empty.any()) else probabilities


def over_keys(softmax: Callable[..., Tensor]) -> bool:
    """Return whether a softmax runs over the keys, as it does where it names no other axis."""
    function = softmax.func if isinstance(softmax, partial) else softmax
    return getattr(function, "axis", -1) == -1
