"""An implementation run on the inputs of ordinary use, each result judged and let go."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from inspector.verification.diagnosis import (
    REFERENCE,
    Comparison,
    Evaluator,
    Layer,
    Observation,
    Probe,
)
from inspector.verification.diagnosis.arithmetic import PLAIN, Arithmetic, right_orders
from inspector.verification.implementation.differences import Difference, first_difference
from inspector.verification.implementation.layer_inputs import TriedLayer
from inspector.verification.implementation.ordinary import OrdinaryUse, Trying
from inspector.verification.implementation.sandbox.contract import stage_shapes
from inspector.verification.judge import (
    Distance,
    Size,
    cotangent_of,
    largest,
    size_of,
    unit_roundoff,
    user_share,
)
from inspector.verification.layers.stages import GRADIENT

_BY_TOKEN = ("context", "output", "probabilities")


def cotangent_for(stage: str, shape: tuple[int, ...], probe: Probe, seed: int) -> Tensor | None:
    """Return a cotangent for a stage of a shape; None where its numbers are not by query."""
    if stage not in _BY_TOKEN:
        return None
    real = probe.real[:, None, :, None] if len(shape) == 4 else probe.real[:, :, None]
    return cotangent_of(shape, real, seed, probe.hidden.dtype)


def compare_gradient(
    layer: Layer, probe: Probe, stage: str, cotangent: Tensor, given: Tensor, dtype: torch.dtype
) -> tuple[Distance, bool]:
    """Return how far a gradient is, and whether it is all numbers.

    Left out are rows that are padding throughout; and rows in which some query has no key, where
    what fills with −∞ gives no number.
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
    distance = Distance.of(GRADIENT, probe.name, error, largest(truth), unit, share)
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


Run = Callable[..., dict[str, Tensor]]
"""As `Trial.run`."""
# Layers draw from seeds of their own: as many sizes are tried as there are layers, six times.
_STEP = 7919


class Use:
    """One layer's implementation in ordinary use: called on one input after the other."""

    def __init__(
        self, tried: TriedLayer, run: Run, stage: str, dtype: torch.dtype, seed: int
    ) -> None:
        """Call it on all inputs, and keep what came of them."""
        self._tried, self._run, self._stage = tried, run, stage
        self._dtype, self._seed = dtype, seed
        self._batch: Tensor | None = None
        self.tried: list[Trying] = []
        self.rows: list[dict[str, Any]] = []
        self.difference: Difference | None = None
        self.distance = 0.0
        """Root mean square error of the first difference, relative to its scale."""
        self.gradients: bool | str = False
        """Whether the gradient was compared; 'not asked' without autograd."""
        self.has_modules = False
        self.alone_in_u = 0.0
        """How far a row alone is from the same row in its batch, in units of u·scale."""
        inputs = OrdinaryUse(tried.layer, tried.long, tried.spread, seed + _STEP * tried.number)
        for trying in inputs.inputs():
            self._try(trying)

    def _try(self, trying: Trying) -> None:
        """Call it on one input, judge what it returns, and keep the figures."""
        probe, asked = trying.probe, trying.manner.gradients == "asked"
        layer, number = self._tried.layer, self._tried.number
        cotangent = None
        if asked:
            shape = stage_shapes(layer.weights, probe.hidden)[self._stage][0]
            cotangent = cotangent_for(self._stage, shape, probe, self._seed)
            if cotangent is None:
                return
        returned = self._run(probe.hidden, probe.padding, probe.name, trying.manner, cotangent)
        if not returned:  # no autograd, or no module
            if asked and trying.manner.training is None:
                self.gradients = self.gradients or "not asked"
            return
        self.has_modules |= trying.manner.training is not None
        gradient = returned.pop(GRADIENT, None)
        comparison = Comparison(layer, Observation(probe, returned, trying.theirs), self._dtype)
        finite = not bool(comparison.not_a_number.any())
        distances = comparison.stages(REFERENCE)
        self._keep_rows(trying, returned)
        difference = first_difference(number, layer, [comparison])
        if gradient is not None and cotangent is not None:
            self.gradients = True
            found, numbers = compare_gradient(
                layer, probe, self._stage, cotangent, gradient, self._dtype
            )
            distances = [*distances, found]
            if difference is None and not found.passed:
                difference = Difference.of(
                    found, number, layer, finite=numbers, rows="of the hidden states"
                )
        trying.failed = tuple(each.stage for each in distances if not each.passed)
        self.tried.append(trying)
        self.rows += [row_of(self._tried, each, finite) for each in distances]
        if difference is not None and self.difference is None:
            self.difference = difference
            wrong = next(each for each in distances if not each.passed)
            self.distance = wrong.rms_error / (wrong.scale or 1.0)

    def _keep_rows(self, trying: Trying, returned: dict[str, Tensor]) -> None:
        """Keep the padded batch, and how far each of its rows is from it when it is alone."""
        values = returned.get(self._stage)
        if values is None or self._stage not in ("context", "output"):
            return
        if self._batch is None:
            self._batch = values
        if trying.alone is None:
            return
        real, row = trying.probe.real[0], self._batch[trying.alone].double()
        apart, scale = (values[0].double() - row)[real], largest(row[real].nan_to_num())
        if scale > 0.0:
            in_u = largest(apart.nan_to_num()) / (unit_roundoff(self._dtype) * scale)
            self.alone_in_u = max(self.alone_in_u, in_u)


def row_of(tried: TriedLayer, distance: Distance, finite: bool = True) -> dict[str, Any]:
    """Return a row of the report's frame."""
    nan = math.nan
    shown = distance if finite else replace(distance, max_error=nan, rms_error=nan, error_in_u=nan)
    return {
        "layer": tried.number,
        "module": tried.module,
        "stage": shown.stage,
        "input": shown.probe,
        "max_abs_error": shown.max_error,
        "rms_error": shown.rms_error,
        "scale": shown.scale,
        "error_in_u": shown.error_in_u,
        "passed": shown.passed,
    }
