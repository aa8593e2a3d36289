"""One layer's implementation, run on all its inputs and compared."""

from typing import Any

import torch
from torch import Tensor

from inspector.verification.diagnosis import (
    REFERENCE,
    Comparison,
    Diagnosis,
    Observation,
    diagnose,
    diagnose_randomness,
    unknown,
)
from inspector.verification.diagnosis.random_answers import CALLS, is_random
from inspector.verification.implementation.differences import Difference, first_difference
from inspector.verification.implementation.layer_inputs import TriedLayer
from inspector.verification.implementation.ordinary import circumstances
from inspector.verification.implementation.sandbox.contract import check_finite
from inspector.verification.implementation.sandbox.trial import Trial
from inspector.verification.implementation.sandbox.user_process import ProcessTrial
from inspector.verification.implementation.use import Use, row_of

Running = Trial | ProcessTrial


class OneLayer:
    """One layer's implementation, run on all its inputs and compared."""

    def __init__(
        self, tried: TriedLayer, running: Running, dtype: torch.dtype, seed: int, *, first: bool
    ) -> None:
        """Build it for the layer, and run it: on the small inputs; in ordinary use, if right there.

        Args:
            tried: The layer.
            running: What runs it.
            dtype: In which it computes.
            seed: Of the inputs of ordinary use.
            first: Whether no layer before it is wrong: then it is tried whether one that is wrong
                here answers otherwise each time.
        """
        self.tried, self._running, self._seed = tried, running, seed
        running.start(tried.layer.weights, tried.number)
        self.observations = [
            Observation(probe, running.run(probe.hidden, probe.padding, probe.name), theirs)
            for probe, theirs in tried.inputs
        ]
        self.comparisons = [Comparison(tried.layer, each, dtype) for each in self.observations]
        # The random inputs are small and padded: what is searched for is tried on them first.
        self.random_first = sorted(
            self.comparisons, key=lambda c: not c.observation.probe.name.startswith("random")
        )
        self.difference: Difference | None = first_difference(
            tried.number, tried.layer, self.comparisons
        )
        self.randomness: Diagnosis | None = None
        self.use: Use | None = None
        if self.difference is None:
            self._try_ordinary_use(dtype)
        elif first:
            self._look_for_randomness(dtype)

    def _try_ordinary_use(self, dtype: torch.dtype) -> None:
        stage = list(self.observations[0].stages)[-1]
        self.use = Use(self.tried, self._running.run, stage, dtype, self._seed)
        self.difference = self.use.difference

    def try_coarsely(self, dtype: torch.dtype) -> Diagnosis | None:
        """Return what is wrong in ordinary use even by the measure of a coarser dtype, if any is.

        A difference that this dtype explains stays where there is no other.
        """
        explained = self.difference
        self._running.start(self.tried.layer.weights, self.tried.number)
        self._try_ordinary_use(dtype)
        if self.use is None or self.difference is None:
            self.difference = explained
            return None
        return unknown(circumstances(self.use.tried), self.use.distance)

    def diagnose(self, dtype: torch.dtype, pairs: bool) -> Diagnosis | None:
        """Return what is wrong on the small inputs."""
        observations = [comparison.observation for comparison in self.random_first]
        return diagnose(self.tried.layer, observations, dtype, pairs=pairs)

    def _look_for_randomness(self, dtype: torch.dtype) -> None:
        """Call again, and many times more where the answer is another one then."""
        first = self.random_first[0].observation
        probe, stage = first.probe, list(first.stages)[-1]

        def again() -> Tensor:
            return self._running.run(probe.hidden, probe.padding, probe.name)[stage]

        if is_random(first.stages[stage], again(), dtype):
            given = stage == "output"
            outputs = torch.stack([again() for _ in range(CALLS)]) if given else None
            self.randomness = diagnose_randomness(self.tried.layer, probe, outputs)

    def rows(self) -> list[dict[str, Any]]:
        """Return its rows of the report's frame."""
        rows = [
            row_of(self.tried, distance)
            for comparison in self.comparisons
            for distance in comparison.stages(REFERENCE)
        ]
        return rows if self.use is None else rows + self.use.rows

    def check_finite(self, explained: bool) -> None:
        """Refuse what is no number, unless a mistake explains it.

        Raises:
            InputError: If a query that is no padding got none.
        """
        for observation in () if explained else self.observations:
            real = observation.probe.real
            where = f"in layer {self.tried.number} on the input '{observation.probe.name}'"
            for stage, values in observation.stages.items():
                of_query = real[..., None] if values.ndim == 3 else real[:, None, :, None]
                if stage != "scores":
                    check_finite(values[of_query.expand_as(values)], stage, where)
