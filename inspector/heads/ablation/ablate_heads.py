"""The model run with heads ablated, each by itself or all together, and what that does added up.

Each by itself costs little where layers run one by one: those before the ablated head are computed
once for all. Other models run whole for each head.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from inspector.heads.ablation.state_change import StateChangeSums, word_state_change
from inspector.heads.ablation.target_words import marks
from inspector.heads.ablation.word_loss import Answers
from inspector.heads.observers.batch import AnnotatedBatch
from inspector.models import AttentionCall, Batch, PretrainedModel, WordBatch, running
from inspector.models.forward import row_blocks
from inspector.models.forward.head_ablation import (
    Ablation,
    Head,
    Replacement,
    ablated,
    replacement,
)
from inspector.models.forward.partial_forward import (
    LayerRecord,
    PartialForward,
    partial_forward,
    runs_in_parts,
)
from inspector.models.forward.sentence_batches import MOST_TOKENS

Step = Callable[[], None]
Passes = Callable[[Batch], tuple[Tensor, Iterator[tuple[list[int], Tensor]]]]
"""A text → the last states of the unchanged model, and those of the variants, some at a time."""


def mean_outputs(
    model: PretrainedModel, batches: Iterable[WordBatch]
) -> Float64[Tensor, "layer head d_head"]:
    """Return what each head gives on average, over all tokens of the batches but padding.

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
        given: list[Tensor] = []

        def keep(call: AttentionCall, given: list[Tensor] = given) -> None:
            if call.is_last:
                given.append(call.context)

        with running(model, row_blocks.backend_of(model), keep), torch.inference_mode():
            model.model(**batch.batch.inputs())
        for layer, context in enumerate(given):
            total[layer] += context[attended].sum(0, dtype=torch.float64)
        n += int(attended.sum())
    return (total / max(n, 1)).unflatten(-1, (model.n_heads, model.d_head))


def ablate_each(
    model: PretrainedModel,
    batches: Iterable[AnnotatedBatch],
    sums: StateChangeSums,
    how: Ablation = "zero",
    means: Float64[Tensor, "layer head d_head"] | None = None,
    step: Step | None = None,
    *,
    batch_tokens: int = MOST_TOKENS,
) -> None:
    """Add the state change, and the loss, of each variant, which lacks one head.

    A model that cannot run in part is run whole, as `ablate_together` does.

    Args:
        model: Whose heads.
        batches: Texts with their relations.
        sums: What is added to; its variants have one head each.
        how: How a head is ablated.
        means: What each head gives on average, for 'mean'.
        step: Called after each batch.
        batch_tokens: Of variants that are computed at once, at most; or of one.
    """
    read = list(batches)
    if not read:
        return
    if not runs_in_parts(model, read[0].words.batch):
        ablate_together(model, read, sums, how, means, step)
        return
    replaced = replacement(how, means)
    of_layer: dict[int, list[int]] = {}
    for variant, ((layer, _head),) in enumerate(sums.variants):
        of_layer.setdefault(layer, []).append(variant)
    with partial_forward(model, masks=how == "uniform") as partial:

        def passes(text: Batch) -> tuple[Tensor, Iterator[tuple[list[int], Tensor]]]:
            is_long = text.input_ids.shape[1] > row_blocks.LONG  # rows are of one text
            at_once = 1 if is_long else max(1, batch_tokens // text.input_ids.numel())
            return _partial_passes(partial, text, sums, of_layer, replaced, at_once)

        _add_all(read, sums, passes, step)


def ablate_together(
    model: PretrainedModel,
    batches: Iterable[AnnotatedBatch],
    sums: StateChangeSums,
    how: Ablation = "zero",
    means: Float64[Tensor, "layer head d_head"] | None = None,
    step: Step | None = None,
) -> None:
    """Add the state change, and the loss, of each variant, which may lack any set of heads.

    Args: as `ablate_each`.
    """

    def passes(text: Batch) -> tuple[Tensor, Iterator[tuple[list[int], Tensor]]]:
        return last_states(model, text, ()), (
            ([variant], last_states(model, text, heads, how, means)[None])
            for variant, heads in enumerate(sums.variants)
        )

    _add_all(batches, sums, passes, step)


def _add_all(
    batches: Iterable[AnnotatedBatch], sums: StateChangeSums, passes: Passes, step: Step | None
) -> None:
    for batch in batches:
        with torch.inference_mode():
            _add(replace(batch), sums, passes)  # what it computes of itself is not kept
        if step is not None:
            step()


def _add(batch: AnnotatedBatch, sums: StateChangeSums, passes: Passes) -> None:
    """Add what the variants do to one batch: to its states, and to the loss if it is asked for."""
    marked, plain = marks(batch), batch.words.batch
    sums.count(marked)
    asked = [] if sums.losses is None else sums.losses.asked(batch)
    # A decoder is asked about the text itself; a masked model about others.
    texts: list[tuple[Batch, Answers | None]] = [(one.question.batch, one) for one in asked]
    alone = sums.losses is not None and sums.losses.alone
    if not alone and all(text is not plain for text, _ in texts):
        texts.insert(0, (plain, None))
    for text, answers in texts:
        clean, changed = passes(text)
        if answers is not None:
            answers.start(clean)
        for variants, states in changed:
            if text is plain:
                sums.add(marked, variants, *word_state_change(batch, clean, states))
            if answers is not None:
                answers.add(variants, states)


def _partial_passes(
    partial: PartialForward,
    text: Batch,
    sums: StateChangeSums,
    of_layer: dict[int, list[int]],
    replaced: Replacement,
    at_once: int,
) -> tuple[Tensor, Iterator[tuple[list[int], Tensor]]]:
    clean = partial.clean(text)

    def changed() -> Iterator[tuple[list[int], Tensor]]:
        for layer, variants in of_layer.items():
            record = clean.layers[layer]
            for start in range(0, len(variants), at_once):
                some = variants[start : start + at_once]
                heads = [sums.variants[variant][0][1] for variant in some]
                given = _given(record, layer, heads, replaced)
                yield some, partial.states(clean, layer, heads, given)

    return clean.state, changed()


def last_states(
    model: PretrainedModel,
    text: Batch,
    heads: Sequence[Head],
    how: str = "zero",
    means: Tensor | None = None,
) -> Float[Tensor, "batch token d_model"]:
    """Return the last hidden states of a text, without some heads; of all where none is named."""
    changed = ablated(model, heads, how, means) if heads else nullcontext()
    with running(model, row_blocks.backend_of(model)), changed, torch.inference_mode():
        state: Tensor = model.model(**text.inputs()).last_hidden_state
    return state


def _given(
    record: LayerRecord, layer: int, heads: Sequence[int], replaced: Replacement
) -> Float[Tensor, "variant batch token d_value"]:
    """Return what each of the heads gives instead."""
    by_head = record.heads.transpose(1, 2)
    given = [replaced(layer, head, by_head, record.value, record.mask) for head in heads]
    shape = record.heads[:, :, 0].shape
    return torch.stack([one.expand(shape) for one in given])
