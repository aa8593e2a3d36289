"""Controls of a call-by-call check: each deliberate mistake, tried on the calls as they come.

Nothing is kept of a call: a mistake that was caught is not tried again.
Must not know: how a call came to be seen, how the report shows it.
"""

import torch

from inspector.models import AttentionCall
from inspector.models.weight_checks.projection_calls import ProjectedCall
from inspector.verification.calls.call_comparison import judge_call, terms_of, with_scores_spread
from inspector.verification.calls.call_mistakes import CALL_MISTAKES, CallMistake
from inspector.verification.calls.call_projections import PROJECTION_MISTAKES, judge_projections
from inspector.verification.report import Control

_HALF_TYPES = (torch.bfloat16, torch.float16)
_NAMES = (
    *(mistake.name for mistake in CALL_MISTAKES),
    *(mistake.name for mistake in PROJECTION_MISTAKES),
)
_SPREAD = (
    "Attention is so near to uniform in this model that some mistakes change nothing that can be "
    "seen ({names}): these were tried on the same calls with longer queries."
)


class CallControls:
    """What became of each mistake so far."""

    def __init__(self) -> None:
        """Begin with no mistake tried."""
        self._caught: dict[str, tuple[int, str]] = {}
        self._tried: set[str] = set()
        self._below_rounding: set[str] = set()
        self._spread: set[str] = set()

    def try_on(self, layer: int, call: AttentionCall) -> None:
        """Try what was not caught yet on a call.

        Args:
            layer: The number of the module that called.
            call: As the model computed it.
        """
        terms = terms_of(call)
        if terms.key.shape[2] < 2:  # one key has all the attention, whatever the mistake
            return
        left = [
            mistake
            for mistake in CALL_MISTAKES
            if mistake.name not in self._caught and mistake.applies(terms)
        ]
        self._tried |= {mistake.name for mistake in left}
        left = [mistake for mistake in left if not self._is_caught(layer, call, mistake)]
        longer = with_scores_spread(call) if left else None
        if longer is not None:
            for mistake in left:
                if self._is_caught(layer, longer, mistake):
                    self._spread.add(mistake.name)

    def try_projections(self, layer: int, projected: ProjectedCall) -> None:
        """Try what was not caught yet on the projections around a call.

        A bias of zeros, or one that rounding hides, is no mistake to leave out.

        Args:
            layer: The number of the module.
            projected: As the model computed it.
        """
        for mistake in PROJECTION_MISTAKES:
            if mistake.name in self._caught or not mistake.applies(projected.weights):
                continue
            for dtype in (None, torch.float64):
                judged = judge_projections(
                    projected, change=mistake.change, dtype=dtype, sides=[mistake.side]
                )
                if all(judgement.passed for judgement in judged.values()):
                    continue
                self._tried.add(mistake.name)
                if dtype is None:
                    self._caught[mistake.name] = (layer, mistake.side)
                break

    def _is_caught(self, layer: int, call: AttentionCall, mistake: CallMistake) -> bool:
        judged = judge_call(call, ours=mistake)
        for stage, judgement in judged.items():
            if not judgement.passed:
                self._caught[mistake.name] = (layer, stage)
                return True
        if call.query.dtype in _HALF_TYPES:
            exact = judge_call(call, ours=mistake, dtype=torch.float64)
            if all(judgement.passed for judgement in exact.values()):
                self._below_rounding.add(mistake.name)
        return False

    def finish(self) -> tuple[list[Control], str | None]:
        """Return what became of each mistake that could be made, and a note if one is due."""
        controls = [self._control(name) for name in _NAMES if name in self._tried]
        names = [name for name in _NAMES if name in self._spread]
        return controls, _SPREAD.format(names=", ".join(names)) if names else None

    def _control(self, name: str) -> Control:
        if name in self._caught:
            layer, stage = self._caught[name]
            return Control(mutation=name, caught=True, layer=layer, stage=stage, reason=None)
        if name in self._below_rounding:
            reason = "Even computed exactly, it moves no call by more than rounding explains."
            return Control(mutation=name, caught=None, layer=None, stage=None, reason=reason)
        reason = "The rule accepted every call."
        return Control(mutation=name, caught=False, layer=None, stage=None, reason=reason)
