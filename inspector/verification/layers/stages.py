"""The stages of one layer's attention: as the model computed them, and as we do.

Ours start from the layer's own input and weights, in the model's dtype or in float64 (the
truth), with the same mask and, in training, the same dropout.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from inspector.attention import LayerWeights, MultiHeadStages, multi_head_attention
from inspector.models import LayerCall
from inspector.verification.across_cases import largest_score
from inspector.verification.diagnosis import REFERENCE, Plan
from inspector.verification.judge import (
    PRECISE,
    Judgement,
    cotangent_of,
    judge,
    rows_with_keys,
    unit_roundoff,
)

STAGES = MultiHeadStages._fields
# Stages with a row per query: rows without an allowed key have no defined value there.
_QUERY_AXIS = {"probabilities": 2, "context": 1, "output": 1}

GRADIENT = "gradient"
"""What the gradient of the hidden states is called among the stages."""


def their_stages(call: LayerCall) -> MultiHeadStages:
    """Return what the real layer computed, stage by stage."""
    seen = call.attention
    return MultiHeadStages(
        seen.query, seen.key, seen.value, seen.probabilities, seen.context, call.output
    )


def our_stages(
    call: LayerCall,
    weights: LayerWeights,
    dtype: torch.dtype,
    plan: Plan = REFERENCE,
) -> MultiHeadStages:
    """Return what a plan makes of the layer's input, in the dtype given.

    Dropout draws from the state that the generator had when the layer drew: the same weights are
    dropped, whatever the dtype.
    """
    hidden = call.hidden_states.to(dtype)
    seen = call.attention
    mask = None if seen.mask is None else seen.mask[:, 0]
    changed = plan.weights_of(weights.to(dtype))
    with same_draws(seen.random_state):
        return multi_head_attention(
            hidden, hidden, changed, mask=mask, dropout=seen.dropout, steps=plan
        )


@contextmanager
def same_draws(random_state: Tensor | None) -> Iterator[None]:
    """Draw what was drawn from a state of the generator, which is then as it was before."""
    with torch.random.fork_rng(devices=[]):
        if random_state is not None:
            torch.set_rng_state(random_state)
        yield


def judge_stages(
    call: LayerCall, ours: MultiHeadStages, truth: MultiHeadStages, large: float | None = None
) -> dict[str, Judgement]:
    """Return stage → judgement of ours against the real layer's, rows without a key left out.

    Scores are taken for small; where a stage then fails in float32 or float64, the rule gets the
    call's largest score.

    Args:
        call: A layer's, seen.
        ours: By our equations, in the model's dtype.
        truth: In float64.
        large: The largest score, where it is known not to be small.
    """
    judgements = _judged(call, ours, truth, 1.0 if large is None else large)
    precise = unit_roundoff(call.hidden_states.dtype) <= PRECISE
    if large is None and precise and not all(one.passed for one in judgements.values()):
        return _judged(call, ours, truth, largest_score(call.attention))
    return judgements


def _judged(
    call: LayerCall, ours: MultiHeadStages, truth: MultiHeadStages, large: float
) -> dict[str, Judgement]:
    theirs = their_stages(call)
    keep = query_rows(call)
    dtype = call.hidden_states.dtype
    judgements = {}
    for stage in STAGES:
        a, b, t = (getattr(stages, stage) for stages in (ours, theirs, truth))
        if stage in _QUERY_AXIS and not bool(keep.all()):
            a, b, t = (select_rows(tensor, stage, keep) for tensor in (a, b, t))
        of_scores = large if stage in _QUERY_AXIS else 1.0
        judgements[stage] = judge(a, b, t, dtype, of_scores)
    return judgements


def judge_gradient(
    call: LayerCall, weights: LayerWeights, dtype: torch.dtype, seed: int
) -> Judgement:
    """Return the judgement of the gradient of the hidden states: ours against the real layer's.

    A vector-Jacobian product with a cotangent of the output that is drawn from the seed, and is 0
    where nobody reads the output. Texts in which a query has no key are left out.
    """
    keep = query_rows(call).to(call.output.device)
    cotangent = cotangent_of(call.output.shape, keep[..., None], seed, dtype)
    (theirs,) = torch.autograd.grad(call.output, call.hidden_states, cotangent, retain_graph=True)
    whole = keep.all(-1)
    ours, truth = (
        _gradient(call, weights, precision, cotangent)[whole]
        for precision in (dtype, torch.float64)
    )
    return judge(ours, theirs[whole], truth, dtype)


def _gradient(
    call: LayerCall, weights: LayerWeights, dtype: torch.dtype, cotangent: Tensor
) -> Tensor:
    hidden = call.hidden_states.detach().to(dtype, copy=True).requires_grad_()
    with torch.enable_grad():
        output = our_stages(replace(call, hidden_states=hidden), weights, dtype).output
    (gradient,) = torch.autograd.grad(output, hidden, cotangent.to(dtype))
    return gradient


def query_rows(call: LayerCall) -> Tensor:
    """Return (batch, query): True where the query has an allowed key."""
    n_batch, n_query = call.hidden_states.shape[:2]
    return rows_with_keys(call.attention.mask, n_batch, n_query)


def select_rows(tensor: Tensor, stage: str, keep: Tensor) -> Tensor:
    """Return a stage's rows of the queries that are kept, as (row, …)."""
    axis = _QUERY_AXIS[stage]
    return tensor.movedim(axis, 1)[keep.to(tensor.device)]
