"""Where an implementation differs: the first stage, which heads, which rows, and by how much."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from inspector.verification.diagnosis import REFERENCE, STAGES, Comparison, Distance, Layer

_BY_QUERY = ("probabilities", "context", "output")
_HEAD_FIRST = ("query", "key", "value", "scores", "probabilities")
# A row or head whose largest error is below this share of the worst one's takes no part.
_SHARE = 1e-3


@dataclass(frozen=True)
class Difference:
    """The first stage that differs, in the first layer and on the first input where one does."""

    layer: int
    stage: str
    input: str
    error_in_u: float
    max_abs_error: float
    heads: tuple[int, ...] | None
    """Which heads; None where the stage does not tell."""
    n_heads: int
    rows: str
    """Which rows, in words."""

    @classmethod
    def of(
        cls,
        distance: Distance,
        number: int,
        layer: Layer,
        *,
        finite: bool,
        rows: str,
        heads: tuple[int, ...] | None = None,
        n_heads: int | None = None,
    ) -> "Difference":
        """Return a stage's distance in a layer as a difference, infinite where no number came."""
        return cls(
            number,
            distance.stage,
            distance.probe,
            distance.error_in_u if finite else math.inf,
            distance.max_error if finite else math.inf,
            heads,
            layer.weights.n_heads if n_heads is None else n_heads,
            rows,
        )

    def __str__(self) -> str:
        """Return it in words."""
        if self.heads is None:
            heads = "cannot tell which head"
        elif len(self.heads) == self.n_heads:
            heads = "all heads"
        else:
            heads = f"head{'s' * (len(self.heads) > 1)} {', '.join(map(str, self.heads))}"
        return (
            f"first in layer {self.layer}, {self.stage}, on the input '{self.input}': "
            f"{heads}, {self.rows}, {self._error()}"
        )

    def _error(self) -> str:
        return f"{self.error_in_u:.3g} u" if math.isfinite(self.error_in_u) else "not finite"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data; an error that is no number becomes None."""
        found = asdict(self)
        for name in ("error_in_u", "max_abs_error"):
            found[name] = found[name] if math.isfinite(found[name]) else None
        return {**found, "heads": None if self.heads is None else list(self.heads)}


def first_difference(
    number: int, layer: Layer, comparisons: Sequence[Comparison]
) -> Difference | None:
    """Return where one layer's implementation differs first: stages in order, then inputs."""
    found = {(d.stage, i): d for i, c in enumerate(comparisons) for d in c.stages(REFERENCE)}
    for stage in STAGES:
        for index, comparison in enumerate(comparisons):
            distance = found.get((stage, index))
            if distance is None or distance.passed:
                continue
            error, _, real = comparison.rows(stage)
            finite = stage not in _BY_QUERY or not bool(comparison.not_a_number.any())
            return Difference.of(
                distance, number, layer, finite=finite, rows=_rows(error, real),
                heads=_heads(stage, error[real], layer),
                n_heads=error.shape[2] if error.ndim == 4 else None,
            )  # fmt: skip
    return None


def _heads(stage: str, error: Tensor, layer: Layer) -> tuple[int, ...] | None:
    """Return which heads an error of (row, …) is in."""
    n = layer.weights.n_heads
    if stage in _HEAD_FIRST:
        per_head = error.transpose(0, 1).flatten(1)
    elif stage == "context":
        per_head = error.unflatten(-1, (n, -1)).transpose(0, 1).flatten(1)
    else:
        return None
    return tuple(torch.nonzero(_takes_part(per_head)).flatten().tolist())


def _takes_part(errors: Tensor) -> Tensor:
    """Return which rows of (row, …) hold an error that matters beside the largest."""
    size = errors.abs().amax(-1)
    finite = size[size.isfinite()]
    largest = finite.max() if len(finite) else size.new_zeros(())
    return ~size.isfinite() | (size > _SHARE * largest)


def _rows(error: Tensor, real: Tensor) -> str:
    """Return which rows an error of (batch, token, …) is in, in words; padding is left out."""
    wrong = torch.zeros_like(real)
    wrong[real] = _takes_part(error[real].flatten(1))
    padded_texts = ~real.all(-1, keepdim=True).expand_as(real)
    first = real & (real.cumsum(-1) == 1)
    last = real & (real.flip(-1).cumsum(-1).flip(-1) == 1)
    descriptions = {
        "all rows": real,
        "the rows of padded texts": real & padded_texts,
        "the first row of each text": first,
        "all rows but each text's first": real & ~first,
        "the last row of each text": last,
        "all rows but each text's last": real & ~last,
    }
    for words, rows in descriptions.items():
        if bool((rows == wrong).all()):
            return words
    return f"{int(wrong.sum())} of {int(real.sum())} rows"
