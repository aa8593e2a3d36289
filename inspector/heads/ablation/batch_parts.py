"""A batch cut in parts of rows that are about as long: padding costs as much as words.

Must not know: what is done with the parts.
"""

from collections.abc import Sequence

import torch

from inspector.heads.observers.batch import AnnotatedBatch

# Tokens of a part: fewer than the processor's caches hold, more than calls cost.
TOKENS = 1300
# Share of a part that may be padding.
_PADDING = 0.05


def even_parts(batch: AnnotatedBatch) -> list[AnnotatedBatch]:
    """Return the rows of a batch in parts with next to no padding, and of bounded size.

    The parts follow from the batch alone.

    Args:
        batch: Its rows sorted by length, as `inspector.models.word_batches` sorts them, or not.
    """
    attended = batch.attended
    places = torch.arange(attended.shape[1], device=attended.device)
    first = places.where(attended, attended.shape[1]).amin(1).tolist()
    last = places.where(attended, -1).amax(1).tolist()
    lengths = [end + 1 - start for start, end in zip(first, last, strict=True)]
    return [
        batch.cut(rows, slice(min(first[rows]), max(last[rows]) + 1)) for rows in _runs(lengths)
    ]


def _runs(lengths: Sequence[int]) -> list[slice]:
    """Return consecutive rows that together are small and need little padding.

    Example:
        >>> [(run.start, run.stop) for run in _runs([5, 5, 5, 9, 40, 41, 700, 700])]
        [(0, 3), (3, 4), (4, 6), (6, 7), (7, 8)]
    """
    runs, start = [], 0
    for row in range(1, len(lengths)):
        some = lengths[start : row + 1]
        cells = max(some) * len(some)
        if cells > TOKENS or cells - sum(some) > _PADDING * cells:
            runs.append(slice(start, row))
            start = row
    return [*runs, slice(start, len(lengths))]
