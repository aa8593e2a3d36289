"""Work in batches where memory may run out: once more in smaller ones, then a sentence."""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from inspector.errors import no_memory
from inspector.heads.observers.batch import AnnotatedBatch
from inspector.models import BatchSize
from inspector.runs.engines.pool import WorkerError

SMALLER = 4
"""The second try has batches of this part of the one that did not fit."""
_LOG = logging.getLogger("inspector")
Result = TypeVar("Result")


class Fitting:
    """Batches that are read, and how many of them have fitted."""

    def __init__(self) -> None:
        """Start with none."""
        self.batches: Sequence[AnnotatedBatch] = ()
        self.n_read = 0

    def each(self, batches: Sequence[AnnotatedBatch]) -> Iterator[AnnotatedBatch]:
        """Give batches; each has fitted once the next is asked for."""
        self.batches = batches
        for batch in batches:
            yield batch
            self.step()

    def step(self) -> None:
        """Count a batch as one that has fitted."""
        self.n_read += 1

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Return texts and tokens of each batch: those that have fitted, then the one that not."""
        read = self.batches[: self.n_read + 1]
        shapes = (batch.words.batch.input_ids.shape for batch in read)
        return [(n_texts, n_tokens) for n_texts, n_tokens in shapes]

    @property
    def last(self) -> tuple[int, int]:
        """Return texts and tokens of the batch that has not fitted; none if it is not known."""
        return (self.sizes or [(0, 0)])[-1]


def within_memory(
    compute: Callable[[BatchSize, Fitting], Result], size: BatchSize, device: torch.device
) -> Result:
    """Return what is computed in batches of a size, or, where memory runs out, in smaller ones.

    Figures then differ by rounding, as those of any other batches; a warning is logged.

    Args:
        compute: From the size of batches, and what they are watched by, to the result.
        size: The first to be tried.
        device: Whose memory it is.

    Raises:
        WorkerError: If the smaller ones do not fit either; it says which did.
    """
    fitting = Fitting()
    for tried in range(2):
        fitting = Fitting()
        try:
            return compute(size, fitting)
        except (MemoryError, RuntimeError) as error:
            if not no_memory(error):
                raise
        # Outside of the handler: what the failed call held is free by now.
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        n_texts, n_tokens = fitting.last
        if n_texts == 1:
            break
        tokens = n_texts * n_tokens or size.tokens
        size = BatchSize(max(1, (n_texts or size.texts) // SMALLER), max(1, tokens // SMALLER))
        if tried == 0:
            _LOG.warning(
                "device (%s) has no memory for a batch of %d texts × %d tokens: trying again in "
                "batches of at most %d tokens.", device, n_texts, n_tokens, size.tokens,
            )  # fmt: skip
    raise WorkerError(_sentence(fitting, device))


def _sentence(fitting: Fitting, device: torch.device) -> str:
    n_texts, n_tokens = fitting.last
    read = fitting.sizes[:-1]
    texts, tokens = max(read, key=lambda size: size[0] * size[1], default=(0, 0))
    what = (
        f"a text of {n_tokens} tokens" if n_texts == 1 else f"{n_texts} texts × {n_tokens} tokens"
    )
    if not read:
        fits = "nothing smaller was tried: make room"
    elif n_texts == 1:
        fits = f"texts of up to {max(size[1] for size in read)} fit: leave longer ones out"
    else:
        fits = f"{texts} × {tokens} fit: ask for --batch-tokens {texts * tokens}"
    return (
        f"device ({device}) has no memory for {what}; {fits}, or choose another device, and run "
        "the command again with --resume; finished shards are kept."
    )
