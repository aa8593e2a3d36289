"""A known mistake: which steps it changes, how it is fixed, which line of the equations it is in.

Must not know: models, how a mistake is found.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inspector.verification.diagnosis.layer import Layer

Changes = dict[str, Any]
"""Step of `Plan` → what is done there; a tuple is done besides what is done already."""


@dataclass(frozen=True, eq=False)
class Parameter:
    """A number that a mistake leaves open, and that is fitted to what is seen."""

    starts: tuple[float, ...]
    """Where a fit may start, in the unit in which it is linear or nearly so."""
    changes: Callable[[float], Changes]
    """The steps that a value makes."""
    shown: Callable[[float, Layer], str]
    """The value in words."""


@dataclass(frozen=True, eq=False)
class Mistake:
    """One mistake, by name."""

    name: str
    fix: str
    """One sentence."""
    equation: str
    """The line of the equations that it is in, as it should be."""
    ways: Callable[[Layer], tuple[Changes, ...]] = lambda layer: ()
    """How it can be made: each way a set of changed steps."""
    applies: Callable[[Layer], bool] = lambda layer: True
    """Whether it is a mistake at all in such a layer."""
    parameter: Parameter | None = None
    told: Callable[[Changes], str | None] = lambda changes: None
    """Which of the ways it is, in words, where that is worth words."""
    harmless: bool = False
    """Whether what it describes is right, only stored more coarsely."""


def single(**changes: Any) -> Callable[[Layer], tuple[Changes, ...]]:
    """Return the one way of making a mistake."""
    return lambda layer: (changes,)


def several(*changes: Changes) -> Callable[[Layer], tuple[Changes, ...]]:
    """Return the ways of making a mistake."""
    return lambda layer: changes
