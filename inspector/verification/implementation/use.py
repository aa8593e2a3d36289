"""An implementation run on the inputs of ordinary use, each result judged and let go.

Must not know: mistakes, reports.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from inspector.verification.diagnosis import REFERENCE, Comparison, Observation
from inspector.verification.diagnosis.distance import Distance, largest
from inspector.verification.implementation.circumstances import Tried
from inspector.verification.implementation.differences import Difference, first_difference
from inspector.verification.implementation.gradients import (
    GRADIENT,
    compare_gradient,
    cotangent_for,
)
from inspector.verification.implementation.layer_inputs import TriedLayer
from inspector.verification.implementation.ordinary import OrdinaryUse, Trying
from inspector.verification.implementation.sandbox.contract import stage_shapes
from inspector.verification.judge import unit_roundoff

Run = Callable[..., dict[str, Tensor]]
"""As `Trial.run`."""
# Layers draw from seeds of their own: as many sizes are tried as there are layers, six times.
_STEP = 7919


@dataclass
class Use:
    """What came of one layer's inputs of ordinary use."""

    tried: list[Tried] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    difference: Difference | None = None
    distance: float = 0.0
    """Root mean square error of the first difference, relative to its scale."""
    gradients: bool | str = False
    """Whether the gradient was compared; 'not asked' without autograd."""
    has_modules: bool = False
    alone_in_u: float = 0.0
    """How far a row alone is from the same row in its batch, in units of u·scale."""


def try_ordinary_use(tried: TriedLayer, run: Run, stage: str, dtype: torch.dtype, seed: int) -> Use:
    """Return what an implementation makes of ordinary use.

    Args:
        tried: The layer.
        run: Calls the implementation.
        stage: The last stage that it returns.
        dtype: In which it computes.
        seed: Of what is drawn.
    """
    trying = _TryingLayer(tried, run, stage, dtype, seed)
    inputs = OrdinaryUse(tried.layer, tried.long, tried.spread, seed + _STEP * tried.number)
    for each in inputs.inputs():
        trying.on(each)
    return trying.use


class _TryingLayer:
    """One layer's implementation, called on one input after the other."""

    def __init__(
        self, tried: TriedLayer, run: Run, stage: str, dtype: torch.dtype, seed: int
    ) -> None:
        self._tried, self._run, self._stage = tried, run, stage
        self._dtype, self._seed = dtype, seed
        self._batch: Tensor | None = None
        self.use = Use()

    def on(self, trying: Trying) -> None:
        """Call it on one input, judge what it returns, and keep the figures."""
        probe, asked = trying.probe, trying.manner.gradients == "asked"
        cotangent = None
        if asked:
            shape = stage_shapes(self._tried.layer.weights, probe.hidden)[self._stage][0]
            cotangent = cotangent_for(self._stage, shape, probe, self._seed)
            if cotangent is None:
                return
        returned = self._run(probe.hidden, probe.padding, probe.name, trying.manner, cotangent)
        if not returned:  # no autograd, or no module
            if asked and trying.manner.training is None:
                self.use.gradients = self.use.gradients or "not asked"
            return
        self.use.has_modules |= trying.manner.training is not None
        gradient = returned.pop(GRADIENT, None)
        comparison = Comparison(
            self._tried.layer, Observation(probe, returned, trying.theirs), self._dtype
        )
        finite = not bool(comparison.not_a_number.any())
        distances = comparison.stages(REFERENCE)
        self._keep_rows(trying, returned)
        difference = first_difference(self._tried.number, self._tried.layer, [comparison])
        if gradient is not None and cotangent is not None:
            found, gradient_difference = self._gradient(trying, cotangent, gradient)
            distances = [*distances, found]
            difference = difference or gradient_difference
        self._add(trying, distances, finite, difference)

    def _gradient(
        self, trying: Trying, cotangent: Tensor, gradient: Tensor
    ) -> tuple[Distance, Difference | None]:
        self.use.gradients = True
        layer = self._tried.layer
        found, finite = compare_gradient(
            layer, trying.probe, self._stage, cotangent, gradient, self._dtype
        )
        if found.passed:
            return found, None
        return found, Difference(
            layer=self._tried.number,
            stage=GRADIENT,
            input=trying.probe.name,
            error_in_u=found.error_in_u if finite else math.inf,
            max_abs_error=found.max_error if finite else math.inf,
            heads=None,
            n_heads=layer.weights.n_heads,
            rows="of the hidden states",
        )

    def _add(
        self,
        trying: Trying,
        distances: list[Distance],
        finite: bool,
        difference: Difference | None,
    ) -> None:
        use = self.use
        failed = tuple(each.stage for each in distances if not each.passed)
        use.tried.append(Tried(trying, failed, finite))
        use.rows += [row_of(self._tried, each, finite) for each in distances]
        if difference is not None and use.difference is None:
            use.difference = difference
            wrong = next(each for each in distances if not each.passed)
            use.distance = wrong.rms_error / (wrong.scale or 1.0)

    def _keep_rows(self, trying: Trying, returned: dict[str, Tensor]) -> None:
        """Keep the padded batch, and how far each of its rows is from it when it is alone."""
        values = returned.get(self._stage)
        if values is None or self._stage not in ("context", "output"):
            return
        if self._batch is None:
            self._batch = values
        if trying.alone is None:
            return
        real = trying.probe.real[0]
        apart = (values[0].double() - self._batch[trying.alone].double())[real]
        scale = largest(self._batch[trying.alone].double()[real].nan_to_num())
        if apart.numel() and scale > 0.0:
            in_u = largest(apart.nan_to_num()) / (unit_roundoff(self._dtype) * scale)
            self.use.alone_in_u = max(self.use.alone_in_u, in_u)


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
