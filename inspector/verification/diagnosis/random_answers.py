"""An implementation that answers differently each time: dropout that was left on, as a rule.

Its mean over many calls is compared with what plans compute, its variance against what dropout
would give.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from inspector.attention import repeat_key_value_heads
from inspector.verification.diagnosis.catalogue import DROPOUT
from inspector.verification.diagnosis.evaluation import REFERENCE, Evaluator, Plan
from inspector.verification.diagnosis.layer import Layer, Mistake, Probe
from inspector.verification.judge import unit_roundoff

CALLS = 96
"""How often an implementation is called to see its mean and variance."""
# Differences beyond this, in units of u·scale, are no rounding.
_RANDOM = 64.0
# The mean of z² is 1 for the right mean; with 96 calls it was seen at most 1.3, and above 3 for
# any other plan than the one that was run.
_MEAN_FITS = 1.8
# Correlation of the variance seen with the variance that dropout gives.
_VARIANCE_FITS = 0.7


def is_random(first: Tensor, second: Tensor, dtype: torch.dtype) -> bool:
    """Return whether two results of the same input differ by more than rounding."""
    scale = float(first.abs().nan_to_num().max())
    apart = float((first.double() - second.double()).abs().nan_to_num().max())
    return apart > _RANDOM * unit_roundoff(dtype) * scale


def explain_randomness(
    layer: Layer,
    probe: Probe,
    outputs: Float[Tensor, "call batch token d_model"],
    ways: Sequence[tuple[Mistake, Plan]],
) -> tuple[tuple[Mistake, ...], str]:
    """Return the mistakes, dropout last, and where it is with which probability; or nothing.

    The calls' mean is the right result if that fits, else that of a mistake.
    """
    evaluator = Evaluator(layer, probe, torch.float64)
    calls = outputs.double()[:, probe.real]
    mean, variance = calls.mean(0), calls.var(0)
    seen = variance > 1e-3 * variance.mean()
    right: list[tuple[tuple[Mistake, ...], Plan]] = [((), REFERENCE)]
    for group in (right, [((mistake,), plan) for mistake, plan in ways]):
        fits = []
        for mistakes, plan in group:
            expected = evaluator(plan).output[probe.real]
            z = (mean - expected)[seen].square() / (variance[seen] / len(calls))
            fits.append((float(z.mean()), mistakes, plan))
        best, mistakes, plan = min(fits, key=lambda each: each[0])
        if best < _MEAN_FITS:
            detail = _dropout(evaluator, plan, variance)
            return ((*mistakes, DROPOUT), detail) if detail else ((), "")
    return (), ""


def _dropout(evaluator: Evaluator, plan: Plan, variance: Tensor) -> str | None:
    r"""Return where dropout explains the variance, and its probability; None if nowhere.

    A weight a that is kept with probability 1 − p and divided by it has variance a² p/(1 − p).
    """
    stages, weights = evaluator(plan), evaluator.layer.weights
    values = repeat_key_value_heads(stages.value, weights.n_heads)
    written = torch.einsum("bhkd,hmd->bhkm", values, weights.by_head().W_O)
    of_probabilities = torch.einsum(
        "bhqk,bhkm->bqm", stages.probabilities.square(), written.square()
    )
    places = {"the probabilities": of_probabilities, "the output": stages.output.square()}
    best = (0.0, "", 0.0)
    for place, expected in places.items():
        given = expected[evaluator.probe.real]
        together = torch.stack([given.flatten(), variance.flatten()])
        correlation = float(torch.corrcoef(together)[0, 1])
        odds = float(variance.sum() / given.sum())
        best = max(best, (correlation, place, odds / (1.0 + odds)))
    correlation, place, probability = best
    if correlation < _VARIANCE_FITS:
        return None
    return f"on {place}, with a probability of about {probability:.2g}"
