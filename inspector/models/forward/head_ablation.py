"""Heads of a real model ablated, or turned down by a gate, while it runs.

What a head gives is replaced between the attention function and W_O: no weight is touched, and
nothing remains afterwards.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import product
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from inspector.errors import InputError
from inspector.head_names import ALL, Heads, head_list
from inspector.head_names import Head as Head
from inspector.models.forward.backend import OURS, intervention, running
from inspector.models.forward.row_blocks import backend_of
from inspector.models.pretrained import PretrainedModel

Ablation = Literal["zero", "mean", "uniform"]
"""What an ablated head gives: nothing, what it gives on average, or the mean of all values."""


def check_ablation(how: str) -> Ablation:
    """Return the kind of ablation if it is a known one; InputError if it is not."""
    known: tuple[Ablation, ...] = get_args(Ablation)
    for one in known:
        if how == one:
            return one
    raise InputError(f"how ({how}) must be a way to ablate a head. Available: {', '.join(known)}.")


def check_heads(model: PretrainedModel, heads: Heads) -> tuple[Head, ...]:
    """Return the heads, sorted and each once, if the model has them all.

    Raises:
        InputError: If there is none, one is not written as a head, or the model lacks one.
    """
    every = product(range(model.n_layers), range(model.n_heads))
    chosen = list(every) if isinstance(heads, str) and heads == ALL else head_list(heads)
    if not chosen:
        raise InputError("heads ([]) must hold at least one, such as (2, 8): layer 2, head 8.")
    for layer, head in chosen:
        if not (0 <= layer < model.n_layers and 0 <= head < model.n_heads):
            raise InputError(
                f"head ({layer}-{head}) must be one that the model has: layers count from 0 to "
                f"{model.n_layers - 1}, heads from 0 to {model.n_heads - 1}."
            )
    return tuple(sorted(set(chosen)))


@contextmanager
def ablated(
    model: PretrainedModel,
    heads: Heads,
    how: str = "zero",
    means: Float[Tensor, "layer head d_head"] | None = None,
) -> Iterator[None]:
    """Run the model with some heads out of action: `model.model(...)` gives what is left.

    Args:
        model: Runs with inspector's attention, in evaluation mode; restored in any case.
        heads: Which, at least one.
        how: 'zero': the head gives nothing. 'mean': it gives `means`. 'uniform': it attends to
            all keys that it may look at alike.
        means: What each head gives on average; needed for 'mean' alone.

    Raises:
        InputError: If there is no such head or way.

    Example:
        >>> import inspector
        >>> model = inspector.load("minilm")
        >>> with ablated(model, [(2, 8)]):
        ...     state = model.model(**model.encode(["A cat."]).inputs()).last_hidden_state
    """
    chosen = check_heads(model, heads)
    if how == "uniform" and model.has_own_maths:
        raise InputError(
            f"how (uniform) needs the values and masks of model {model.name}, which computes "
            "attention by mathematics of its own. Available: zero, mean."
        )
    replaced = replacement(check_ablation(how), means)
    of_layer: dict[int, list[int]] = {}
    for layer, head in chosen:
        of_layer.setdefault(layer, []).append(head)

    def change(layer: int, heads: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        if layer not in of_layer:
            return heads
        changed = heads.clone()
        for head in of_layer[layer]:
            changed[:, head] = replaced(layer, head, heads, value, mask)
        return changed

    # The mean of all values that a query sees is taken by a map.
    with _changing(model, change, OURS if how == "uniform" else backend_of(model)):
        yield


@contextmanager
def gated(
    model: PretrainedModel, gates: Float[Tensor, "layer #batch head"] | Mapping[int, Tensor]
) -> Iterator[None]:
    """Run the model with what each head gives multiplied by its gate; gradients pass through.

    Args:
        model: Runs with inspector's attention, in evaluation mode; restored in any case.
        gates: For each layer a factor for each row of the batch (or one for all) and each head.
    """

    def change(layer: int, heads: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        return heads * gates[layer][:, :, None, None]

    with _changing(model, change):
        yield


Replacement = Callable[[int, int, Tensor, Tensor, Tensor | None], Tensor]
"""(layer, head, all heads' outputs, values, mask) → what the head gives instead."""


def replacement(
    how: Ablation, means: Float[Tensor, "layer head d_head"] | None = None
) -> Replacement:
    """Return the function that says what an ablated head gives.

    Raises:
        InputError: If means are needed and not given.
    """
    if how == "zero":
        return lambda layer, head, heads, value, mask: heads.new_zeros(())
    if how == "uniform":
        return lambda layer, head, heads, value, mask: _uniform(head, heads, value, mask)
    if means is None:
        raise InputError(
            "how (mean) needs what each head gives on average: "
            "give means, as inspector.heads.ablation.mean_outputs finds them."
        )
    given = means
    return lambda layer, head, heads, value, mask: given[layer, head].to(heads)


def _uniform(
    head: int,
    heads: Float[Tensor, "batch head query d_value"],
    value: Float[Tensor, "batch kv_head key d_value"],
    mask: Bool[Tensor, "#batch #head #query key"] | None,
) -> Float[Tensor, "batch query d_value"]:
    """Return the mean of the values at the keys that each query may look at."""
    own = value[:, head // (heads.shape[1] // value.shape[1])]
    if mask is None:
        return own.mean(1, keepdim=True).expand(-1, heads.shape[2], -1)
    allowed = mask[:, head if mask.shape[1] > 1 else 0].to(own.dtype)
    shares = allowed / allowed.sum(-1, keepdim=True).clamp(min=1.0)
    return torch.matmul(shares, own).expand(-1, heads.shape[2], -1)


class _Changing:
    """Tells the layer of each call, and hands over to what changes it.

    Where a layer computes by mathematics of its own, it is what W_O is given that is changed.
    """

    def __init__(
        self,
        model: PretrainedModel,
        change: Callable[[int, Tensor, Tensor, Tensor | None], Tensor],
    ) -> None:
        self._change, self._n_heads = change, model.n_heads
        self._layers: dict[int, list[int]] = {}
        self.hooked: dict[int, nn.Module] = {}
        for site in model.sites:
            module = model.model.get_submodule(site.attention)
            if site.own_term is not None:
                module = model.linear(site, "output")
                self.hooked[id(module)] = module
            self._layers.setdefault(id(module), []).append(site.layer)
        self._calls = dict.fromkeys(self._layers, 0)

    def instead(self, module: nn.Module) -> Tensor | None:
        return None

    def changed(
        self, module: nn.Module, heads: Tensor, value: Tensor, mask: Tensor | None
    ) -> Tensor:
        return self._change(self._layer(module), heads, value, mask)

    def given(self, module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return what W_O is to be given, all heads side by side."""
        last = isinstance(module, nn.Conv1d)  # channels before tokens
        context = args[0].mT if last else args[0]
        heads = context.unflatten(-1, (self._n_heads, -1)).transpose(1, 2)
        changed = self._change(self._layer(module), heads, heads, None)
        changed = changed.transpose(1, 2).flatten(-2)
        return (changed.mT if last else changed, *args[1:])

    def _layer(self, module: nn.Module) -> int:
        layers = self._layers[id(module)]
        # Layers may share a module: it is called once for each, in order.
        layer = layers[self._calls[id(module)] % len(layers)]
        self._calls[id(module)] += 1
        return layer


@contextmanager
def _changing(
    model: PretrainedModel,
    change: Callable[[int, Tensor, Tensor, Tensor | None], Tensor],
    backend: str = OURS,
) -> Iterator[None]:
    changing = _Changing(model, change)
    with running(model, backend), ExitStack() as stack:
        token = intervention.set(changing)
        stack.callback(intervention.reset, token)
        for linear in changing.hooked.values():
            stack.callback(linear.register_forward_pre_hook(changing.given).remove)
        yield
