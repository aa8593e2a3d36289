"""Where padding stands in a batch: every place in which it has hidden a mistake.

Masks are True for a real token.
"""

import torch
from jaxtyping import Bool
from torch import Tensor

KINDS = ("left", "right", "inside", "whole row")
"""Where padding may stand, in the order in which reports name them."""

N_ROWS = 8
_MOST_ROWS = 9


def every_padding(length: int) -> Bool[Tensor, "batch token"]:
    """Return eight rows: without padding, and with it in every place that the length allows.

    Example:
        >>> every_padding(5).long()[1:5].tolist()
        [[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 0, 1, 1], [0, 0, 0, 0, 0]]
    """
    real = torch.ones(N_ROWS, length, dtype=torch.bool)
    some = max(1, (2 * length) // 5) if length > 1 else 0
    real[1, length - some :] = False
    real[2, :some] = False
    real[3, 1 : 1 + min(some, max(length - 2, 0))] = False
    real[4] = False
    real[5, : some // 2] = False
    real[5, length - some // 2 :] = False
    real[6, 1::2] = False
    real[7, : length - 1] = False
    return real


def draw_size(
    longest: int, most_tokens: int, generator: torch.Generator
) -> tuple[int, int, Bool[Tensor, "batch token"] | None]:
    """Return rows, tokens of a row, and where they are real: drawn, short ones as often as long."""
    share = float(torch.rand((), generator=generator))
    length = max(1, round(longest**share))
    rows = min(_MOST_ROWS, max(1, most_tokens // length))
    batch = 1 + int(torch.randint(rows, (), generator=generator))
    return batch, length, draw_padding(batch, length, generator)


def draw_padding(
    batch: int, length: int, generator: torch.Generator
) -> Bool[Tensor, "batch token"] | None:
    """Return rows that are padded anywhere, each with a real token; None where none is padded."""
    real = torch.ones(batch, length, dtype=torch.bool)
    for row in real:
        kind, some = (int(torch.randint(n, (), generator=generator)) for n in (5, length))
        if kind == 0:
            row[length - some :] = False
        elif kind == 1:
            row[:some] = False
        elif kind == 2:
            row[1 : 1 + min(some, max(length - 2, 0))] = False
        elif kind == 3:
            row &= torch.rand(length, generator=generator) < 0.7
            row[int(torch.randint(length, (), generator=generator))] = True
    return None if bool(real.all()) else real


def kinds_of(real: Bool[Tensor, "batch token"] | None) -> set[str]:
    """Return where padding stands in a batch.

    Example:
        >>> sorted(kinds_of(torch.tensor([[False, True, True], [False, False, False]])))
        ['left', 'whole row']
    """
    found: set[str] = set()
    for row in () if real is None else real.tolist():
        if not any(row):
            found.add("whole row")
            continue
        first, last = row.index(True), len(row) - 1 - row[::-1].index(True)
        found |= {
            kind
            for kind, stands in (
                ("left", first > 0),
                ("right", last < len(row) - 1),
                ("inside", not all(row[first : last + 1])),
            )
            if stands
        }
    return found
