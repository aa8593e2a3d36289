"""One pass of a model over batches, every observer shown every layer.

A long batch is shown in parts, each cut to its longest text: observers need not look at padding.
Must not know: what the observers keep.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from inspector.heads.observers.batch import AnnotatedBatch, Part
from inspector.models import AttentionCall, PretrainedModel, running


@runtime_checkable
class Observer(Protocol):
    """Something that keeps sufficient statistics of attention calls."""

    name: str

    def update(self, layer: int, call: AttentionCall, batch: AnnotatedBatch) -> None:
        """Add one layer's attention on one batch."""

    def frame(self) -> pd.DataFrame:
        """Return what was kept, as figures."""

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that was kept, as arrays by name."""


def observe(
    model: PretrainedModel, batches: Iterable[AnnotatedBatch], observers: Sequence[Observer]
) -> None:
    """Run the model once over the batches with our attention, showing each layer to the observers.

    Args:
        model: What runs, in evaluation mode.
        batches: What it runs on.
        observers: Called in their order, layer by layer.
    """
    for batch in batches:
        layer, parts = 0, batch.parts

        def show(call: AttentionCall, parts: Sequence[Part] = parts) -> None:
            nonlocal layer
            for part in parts:
                shown = call if len(parts) == 1 else _part_of_call(call, part)
                for observer in observers:
                    observer.update(layer, shown, part.batch)
            layer += 1

        with running(model, "inspector", show), torch.inference_mode():
            model.model(**batch.words.batch.inputs())


def _part_of_call(call: AttentionCall, part: Part) -> AttentionCall:
    """Return the call as it would have been on some of the rows, cut to some of the tokens."""
    rows, tokens = part.rows, part.tokens

    def of_rows(tensor: Tensor) -> Tensor:
        return tensor[rows] if tensor.shape[0] > 1 else tensor

    def of_scores(tensor: Tensor | None) -> Tensor | None:
        if tensor is None:
            return None
        query, key = (tokens if size > 1 else slice(None) for size in tensor.shape[-2:])
        return of_rows(tensor)[..., query, key]

    return replace(
        call,
        query=call.query[rows, :, tokens],
        key=call.key[rows, :, tokens],
        value=call.value[rows, :, tokens],
        mask=of_scores(call.mask),
        # In one token: it is read many times.
        probabilities=call.probabilities[rows, :, tokens, tokens].contiguous(),
        context=call.context[rows, tokens],
        bias=of_scores(call.bias),
        sinks=None if call.sinks is None else of_rows(call.sinks),
        again=None,
    )
