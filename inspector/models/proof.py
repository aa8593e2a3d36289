"""An entry of the table of architectures, proved against what the model really computes.

One forward pass is watched; each layer's queries, keys, values and output must follow from the
weights that the entry points to. Must not know: transformers; verification's finer rule.
"""

from dataclasses import replace

import torch
from torch import Tensor

from inspector.attention import combine_heads, project_heads, split_heads
from inspector.errors import UnsupportedModelError
from inspector.models.capture import LayerCall, watch
from inspector.models.pretrained import Batch, LayerSite, PretrainedModel

# A wrong matrix is off by about the numbers' own size; float32 rounding by less than 1e-5 of it.
_RELATIVE_TOLERANCE = 1e-4
_N_PIECES = 8


def prove_sites(model: PretrainedModel) -> PretrainedModel:
    """Return the model with its layers in the order in which they run, each one proved.

    Raises:
        UnsupportedModelError: If the model has other layers than its configuration says, or a
            projection is not where the table says.
    """
    order: list[LayerCall] = []
    watch(model, probe_batch(model), order.append)
    output_of = {site.attention: site.output for site in model.sites}
    unknown = sorted({call.module for call in order} - set(output_of))
    if unknown or len(order) != model.n_layers:
        raise UnsupportedModelError(
            f"model ({model.name}) called attention {len(order)} times"
            f"{' in ' + ', '.join(unknown) if unknown else ''}, expected once in each of its "
            f"{model.n_layers} layers: the table of architectures does not fit it."
        )
    sites = tuple(
        LayerSite(layer, call.module, output_of[call.module]) for layer, call in enumerate(order)
    )
    ordered = replace(model, sites=sites)
    for call in order:
        _prove_layer(ordered, call)
    return ordered


def probe_batch(model: PretrainedModel) -> Batch:
    """Return a short row of ordinary piece ids, made without the tokenizer."""
    vocabulary = model.model.get_input_embeddings().num_embeddings  # type: ignore[operator]
    n_pieces = min(_N_PIECES, model.max_pieces)
    ids = torch.linspace(vocabulary // 3, vocabulary - 1, n_pieces, device=model.device).long()
    attended = torch.ones(1, n_pieces, dtype=torch.long, device=model.device)
    return Batch(ids.unsqueeze(0), attended, None, [[str(i) for i in ids.tolist()]], [None])


def _prove_layer(model: PretrainedModel, call: LayerCall) -> None:
    weights = model.layer_weights(call.layer)
    query, key, value = project_heads(call.hidden_states, call.hidden_states, weights)
    seen = call.attention
    heads = split_heads(seen.context, model.n_heads)
    _, output = combine_heads(heads, weights)
    for name, computed, real in (
        ("query", query, seen.query),
        ("key", key, seen.key),
        ("value", value, seen.value),
        ("output", output, call.output),
    ):
        if not _is_close(computed, real):
            raise UnsupportedModelError(
                f"model ({model.name}) computes another {name} in {call.module} than follows from "
                f"the weights that the table of architectures names for "
                f"'{model.architecture.model_type}': it cannot be inspected."
            )


def _is_close(computed: Tensor, real: Tensor) -> bool:
    if computed.shape != real.shape:
        return False
    scale = real.abs().max()
    return bool((computed - real).abs().max() <= _RELATIVE_TOLERANCE * scale)
