"""Controls of a call-by-call check: each mistake, tried on the calls as they come.

Nothing is kept of a call.
"""

from functools import partial

from inspector.models import AttentionCall
from inspector.models.weight_checks.projection_calls import ProjectedCall
from inspector.verification.calls.call_comparison import (
    judge_call,
    terms_of,
    with_scores_spread,
)
from inspector.verification.calls.projection_comparison import judge_projections
from inspector.verification.controls import CALL_MISTAKES, PROJECTION_MISTAKES, Control, Controls
from inspector.verification.diagnosis import Layer

_NAMES = [mistake.name for mistake in (*CALL_MISTAKES, *(each for _, each in PROJECTION_MISTAKES))]
_SPREAD = (
    "Attention is so near to uniform in this model that some mistakes change nothing that can be "
    "seen ({names}): these were tried on the same calls with longer queries."
)


class CallControls:
    """What became of each mistake so far."""

    def __init__(self) -> None:
        """Begin with no mistake tried."""
        self._controls = Controls(
            "Even computed exactly, it moves no call by more than rounding explains.",
            "The rule accepted every call.",
        )
        self._spread: set[str] = set()

    def try_on(self, layer: int, call: AttentionCall) -> None:
        """Try what was not caught yet on a call."""
        terms = terms_of(call)
        if terms.key.shape[2] < 2:  # one key has all the attention, whatever the mistake
            return
        mistakes = [mistake for mistake in CALL_MISTAKES if mistake.applies(terms)]
        dtype = call.query.dtype
        left = self._controls.try_on(layer, mistakes, partial(judge_call, call), dtype)
        longer = with_scores_spread(call) if left else None
        if longer is not None:
            still = self._controls.try_on(layer, left, partial(judge_call, longer), dtype)
            self._spread |= {mistake.name for mistake in left if mistake not in still}

    def try_projections(self, layer: int, projected: ProjectedCall) -> None:
        """Try what was not caught yet on the projections around a call.

        A bias of zeros, or one that rounding hides, is no mistake to leave out.
        """
        known = Layer(projected.weights)
        for side, mistake in PROJECTION_MISTAKES:
            if mistake.applies(known):
                judge = partial(judge_projections, projected, sides=[side])
                dtype = projected.call.query.dtype
                self._controls.try_on(layer, [mistake], judge, dtype, moving=True)

    def finish(self) -> tuple[list[Control], str | None]:
        """Return what became of each mistake that could be made, and a note if one is due."""
        names = [name for name in _NAMES if name in self._spread]
        note = _SPREAD.format(names=", ".join(names)) if names else None
        return self._controls.results(_NAMES), note
