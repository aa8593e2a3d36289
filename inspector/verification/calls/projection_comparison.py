"""The linear layers around an attention call of a real model, judged beside ours: q, k, v, output.

Each is given what the model's own was given, so that errors do not add up.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import linear

from inspector.attention import LayerWeights
from inspector.models.weight_checks.projection_calls import ProjectedCall
from inspector.models.weight_layouts.layout import SIDES
from inspector.verification.controls import LETTERS
from inspector.verification.diagnosis import REFERENCE, Plan
from inspector.verification.judge import Judgement, judge, rows_with_keys

# A linear layer treats all tokens alike: so many of a call, spread evenly, stand for the others.
TOKENS_AT_MOST = 32


def judge_projections(
    projected: ProjectedCall,
    plan: Plan = REFERENCE,
    dtype: torch.dtype | None = None,
    *,
    sides: Sequence[str] = SIDES,
) -> dict[str, Judgement]:
    r"""Return stage → judgement of ours against the model's own: query, key, value, output.

    $q = x W_Q^\top + b_Q$ and so on, for at most `TOKENS_AT_MOST` tokens of the call. Queries
    without an allowed key are left out of the output.
    """
    judgements = {}
    changed = plan.weights_of(projected.weights)
    for side in sides:
        if side not in projected.made:
            continue
        rows = _chosen(projected, side)
        given = _tokens(projected.given[side], rows)
        theirs = _tokens(projected.made[side], rows)
        ours = _project(given.to(dtype or given.dtype), changed, side)
        truth = _project(given.double(), projected.weights, side)
        judgements[side] = judge(ours, theirs, truth, theirs.dtype)
    return judgements


def _project(
    given: Float[Tensor, "token d_in"], weights: LayerWeights, side: str
) -> Float[Tensor, "token d_out"]:
    letter = LETTERS[side]
    matrix, bias = getattr(weights, f"W_{letter}"), getattr(weights, f"b_{letter}")
    return linear(given, matrix.to(given.dtype), None if bias is None else bias.to(given.dtype))


def _chosen(projected: ProjectedCall, side: str) -> Int[Tensor, " token"]:
    """Return the places, in all texts one after the other, of the tokens that are compared."""
    given, mask = projected.given[side], projected.call.mask
    n_texts, n_tokens = given.shape[:2]
    rows = torch.arange(n_texts * n_tokens, device=given.device)
    if side == "output" and mask is not None:
        rows = rows[rows_with_keys(mask, n_texts, n_tokens).flatten()]
    if len(rows) <= TOKENS_AT_MOST:
        return rows
    return rows[torch.arange(TOKENS_AT_MOST, device=rows.device) * len(rows) // TOKENS_AT_MOST]


def _tokens(
    tensor: Float[Tensor, "batch token *features"], rows: Int[Tensor, " chosen"]
) -> Float[Tensor, "chosen d_out"]:
    """Return the features of the chosen tokens, those of the heads side by side."""
    return tensor.flatten(0, 1).index_select(0, rows).flatten(1)
