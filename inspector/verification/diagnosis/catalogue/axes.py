"""Mistakes of axes: one taken for another, summed where it should stand, or left empty.

Must not know: how a mistake is found.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from inspector.attention.steps import merge_heads, split_heads
from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.catalogue.masking import any_order, no_padding
from inspector.verification.diagnosis.layer import Layer
from inspector.verification.diagnosis.mistake import Changes, Mistake, several, single
from inspector.verification.diagnosis.right_alternatives import mask_with_nothing


def split_heads_first(features: Tensor, n_heads: int) -> Tensor:
    """Return (head, batch, token, d_head), its memory read as (batch, head, token, d_head)."""
    heads = split_heads(features, n_heads)
    return heads.transpose(0, 1).reshape(heads.shape)


def split_batch_first(features: Tensor, n_heads: int) -> Tensor:
    """Return (batch, head, token, d_head), its memory read as (head, batch, token, d_head)."""
    heads = split_heads(features, n_heads)
    batch, _, *rest = heads.shape
    return heads.reshape(n_heads, batch, *rest).transpose(0, 1)


def merge_heads_first(heads: Tensor) -> Tensor:
    """Return the merge of memory (batch, head, …) that was read as (head, batch, …)."""
    batch, n_heads, *rest = heads.shape
    return merge_heads(heads.reshape(n_heads, batch, *rest).transpose(0, 1))


def merge_batch_first(heads: Tensor) -> Tensor:
    """Return the merge of memory (head, batch, …) that was read as (batch, head, …)."""
    return merge_heads(heads.transpose(0, 1).reshape(heads.shape))


@dataclass(frozen=True)
class MaskOfAnother:
    """The padding masks of all texts and heads in one row, in the wrong order."""

    n_heads: int
    text_fastest: bool
    """Whether the text runs fastest in the masks' row, and the head in the scores'; or both the
    other way round."""

    def __call__(self, padding: Tensor, n_tokens: int) -> Tensor:
        """Return where queries may look: (batch, head, query, key)."""
        batch, n_heads = padding.shape[0], self.n_heads
        if self.text_fastest:
            row = padding.repeat(n_heads, 1).reshape(batch, n_heads, -1)
        else:
            row = padding.repeat_interleave(n_heads, 0).reshape(n_heads, batch, -1).transpose(0, 1)
        return row[:, :, None, :].expand(-1, -1, n_tokens, -1)


def mix_transposed(probabilities: Tensor, value: Tensor) -> Tensor:
    """Return, for each key, the values of all queries, weighted by what they look at it."""
    return probabilities.mT @ value


def mix_by_mean(probabilities: Tensor, value: Tensor) -> Tensor:
    """Return the values weighted by the mean of all heads' probabilities."""
    return probabilities.mean(1, keepdim=True) @ value


def repeat_mean(heads: Tensor) -> Tensor:
    """Return the mean of the heads, in the place of each."""
    return merge_heads(heads.mean(1, keepdim=True).expand_as(heads))


def repeat_sum(heads: Tensor) -> Tensor:
    """Return the sum of the heads, in the place of each."""
    return merge_heads(heads.sum(1, keepdim=True).expand_as(heads))


def mean_first(heads: Tensor) -> Tensor:
    """Return the mean of the heads in the place of the first, nothing in the others'."""
    return sum_first(heads / heads.shape[1])


def sum_first(heads: Tensor) -> Tensor:
    """Return the sum of the heads in the place of the first, nothing in the others'."""
    alone = torch.zeros_like(heads)
    alone[:, 0] = heads.sum(1)
    return merge_heads(alone)


@dataclass(frozen=True)
class WithoutHead:
    """The heads, nothing in the place of one."""

    head: int

    def __call__(self, heads: Tensor) -> Tensor:
        """Return the heads, that one emptied."""
        emptied = heads.clone()
        emptied[:, self.head] = 0.0
        return emptied


def _over_the_batch(layer: Layer) -> tuple[Changes, ...]:
    ways: list[Changes] = [{"batch_first": False}, {"batch_first": False, "padding": no_padding}]
    if layer.weights.causal:
        ways += [{**way, "order": any_order} for way in ways]
    return tuple(ways)


def _mixing_rows(layer: Layer, *ways: Changes) -> tuple[Changes, ...]:
    """Return the ways of mixing rows; it matters then what rows without a key hold."""
    blank = [{**way, "masking": mask_with_nothing} for way in ways] if layer.weights.causal else []
    return (*ways, *blank)


def _transposed(layer: Layer) -> tuple[Changes, ...]:
    return _mixing_rows(layer, {"mix": mix_transposed})


def _heads_and_batch(layer: Layer) -> tuple[Changes, ...]:
    n_heads = layer.weights.n_heads
    return (
        *_mixing_rows(layer, {"merge": merge_heads_first}, {"merge": merge_batch_first}),
        {"split": split_heads_first},
        {"split": split_batch_first},
        {"padding": MaskOfAnother(n_heads, text_fastest=True)},
        {"padding": MaskOfAnother(n_heads, text_fastest=False)},
    )


def _silent_heads(layer: Layer) -> tuple[Changes, ...]:
    return tuple({"heads": (WithoutHead(head),)} for head in range(layer.weights.n_heads))


def _which(changes: Changes) -> str | None:
    return f"head {changes['heads'][0].head}"


def _many(layer: Layer) -> bool:
    return layer.weights.n_heads > 1


AXES = (
    Mistake(
        "batch and sequence axes swapped",
        "Let attention run over axis 1, the tokens of one text: it ran over axis 0, the batch, as "
        "nn.MultiheadAttention does without batch_first=True.",
        equations.SCORES,
        _over_the_batch,
    ),
    Mistake(
        "heads and batch swapped",
        "Keep (batch, head) in this order, in heads and in masks: in memory read as (head, batch) "
        "texts get the heads and masks of others.",
        equations.HEADS,
        _heads_and_batch,
        _many,
    ),
    Mistake(
        "probabilities transposed when they weight the values",
        "Multiply P V, the sum over the keys of each query: Pᵀ V sums over the queries.",
        equations.CONTEXT,
        _transposed,
    ),
    Mistake(
        "probabilities averaged over the heads",
        "Weight each head's values with that head's own probabilities, not with their mean.",
        equations.CONTEXT,
        single(mix=mix_by_mean),
        _many,
    ),
    Mistake(
        "heads averaged instead of concatenated",
        "Put the heads side by side before W_O: neither their mean nor their sum is the context.",
        equations.CONTEXT,
        several(*({"merge": each} for each in (repeat_mean, repeat_sum, mean_first, sum_first))),
        _many,
    ),
    Mistake(
        "a head that gives nothing",
        "Let every head take part: the context holds zeros in the place of this one.",
        equations.CONTEXT,
        _silent_heads,
        _many,
        told=_which,
    ),
)
