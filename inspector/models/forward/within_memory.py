"""Work in batches where memory may run out: once more in smaller ones, then a sentence."""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar, runtime_checkable

import torch

from inspector.errors import DeviceMemoryError, no_memory
from inspector.models.forward.sentence_batches import BatchSize, WordBatch

SMALLER = 4
"""The second try has batches of this part of the one that did not fit."""
_LOG = logging.getLogger("inspector")
Result = TypeVar("Result")


@runtime_checkable
class _HasWords(Protocol):
    @property
    def words(self) -> WordBatch: ...


Annotated = TypeVar("Annotated", bound=_HasWords)


class Fitting:
    """Batches that are read, and how many of them have fitted."""

    def __init__(self) -> None:
        """Start with none."""
        self.batches: Sequence[WordBatch] = ()
        self.n_read = 0

    def each(self, batches: Sequence[Annotated]) -> Iterator[Annotated]:
        """Give batches; each has fitted once the next is asked for."""
        self.start([batch.words for batch in batches])
        for batch in batches:
            yield batch
            self.step()

    def start(self, batches: Sequence[WordBatch]) -> None:
        """Watch the reading of other batches, from the first."""
        self.batches, self.n_read = batches, 0

    def step(self) -> None:
        """Count a batch as one that has fitted."""
        self.n_read += 1

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Return texts and tokens of each batch: those that have fitted, then the one that not."""
        read = self.batches[: self.n_read + 1]
        shapes = (batch.batch.input_ids.shape for batch in read)
        return [(n_texts, n_tokens) for n_texts, n_tokens in shapes]

    @property
    def last(self) -> tuple[int, int]:
        """Return texts and tokens of the batch that has not fitted; none if it is not known."""
        return (self.sizes or [(0, 0)])[-1]


def within_memory(
    compute: Callable[[BatchSize, Fitting], Result],
    size: BatchSize,
    device: torch.device,
    then: str = "",
) -> Result:
    """Return what is computed in batches of a size, or, where memory runs out, in smaller ones.

    Figures then differ by rounding, as those of any other batches; a warning is logged.

    Args:
        compute: From the size of batches, and what they are watched by, to the result.
        size: The first to be tried.
        device: Whose memory it is.
        then: What is to be done once there is room, as the end of a sentence.

    Raises:
        DeviceMemoryError: If the smaller ones do not fit either; it says which did.
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
        if n_texts == 1 and n_tokens >= size.tokens:
            break
        tokens = n_texts * n_tokens if n_texts > 1 else size.tokens  # of variants of a text too
        size = BatchSize(max(1, (n_texts or size.texts) // SMALLER), max(1, tokens // SMALLER))
        if tried == 0:
            _LOG.warning(
                "device (%s) has no memory for a batch of %d texts × %d tokens: trying again in "
                "batches of at most %d tokens.", device, n_texts, n_tokens, size.tokens,
            )  # fmt: skip
    raise DeviceMemoryError(f"{_sentence(fitting, device)}, or choose another device{then}.")


@contextmanager
def one_text(n_tokens: int, device: torch.device, instead: str) -> Iterator[None]:
    """Read a text for which there are no smaller batches.

    Args:
        n_tokens: Its tokens.
        device: Whose memory it is.
        instead: What takes less, as the middle of a sentence.

    Raises:
        DeviceMemoryError: If there is no memory for it.

    Example:
        >>> with one_text(9, torch.device("cpu"), "give fewer"):
        ...     raise MemoryError
        Traceback (most recent call last):
        ...
        inspector.errors.DeviceMemoryError: device (cpu) has no memory for a text of 9 tokens: ...
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not no_memory(error):
            raise
        raise DeviceMemoryError(
            f"device ({device}) has no memory for a text of {n_tokens} tokens: {instead}, or "
            "choose another device."
        ) from error


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
    return f"device ({device}) has no memory for {what}; {fits}"
