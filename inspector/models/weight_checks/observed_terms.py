"""All that a layer's attention follows from besides its matrices, read from what it was seen to do.

Order, window, bias, cap and sinks stand in its calls; which norm and which angles come between
W_Q and the queries is found by trying: what reproduces the queries and keys is taken.
Whether the whole then computes what the layer does is for verification to say.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from inspector.attention import (
    LayerWeights,
    causal_mask,
    project_heads,
    split_heads,
    window_mask,
)
from inspector.attention.positions import rotary_angles
from inspector.models.forward.capture import LayerCall
from inspector.models.pretrained import PretrainedModel
from inspector.models.weight_layouts.call_check import RELATIVE_TOLERANCE

# How modules call the norms of queries and keys; one for both last.
_NORMS = (
    ("q_norm", "k_norm"),
    ("q_layernorm", "k_layernorm"),
    ("query_layernorm", "key_layernorm"),
    ("qk_norm", "qk_norm"),
)


def complete_weights(
    model: PretrainedModel, layer: int, calls: Sequence[LayerCall]
) -> LayerWeights:
    """Return the weights of a layer with all that its calls show, on the CPU."""
    kept = vars(model.layer_weights(layer))
    on_cpu: dict[str, Any] = {
        name: value.detach().cpu() for name, value in kept.items() if isinstance(value, Tensor)
    }
    weights = LayerWeights(**{**kept, **on_cpu})
    longest = max(calls, key=lambda call: call.hidden_states.shape[1])
    attention = longest.attention
    weights = replace(
        weights,
        softcap=attention.softcap,
        sinks=_of_heads(attention.sinks),
        relative_bias=relative_bias(calls),
        **_order(longest),
    )
    module = model.model.get_submodule(model.sites[layer].attention)
    return _between(weights, module, longest)


def scaled_queries(weights: LayerWeights, call: LayerCall) -> float:
    """Return what the model multiplies its queries with before it hands them over: 1, as a rule.

    Where it is another number, the call's own factor on the scores is that much smaller or larger.
    """
    return weights.scaling / call.attention.scaling


def relative_bias(calls: Sequence[LayerCall]) -> Tensor | None:
    """Return what a layer was seen to add to scores, (head, query, key), from its longest text.

    ALiBi's bias is the same for all queries: taken from key i on, it is that of the distance, and
    that of a shorter text is its beginning.
    """
    attentions = [call.attention for call in calls]
    biased = [(each, each.bias) for each in attentions if each.bias is not None]
    if not biased or any(map(_follows_from_text, calls)):
        return None  # none, or what follows from the texts: no weight of the layer says it
    attention, of_texts = max(biased, key=lambda pair: pair[1].shape[-1])
    bias = of_texts[0].detach().cpu()
    if _is_the_same_for_all_queries(bias, attention.mask):
        bias = bias[..., -1:, :] - bias[..., -1:, :].mT
    return bias.expand(attention.query.shape[1], -1, -1)


def _is_the_same_for_all_queries(bias: Tensor, mask: Tensor | None) -> bool:
    """Return whether each query that may look at a key adds what the last one adds there."""
    differs = bias != bias[..., -1:, :]
    if mask is None:
        return not bool(differs.any())
    allowed = mask[0].cpu()
    return bool(allowed[..., -1, :].all()) and not bool((differs & allowed).any())


def _follows_from_text(call: LayerCall) -> bool:
    """Return whether texts differ in what is added to the scores of keys that they may look at."""
    bias, mask = call.attention.bias, call.attention.mask
    if bias is None:
        return False
    if mask is None:
        return not bool((bias == bias[:1]).all())
    most = int(mask.expand(len(call.hidden_states), *mask.shape[1:]).sum((1, 2, 3)).argmax())
    first = slice(most, most + 1) if len(mask) > 1 else slice(0, 1)
    of_first = bias[first] if len(bias) > 1 else bias
    return bool(((bias != of_first) & mask & mask[first]).any())


def unsaid(model: PretrainedModel, layer: int, call: LayerCall) -> str:
    """Return in words what a layer computes that `LayerWeights` has no field for.

    Of those that are known; what it is said of is known to compute something else.
    """
    layout = model.sites[layer].layout
    module = model.model.get_submodule(model.sites[layer].attention)
    if call.key_source is not None or call.value_source is not None:
        return "it projects queries, keys and values from inputs that differ"
    if layout.between != "nothing":
        return f"{layout.between} stands between its heads and W_O"
    if call.attention.own_term == "disentangled":
        return "its scores hold a disentangled bias, made of its own queries and keys"
    if getattr(module, "clip_qkv", None) or getattr(module.__dict__.get("config"), "clip_qkv", 0):
        return "it clips queries, keys and values (clip_qkv)"
    if _follows_from_text(call):
        return "it adds to its scores what follows from the text"
    if _hides_otherwise(call):
        return "its mask hides keys in another order than causal or by a window"
    if _scaled_by_place(model.layer_weights(layer), call):
        return "it scales its queries by their place in the text"
    return "something stands between its matrices and its result that has no field"


def _hides_otherwise(call: LayerCall) -> bool:
    """Return whether the mask of a text without padding is none that causal and window say."""
    mask, n = call.attention.mask, call.hidden_states.shape[1]
    if mask is None or len(call.hidden_states) > 1:
        return False
    order, told = torch.ones(n, n, dtype=torch.bool), _order(call)
    if told.get("causal"):
        order = causal_mask(n)
    if told.get("window"):
        order = order & window_mask(told["window"], n)
    return not bool((mask.cpu() == order).all())


def _scaled_by_place(weights: LayerWeights, call: LayerCall) -> bool:
    """Return whether queries are longer than projected by what all heads of a token share."""
    query = call.attention.query
    projected = linear(call.hidden_states, weights.W_Q, weights.b_Q)
    heads = split_heads(projected, weights.n_heads)
    lengths = query.norm(dim=-1) / heads.norm(dim=-1)
    shared = lengths.mean(1, keepdim=True)
    alike = bool(((lengths - shared).abs() <= 1e-3 * shared).all())
    return alike and not bool(((shared - shared.mean()).abs() <= 1e-3 * shared).all())


def _of_heads(sinks: Tensor | None) -> Tensor | None:
    """Return the sink of each head; None where they differ between queries."""
    if sinks is None or not bool((sinks == sinks[:1, :, :1]).all()):
        return None
    return sinks[0, :, 0, 0].detach().cpu()


def _order(call: LayerCall) -> dict[str, Any]:
    """Return 'causal' and 'window' as the mask of a call says them."""
    mask, n = call.attention.mask, call.hidden_states.shape[1]
    if mask is None or n == 1:
        return {}
    allowed = mask.expand(*mask.shape[:2], n, n)[:, 0].any(0).cpu()
    causal = not bool(allowed.triu(1).any())
    rows, columns = allowed.nonzero().unbind(-1)
    reach = int((rows - columns).abs().max()) + 1 if len(rows) else n
    return {"causal": causal, "window": reach if reach < n else None}


def _between(weights: LayerWeights, module: nn.Module, call: LayerCall) -> LayerWeights:
    """Return the weights with the norm and the angles that turn projections into the call's heads.

    As they are where nothing is needed, or nothing that is known explains them.
    """
    if call.key_source is not None or call.value_source is not None:
        return weights
    hidden = call.hidden_states.cpu().float()
    query, key = call.attention.query.cpu(), call.attention.key.cpu()
    # Some angles make vectors longer, besides: that is no factor of the queries alone.
    for scaling in dict.fromkeys([weights.scaling, call.attention.scaling]):
        scaled = replace(weights, scaling=scaling)
        as_projected = query / scaled_queries(scaled, call)
        for found in _candidates(scaled, module, call):
            made = project_heads(hidden, hidden, found.to(torch.float32))
            if _is_close(made[0], as_projected) and _is_close(made[1], key):
                return found
    return weights


def _is_close(computed: Tensor, real: Tensor) -> bool:
    """Return whether one is the other, but for the rounding of the other's dtype."""
    if computed.shape != real.shape:
        return False
    tolerance = max(RELATIVE_TOLERANCE, 4 * torch.finfo(real.dtype).eps)
    return bool((computed - real.float()).abs().max() <= tolerance * real.abs().max())


def _candidates(
    weights: LayerWeights, module: nn.Module, call: LayerCall
) -> Iterator[LayerWeights]:
    tables = [{}, *_rotations(weights, call.places)]
    for norm in ({}, *_norms(weights, module)):
        for table in tables:
            yield replace(weights, **norm, **table)
            if norm and table:
                yield replace(weights, **norm, **table, norm_after_rotation=True)


def _rotations(weights: LayerWeights, places: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the angles that a module was given, in every way that features are turned by them."""
    for cos, sin in _tables(places):
        width = cos.shape[-1]
        half_cos, half_sin = cos[..., : width // 2], sin[..., : width // 2]
        ways = [(cos, sin, False), (cos, sin, True), (*_by_neighbours(half_cos, half_sin), True)]
        if 2 * width <= weights.d_head:
            ways += [(cos.repeat(1, 2), sin.repeat(1, 2), False), (*_by_neighbours(cos, sin), True)]
        for turning, turned, neighbours in ways:
            if turning.shape[-1] <= weights.d_head and turning.shape[-1] % 2 == 0:
                for sign in (1.0, -1.0):
                    yield {
                        "rotary_cos": turning,
                        "rotary_sin": sign * turned,
                        "rotary_neighbours": neighbours,
                    }


def _by_neighbours(cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
    return cos.repeat_interleave(2, -1), sin.repeat_interleave(2, -1)


def _tables(places: Mapping[str, Any]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (cos, sin), each (token, angle), of the first text."""
    pair = places.get("position_embeddings")
    if isinstance(pair, Tensor) and pair.is_complex():
        yield _first_text(pair.real), _first_text(pair.imag)
    elif isinstance(pair, tuple) and len(pair) == 2:
        yield _first_text(pair[0]), _first_text(pair[1])
    both = places.get("sinusoidal_pos")
    if isinstance(both, Tensor):
        sin, cos = both.chunk(2, dim=-1)
        yield _first_text(cos), _first_text(sin)
    width = places.get("rotary_width")
    if isinstance(places.get("position_ids"), Tensor) and width:
        angles = rotary_angles(_first_text(places["position_ids"][..., None])[:, 0], width)
        yield angles.cos(), angles.sin()


def _first_text(table: Tensor) -> Tensor:
    """Return a table of (…, token, angle) for its first text."""
    return table.detach().cpu().reshape(-1, *table.shape[-2:])[0]


def _norms(weights: LayerWeights, module: nn.Module) -> Iterator[dict[str, Any]]:
    """Yield the norms that a module has for queries and keys, in every way they are written."""
    children = dict(module.named_children())
    for of_query, of_key in _NORMS:
        if of_query not in children or of_key not in children:
            continue
        query, key = children[of_query], children[of_key]
        eps: Any = getattr(query, "eps", getattr(query, "variance_epsilon", None))
        if eps is None:
            continue
        for plus in (0.0, 1.0):  # Gemma keeps its gains less one
            for centred in (False, True):
                yield {
                    "query_norm": _gain(query, plus, weights.d_head),
                    "key_norm": _gain(key, plus, weights.d_head),
                    "query_norm_bias": _own(query, "bias"),
                    "key_norm_bias": _own(key, "bias"),
                    "norm_eps": float(eps),
                    "norm_centred": centred,
                }


def _gain(norm: nn.Module, plus: float, d_head: int) -> Tensor:
    weight = _own(norm, "weight")
    return torch.ones(d_head) if weight is None else weight + plus


def _own(norm: nn.Module, name: str) -> Tensor | None:
    value = getattr(norm, name, None)
    return value.detach().cpu() if isinstance(value, Tensor) else None
