"""One forward pass watched: for each layer its input, every stage of its attention, its output.

The calls are handed over one by one, as they happen, so that nothing need be kept.
Must not know: what is done with them.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from inspector.errors import UnsupportedModelError
from inspector.models.backend import OURS, SHADOW, running
from inspector.models.calls import AttentionCall
from inspector.models.pretrained import Batch, PretrainedModel


@dataclass(frozen=True)
class LayerCall:
    """What one layer's attention did in one forward pass, by its own computation."""

    layer: int
    """Counted from 0, in the order in which layers run."""
    module: str
    """Name of the attention module."""
    hidden_states: Float[Tensor, "batch piece d_model"]
    """What the projections were given."""
    attention: AttentionCall
    output: Float[Tensor, "batch piece d_model"]
    """What W_O made of the context."""


def watch(
    model: PretrainedModel,
    batch: Batch,
    on_layer: Callable[[LayerCall], None],
    *,
    seed: int | None = None,
) -> Float[Tensor, "batch piece d_model"]:
    """Return the last hidden state of the model's own eager computation, showing each layer.

    Args:
        model: What runs.
        batch: What it runs on.
        on_layer: Called once for each layer, in order, while the model runs.
        seed: Where given, the model runs in training mode with this seed; the generator's state
            and the mode are restored.

    Raises:
        UnsupportedModelError: If an attention call reaches no layer that the model's
            architecture names.
    """
    return _forward(model, batch, _Watcher(model, on_layer), SHADOW, seed)


def attention_probabilities(
    model: PretrainedModel, batch: Batch
) -> Float[Tensor, "layer batch head query key"]:
    """Return the probabilities of all layers, computed by our attention inside the model."""
    maps: list[Tensor] = []
    with running(model, OURS, lambda call: maps.append(call.probabilities)), torch.inference_mode():
        model.model(**batch.inputs())
    return torch.stack(maps)


def last_hidden_state(
    model: PretrainedModel, batch: Batch, implementation: str
) -> Float[Tensor, "batch piece d_model"]:
    """Return the last hidden state with one of 'eager', 'sdpa', 'inspector' as attention."""
    with running(model, implementation), torch.inference_mode():
        state: Tensor = model.model(**batch.inputs()).last_hidden_state
    return state


def _forward(
    model: PretrainedModel, batch: Batch, watcher: "_Watcher", implementation: str, seed: int | None
) -> Tensor:
    with ExitStack() as stack:
        stack.enter_context(running(model, implementation, watcher.attention_called))
        stack.callback(watcher.close)
        stack.enter_context(torch.no_grad())
        if seed is not None:
            stack.enter_context(torch.random.fork_rng(devices=[]))
            torch.manual_seed(seed)
            model.model.train()  # `running` restores the mode
        state: Tensor = model.model(**batch.inputs()).last_hidden_state
    return state


class _Watcher:
    """Puts a layer's input, its attention call and its output together."""

    def __init__(self, model: PretrainedModel, on_layer: Callable[[LayerCall], None]) -> None:
        self._on_layer = on_layer
        self._names = {id(module): name for name, module in model.model.named_modules()}
        self._layer = 0
        self._hidden: Tensor | None = None
        self._call: AttentionCall | None = None
        # By site, not by layer: before the proof, layers that share a module are one site.
        linears = {
            (id(linear), side): linear
            for site in model.sites
            for side in ("query", "output")
            for linear in [model.linear_at(site, side)]
        }
        self._handles = [
            module.register_forward_pre_hook(self._projecting)
            if side == "query"
            else module.register_forward_hook(self._projected)
            for (_, side), module in linears.items()
        ]

    def close(self) -> None:
        """Take the hooks away."""
        for handle in self._handles:
            handle.remove()

    def _projecting(self, module: nn.Module, args: tuple[Tensor, ...]) -> None:
        self._hidden = args[0]

    def attention_called(self, call: AttentionCall) -> None:
        """Keep the call until W_O has been applied to what came out of it."""
        if self._hidden is None:
            name = self._names.get(id(call.module), type(call.module).__name__)
            raise UnsupportedModelError(
                f"module ({name}) calls attention but is not in the table of architectures: "
                "its weights cannot be found."
            )
        self._call = call

    def _projected(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        call, hidden = self._call, self._hidden
        if call is None or hidden is None:
            return
        self._call = self._hidden = None
        name = self._names[id(call.module)]
        self._on_layer(LayerCall(self._layer, name, hidden, call, output))
        self._layer += 1
