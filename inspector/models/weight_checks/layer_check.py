"""A model's layers put in the order in which they run, each proved to be where the table says.

One forward pass is watched; each layer's queries, keys, values and output must follow from the
weights that the entry points to. Must not know: transformers; verification's finer rule.
"""

from dataclasses import replace

import torch
from torch import nn

from inspector.errors import InspectorError, UnsupportedModelError
from inspector.models.forward.capture import LayerCall, watch
from inspector.models.pretrained import Batch, LayerSite, PretrainedModel
from inspector.models.weight_checks.network_check import seen_call
from inspector.models.weight_layouts.call_check import Entry, SeenCall, prove_entry
from inspector.models.weight_layouts.layout_table import attention_sites, layouts_at

_N_TOKENS = 8
# A network's own, of inputs that do not suit it.
_COMPLAINTS = (
    ArithmeticError, AttributeError, LookupError, NotImplementedError, RuntimeError, TypeError,
    ValueError,
)  # fmt: skip


def unproved_sites(network: nn.Module) -> tuple[LayerSite, ...]:
    """Return the places that the table names in a network, in the order of the network."""
    return tuple(
        LayerSite(number, name, layouts[0].names(name)["output"], layouts[0])
        for number, (name, layouts) in enumerate(attention_sites(network))
    )


def prove_sites(model: PretrainedModel) -> PretrainedModel:
    """Return the model with its layers in the order in which they run, each one proved.

    Sizes of heads are those that the model was seen to have.

    Raises:
        UnsupportedModelError: If the model has other layers than its configuration says, a
            projection is not where the table says, or layers differ in their heads.
    """
    modules = dict(model.model.named_modules())
    sites: list[LayerSite] = []
    called: list[str] = []

    def prove(call: LayerCall) -> None:
        called.append(call.module)
        layouts = layouts_at(modules, call.module)
        if layouts:
            entry = prove_entry(modules, call.module, layouts, _seen(call))
            sites.append(_proved_site(model, call, entry))

    try:
        watch(model, probe_batch(model), prove)
    except InspectorError:
        raise
    except _COMPLAINTS as error:
        text = " ".join(str(error).split())
        raise UnsupportedModelError(
            f"model ({model.name}) cannot be run on a few tokens alone ({type(error).__name__}: "
            f"{text[:200]}): it cannot be inspected as a reader of texts."
        ) from error
    unknown = sorted(set(called) - {site.attention for site in model.sites})
    if unknown or len(called) != model.n_layers:
        raise UnsupportedModelError(
            f"model ({model.name}) called attention {len(called)} times"
            f"{' in ' + ', '.join(unknown) if unknown else ''}, expected once in each of its "
            f"{model.n_layers} layers: the table of architectures does not fit it."
        )
    sizes = {site.sizes for site in sites if site.sizes is not None}
    if len(sizes) != 1:
        raise UnsupportedModelError(
            f"model ({model.name}) has layers whose heads differ in number or width: only one "
            "kind of layer can be inspected at a time."
        )
    n_heads, n_kv_heads, d_head, _ = sizes.pop()
    return replace(model, sites=tuple(sites), n_heads=n_heads, n_kv_heads=n_kv_heads, d_head=d_head)


def probe_batch(model: PretrainedModel) -> Batch:
    """Return a short row of ordinary token ids, made without the tokenizer."""
    vocabulary = model.model.get_input_embeddings().num_embeddings  # type: ignore[operator]
    n_tokens = min(_N_TOKENS, model.max_tokens)
    ids = torch.linspace(vocabulary // 3, vocabulary - 1, n_tokens, device=model.device).long()
    attended = torch.ones(1, n_tokens, dtype=torch.long, device=model.device)
    return Batch(ids.unsqueeze(0), attended, None, [[str(i) for i in ids.tolist()]], [None])


def _seen(call: LayerCall) -> SeenCall:
    sources = {"query": call.hidden_states, "key": call.key_source, "value": call.value_source}
    return seen_call(
        call.attention,
        {
            f"{side}_source": call.hidden_states if source is None else source
            for side, source in sources.items()
        },
        call.given,
        call.output,
    )


def _proved_site(model: PretrainedModel, call: LayerCall, entry: Entry) -> LayerSite:
    """Return the site of a proved entry.

    Raises:
        UnsupportedModelError: If it is not proved.
    """
    weights = entry.weights
    wrong = entry.wrong or _unexplained(model, call, entry)
    if wrong is not None or weights is None or entry.layout is None:
        raise UnsupportedModelError(
            f"model ({model.name}) computes another {wrong} in {call.module} than follows from "
            f"the weights that the table of architectures names for "
            f"'{model.architecture.model_type}': it cannot be inspected."
        )
    seen = call.attention
    more = (seen.bias, seen.softcap, seen.sinks, call.key_source, call.value_source, call.given)
    return LayerSite(
        layer=call.layer,
        attention=call.module,
        output=entry.layout.names(call.module)["output"],
        layout=entry.layout,
        sizes=entry.sizes,
        scaling=weights.scaling * entry.factor,
        causal=weights.causal,
        before_rotation=entry.before_rotation,
        is_plain=(
            entry.query == entry.key == "as projected"
            and all(each is None for each in more)
            and seen.own_term is None
        ),
        own_term=seen.own_term,
    )


def _unexplained(model: PretrainedModel, call: LayerCall, entry: Entry) -> str | None:
    """Return which of query and key is neither its projection, nor it turned, scaled or normed.

    Where the table of turns is a weight of the model's, lengths need not stay.
    """
    children = model.model.get_submodule(call.module).named_children()
    normed = any("norm" in name for name, _ in children) or call.attention.own_term == "rotary"
    for side, relation in (("query", entry.query), ("key", entry.key)):
        if relation == "changed" and not normed:
            return side
    return None
