"""The layers of a model with the inputs on which an implementation of them is tried.

The model's own hidden states on real text, with what its layers made of them, and random ones.
A layer is taken only where our equations reproduce what the real one computed.
Must not know: implementations, judging them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.errors import InputError, UnsupportedModelError
from inspector.models import LayerCall, PretrainedModel, watch
from inspector.verification.cases import Case, standard_cases
from inspector.verification.diagnosis import REFERENCE, Comparison, Layer, Norm, Observation, Probe
from inspector.verification.stages import their_stages

_LONGER = 64
_LENGTHS = {"random, all padded": (7, (6, 4, 3)), "random": (11, (11, 8))}


@dataclass(frozen=True)
class TriedLayer:
    """One layer with its inputs."""

    number: int
    module: str
    layer: Layer
    inputs: list[tuple[Probe, dict[str, Tensor]]]
    """Each input with what the real layer made of it, where the real one was run."""


def tried_layers(model: PretrainedModel, layers: Sequence[int] | None) -> list[TriedLayer]:
    """Return the layers that are asked for, all where none are.

    Raises:
        InputError: If the model lacks a layer, or none is left.
        UnsupportedModelError: If a layer computes what its weights alone do not say.
    """
    chosen = range(model.n_layers) if layers is None else [model.check_layer(n) for n in layers]
    if not chosen:
        raise InputError("layers ([]) must name at least one layer, or be left out for all.")
    seen: dict[int, list[tuple[Case, LayerCall]]] = {number: [] for number in chosen}
    with _rotary_angles(model) as angles:
        for case in _cases(model):

            def keep(call: LayerCall, case: Case = case) -> None:
                if call.layer in seen:
                    seen[call.layer].append((case, call))

            watch(model, case.batch, keep)
    longest = max(angles, key=lambda pair: pair[0].shape[1], default=None)
    return [_tried(model, number, calls, longest) for number, calls in seen.items()]


@contextmanager
def _rotary_angles(model: PretrainedModel) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Give a list that fills with the (cos, sin) that the model's rotary embedding gives out."""
    angles: list[tuple[Tensor, Tensor]] = []

    def seen(module: torch.nn.Module, given: object, pair: object) -> None:
        if isinstance(pair, tuple) and len(pair) == 2 and all(t.ndim == 3 for t in pair):
            angles.append(pair)

    hooks = [
        module.register_forward_hook(seen)
        for module in model.model.modules()
        if "RotaryEmbedding" in type(module).__name__
    ]
    try:
        yield angles
    finally:
        for hook in hooks:
            hook.remove()


def random_probes(layer: Layer, spread: float, seed: int = 0) -> list[Probe]:
    """Return two random inputs; in the first every text is padded.

    Padding stands behind the text, in causal layers before it: elsewhere it would be hidden
    anyway, and no mistake of its mask seen.
    """
    generator = torch.Generator().manual_seed(seed)
    probes = []
    for name, (longest, lengths) in _LENGTHS.items():
        shape = (len(lengths), longest, layer.weights.d_model)
        drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
        real = torch.arange(longest)[None] < torch.tensor(lengths)[:, None]
        hidden = (spread * drawn).to(layer.weights.W_Q.dtype)
        probes.append(Probe(name, hidden, real.flip(1) if layer.weights.causal else real))
    return probes


def _cases(model: PretrainedModel) -> list[Case]:
    cases = []
    for case in standard_cases(model):
        if case.seed is not None:
            continue
        batch, name = case.batch, case.name
        if batch.input_ids.shape[1] > _LONGER:
            kinds = batch.token_type_ids
            batch = replace(
                batch,
                input_ids=batch.input_ids[:, :_LONGER],
                attention_mask=batch.attention_mask[:, :_LONGER],
                token_type_ids=None if kinds is None else kinds[:, :_LONGER],
                pieces=[pieces[:_LONGER] for pieces in batch.pieces],
            )
            name = "longer text"
        cases.append(Case(name, batch))
    return cases


def _tried(
    model: PretrainedModel,
    number: int,
    calls: list[tuple[Case, LayerCall]],
    angles: tuple[Tensor, Tensor] | None,
) -> TriedLayer:
    weights = model.layer_weights(number)
    weights = replace(_on_cpu(weights), causal=weights.causal or _is_causal(calls))
    if angles is not None and weights.rotary_cos is None:
        cos, sin = (each[0].detach().cpu() for each in angles)
        weights = replace(weights, rotary_cos=cos, rotary_sin=sin)
    weights = replace(weights, relative_bias=relative_bias([call for _, call in calls]))
    layer = Layer(weights, norm_beside(model, number))
    inputs = []
    for case, call in calls:
        real = case.batch.attention_mask.bool().cpu()
        probe = Probe(case.name, call.hidden_states.cpu(), None if bool(real.all()) else real)
        theirs = {stage: tensor.cpu() for stage, tensor in their_stages(call)._asdict().items()}
        observation = Observation(probe, theirs, {})
        for stage in Comparison(layer, observation, model.torch_dtype).stages(REFERENCE):
            if not stage.passed:
                raise UnsupportedModelError(
                    f"layer ({number}) of {model.name} computes more than its weights say: its "
                    f"{stage.stage} is {stage.error_in_u:.3g} u from the equations, so that no "
                    "implementation can be held against it."
                )
        inputs.append((probe, theirs))
    spread = float(torch.stack([call.hidden_states.double().std() for _, call in calls]).mean())
    inputs += [(probe, {}) for probe in random_probes(layer, spread)]
    return TriedLayer(number, calls[0][1].module, layer, inputs)


def relative_bias(calls: Sequence[LayerCall]) -> Tensor | None:
    """Return what a layer was seen to add to scores, (head, query, key), from its longest text.

    ALiBi's bias is the same for all queries: taken from key i on, it is that of the distance.
    """
    biases = [call.attention.bias for call in calls if call.attention.bias is not None]
    if not biases or any(not bool((bias == bias[:1]).all()) for bias in biases):
        return None  # none, or what follows from the texts: no weight of the layer says it
    longest = max(biases, key=lambda bias: bias.shape[-1])[0].detach().cpu()
    if longest.shape[-2] == 1:
        return longest - longest.mT
    return longest


def _on_cpu(weights: LayerWeights) -> LayerWeights:
    tensors: dict[str, Any] = {
        name: value.cpu() for name, value in vars(weights).items() if isinstance(value, Tensor)
    }
    return replace(weights, **tensors)


def _is_causal(calls: list[tuple[Case, LayerCall]]) -> bool:
    for _, call in calls:
        mask = call.attention.mask
        n = call.hidden_states.shape[1]
        if mask is not None and n > 1:
            later = torch.ones(n, n, dtype=torch.bool, device=mask.device).triu(1)
            if not bool((mask & later).any()):
                return True
    return False


def norm_beside(model: PretrainedModel, number: int) -> Norm | None:
    """Return the normalisation nearest to a layer's attention, where there is one of its width."""
    path = model.sites[number].attention.split(".")
    for depth in range(len(path), 0, -1):
        for module in model.model.get_submodule(".".join(path[:depth])).modules():
            weight = getattr(module, "weight", None)
            kind = type(module).__name__
            if "Norm" in kind and isinstance(weight, Tensor) and weight.shape == (model.d_model,):
                bias = getattr(module, "bias", None)
                eps = getattr(module, "eps", getattr(module, "variance_epsilon", 1e-6))
                return Norm(
                    weight.detach().cpu(),
                    bias.detach().cpu() if isinstance(bias, Tensor) else None,
                    float(eps),
                    centred="RMS" not in kind and "T5" not in kind,
                )
    return None
