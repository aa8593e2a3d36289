"""A partial forward pass: only what comes after a changed layer is computed.

A first pass keeps what entered each layer and what its heads gave. Then the model runs with one
head's output replaced, a head for each variant, many variants in one batch: embeddings and earlier
layers are skipped, and of the changed layer's attention nothing is computed again but what the
head adds. What was put in the place of a module's forward is always taken away.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from inspector.errors import UnsupportedModelError
from inspector.models.calls.attention_call import AttentionCall
from inspector.models.forward.backend import OURS, intervention, running
from inspector.models.forward.head_ablation import ablated
from inspector.models.forward.row_blocks import backend_of
from inspector.models.pretrained import Batch, PretrainedModel

# How far two ways to the same states may be apart, of their norm.
_ROUNDING = {"float64": 1e-10, "float32": 1e-4, "bfloat16": 0.05}


@dataclass(frozen=True)
class LayerRecord:
    """What one layer did in the first pass."""

    entering: Float[Tensor, "batch token d_model"]
    """What the layer was given."""
    heads: Float[Tensor, "batch token head d_value"]
    """What each head gave."""
    value: Float[Tensor, "batch kv_head token d_value"]
    mask: Bool[Tensor, "#batch #head #query key"] | None
    output: Float[Tensor, "batch token d_model"] | None
    """What W_O made of all heads; None where it is no linear layer."""


@dataclass(frozen=True)
class CleanPass:
    """One pass of the unchanged model over a batch."""

    batch: Batch
    layers: tuple[LayerRecord, ...]
    state: Float[Tensor, "batch token d_model"]
    """The last hidden state."""


class PartialForward:
    """Runs a model once, then again from any of its layers; made by `partial_forward`."""

    def __init__(self, model: PretrainedModel) -> None:
        """Find the blocks: the modules that run one after the other, one for each layer."""
        self._model = model
        self._blocks = [model.model.get_submodule(_block(site.attention)) for site in model.sites]
        self._calls: list[AttentionCall] | None = None
        self._entering: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self._embedded: Tensor | None = None
        self._next = 0
        self._start = 0
        self._hidden: Tensor | None = None
        self._given: Tensor | None = None
        self._output: Tensor | None = None
        self._inside = False

    def clean(self, batch: Batch) -> CleanPass:
        """Return one pass of the unchanged model, with what is needed to go on from each layer.

        Raises:
            UnsupportedModelError: If the model's layers don't run one by one.
        """
        self._calls, self._entering, self._outputs, self._next, self._start = [], [], [], 0, 0
        state = self._model.model(**batch.inputs()).last_hidden_state
        calls, self._calls = self._calls, None
        if not self._next == len(calls) == len(self._entering) == self._model.n_layers:
            raise UnsupportedModelError(
                f"model ({self._model.name}) runs {self._next} blocks and {len(calls)} attentions "
                f"for {self._model.n_layers} layers: it cannot run in part."
            )
        records = [
            LayerRecord(
                entering,
                call.context.unflatten(-1, (self._model.n_heads, -1)),
                call.value,
                call.mask,
                self._outputs[layer] if len(self._outputs) == len(calls) else None,
            )
            for layer, (entering, call) in enumerate(zip(self._entering, calls, strict=True))
        ]
        self._entering, self._outputs = [], []
        return CleanPass(batch, tuple(records), state)

    def states(
        self,
        clean: CleanPass,
        layer: int,
        heads: Sequence[int],
        given: Float[Tensor, "variant batch token d_value"],
    ) -> Float[Tensor, "variant batch token d_model"]:
        """Return the last hidden states with one head's output replaced, for each variant."""
        n_variants, record = len(heads), clean.layers[layer]
        inputs = {name: _repeated(it, n_variants) for name, it in clean.batch.inputs().items()}
        try:
            self._next, self._start = 0, layer
            self._hidden = _repeated(record.entering, n_variants)
            if record.output is None:
                self._given = _with_changed(record, heads, given)
            else:
                self._output = self._added(record, record.output, layer, heads, given)
                shape = (len(self._hidden), *record.heads.shape[1:])
                self._given = record.heads.new_zeros(()).expand(shape)  # W_O does not read it
            state: Tensor = self._model.model(**inputs).last_hidden_state
        finally:
            self._hidden = self._given = self._output = None
            self._inside, self._start = False, 0
        return state.view(n_variants, -1, *state.shape[1:])

    def _added(
        self,
        record: LayerRecord,
        before: Tensor,
        layer: int,
        heads: Sequence[int],
        given: Tensor,
    ) -> Tensor:
        """Return W_O's output: what it was, and what the change of one head adds to it."""
        columns = self._model.layer_weights(layer).by_head().W_O
        n_variants = len(heads)
        output = _repeated(before, n_variants).view(n_variants, *before.shape)
        for variant, head in enumerate(heads):
            change = given[variant] - record.heads[:, :, head]
            output[variant] += torch.matmul(change, columns[head].mT)
        return output.flatten(0, 1)

    def observed(self, call: AttentionCall) -> None:
        """Keep what a call of the first pass gave."""
        if self._calls is not None and call.is_last:
            nothing = call.probabilities.new_empty(*call.query.shape[:2], 0, 0)
            self._calls.append(replace(call, probabilities=nothing, scores=None, of_rows=None))

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
            yield block, partial(self._block_forward, block.forward)
        for linear in self._linears("query", "key", "value"):
            yield linear, partial(self._projection_forward, linear.forward, _width(linear))
        for linear in self._linears("output"):
            yield linear, partial(self._output_forward, linear.forward)
        embeddings = getattr(self._model.model, "embeddings", None)
        if isinstance(embeddings, nn.Module):
            yield embeddings, partial(self._embeddings_forward, embeddings.forward)

    def _linears(self, *sides: str) -> list[nn.Module]:
        """Return each linear layer of these projections once; none where they share one."""
        found: dict[int, nn.Module] = {}
        for site in self._model.sites:
            for side in sides:
                with suppress(UnsupportedModelError):
                    linear = self._model.linear(site, side)
                    found[id(linear)] = linear
        return list(found.values())

    def _block_forward(
        self, own: Callable[..., Any], hidden_states: Tensor, *args: Any, **kwargs: Any
    ) -> Tensor:
        layer, self._next = self._next, self._next + 1
        if self._calls is not None:
            self._entering.append(hidden_states)
        if layer < self._start:
            return hidden_states
        if self._hidden is not None and layer == self._start:
            hidden_states, self._inside = self._hidden, True
        output = own(hidden_states, *args, **kwargs)
        self._inside = False
        if not isinstance(output, Tensor):
            raise UnsupportedModelError(
                f"model ({self._model.name}) hands more than hidden states from layer to "
                "layer: it cannot run in part."
            )
        return output

    def _projection_forward(
        self, own: Callable[[Tensor], Tensor], n_features: int, hidden_states: Tensor
    ) -> Tensor:
        if not self._inside:
            return own(hidden_states)
        # Nobody reads it: the attention function gives what it was given. But OLMo clips it.
        return hidden_states.new_zeros(*hidden_states.shape[:-1], n_features)

    def _output_forward(self, own: Callable[[Tensor], Tensor], hidden_states: Tensor) -> Tensor:
        if self._inside and self._output is not None:
            return self._output
        output = own(hidden_states)
        if self._calls is not None:
            self._outputs.append(output)
        return output

    def _embeddings_forward(self, own: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._hidden is None or self._embedded is None:
            output = own(*args, **kwargs)
            self._embedded = output if isinstance(output, Tensor) else None
            return output
        # Nobody reads it: the layer that is gone on from has its own input.
        shape = (*self._hidden.shape[:-1], self._embedded.shape[-1])
        return self._embedded.new_zeros(()).expand(shape)


@contextmanager
def partial_forward(model: PretrainedModel, *, masks: bool = False) -> Iterator[PartialForward]:
    """Give what runs a model once and then again from any of its layers, without gradients.

    Args:
        model: What runs.
        masks: Whether a long text's mask is asked for, which is then made, and its maps with it.

    Example:
        >>> import inspector, torch
        >>> model = inspector.load("minilm")
        >>> with partial_forward(model) as partial:
        ...     clean = partial.clean(model.encode(["A cat."]))
        ...     given = clean.layers[5].heads[:, :, 3]
        ...     same = partial.states(clean, 5, [3], given[None])
        >>> torch.allclose(same[0], clean.state, atol=1e-5)
        True
    """
    parts = PartialForward(model)
    with ExitStack() as stack:
        backend = OURS if masks else backend_of(model)
        stack.enter_context(running(model, backend, parts.observed))
        token = intervention.set(parts)
        stack.callback(intervention.reset, token)
        stack.enter_context(torch.inference_mode())
        for module, forward in list(parts.replaced_forwards()):
            stack.callback(_put_back, module, module.__dict__.get("forward"))
            module.forward = forward
        yield parts


def _width(linear: Any) -> int:
    """Return how many features a linear layer gives; transformers' Conv1D calls them nf."""
    return int(getattr(linear, "out_features", None) or linear.nf)


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


def _with_changed(record: LayerRecord, heads: Sequence[int], given: Tensor) -> Tensor:
    """Return all heads' outputs, the rows of each variant with its head replaced."""
    changed = record.heads.repeat(len(heads), 1, 1, 1, 1)
    for variant, head in enumerate(heads):
        changed[variant, :, :, head] = given[variant]
    return changed.flatten(0, 1)


def _repeated(tensor: Tensor, times: int) -> Tensor:
    """Return the rows one time after the other."""
    return tensor.repeat(times, *(1 for _ in tensor.shape[1:]))


def runs_in_parts(model: PretrainedModel, batch: Batch) -> bool:
    """Return whether partial forward passes give what whole passes give.

    Tried on the batch's first text and its last, of batches sorted by length the longest beside one
    that is padded, with a head of the first layer and one of the last ablated.

    Example:
        >>> import inspector
        >>> model = inspector.load("minilm")
        >>> runs_in_parts(model, model.encode(["A cat."]))
        True
    """
    batch = batch.texts(sorted({0, len(batch.input_ids) - 1}))
    tried = sorted({0, model.n_layers - 1})
    with partial_forward(model) as parts:
        try:
            clean = parts.clean(batch)
        except UnsupportedModelError:
            return False
        again = []
        for layer in tried:
            given = torch.zeros_like(clean.layers[layer].heads[:, :, 0])
            again.append(parts.states(clean, layer, [0], given[None])[0])
    attended = batch.attention_mask.bool()
    for layer, state in zip(tried, again, strict=True):
        with ablated(model, [(layer, 0)]), torch.inference_mode():
            whole = model.model(**batch.inputs()).last_hidden_state
        apart = (state - whole)[attended].norm() / whole[attended].norm()
        if not float(apart) < _ROUNDING[model.dtype]:
            return False
    return True
