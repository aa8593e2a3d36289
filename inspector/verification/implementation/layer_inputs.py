"""The layers of a model with the inputs on which an implementation of them is tried.

The model's own hidden states on real text, with what its layers made of them, and random ones.
A layer is taken only where our equations reproduce what the real one computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.errors import InputError, UnsupportedModelError
from inspector.models import LayerCall, PretrainedModel, complete_weights, unsaid, watch
from inspector.models.weight_checks.observed_terms import scaled_queries
from inspector.verification.diagnosis import REFERENCE, Comparison, Layer, Norm, Observation, Probe
from inspector.verification.layers.cases import (
    Case,
    longest_length,
    longest_text,
    text_cases,
)
from inspector.verification.layers.stages import their_stages

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
    long: tuple[Probe, dict[str, Tensor]]
    """The longest text on which our equations reproduce the layer, and what it made of it."""
    spread: float
    """Standard deviation of the layer's hidden states."""


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
    for case in _cases(model):

        def keep(call: LayerCall, case: Case = case) -> None:
            if call.layer in seen:
                seen[call.layer].append((case, call))

        watch(model, case.batch, keep)
    found = {number: _tried(model, number, calls) for number, calls in seen.items()}
    return list(_with_long_text(model, found).values())


def _with_long_text(model: PretrainedModel, found: dict[int, TriedLayer]) -> dict[int, TriedLayer]:
    """Return the layers, each with the longest text on which our equations reproduce it.

    That is the longest that the model takes, unless what a layer computes depends on the length.
    """
    biased = any(each.layer.weights.relative_bias is not None for each in found.values())
    length = longest_length(model, biased=biased)
    held: dict[int, TriedLayer] = {}

    def keep(call: LayerCall) -> None:
        if call.layer in found.keys() - held.keys():
            longer = _with_call(model, found[call.layer], call)
            if longer is not None:
                held[call.layer] = longer

    while found.keys() - held.keys() and length > _LONGER:
        watch(model, longest_text(model, length), keep)
        length //= 2
    return {**found, **held}


def _with_call(model: PretrainedModel, tried: TriedLayer, call: LayerCall) -> TriedLayer | None:
    """Return a layer with a longer text, None where our equations do not reproduce that."""
    layer = replace(tried.layer, weights=complete_weights(model, tried.number, [call]))
    for name in ("rotary_cos", "rotary_sin", "relative_bias"):
        short, longer = (getattr(each.weights, name) for each in (tried.layer, layer))
        if (short is None) != (longer is None):
            return None
        if short is not None and not _begins_with(longer, short):
            return None  # a table that depends on the length of the text
    hidden = call.hidden_states.cpu()
    probe = Probe(f"{hidden.shape[1]} tokens, the full length", hidden)
    theirs = {"context": call.attention.context.cpu(), "output": call.output.cpu()}
    if not Comparison(layer, Observation(probe, theirs, {}), hidden.dtype).follows(REFERENCE):
        return None
    return replace(tried, layer=layer, long=(probe, theirs))


def _begins_with(longer: Tensor, short: Tensor) -> bool:
    """Return whether a table goes on where a shorter one ends, up to the rounding of its entries.

    ALiBi's are counted from the end of a text, and subtracted from one another.
    """
    corner = longer[tuple(slice(0, size) for size in short.shape)]
    rounding = 4 * torch.finfo(longer.dtype).eps * float(longer.abs().max())
    return corner.shape == short.shape and torch.allclose(corner, short, rtol=0, atol=rounding)


def random_probes(layer: Layer, spread: float) -> list[Probe]:
    """Return two random inputs; in the first every text is padded.

    Padding stands behind the text, in causal layers before it: elsewhere it would be hidden
    anyway, and no mistake of its mask seen.
    """
    generator = torch.Generator().manual_seed(0)
    probes = []
    for name, (longest, lengths) in _LENGTHS.items():
        shape = (len(lengths), longest, layer.weights.d_model)
        drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
        real = torch.arange(longest)[None] < torch.tensor(lengths)[:, None]
        hidden = (spread * drawn).to(layer.weights.W_Q.dtype)
        probes.append(Probe(name, hidden, real.flip(1) if layer.weights.causal else real))
    return probes


def _cases(model: PretrainedModel) -> list[Case]:
    return [
        Case("longer text", case.batch.cut(_LONGER))
        if case.batch.input_ids.shape[1] > _LONGER
        else case
        for case in text_cases(model)
    ]


def _tried(model: PretrainedModel, number: int, calls: list[tuple[Case, LayerCall]]) -> TriedLayer:
    weights = complete_weights(model, number, [call for _, call in calls])
    layer = Layer(weights, norm_beside(model, number))
    inputs = []
    for case, call in calls:
        real = case.batch.attention_mask.bool().cpu()
        probe = Probe(case.name, call.hidden_states.cpu(), None if bool(real.all()) else real)
        theirs = _theirs(weights, call)
        if theirs is None:
            raise _refusal(model, number, call, "they are of another width or place")
        observation = Observation(probe, theirs, {})
        for stage in Comparison(layer, observation, model.torch_dtype).stages(REFERENCE):
            if not stage.passed:
                how = f"its {stage.stage} is {stage.error_in_u:.3g} u from the equations"
                raise _refusal(model, number, call, how)
        inputs.append((probe, theirs))
    unpadded = [each for each in inputs if each[0].padding is None]
    long = max(unpadded, key=lambda each: each[0].hidden.shape[1])
    spread = float(torch.stack([call.hidden_states.double().std() for _, call in calls]).mean())
    inputs += [(probe, {}) for probe in random_probes(layer, spread)]
    return TriedLayer(number, calls[0][1].module, layer, inputs, long, spread)


def _theirs(weights: LayerWeights, call: LayerCall) -> dict[str, Tensor] | None:
    """Return what a layer computed, stage → tensor; None where it looks at other inputs.

    Queries that it scales itself are unscaled; weights that it returns without its sinks, which
    its context was made with, are left out.
    """
    if call.key_source is not None or call.value_source is not None:
        return None
    stages = {stage: tensor.cpu() for stage, tensor in their_stages(call)._asdict().items()}
    factor = scaled_queries(weights, call)
    if factor != 1.0:
        stages["query"] = stages["query"] / factor
    if weights.sinks is not None and bool((stages["probabilities"].sum(-1) > 1.0 - 1e-6).all()):
        del stages["probabilities"]
    return stages


def _refusal(
    model: PretrainedModel, number: int, call: LayerCall, how: str
) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"layer ({number}) of {model.name} computes more than its weights say: "
        f"{unsaid(model, number, call)} ({how}), so that no implementation can be "
        "compared with it."
    )


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
