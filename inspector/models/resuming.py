"""A model run again from the middle: only what comes after a changed layer is computed.

A first pass keeps what entered each layer and what its heads gave. Then the model runs with other
head outputs in one layer, many variants in one batch: earlier layers are passed over, and the
changed layer's queries, keys, values and attention are not computed again. What was put in the
place of a module's forward is always taken away. Must not know: what the variants are for.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from inspector.errors import UnsupportedModelError
from inspector.models.backend import OURS, intervention, running
from inspector.models.calls import AttentionCall
from inspector.models.pretrained import Batch, PretrainedModel


@dataclass(frozen=True)
class LayerRecord:
    """What one layer did in the first pass."""

    entering: Float[Tensor, "batch piece d_model"]
    """What the layer was given."""
    heads: Float[Tensor, "batch piece head d_value"]
    """What each head gave."""
    value: Float[Tensor, "batch kv_head piece d_value"]
    mask: Bool[Tensor, "#batch #head #query key"] | None


@dataclass(frozen=True)
class CleanPass:
    """One pass of the unchanged model over a batch."""

    batch: Batch
    layers: tuple[LayerRecord, ...]
    state: Float[Tensor, "batch piece d_model"]
    """The last hidden state."""


class Resumer:
    """Runs a model once, then again from any of its layers; made by `resumable`."""

    def __init__(self, model: PretrainedModel) -> None:
        """Find the blocks: the modules that run one after the other, one for each layer."""
        self._model = model
        self._blocks = [model.model.get_submodule(_block(site.attention)) for site in model.sites]
        self._calls: list[AttentionCall] | None = None
        self._entering: list[Tensor] = []
        self._next = 0
        self._start = 0
        self._hidden: Tensor | None = None
        self._given: Tensor | None = None
        self._inside = False

    def clean(self, batch: Batch) -> CleanPass:
        """Return one pass of the unchanged model, with what is needed to go on from each layer.

        Raises:
            UnsupportedModelError: If the model's layers don't run one by one.
        """
        self._calls, self._entering, self._next, self._start = [], [], 0, 0
        state = self._model.model(**batch.inputs()).last_hidden_state
        calls, self._calls = self._calls, None
        if not self._next == len(calls) == len(self._entering) == self._model.n_layers:
            raise UnsupportedModelError(
                f"model ({self._model.name}) runs {self._next} blocks and {len(calls)} attentions "
                f"for {self._model.n_layers} layers: it cannot be run again from the middle."
            )
        records = [
            LayerRecord(
                entering,
                call.context.unflatten(-1, (self._model.n_heads, -1)),
                call.value,
                call.mask,
            )
            for entering, call in zip(self._entering, calls, strict=True)
        ]
        self._entering = []
        return CleanPass(batch, tuple(records), state)

    def states(
        self,
        clean: CleanPass,
        layer: int,
        heads: Float[Tensor, "variant batch piece head d_value"],
    ) -> Float[Tensor, "variant batch piece d_model"]:
        """Return the last hidden states with other head outputs in a layer, for each variant.

        Args:
            clean: Of the same batch.
            layer: Whose head outputs are replaced.
            heads: By what, for each variant.
        """
        n_variants = len(heads)

        def repeated(tensor: Tensor) -> Tensor:
            return tensor.repeat(n_variants, *(1 for _ in tensor.shape[1:]))

        inputs = {name: repeated(tensor) for name, tensor in clean.batch.inputs().items()}
        self._next, self._start = 0, layer
        self._hidden = repeated(clean.layers[layer].entering)
        self._given = heads.flatten(0, 1)
        try:
            state: Tensor = self._model.model(**inputs).last_hidden_state
        finally:
            self._hidden = self._given = None
            self._inside, self._start = False, 0
        return state.view(n_variants, -1, *state.shape[1:])

    def observed(self, call: AttentionCall) -> None:
        """Keep a call of the first pass."""
        if self._calls is not None:
            self._calls.append(call)

    def instead(self, module: nn.Module) -> Tensor | None:
        """Return the head outputs that are given, in the layer where they are."""
        return self._given if self._inside else None

    def changed(
        self, module: nn.Module, heads: Tensor, value: Tensor, mask: Tensor | None
    ) -> Tensor:
        """Return what was computed: it is changed nowhere else."""
        return heads

    def replaced_forwards(self) -> Iterator[tuple[nn.Module, Callable[..., Any]]]:
        """Return each module whose forward is replaced, with what stands there meanwhile."""
        for block in dict.fromkeys(self._blocks):
            yield block, self._block_forward(block.forward)
        linears = {}
        for layer in range(self._model.n_layers):
            for side in ("query", "key", "value"):
                linear = _linear(self._model, layer, side)
                if linear is not None:
                    linears[id(linear)] = linear
        for linear in linears.values():
            yield linear, self._projection_forward(linear.forward, linear.out_features)

    def _block_forward(self, own: Callable[..., Any]) -> Callable[..., Any]:
        def forward(hidden_states: Tensor, *args: Any, **kwargs: Any) -> Any:
            layer, self._next = self._next, self._next + 1
            if self._calls is not None:
                self._entering.append(hidden_states)
            if layer < self._start:
                return hidden_states
            if self._hidden is not None and layer == self._start:
                hidden_states, self._inside = self._hidden, True
            output = own(hidden_states, *args, **kwargs)
            self._inside = False
            return output

        return forward

    def _projection_forward(
        self, own: Callable[[Tensor], Tensor], n_features: int
    ) -> Callable[[Tensor], Tensor]:
        def forward(hidden_states: Tensor) -> Tensor:
            if not self._inside:
                return own(hidden_states)
            # Nobody reads it: the attention function gives what it was given.
            return hidden_states.new_zeros(()).expand(*hidden_states.shape[:-1], n_features)

        return forward


@contextmanager
def resumable(model: PretrainedModel) -> Iterator[Resumer]:
    """Give what runs a model once and then again from any of its layers, without gradients.

    Example:
        >>> import inspector, torch
        >>> model = inspector.load("minilm")
        >>> with resumable(model) as resumer:
        ...     clean = resumer.clean(model.encode(["A cat."]))
        ...     same = resumer.states(clean, 5, clean.layers[5].heads[None])
        >>> torch.allclose(same[0], clean.state, atol=1e-5)
        True
    """
    resumer = Resumer(model)
    with ExitStack() as stack:
        stack.enter_context(running(model, OURS, resumer.observed))
        token = intervention.set(resumer)
        stack.callback(intervention.reset, token)
        stack.enter_context(torch.inference_mode())
        for module, forward in list(resumer.replaced_forwards()):
            stack.callback(_put_back, module, module.__dict__.get("forward"))
            module.forward = forward
        yield resumer


def _put_back(module: nn.Module, before: Any) -> None:
    if before is None:
        del module.forward
    else:
        module.forward = before


def _block(attention: str) -> str:
    """Return the name of the block that an attention module is in: it ends in its number.

    Example:
        >>> _block("encoder.layer.3.attention.self")
        'encoder.layer.3'
    """
    found = re.match(r"(.*\.)?\d+(?=\.|$)", attention)
    return found.group(0) if found else attention


def _linear(model: PretrainedModel, layer: int, side: str) -> nn.Linear | None:
    """Return the linear layer of a projection, None where it shares one with others."""
    try:
        return model.linear(layer, side)
    except UnsupportedModelError:
        return None
