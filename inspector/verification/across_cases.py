"""What one case's outcome follows from another: enlarged scores, a row and its batch."""

from collections import Counter
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inspector.attention import repeat_key_value_heads, scaled_dot_product_scores
from inspector.models import AttentionCall
from inspector.verification.judge import rows_with_keys, unit_roundoff

ATTEMPTS = 5
TOO_SMALL = "the largest score that it could be brought to is {:.3g}"
_MARGIN = 1.5
_MOST = 2.0**20
_ORDINARY = 8.0


def largest_score(call: AttentionCall, *, with_bias: bool = True) -> float:
    """Return the largest magnitude of a score, with its bias or without, where a query may look."""
    with torch.no_grad():
        key = repeat_key_value_heads(call.key.double(), call.query.shape[1])
        scores = scaled_dot_product_scores(call.query.double(), key, call.scaling)
        if with_bias and call.bias is not None:
            scores = scores + call.bias.double()
        if call.mask is not None:
            scores = scores.masked_fill(~call.mask, 0.0)
        return float(scores.abs().max()) if scores.numel() else 0.0


def rounded_scores(call: AttentionCall) -> float:
    """Return up to where the scores of a call are large, as `judge` takes it: 1 but for long ALiBi.

    What is added to a score s is rounded by u·|s|; the rule leaves room for that of small ones.
    """
    if call.bias is None:
        return 1.0
    bias = call.bias.detach()
    if call.mask is not None:
        bias = bias.masked_fill(~call.mask, 0.0)
    return max(1.0, float(bias.abs().max()) / _ORDINARY)


@dataclass
class AcrossCases:
    """What was seen in a case that another one needs."""

    largest: dict[str, float] = field(default_factory=dict)
    """Module → the largest score that it had, with the factors that are."""
    factors: dict[str, float] = field(default_factory=dict)
    """Module → what its hidden states are multiplied by, for scores to be large."""
    alone_in_u: float | None = None
    """How far a row alone is from the same row in its batch, at most, in units of u·scale."""
    _batch: dict[tuple[str, int], Tensor] = field(default_factory=dict)
    _calls: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Count calls from 0: another case is run."""
        self._calls = Counter()

    def enlarge(self, wanted: float) -> None:
        """Make the factors such that scores will be so large: about their square.

        What was seen of scores is forgotten: it was with other factors.
        """
        for name, score in self.largest.items():
            grown = _MARGIN * (wanted / max(score, 1e-6)) ** 0.5 if score < wanted else 1.0
            self.factors[name] = min(_MOST, grown * self.factors.get(name, 1.0))
        self.largest = {}

    def reached(self, wanted: float) -> bool:
        """Return whether every module's largest score is as large."""
        return all(score >= wanted for score in self.largest.values())

    def least(self) -> float:
        """Return the smallest of the largest scores."""
        return min(self.largest.values())

    def note_score(self, name: str, call: AttentionCall) -> float:
        """Return the largest score of a call, and keep it."""
        score = largest_score(call)
        self.largest[name] = max(score, self.largest.get(name, 0.0))
        return score

    def note_rows(self, name: str, call: AttentionCall, row: int | None) -> None:
        """Keep a batch, where no row is given; else compare that row alone with that in it."""
        number = self._calls[name]
        self._calls[name] += 1
        if row is None:
            self._batch[name, number] = call.context.detach()
            return
        batch = self._batch.get((name, number))
        if batch is None or len(call.context) != 1 or batch.shape[1:] != call.context.shape[1:]:
            return  # parts of images that stand in the batch's place
        keep = rows_with_keys(call.mask, 1, call.context.shape[1])[0].to(batch.device)
        apart = (call.context.detach()[0].double() - batch[row].double())[keep]
        scale = float(batch[row][keep].abs().max()) if bool(keep.any()) else 0.0
        if scale > 0.0:
            in_u = float(apart.abs().max()) / (unit_roundoff(batch.dtype) * scale)
            self.alone_in_u = max(in_u, self.alone_in_u or 0.0)
