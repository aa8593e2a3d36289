"""The gradient of the hidden states: an implementation's against that of the equations.

A vector-Jacobian product with a cotangent that is drawn from a seed and is 0 where nobody reads
the output: at padding. Must not know: implementations, models.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from inspector.verification.diagnosis import REFERENCE, Distance, Evaluator, Layer, Probe
from inspector.verification.diagnosis.arithmetic import PLAIN, Arithmetic, right_orders
from inspector.verification.diagnosis.distance import largest
from inspector.verification.judge import Size, size_of, unit_roundoff, user_share
from inspector.verification.layers.stages import GRADIENT

__all__ = ["GRADIENT", "cotangent_for", "compare_gradient"]

_BY_TOKEN = ("context", "output", "probabilities")


def cotangent_for(stage: str, shape: tuple[int, ...], probe: Probe, seed: int) -> Tensor | None:
    """Return a cotangent for a stage of a shape; None where its numbers are not by query."""
    if stage not in _BY_TOKEN:
        return None
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
    real = probe.real[:, None, :, None] if len(shape) == 4 else probe.real[:, :, None]
    return (drawn * real).to(probe.hidden.dtype)


def compare_gradient(
    layer: Layer, probe: Probe, stage: str, cotangent: Tensor, given: Tensor, dtype: torch.dtype
) -> tuple[Distance, bool]:
    """Return how far a gradient is, and whether it is all numbers.

    Left out are rows that are padding throughout; and rows in which some query has no key, where
    what fills with −∞ gives no number.

    Args:
        layer: What should be computed.
        probe: On which input.
        stage: Of which the cotangent is.
        cotangent: In the dtype of the implementation.
        given: What came back, (batch, token, d_model).
        dtype: In which it was computed.
    """
    exact, defined = _gradient(layer, probe, stage, cotangent, torch.float64)
    finite = given.isfinite().flatten(1).all(-1)
    keep = probe.real.any(-1) & (defined | finite)
    truth = exact[keep]
    found = given.double()[keep] - truth
    error, unit = size_of(found), unit_roundoff(dtype) * largest(truth)

    def ways() -> Iterator[Size]:
        for precision, order in right_orders(scores, dtype, backward=True):
            way, _ = _gradient(layer, probe, stage, cotangent, precision, order)
            yield size_of(way.double()[keep] - truth)

    def scores(precision: torch.dtype, order: Arithmetic) -> Tensor:
        return Evaluator(layer, probe, precision, order)(REFERENCE).scores

    share = user_share(error, ways(), unit, largest_score=largest(scores(torch.float64, PLAIN)))
    distance = Distance(
        stage=GRADIENT,
        probe=probe.name,
        max_error=error.most,
        rms_error=error.rms,
        scale=largest(truth),
        error_in_u=error.most / unit if unit > 0.0 else error.most,
        share=share,
    )
    return distance, bool(found.isfinite().all())


def _gradient(
    layer: Layer,
    probe: Probe,
    stage: str,
    cotangent: Tensor,
    dtype: torch.dtype,
    arithmetic: Arithmetic = PLAIN,
) -> tuple[Tensor, Tensor]:
    """Return the gradient by the equations, and in which rows each query has a key."""
    hidden = probe.hidden.to(dtype, copy=True).requires_grad_()
    with torch.enable_grad():
        evaluated = Evaluator(layer, Probe(probe.name, hidden, probe.padding), dtype, arithmetic)
        stages = evaluated(REFERENCE)
        (gradient,) = torch.autograd.grad(getattr(stages, stage), hidden, cotangent.to(dtype))
    return gradient, stages.defined.all(-1)
