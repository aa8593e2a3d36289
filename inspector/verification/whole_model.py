"""The whole model with our attention in it, against eager, sdpa and the truth in float64.

Must not know: single layers.
"""

from copy import deepcopy
from dataclasses import replace
from threading import RLock
from typing import Any

from torch import Tensor

from inspector.models import PretrainedModel, last_hidden_state
from inspector.verification.cases import Case
from inspector.verification.judge import Judgement, judge

OURS_EAGER, OURS_SDPA, NOISE = "ours - eager", "ours - sdpa", "sdpa - eager"


def compare_whole_model(model: PretrainedModel, cases: list[Case]) -> list[dict[str, Any]]:
    """Return rows of the whole-model frame: three comparisons of each case's last hidden state.

    Errors of a layer pass through the layers after it, so that ours may be n_layers times as far
    from theirs as in a single layer. Only real pieces are compared, not padding.
    """
    exact = replace(model, model=deepcopy(model.model).double(), dtype="float64", lock=RLock())
    rows = []
    for case in cases:
        if case.seed is not None:
            continue
        real = case.batch.attention_mask.bool()
        eager, sdpa, ours = (
            last_hidden_state(model, case.batch, name)[real]
            for name in ("eager", "sdpa", "inspector")
        )
        truth = last_hidden_state(exact, case.batch, "inspector")[real]
        layers = float(model.n_layers)
        rows += [
            _row(case, OURS_EAGER, _judge(model, ours, eager, truth, layers)),
            _row(case, OURS_SDPA, _judge(model, ours, sdpa, truth, layers)),
            # The library's own two paths, beside ours: shown, not judged.
            {**_row(case, NOISE, _judge(model, sdpa, eager, truth, layers)), "passed": True},
        ]
    return rows


def _judge(
    model: PretrainedModel, ours: Tensor, theirs: Tensor, truth: Tensor, layers: float
) -> Judgement:
    return judge(ours, theirs, truth, model.torch_dtype, allowance=layers)


def _row(case: Case, comparison: str, judgement: Judgement) -> dict[str, Any]:
    return {"case": case.name, "comparison": comparison, **vars(judgement)}
