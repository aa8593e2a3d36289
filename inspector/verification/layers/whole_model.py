"""The whole model with our attention in it, against eager, sdpa and the truth in float64.

Errors of one layer pass through all layers after it, so the rule allows what they can add up to,
and what the library's own two paths are apart.
"""

from copy import deepcopy
from dataclasses import replace
from threading import RLock
from typing import Any

from torch import Tensor

from inspector.models import PretrainedModel, last_hidden_state
from inspector.verification.judge import (
    MAX_FLOOR,
    MAX_RATIO,
    NEAR_THEIRS,
    NOISE_RATIO,
    RMS_FLOOR,
    RMS_RATIO,
    Judgement,
    judge,
    unit_roundoff,
)
from inspector.verification.layers.cases import Case

OURS_EAGER, OURS_SDPA, NOISE = "ours - eager", "ours - sdpa", "sdpa - eager"


def compare_whole_model(model: PretrainedModel, cases: list[Case]) -> list[dict[str, Any]]:
    """Return rows of the whole-model frame: three comparisons of each case's last hidden state.

    With eager and sdpa as theirs, ours passes if max|ours − theirs| is within 32·n_layers·u·scale
    or 4 times the largest distance between the two, and its errors to the truth are within the
    rule's factors of the larger of the two paths' errors. Only real tokens are compared.
    """
    exact = replace(model, model=deepcopy(model.model).double(), dtype="float64", lock=RLock())
    rows = []
    for case in cases:
        # In training sdpa draws its dropout otherwise: there is nothing to compare.
        if case.manner.dropout_seed is None and case.whole_model:
            rows += _compare_case(model, exact, case)
    return rows


def _compare_case(
    model: PretrainedModel, exact: PretrainedModel, case: Case
) -> list[dict[str, Any]]:
    real = case.batch.attention_mask.bool()
    eager, sdpa, ours = (
        last_hidden_state(model, case.batch, name)[real] for name in ("eager", "sdpa", "inspector")
    )
    truth = last_hidden_state(exact, case.batch, "inspector")[real]

    def against(first: Tensor, second: Tensor) -> Judgement:
        return judge(first, second, truth, model.torch_dtype)

    noise = against(sdpa, eager)
    judged = {OURS_EAGER: against(ours, eager), OURS_SDPA: against(ours, sdpa)}
    # The noise is shown, not judged.
    rows = {**judged, NOISE: replace(noise, passed=True)}
    for name, judgement in judged.items():
        rows[name] = replace(judgement, passed=_passes(model, judgement, noise))
    return [
        {"case": case.name, "comparison": name, **vars(judgement)}
        for name, judgement in rows.items()
    ]


def _passes(model: PretrainedModel, found: Judgement, noise: Judgement) -> bool:
    unit = unit_roundoff(model.torch_dtype) * found.scale
    distance = max(NEAR_THEIRS * model.n_layers * unit, NOISE_RATIO * noise.max_abs_error)
    # noise: sdpa's errors to the truth as its own, eager's as its reference's.
    rms = max(noise.rms_error, noise.reference_rms_error)
    largest = max(noise.max_error, noise.reference_max_error)
    return (
        found.max_abs_error <= distance < float("inf")
        and found.rms_error <= RMS_RATIO * rms + RMS_FLOOR * unit
        and found.max_error <= MAX_RATIO * largest + MAX_FLOOR * unit
    )
