"""Random inputs of every kind that a model takes, as functions of a random generator.

Texts are a batch of three lengths, so that it is padded, on the side that the family uses.
Must not know: any model.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Generator, Tensor

from inspector.models.tiny_models.tiny_configuration import MakeInputs

VOCABULARY = 99
_FIRST_ORDINARY = 5  # the ids below are special ones
_LENGTHS = (9, 6, 4)
_TARGET_LENGTHS = (7, 7, 5)


def text(
    padding: Literal["right", "left"] = "right",
    *,
    lengths: Sequence[int] = _LENGTHS,
    pad_id: int = 0,
    prefix: str = "",
) -> MakeInputs:
    """Return a maker of `input_ids` and `attention_mask`."""

    def make(generator: Generator) -> dict[str, Tensor]:
        longest = max(lengths)
        ids = _ids(generator, len(lengths), longest)
        steps = torch.arange(longest).expand(len(lengths), -1)
        counts = torch.tensor(lengths)[:, None]
        kept = steps < counts if padding == "right" else steps >= longest - counts
        return {
            f"{prefix}input_ids": ids.masked_fill(~kept, pad_id),
            f"{prefix}attention_mask": kept.long(),
        }

    return make


def sequences(pad_id: int = 0) -> MakeInputs:
    """Return a maker of a padded text to read and a padded text to write."""
    return joined(text(pad_id=pad_id), text(lengths=_TARGET_LENGTHS, pad_id=pad_id,
                                            prefix="decoder_"))  # fmt: skip


def ids(name: str, length: int, *, batch: int = 3) -> MakeInputs:
    """Return a maker of ids without padding."""
    return lambda generator: {name: _ids(generator, batch, length)}


def numbers(name: str, shape: Sequence[int]) -> MakeInputs:
    """Return a maker of standard normal numbers: pixels, samples, features."""
    return lambda generator: {name: torch.randn(*shape, generator=generator)}


def pixels(size: int = 16, *, channels: int = 3, batch: int = 2) -> MakeInputs:
    """Return a maker of `pixel_values` of square images."""
    return numbers("pixel_values", (batch, channels, size, size))


def boxes(length: int, *, coordinates: int = 4, batch: int = 3) -> MakeInputs:
    """Return a maker of `bbox`: places on a page, left and top before right and bottom."""

    def make(generator: Generator) -> dict[str, Tensor]:
        drawn = torch.randint(0, 60, (batch, length, coordinates), generator=generator)
        return {"bbox": drawn.sort(-1).values}

    return make


def samples(length: int, *, lengths: Sequence[int] = ()) -> MakeInputs:
    """Return a maker of `input_values`, sound as samples, with its mask where lengths are given."""

    def make(generator: Generator) -> dict[str, Tensor]:
        batch = len(lengths) or 2
        made = {"input_values": torch.randn(batch, length, generator=generator)}
        if lengths:
            kept = torch.arange(length)[None] < torch.tensor(lengths)[:, None]
            made["attention_mask"] = kept.long()
        return made

    return make


def joined(*makers: MakeInputs) -> MakeInputs:
    """Return a maker of what several makers make."""

    def make(generator: Generator) -> dict[str, Tensor]:
        made: dict[str, Tensor] = {}
        for maker in makers:
            made |= maker(generator)
        return made

    return make


def _ids(generator: Generator, batch: int, length: int) -> Tensor:
    return torch.randint(_FIRST_ORDINARY, VOCABULARY, (batch, length), generator=generator)
