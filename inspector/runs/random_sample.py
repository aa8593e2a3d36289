"""Which texts each random model reads: as many as its figure needs, not all of a large corpus.

Chance alone chooses them, so that what is found on them differs from what all would give by an
error that can be said.
"""

from functools import cache
from hashlib import sha256

LEAST_SENTENCES, LEAST_WINDOWS = 128, 8
"""What each random model reads of a smaller corpus too: fewer would say little."""


@cache
def sample_of(number: int, n_models: int, n_texts: int, least: int, most: int) -> tuple[int, ...]:
    """Return the places of the texts that one of the random models reads.

    Together the models read the corpus once. All go through it in one random order, each from
    where the one before stopped.

    Args:
        number: Of the model, from 0.
        n_models: How many there are.
        n_texts: Of the corpus.
        least: Texts that each reads at least, where there are as many.
        most: Texts that each reads, at most.

    Example:
        >>> [sample_of(number, 3, n_texts=7, least=2, most=100) for number in range(3)]
        [(0, 3, 4), (1, 2, 6), (3, 4, 5)]
    """
    size = min(n_texts, most, max(-(-n_texts // n_models), least))
    order = sorted(range(n_texts), key=lambda place: sha256(str(place).encode()).digest())
    first = number * size
    return tuple(sorted(order[(first + step) % n_texts] for step in range(size)))
