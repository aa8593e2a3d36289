"""Under which conditions a model's own layers are verified: one list, whatever is compared.

Sizes, padding, gradients, training, memory, large scores, a row without its batch, the same input
again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from inspector.verification.manner import LAYOUTS, PLAINLY, Manner
from inspector.verification.padding_places import draw_size, every_padding

LENGTHS = (1, 7, 16, 17, 63, 64, 65, 128, 129)
N_DRAWN = 6
# e^s overflows in float32 beyond 88, in float64 beyond 709.
LARGE_SCORES = (120.0, 1000.0)
PADDED, BATCH = "padded everywhere", "batch of one size"
FIRST = (PADDED, BATCH)
"""The names of the first condition, of which others take a row."""
_LENGTH = 17
_MOST_DRAWN, _CHEAP = 256, 512
_ALONE = (1, 2, 3)
_MEMORY = next(iter(LAYOUTS))
_DROPOUT_SEED = 20170612
ASKED = Manner("asked")
TRAINING = Manner("asked", training=True)
DROPOUT = Manner(training=True, dropout_seed=_DROPOUT_SEED)


@dataclass(frozen=True, eq=False)
class Condition:
    """One input, and in which manner the model is run on it."""

    name: str
    real: Tensor
    """(batch, token), False where padding stands."""
    seed: int
    """Of its tokens: two conditions with the same one, of the same size, have the same tokens."""
    manner: Manner = PLAINLY
    row: int | None = None
    """The only row of the batch that is taken, where it is alone."""
    largest_score: float | None = None
    """Up to where scores are scaled up."""


def conditions(longest: int, seed: int, *, sized: bool = True) -> Iterator[Condition]:
    """Yield the conditions, the first input once more at the end.

    Args:
        longest: Tokens that the model takes.
        seed: Of the tokens, and of the sizes of six conditions.
        sized: Whether the model takes inputs of any size, and padded ones.
    """
    real = every_padding(min(_LENGTH, longest))
    name, seeds = PADDED if sized else BATCH, count(seed + 1)
    first = next(seeds)
    yield Condition(name, real, first, ASKED)
    for row in _ALONE:
        yield Condition(f"row {row} of it alone", real, first, row=row)
    if sized:
        yield Condition("the same size, padded otherwise", real.roll(3, 0), next(seeds))
        yield from _sizes(longest, seed, seeds)
    yield Condition(f"{name}, {_MEMORY}", real, first, Manner(memory=_MEMORY))
    for largest in LARGE_SCORES:
        yield Condition(f"scores up to {largest:g}", real, first, largest_score=largest)
    yield Condition("training without dropout", real, first, TRAINING)
    yield Condition("training, same seed", real, first, DROPOUT)
    yield Condition(f"{name}, once more", real, first)


def _sizes(longest: int, seed: int, seeds: Iterator[int]) -> Iterator[Condition]:
    taken = [n for n in LENGTHS if n <= longest]
    for n in taken:
        manner = ASKED if n == taken[-1] else PLAINLY
        yield Condition(f"{n} tokens", torch.ones(1, n, dtype=torch.bool), next(seeds), manner)
    generator = torch.Generator().manual_seed(seed)
    for number in range(N_DRAWN):
        batch, n, drawn = draw_size(min(longest, _MOST_DRAWN), _MOST_DRAWN, generator)
        real = torch.ones(batch, n, dtype=torch.bool) if drawn is None else drawn
        yield Condition(f"drawn {number + 1}", real, next(seeds))


def full_length(longest: int, seed: int) -> Iterator[Condition]:
    """Yield texts as long as the model takes, padded in three places and, if short, nowhere."""
    real = torch.ones(1, longest, dtype=torch.bool)
    if longest <= _CHEAP:
        yield Condition(f"{longest} tokens, all of them", real, seed)
    padded, some = real.clone(), longest // 16
    padded[0, :some] = False
    padded[0, longest // 2 : longest // 2 + some] = False
    padded[0, longest - some :] = False
    yield Condition(f"{longest} tokens, padded", padded, seed)
