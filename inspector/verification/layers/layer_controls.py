"""The controls of a verification from weights: each mistake, tried on every layer."""

from copy import deepcopy
from dataclasses import replace
from functools import partial
from threading import RLock

import torch

from inspector.attention import LayerWeights, MultiHeadStages
from inspector.models import LayerCall, PretrainedModel, watch
from inspector.verification.controls import LETTERS, MUTATIONS, Control, Controls
from inspector.verification.diagnosis import Layer, Plan
from inspector.verification.judge import Judgement
from inspector.verification.layers.cases import padded_case
from inspector.verification.layers.stages import judge_stages, our_stages


def run_controls(model: PretrainedModel) -> tuple[list[Control], str | None]:
    """Return what became of each mistake that can be made in this model, and a note if one is due.

    A mistake is caught when the rule refuses it in any stage of any layer: a verification with
    that mistake in it would not have passed.
    """
    subject, note = _with_biases(model)
    calls: list[LayerCall] = []
    watch(subject, padded_case(subject).batch, calls.append)
    layers = [Layer(subject.layer_weights(number)) for number in range(subject.n_layers)]
    mistakes = [mistake for mistake in MUTATIONS if any(map(mistake.applies, layers))]
    controls = Controls(
        f"Even computed exactly, it moves no stage by more than {model.dtype} rounding explains.",
        "The rule accepted every stage of every layer.",
        of_all=True,
    )
    for call in calls:
        weights = layers[call.layer].weights
        truth = our_stages(call, weights, torch.float64)
        judge = partial(_judged, call, weights, truth)
        controls.try_on(call.layer, mistakes, judge, model.torch_dtype)
    return controls.results([mistake.name for mistake in mistakes]), note


def _judged(
    call: LayerCall,
    weights: LayerWeights,
    truth: MultiHeadStages,
    plan: Plan,
    dtype: torch.dtype | None,
) -> dict[str, Judgement]:
    ours = our_stages(call, weights, dtype or weights.W_Q.dtype, plan)
    return judge_stages(call, ours, truth)


def _with_biases(model: PretrainedModel) -> tuple[PretrainedModel, str | None]:
    """Return the model; where a bias is zero throughout, a copy in which such biases are drawn.

    Leaving out a bias of zeros is no mistake, so that nothing could catch it.
    """
    weights = [model.layer_weights(number) for number in range(model.n_layers)]
    zero = [
        side
        for side, letter in LETTERS.items()
        if all((bias := getattr(w, f"b_{letter}")) is not None and not bias.any() for w in weights)
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
