"""An entry of the layout table checked by perturbing its module's weights.

For modules that show neither their calls nor their probabilities: attention in blocks, in windows,
by torch's own function. A head's values times f with its columns of W_O times 1/f must change
nothing; the queries and keys of a head whose columns are zero must not count; nor may a key's bias,
where there is one: without it queries and keys are not distinguished.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from inspector.models.weight_layouts.call_check import Entry, is_close
from inspector.models.weight_layouts.layout import N_HEADS, SIDES, HeadSizes, Layout, Side

_NOT_RUN = "it was not called, or does not return its probabilities"

Respond = Callable[[], Tensor | None]


def prove_by_response(
    network: nn.Module, inputs: Mapping[str, Any], attention: str, layouts: Sequence[Layout]
) -> Entry:
    """Return the first layout by whose changed weights a module answers as attention does.

    What is changed is put back. The factor on query · key is not seen: 1/√d_head is taken for it.
    """
    modules = dict(network.named_modules())
    if _responding(network, inputs, attention)() is None:
        return Entry(reason=_NOT_RUN)
    reason = ""
    for layout in layouts:
        respond = _responding(network, inputs, _around(layout, attention))
        before = respond()
        if before is None:  # some call a layer's forward, not the layer: no hook sees it
            respond = _responding(network, inputs, "")
            before = respond()
        try:
            sizes = _sizes(layout, modules, attention)
            weights = layout.weights(modules, attention, sizes, scaling=sizes.d_head**-0.5)
            wrong = _Trial(layout, modules, attention, sizes, respond, before).first_wrong()
        except ValueError as error:
            reason = str(error)
            continue
        if wrong is None:
            return Entry(layout, sizes, weights, by="its response")
        reason = f"{wrong} does not follow from the weights"
    return Entry(reason=reason)


def _around(layout: Layout, attention: str) -> str:
    """Return the name of the smallest module that holds the attention and its W_O."""
    path, other = attention.split("."), layout.names(attention)["output"].split(".")
    shared = [part for part, same in zip(path, other, strict=False) if part == same]
    return ".".join(path[: len(shared)])


def _responding(network: nn.Module, inputs: Mapping[str, Any], name: str) -> Respond:
    """Return what runs the network and gives the first tensor that one of its modules returns.

    That is the hidden states; what comes behind them may be probabilities, masks or biases. None
    where the module is not called.
    """
    network_: Any = network

    def respond() -> Tensor | None:
        seen: list[Tensor] = []
        hook = network.get_submodule(name).register_forward_hook(
            lambda module, args, output: seen.append(_first(output))
        )
        try:
            with torch.no_grad():
                network_(**inputs)
        finally:
            hook.remove()
        return torch.cat([tensor.flatten() for tensor in seen]) if seen else None

    return respond


def _first(output: Any) -> Tensor:
    while not isinstance(output, Tensor):
        output = next(iter(output.values() if isinstance(output, Mapping) else output))
    return output


def _sizes(layout: Layout, modules: dict[str, nn.Module], attention: str) -> HeadSizes:
    """Return sizes by the number of heads that the module says, and its matrices' rows.

    Raises:
        ValueError: If it says none, or matrices do not fit it.
    """
    module: Any = modules[attention]
    holders = (module, getattr(module, "config", None))
    said = (getattr(holder, name, None) for name in N_HEADS for holder in holders)
    n_heads = next((number for number in said if number is not None), None)
    if layout.kind == "Parameter":
        n_heads = getattr(module, layout.query).shape[1]
    if not isinstance(n_heads, int):
        raise ValueError("the module does not say how many heads it has")
    rows = {side: len(layout.matrix(modules, attention, side)) for side in SIDES}
    width = layout.matrix(modules, attention, "output").shape[1] // n_heads
    if layout.fusion == "separate":
        n_kv_heads = max(rows["value"] // width, 1)
        return HeadSizes(n_heads, n_kv_heads, rows["key"] // n_kv_heads, width)
    return HeadSizes(n_heads, (rows["query"] // width - n_heads) // 2, width, width)


@dataclass(frozen=True)
class _Trial:
    """One layout compared with how a module answers."""

    layout: Layout
    modules: dict[str, nn.Module]
    attention: str
    sizes: HeadSizes
    respond: Respond
    before: Tensor | None
    """Its answer to the weights as they are."""

    def first_wrong(self) -> str | None:
        """Return the first side that is not what the layout says."""
        n_heads, n_kv_heads, _, _ = self.sizes
        factors = torch.linspace(0.5, 2.0, n_kv_heads)
        inverse = (1.0 / factors).repeat_interleave(n_heads // n_kv_heads)
        if self._same({"value": factors}):
            return "output"
        if not self._same({"value": factors, "output": inverse}):
            return "value"
        if not all(self._belongs("query", heads) for heads in _halves(n_heads)):
            return "query"
        if not all(self._belongs("key", groups) for groups in _halves(n_kv_heads)):
            return "key"
        return None if self._is_key("key") else "key"

    def _is_key(self, side: Side) -> bool:
        """Return whether a side's bias is without effect, as softmax makes a key's; None counts."""
        bias = self.layout.bias(self.modules, self.attention, side)
        if bias is None:
            return True
        own = self.layout.rows(torch.arange(len(bias)), side, self.sizes)
        before = bias.clone()
        bias[own] += 1.0
        try:
            return _is_same(self.respond(), self.before)
        finally:
            bias.copy_(before)

    def _belongs(self, side: Side, silent: Tensor) -> bool:
        """Return whether a side counts in the heads that are not silent, and in no other."""
        shared = self.sizes.n_heads // len(silent)
        columns = (~silent).repeat_interleave(shared).float()
        with self._scaled({"output": columns}):
            quiet = self.respond()
            within = self._answer({side: 1.0 + silent.float()})
            without = self._answer({side: 1.0 + (~silent).float()})
        return _is_same(within, quiet) and (bool(silent.all()) or not _is_same(without, quiet))

    def _same(self, factors: Mapping[Side, Tensor]) -> bool:
        return _is_same(self._answer(factors), self.before)

    def _answer(self, factors: Mapping[Side, Tensor]) -> Tensor | None:
        with self._scaled(factors):
            return self.respond()

    @contextmanager
    def _scaled(self, factors: Mapping[Side, Tensor]) -> Iterator[None]:
        """Multiply what belongs to each head by its factor; what it was is put back exactly."""
        with ExitStack() as stack:
            for side, factor in factors.items():
                for tensor, scale in self._scales(side, factor):
                    stack.callback(tensor.copy_, tensor.clone())
                    tensor.mul_(scale)
            yield

    def _scales(self, side: Side, factor: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        layout, modules, attention = self.layout, self.modules, self.attention
        stored = layout.stored(modules, attention, side)
        matrix = layout.matrix(modules, attention, side)
        if side == "output":
            if stored.shape != matrix.shape:
                raise ValueError("output projection is in groups: it has no columns of heads")
            yield stored, factor.repeat_interleave(self.sizes.d_value)
            return
        n_rows = self.sizes.rows(side)
        bias = layout.bias(modules, attention, side)
        for tensor in (stored, *(() if bias is None else (bias,))):
            own = layout.rows(torch.arange(len(tensor)), side, self.sizes)
            scale = torch.ones(len(tensor))
            scale[own] = factor.repeat_interleave(n_rows // len(factor))
            yield tensor, scale if tensor.ndim == 1 else scale[:, None]


def _halves(n: int) -> Iterator[Tensor]:
    """Yield subsets of n by which any two differ: those with a bit of their number, and without."""
    numbers = torch.arange(n)
    for bit in range(max(n - 1, 1).bit_length()):
        chosen = (numbers >> bit) % 2 == 0
        yield chosen
        if n > 1:
            yield ~chosen


def _is_same(answer: Tensor | None, other: Tensor | None) -> bool:
    return answer is not None and other is not None and is_close(answer, other)
