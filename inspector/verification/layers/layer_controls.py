"""The controls: every deliberate mistake tried on the real model, and whether the rule saw it.

Must not know: how the report shows it.
"""

from copy import deepcopy
from dataclasses import replace
from threading import RLock

import torch

from inspector.models import LayerCall, PretrainedModel, watch
from inspector.verification.layers.cases import padded_case
from inspector.verification.layers.mutations import MUTATIONS, Mutation
from inspector.verification.layers.stages import STAGES, judge_stages, our_stages
from inspector.verification.report import Control

_BIASES = {"query": "b_Q", "key": "b_K", "value": "b_V", "output": "b_O"}
_HALF_TYPES = (torch.bfloat16, torch.float16)


def run_controls(model: PretrainedModel) -> tuple[list[Control], str | None]:
    """Return what became of each mistake that can be made in this model, and a note if one is due.

    A mistake is caught when the rule refuses it in any stage of any layer: a verification with
    that mistake in it would not have passed.
    """
    subject, note = _with_biases(model)
    calls: list[LayerCall] = []
    watch(subject, padded_case(subject).batch, calls.append)
    weights = subject.layer_weights(0)
    controls = [
        _run_control(subject, calls, mutation)
        for mutation in MUTATIONS
        if mutation.applies(weights)
    ]
    return controls, note


def _run_control(model: PretrainedModel, calls: list[LayerCall], mutation: Mutation) -> Control:
    for call in calls:
        stage = _refused_stage(model, call, mutation, model.torch_dtype)
        if stage is not None:
            return Control(
                mutation=mutation.name, caught=True, layer=call.layer, stage=stage, reason=None
            )
    below_rounding = model.torch_dtype in _HALF_TYPES and all(
        _refused_stage(model, call, mutation, torch.float64) is None for call in calls
    )
    reason = (
        f"Even computed exactly, it moves no stage by more than {model.dtype} rounding explains."
        if below_rounding
        else "The rule accepted every stage of every layer."
    )
    return Control(
        mutation=mutation.name,
        caught=None if below_rounding else False,
        layer=None,
        stage=None,
        reason=reason,
    )


def _refused_stage(
    model: PretrainedModel, call: LayerCall, mutation: Mutation, dtype: torch.dtype
) -> str | None:
    weights = model.layer_weights(call.layer)
    truth = our_stages(call, weights, torch.float64)
    mutated = our_stages(call, weights, dtype, mutation)
    judgements = judge_stages(call, mutated, truth)
    return next((stage for stage in STAGES if not judgements[stage].passed), None)


def _with_biases(model: PretrainedModel) -> tuple[PretrainedModel, str | None]:
    """Return the model; where a bias is zero throughout, a copy in which such biases are drawn.

    Leaving out a bias of zeros is no mistake, so that nothing could catch it.
    """
    zero = [
        side
        for side, bias in _BIASES.items()
        if all(_is_zero(getattr(model.layer_weights(i), bias)) for i in range(model.n_layers))
    ]
    if not zero:
        return model, None
    copy = replace(model, model=deepcopy(model.model), lock=RLock())
    generator = torch.Generator().manual_seed(1706)
    with torch.no_grad():
        for layer in range(copy.n_layers):
            for side in zero:
                linear = copy.linear(layer, side)
                scale = float(linear.weight.std())
                drawn = scale * torch.randn(linear.bias.shape, generator=generator)
                linear.bias.copy_(drawn)
    return copy, (
        f"All {', '.join(zero)} biases of this model are zero, so that leaving one out changes "
        "nothing: the controls ran on a copy in which they are drawn at random."
    )


def _is_zero(bias: torch.Tensor | None) -> bool:
    return bias is not None and not bool(bias.any())
