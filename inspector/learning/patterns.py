"""Patterns that a small model can learn, each with where the answer stands."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

LETTERS = "abcdefghijklmnop"
LENGTH = 24
_HALF = LENGTH // 2
_SHORTEST = 6

PATTERNS = ("previous", "repeat", "mirror")
"""previous: say the letter before. repeat: letters come again after a distance that differs from
text to text; say what comes next. mirror: the second half is the first, backwards; say it."""


@dataclass(frozen=True)
class Examples:
    """Texts, with the answer at each position and where it can be read."""

    letters: Int[Tensor, "text position"]
    answers: Int[Tensor, "text position"]
    """−100 where nothing is asked."""
    places: Int[Tensor, "text position"]
    """Where the answer stands, or −1."""


def draw(pattern: str, count: int, generator: torch.Generator) -> Examples:
    """Return examples of a pattern.

    Example:
        >>> examples = draw("previous", 1, torch.Generator().manual_seed(0))
        >>> bool((examples.answers[0, 1:] == examples.letters[0, :-1]).all())
        True
    """
    letters = torch.randint(len(LETTERS), (count, LENGTH), generator=generator)
    position = torch.arange(LENGTH).expand(count, -1)
    if pattern == "previous":
        places = position - 1
    elif pattern == "mirror":
        places = LENGTH - 1 - position
        letters = letters.where(position < _HALF, letters.flip(1))
        # What is asked at a position is the letter of the next one.
        places = (places - 1).where(position >= _HALF - 1, -1)
    else:
        period = torch.randint(_SHORTEST, _HALF + 1, (count, 1), generator=generator)
        letters = letters.gather(1, position % period)
        places = (position - period + 1).where(position >= period, -1)
    answers = letters.gather(1, places.clamp(min=0)).where(places >= 0, -100)
    return Examples(letters, answers, places)
