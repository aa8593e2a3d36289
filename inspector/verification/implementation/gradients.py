"""The gradient of the hidden states: an implementation's against that of the equations.

A vector-Jacobian product with a cotangent that is drawn from a seed and is 0 where nobody reads
the output: at padding. Must not know: implementations, models.
"""

import torch
from torch import Tensor

from inspector.verification.diagnosis import REFERENCE, Distance, Evaluator, Layer, Probe
from inspector.verification.diagnosis.arithmetic import ONE_BY_ONE, PLAIN, Arithmetic
from inspector.verification.diagnosis.distance import largest, rms_of
from inspector.verification.judge import HOPELESS, unit_roundoff, user_passes
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
    error = (given.double() - exact)[keep]
    truth = exact[keep]
    unit = unit_roundoff(dtype) * largest(truth)

    def way(arithmetic: Arithmetic) -> Tensor:
        found, _ = _gradient(layer, probe, stage, cotangent, dtype, arithmetic)
        return found.double()[keep] - truth

    plain = way(PLAIN)
    passed = user_passes(error, plain, unit)
    hopeless = not rms_of(error) <= HOPELESS * (rms_of(plain) + unit)
    if not passed and not hopeless and torch.finfo(dtype).bits >= 32:
        passed = user_passes(error, way(ONE_BY_ONE), unit)
    worst = largest(error)
    distance = Distance(
        stage=GRADIENT,
        probe=probe.name,
        max_error=worst,
        rms_error=rms_of(error),
        scale=largest(truth),
        error_in_u=worst / unit if unit > 0.0 else worst,
        passed=passed,
    )
    return distance, bool(error.isfinite().all())


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
