"""The model run with heads silenced, each by itself or all together, and its drift added up.

Each by itself costs little: layers before the silenced head are computed once for all.
Must not know: statistics, files, engines.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from inspector.heads.cause.drift import DriftSums, word_drift
from inspector.heads.cause.marks import marks
from inspector.heads.observers.batch import AnnotatedBatch
from inspector.models import AttentionCall, PretrainedModel, WordBatch, running
from inspector.models.backend import OURS
from inspector.models.intervention import (
    Head,
    Replacement,
    Silencing,
    replacement,
    silenced,
)
from inspector.models.resuming import LayerRecord, resumable

# Pieces in a batch of variants: fewer than the processor's caches hold, more than calls cost.
_PIECES = 1300

Step = Callable[[], None]


def mean_outputs(
    model: PretrainedModel, batches: Iterable[WordBatch]
) -> Float64[Tensor, "layer head d_head"]:
    """Return what each head gives on average, over all pieces of the batches but padding.

    Example:
        >>> import inspector
        >>> from inspector.models import word_batches
        >>> model = inspector.load("minilm")
        >>> mean_outputs(model, word_batches(model, [["A", "cat"]], 1).batches).shape
        torch.Size([6, 12, 32])
    """
    total = torch.zeros(
        model.n_layers, model.n_heads * model.d_head, dtype=torch.float64, device=model.device
    )
    n = 0
    for batch in batches:
        attended = batch.batch.attention_mask.bool()
        calls: list[AttentionCall] = []
        with running(model, OURS, calls.append), torch.inference_mode():
            model.model(**batch.batch.inputs())
        for layer, call in enumerate(calls):
            total[layer] += call.context[attended].sum(0, dtype=torch.float64)
        n += int(attended.sum())
    return (total / max(n, 1)).unflatten(-1, (model.n_heads, model.d_head))


def silence_each(
    model: PretrainedModel,
    batches: Iterable[AnnotatedBatch],
    sums: DriftSums,
    how: Silencing = "zero",
    means: Float64[Tensor, "layer head d_head"] | None = None,
    step: Step | None = None,
) -> None:
    """Add the drift of each variant, which lacks one head, over the batches.

    Args:
        model: Whose heads.
        batches: Texts with their relations.
        sums: What is added to; its variants have one head each.
        how: How a head is silenced.
        means: What each head gives on average, for 'mean'.
        step: Called after each batch.
    """
    replaced = replacement(how, means)
    of_layer: dict[int, list[int]] = {}
    for variant, ((layer, _head),) in enumerate(sums.variants):
        of_layer.setdefault(layer, []).append(variant)

    with resumable(model) as resumer:
        for batch in batches:
            clean = resumer.clean(batch.words.batch)
            marked = marks(batch)
            sums.count(marked)
            at_once = max(1, _PIECES // batch.words.batch.input_ids.numel())
            for layer, variants in of_layer.items():
                record = clean.layers[layer]
                for start in range(0, len(variants), at_once):
                    some = variants[start : start + at_once]
                    heads = [sums.variants[variant][0][1] for variant in some]
                    given = _given(record, layer, heads, replaced)
                    states = resumer.states(clean, layer, heads, given)
                    sums.add(marked, some, *word_drift(batch, clean.state, states))
            if step is not None:
                step()


def silence_together(
    model: PretrainedModel,
    batches: Iterable[AnnotatedBatch],
    sums: DriftSums,
    how: Silencing = "zero",
    means: Float64[Tensor, "layer head d_head"] | None = None,
    step: Step | None = None,
) -> None:
    """Add the drift of each variant, which may lack any set of heads, over the batches.

    Args: as `silence_each`.
    """
    for batch in batches:
        marked = marks(batch)
        sums.count(marked)
        before = _state(model, batch, ())
        for variant, heads in enumerate(sums.variants):
            after = _state(model, batch, heads, how, means)
            sums.add(marked, [variant], *word_drift(batch, before, after[None]))
        if step is not None:
            step()


def _state(
    model: PretrainedModel,
    batch: AnnotatedBatch,
    heads: Sequence[Head],
    how: str = "zero",
    means: Tensor | None = None,
) -> Tensor:
    changed = silenced(model, heads, how, means) if heads else nullcontext()
    with running(model, OURS), changed, torch.inference_mode():
        state: Tensor = model.model(**batch.words.batch.inputs()).last_hidden_state
    return state


def _given(
    record: LayerRecord, layer: int, heads: Sequence[int], replaced: Replacement
) -> Float[Tensor, "variant batch piece d_value"]:
    """Return what each of the heads gives instead."""
    by_head = record.heads.transpose(1, 2)
    given = [replaced(layer, head, by_head, record.value, record.mask) for head in heads]
    shape = record.heads[:, :, 0].shape
    return torch.stack([one.expand(shape) for one in given])
