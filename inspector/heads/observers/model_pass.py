"""One pass of a model over batches, every observer shown every layer.

What comes after the last layer's attention is not computed: nobody looks at it.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
import torch

from inspector.heads.observers.batch import AnnotatedBatch
from inspector.models import AttentionCall, PretrainedModel, running
from inspector.models.forward.backend import OURS
from inspector.models.forward.row_blocks import backend_of


@runtime_checkable
class Observer(Protocol):
    """Something that keeps sufficient statistics of attention calls."""

    name: str
    reads_rows: bool
    """Whether it can be shown a long text's attention some rows at a time."""

    def update(self, layer: int, call: AttentionCall, batch: AnnotatedBatch) -> None:
        """Add one layer's attention on one batch."""

    def frame(self) -> pd.DataFrame:
        """Return what was kept, as figures."""

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that was kept, as arrays by name."""


class _AllSeenError(Exception):
    """Ends a pass once the last layer's attention has been seen."""


def observe(
    model: PretrainedModel, batches: Iterable[AnnotatedBatch], observers: Sequence[Observer]
) -> None:
    """Run the model once over the batches with our attention, showing each layer to the observers.

    Of a long text they are shown blocks of rows, where all of them can read these, and the model
    runs with its fused kernel: no map is made.

    Args:
        model: What runs, in evaluation mode.
        batches: What it runs on.
        observers: Called in their order, layer by layer.
    """
    layer = 0

    def show(call: AttentionCall) -> None:
        nonlocal layer
        for observer in observers:
            observer.update(layer, call, batch)
        layer += call.is_last
        if layer == model.n_layers:
            raise _AllSeenError

    by_rows = all(one.reads_rows for one in observers)
    with running(model, backend_of(model) if by_rows else OURS, show), torch.inference_mode():
        for batch in batches:
            layer = 0
            with suppress(_AllSeenError):
                model.model(**batch.words.batch.inputs())
