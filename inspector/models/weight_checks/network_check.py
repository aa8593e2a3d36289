"""The layout table proved on a whole network, call by call of one forward pass.

For families that hand their attention to transformers, from what they hand over; for the others,
from the probabilities that they return, or from their answer to changed weights. At load, layer
by layer, in the order in which they run.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any

import torch
from torch import Tensor, nn

from inspector.errors import InspectorError, UnsupportedModelError
from inspector.models.calls.attention_call import AttentionCall
from inspector.models.forward.backend import WATCH, running
from inspector.models.forward.capture import LayerCall, watch
from inspector.models.forward.site_watch import Shown, SiteWatch
from inspector.models.pretrained import Batch, LayerSite, PretrainedModel
from inspector.models.weight_layouts.call_check import Entry, SeenCall, is_close, prove_entry
from inspector.models.weight_layouts.layout import (
    SIDES,
    UNDECLARED,
    Layout,
    attention_sites,
    layouts_at,
)
from inspector.models.weight_layouts.perturbation_check import prove_by_response

COMPLAINTS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError, OSError,
    RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""A network's own, of inputs that do not suit it."""
_N_TOKENS = 8


@dataclass(frozen=True)
class _Network:
    """A network as `running` takes it."""

    model: nn.Module
    lock: RLock


def prove_table_entry(
    network: nn.Module, inputs: Mapping[str, Any], lock: Any = None
) -> dict[str, Entry]:
    """Return attention module → its entry of the table, proved or not, in the order of the network.

    Every module that the table knows is there, every other that calls transformers' attention, and
    those of which it says why no entry can be.

    Example:
        >>> from inspector.models.tiny_models import configuration
        >>> row = configuration("gpt2")
        >>> proofs = prove_table_entry(row.build(), row.make_inputs())
        >>> [(name, entry.proved, entry.query) for name, entry in proofs.items()]
        [('h.0.attn', True, 'as projected'), ('h.1.attn', True, 'as projected')]
    """
    sites = dict(attention_sites(network))
    watcher = _TableWatcher(network, sites)
    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(running(_Network(network, lock or RLock()), WATCH, watcher.called))
        stack.enter_context(watcher.sites.hooked())
        network(**inputs)
    unseen = {name: layouts for name, layouts in sites.items() if name not in watcher.entries}
    if unseen:
        watcher.entries |= _prove_own_mathematics(network, inputs, unseen)
    for name, layouts in unseen.items():
        if name not in watcher.entries or not watcher.entries[name].proved:
            entry = prove_by_response(network, inputs, name, layouts)
            if entry.proved or name not in watcher.entries:
                watcher.entries[name] = entry
    for name, module in network.named_modules():
        if type(module).__name__ in UNDECLARED:
            watcher.entries[name] = Entry(reason=UNDECLARED[type(module).__name__])
    order = [name for name, _ in network.named_modules() if name in watcher.entries]
    return {name: watcher.entries[name] for name in order}


def _prove_own_mathematics(
    network: nn.Module, inputs: Mapping[str, Any], sites: dict[str, tuple[Layout, ...]]
) -> dict[str, Entry]:
    """Return the entries of modules that never call transformers' attention."""
    watcher = _TableWatcher(network, sites)
    network_: Any = network
    with torch.no_grad(), watcher.sites.hooked():
        try:
            network_(**inputs, output_attentions=True)
        except TypeError:  # a network that has no such argument shows no probabilities
            return {}
    return watcher.entries


class _TableWatcher:
    """Proves the entry of each attention module from what it takes, makes and hands on."""

    def __init__(self, network: nn.Module, sites: dict[str, tuple[Layout, ...]]) -> None:
        self.entries: dict[str, Entry] = {}
        self._modules = dict(network.named_modules())
        self._names = {id(module): name for name, module in self._modules.items()}
        self._layouts = sites
        names = {site: layouts[0].names(site) for site, layouts in sites.items()}
        # Parameters of the module itself cannot be watched.
        watchable = {s: n for s, n in names.items() if set(n.values()) <= set(self._modules)}
        self.sites = SiteWatch(self._modules, watchable, self._judge)

    def called(self, call: AttentionCall) -> None:
        """Keep a call until W_O has been applied to what came out of it."""
        name = self._names.get(id(call.module), type(call.module).__name__)
        if name in self._layouts:
            self.sites.called(name, call)
        else:
            self.entries[name] = Entry(reason="the table has no layout for it")

    def _judge(self, site: str, shown: Shown) -> bool:
        call = shown.call
        probabilities = _probabilities(shown.returned) if call is None else None
        # What W_O is given is (batch, query, features), or nothing can be said.
        if len(shown.made) < len(SIDES) or shown.given["output"].ndim != 3:
            return False
        if call is None and probabilities is None:
            return False
        given, output = shown.given["output"], shown.made["output"]
        if call is not None and not is_close(call.context, given):
            turned = given.transpose(0, 1)  # tokens first, then texts
            if is_close(call.context, turned):
                given, output = turned, output.transpose(0, 1)
        seen = SeenCall(shown.given, given, output, call, probabilities)
        entry = prove_entry(self._modules, site, self._layouts[site], seen)
        before = self.entries.get(site)
        if before is None or before.proved:  # a module called twice is proved twice
            self.entries[site] = entry
        return True


def _probabilities(output: Any) -> Tensor | None:
    """Return the first tensor (batch, head, query, key) whose rows sum to one, where there is."""
    if isinstance(output, Tensor):
        if output.ndim != 4 or not output.is_floating_point():
            return None
        sums = output.sum(-1)
        return output if bool(((sums - 1.0).abs() < 1e-3).all()) else None
    if isinstance(output, tuple | list):
        for part in output:
            found = _probabilities(part)
            if found is not None:
                return found
    return None


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
    except COMPLAINTS as error:
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
    return Batch(ids.unsqueeze(0), attended)


def _seen(call: LayerCall) -> SeenCall:
    hidden, context = call.hidden_states, call.attention.context
    sources = {
        "query": hidden,
        "key": hidden if call.key_source is None else call.key_source,
        "value": hidden if call.value_source is None else call.value_source,
    }
    given = context if call.given is None else call.given
    return SeenCall(sources, given, call.output, call.attention)


def _proved_site(model: PretrainedModel, call: LayerCall, entry: Entry) -> LayerSite:
    """Return the site of a proved entry; UnsupportedModelError if it is not proved."""
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
