"""One layer's implementation, run on all its inputs and compared.

Must not know: other layers, how a report is shown.
"""

from typing import Any

import torch
from torch import Tensor

from inspector.verification.diagnosis import (
    REFERENCE,
    Comparison,
    Diagnosis,
    Observation,
    diagnose_randomness,
    unknown,
)
from inspector.verification.diagnosis.random_answers import CALLS, is_random
from inspector.verification.diagnosis.search import Search
from inspector.verification.implementation.circumstances import circumstances
from inspector.verification.implementation.differences import Difference, first_difference
from inspector.verification.implementation.layer_inputs import TriedLayer
from inspector.verification.implementation.sandbox.contract import check_finite
from inspector.verification.implementation.sandbox.trial import Trial
from inspector.verification.implementation.sandbox.user_process import ProcessTrial
from inspector.verification.implementation.use import Use, row_of, try_ordinary_use

Running = Trial | ProcessTrial


class OneLayer:
    """One layer's implementation, run on all its inputs and compared."""

    def __init__(self, tried: TriedLayer, running: Running, dtype: torch.dtype) -> None:
        """Build it for the layer, and run it on the small inputs."""
        self.tried = tried
        running.start(tried.layer.weights, tried.number)
        self.observations = [
            Observation(probe, running.run(probe.hidden, probe.padding, probe.name), theirs)
            for probe, theirs in tried.inputs
        ]
        self.comparisons = [Comparison(tried.layer, each, dtype) for each in self.observations]
        # The random inputs are small and padded: what is searched for is tried on them first.
        self.random_first = sorted(
            self.observations, key=lambda each: not each.probe.name.startswith("random")
        )
        self.search = Search(tried.layer, self.comparisons)
        self.difference: Difference | None = first_difference(
            tried.number, tried.layer, self.comparisons
        )
        self.randomness: Diagnosis | None = None
        self.use: Use | None = None

    def try_ordinary_use(self, running: Running, dtype: torch.dtype, seed: int) -> None:
        """Call it as ordinary use does, once it is right on small inputs."""
        stage = list(self.observations[0].stages)[-1]
        self.use = try_ordinary_use(self.tried, running.run, stage, dtype, seed)
        self.difference = self.use.difference

    def try_coarsely(self, running: Running, dtype: torch.dtype, seed: int) -> Diagnosis | None:
        """Return what is wrong in ordinary use even by the measure of a coarser dtype, if any is.

        A difference that this dtype explains stays where there is no other.
        """
        explained = self.difference
        running.start(self.tried.layer.weights, self.tried.number)
        self.try_ordinary_use(running, dtype, seed)
        if self.use is None or self.difference is None:
            self.difference = explained
            return None
        return unknown(circumstances(self.use.tried), self.use.distance)

    def look_for_randomness(self, running: Running, dtype: torch.dtype) -> None:
        """Call again, and many times more where the answer is another one then."""
        first = self.random_first[0]
        probe, stage = first.probe, list(first.stages)[-1]

        def again() -> Tensor:
            return running.run(probe.hidden, probe.padding, probe.name)[stage]

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
        for observation in self.observations:
            for stage, values in observation.stages.items():
                if stage != "scores" and not explained:
                    where = f"in layer {self.tried.number} on the input '{observation.probe.name}'"
                    check_finite(values[_real(stage, values, observation)], stage, where)


def _real(stage: str, values: Tensor, observation: Observation) -> Tensor:
    """Return which values belong to queries that are no padding."""
    real = observation.probe.real
    if stage in ("context", "output"):
        return real[..., None].expand_as(values)
    return real[:, None, :, None].expand_as(values)
