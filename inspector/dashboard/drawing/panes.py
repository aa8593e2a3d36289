"""What is drawn: matrices with their labels, and of what each of their cells is made."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from inspector.plot.names import Names, named

_PICTURE = 20
"""Rows and columns of a step's small picture, at most."""
_MAP = 128
"""Tokens of a head's small map, at most; of longer texts each cell is the largest of a block."""


@dataclass(frozen=True)
class Pane:
    """A matrix, whole."""

    name: str
    values: Tensor
    """(row, column)."""
    axes: tuple[str, str]
    """What its rows and its columns are."""
    rows: Sequence[str] | None = None
    """Labels; the numbers from 0 where not given."""
    columns: Sequence[str] | None = None
    made: Mapping[str, Any] | None = None
    """How a cell comes about of other panes of the step, which it names; see panes.js."""

    @property
    def frame(self) -> pd.DataFrame:
        """Return its numbers, each row under its label, which a column of the axis' name holds."""
        n_rows, n_columns = self.values.shape
        columns = [f"{place} {label}" for place, label in enumerate(self.columns or [])]
        numbers = self.values.detach().cpu().numpy()
        frame = pd.DataFrame(numbers, columns=columns or [str(one) for one in range(n_columns)])
        frame.insert(0, self.axes[0], list(self.rows or range(n_rows)))
        return frame

    def as_data(self, names: Names) -> dict[str, Any]:
        """Return what the page's script draws."""
        axes = " × ".join(named(names, axis) for axis in self.axes)
        return {
            "name": self.name,
            "shape": f"{axes} = {' × '.join(map(str, self.values.shape))}",
            "n": list(self.values.shape),
            "rows": None if self.rows is None else list(self.rows),
            "columns": None if self.columns is None else list(self.columns),
            "values": encoded(self.values),
            "made": self.made,
            "whole": not self.values.is_floating_point(),
            "by_position": self.axes[0] in ("query", "token"),
        }


@dataclass(frozen=True)
class Step:
    """One step of a drawing: what it is made of, then what it makes."""

    name: str
    """Key of its words: step_{name}, step_{name}_note."""
    symbol: str
    formula: str
    """LaTeX; empty where there is none."""
    panes: tuple[Pane, ...]

    def __getitem__(self, name: str) -> Pane:
        """Return the pane of a name."""
        return next(pane for pane in self.panes if pane.name == name)


def encoded(values: Tensor) -> str:
    """Return numbers as base64 of float32, least byte first.

    Example:
        >>> encoded(torch.tensor([1.0]))
        'AACAPw=='
    """
    numbers = values.detach().to("cpu", torch.float32).numpy().astype("<f4")
    return base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode("ascii")


def picture(values: Tensor) -> list[list[int]]:
    """Return a matrix as a small picture: −255 … 255, of each block what is farthest from 0.

    Example:
        >>> picture(torch.tensor([[1.0, -2.0, float("-inf")]]))
        [[128, -255, 0]]
    """
    numbers = values.detach().cpu().double().numpy()
    numbers = np.where(np.isfinite(numbers), numbers, 0.0)
    high, low = (pooled(part, _PICTURE) for part in (numbers, -numbers))
    farthest = np.where(high >= low, high, -low)
    largest = float(np.abs(farthest).max(initial=0.0)) or 1.0
    shades: list[list[int]] = np.rint(255 * farthest / largest).astype(int).tolist()
    return shades


def map_of(probabilities: Tensor, tokens: Sequence[str]) -> tuple[Tensor, Sequence[str]]:
    """Return a head's map for a small picture, and its labels."""
    if len(probabilities) <= _MAP:
        return probabilities, tokens
    small = pooled(probabilities.detach().cpu().double().numpy(), _MAP)
    return torch.from_numpy(small), [str(index) for index in range(_MAP)]


def pooled(numbers: np.ndarray, most: int) -> np.ndarray:
    """Return the highest number of each block, at most so many each way."""
    for axis, n in enumerate(numbers.shape):
        if n > most:
            starts = np.linspace(0, n, most, endpoint=False).astype(int)
            numbers = np.maximum.reduceat(numbers, starts, axis=axis)
    return numbers
