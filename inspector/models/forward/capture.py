"""One forward pass watched: for each layer its input, every stage of its attention, its output.

The calls are handed over one by one, as they happen, so that nothing need be kept.
"""

import inspect
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from inspector.errors import UnsupportedModelError
from inspector.models.calls.attention_call import AttentionCall
from inspector.models.custom_attention.hooks import watch_own_maths
from inspector.models.forward.backend import OURS, WATCH, running
from inspector.models.forward.site_watch import Shown, SiteWatch
from inspector.models.pretrained import Batch, PretrainedModel
from inspector.models.weight_layouts.layout import SIDES

_PLACES = ("position_embeddings", "sinusoidal_pos", "position_ids")
# How many features turn, where a module makes its angles itself.
_WIDTHS = ("pos_embd_dim",)


@dataclass(frozen=True)
class LayerCall:
    """What one layer's attention did in one forward pass, by its own computation."""

    layer: int
    """Counted from 0, in the order in which layers run."""
    module: str
    """Name of the attention module."""
    hidden_states: Float[Tensor, "batch token d_model"]
    """What the projections were given."""
    attention: AttentionCall
    output: Float[Tensor, "batch token d_output"]
    """What W_O made of the context."""
    key_source: Float[Tensor, "batch token d_source"] | None = None
    """What W_K was given, where that is not what W_Q was given."""
    value_source: Float[Tensor, "batch token d_value_source"] | None = None
    given: Float[Tensor, "batch token heads_d_value"] | None = None
    """What W_O was given, where that is not the context: a gate or a norm stands between."""
    places: Mapping[str, Any] = field(default_factory=dict)
    """What the attention module was told of where its tokens stand: argument → value."""


def watch(
    model: PretrainedModel,
    batch: Batch,
    on_layer: Callable[[LayerCall], None],
    *,
    seed: int | None = None,
    within: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Float[Tensor, "batch token d_model"]:
    """Return the last hidden state of the model's own eager computation, showing each layer.

    Args:
        model: What runs.
        batch: What it runs on.
        on_layer: Called once for each layer, in order, while the model runs.
        seed: Where given, the model runs in training mode with this seed; the generator's state
            and the mode are restored.
        within: Returns a context in which the model runs, the innermost.

    Raises:
        UnsupportedModelError: If an attention call reaches no layer that the model's
            architecture names.
    """
    watcher = _Watcher(model, on_layer)
    with ExitStack() as stack:
        stack.enter_context(running(model, WATCH, watcher.attention_called))
        stack.enter_context(watch_own_maths(model.model, watcher.attention_called))
        stack.enter_context(watcher.sites.hooked())
        stack.enter_context(torch.no_grad())
        if seed is not None:
            stack.enter_context(torch.random.fork_rng(devices=[]))
            torch.manual_seed(seed)
            model.model.train()  # `running` restores the mode
        stack.enter_context(within())
        state: Tensor = model.model(**batch.inputs()).last_hidden_state
    return state.detach()


def attention_probabilities(
    model: PretrainedModel, batch: Batch, layers: Collection[int] | None = None
) -> Float[Tensor, "layer batch head query key"]:
    """Return the probabilities of layers, computed by our attention inside the model.

    Where a model has mathematics of its own, they are those that it computed with.

    Args:
        model: What runs.
        batch: What it runs on.
        layers: Those that are kept; all where not given.
    """
    maps: list[Tensor] = []
    number = count()

    def keep(call: AttentionCall) -> None:
        if next(number) in (range(model.n_layers) if layers is None else layers):
            maps.append(call.probabilities)

    with running(model, OURS, keep), torch.inference_mode():
        model.model(**batch.inputs())
    return torch.stack(maps)


def last_hidden_state(
    model: PretrainedModel, batch: Batch, implementation: str
) -> Float[Tensor, "batch token d_model"]:
    """Return the last hidden state with one of 'eager', 'sdpa', 'inspector' as attention."""
    with running(model, implementation), torch.inference_mode():
        state: Tensor = model.model(**batch.inputs()).last_hidden_state
    return state


class _Watcher:
    """Makes a layer of what a site shows: its input, its attention call and its output."""

    def __init__(self, model: PretrainedModel, on_layer: Callable[[LayerCall], None]) -> None:
        self._on_layer, self._layer = on_layer, 0
        self._modules = dict(model.model.named_modules())
        self._names = {id(module): name for name, module in self._modules.items()}
        # By name, not by layer: before the proof, layers that share a module are one site.
        sites = {site.attention: site.layout.names(site.attention) for site in model.sites}
        self._turned = {  # channels before tokens
            (site.attention, side)
            for site in model.sites
            for side in SIDES
            if type(model.linear(site, side)).__name__ == "Conv1d"
        }
        self.sites = SiteWatch(self._modules, sites, self._show)

    def attention_called(self, call: AttentionCall) -> None:
        """Take a call into account; W_O is applied to what came out of it, or has been already."""
        name = self._names.get(id(call.module), type(call.module).__name__)
        if name not in self.sites.shown or "query" not in self.sites.shown[name].made:
            raise UnsupportedModelError(
                f"module ({name}) calls attention but is not in the table of architectures: "
                "its weights cannot be found."
            )
        self.sites.called(name, call)

    def _show(self, site: str, shown: Shown) -> bool:
        if shown.call is None or "output" not in shown.made:
            return False
        given = {
            side: tensor.mT if (site, side) in self._turned else tensor
            for side, tensor in shown.given.items()
        }
        output = shown.made["output"]
        layer, self._layer = self._layer, self._layer + 1
        self._on_layer(
            LayerCall(
                layer,
                site,
                given["query"],
                shown.call,
                output.mT if (site, "output") in self._turned else output,
                key_source=_unless_same(given.get("key"), given["query"]),
                value_source=_unless_same(given.get("value"), given["query"]),
                given=_unless_same(given["output"], shown.call.context),
                places=_places(self._modules[site], shown.args, shown.kwargs),
            )
        )
        return True


def _places(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a module's forward is told of places, and how many features turn by them."""
    names = inspect.signature(module.forward).parameters
    told = {**dict(zip(names, args, strict=False)), **kwargs}
    places = {name: told[name] for name in _PLACES if told.get(name) is not None}
    width = next((w for name in _WIDTHS if (w := getattr(module, name, None))), None)
    return places if width is None else {**places, "rotary_width": width}


def _unless_same(tensor: Tensor | None, other: Tensor) -> Tensor | None:
    """Return a tensor unless it holds the same numbers as another."""
    if tensor is None or tensor is other:
        return None
    return None if tensor.shape == other.shape and torch.equal(tensor, other) else tensor
