"""How attention modules keep W_Q, W_K, W_V and W_O: by which names, in how many matrices, of whom.

The table is layouts.yaml. A family is a package of transformers.models: its attention modules'
classes say which it is, so that the parts of a composite model are found too. Several rows of one
family are tried in order. A layout is a claim. Whoever takes weights by it proves them first
(`inspector.models.weight_checks.network_check`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_type_hints

import torch
from pydantic import BaseModel, ConfigDict, create_model
from torch import Tensor, nn

from inspector.attention import LayerWeights
from inspector.yaml_file import read_own_yaml

Side = Literal["query", "key", "value", "output"]
SIDES: tuple[Side, ...] = ("query", "key", "value", "output")

N_HEADS = ("num_attention_heads", "num_heads", "n_heads", "n_head", "num_attn_heads")
"""What modules call the number of their heads."""

Fusion = Literal["separate", "concatenated", "per head", "grouped", "quarters"]
"""W_Q, W_K, W_V as matrices of their own; or in one, whose rows are all queries, all keys, all
values; or query, key, value of each head in turn; or, of each key/value head in turn, the queries
that share it, its key, its value; or, of each quarter of the heads in turn, the queries, the
values, the keys."""

Kind = Literal["Linear", "Conv1D", "Conv1d", "Parameter"]
"""transformers' Conv1D keeps its matrix the other way round: (in, out). torch's Conv1d of width 1
keeps of its matrix the blocks on the diagonal, one for each group of channels. A parameter of the
attention module itself is (d_model, head, d_head), for W_O too."""

Between = Literal["nothing", "a gate", "a norm"]
"""What stands between the heads' outputs and W_O: factors from 0 to 1, or one for each token."""


class HeadSizes(NamedTuple):
    """How many heads there are, and how wide."""

    n_heads: int
    n_kv_heads: int
    d_head: int
    """Of queries and keys."""
    d_value: int

    def rows(self, side: Side) -> int:
        """Return how many rows the matrix of a side has, as `torch.nn.Linear` keeps it."""
        if side == "query":
            return self.n_heads * self.d_head
        return self.n_kv_heads * (self.d_head if side == "key" else self.d_value)


@dataclass(frozen=True)
class Layout:
    """The names of the projections, from the attention module on; `../` is its parent."""

    query: str = "query"
    """The layer that holds W_Q; where W_K and W_V are in the same one, that name three times."""
    key: str = "key"
    value: str = "value"
    output: str = "../output.dense"
    fusion: Fusion = "separate"
    kind: Kind = "Linear"
    gated: bool = False
    """Whether the layer of W_Q has, behind each head's query, a gate of the same width."""
    between: Between = "nothing"
    query_bias: str = ""
    """The parameter that is added to queries, where their layer has no bias of its own."""
    value_bias: str = ""

    def names(self, attention: str) -> dict[str, str]:
        """Return side ('query', 'key', 'value', 'output') → the name of its layer.

        Example:
            >>> Layout().names("layer.0.attention.self")["output"]
            'layer.0.attention.output.dense'
        """
        return {side: _below(attention, getattr(self, side)) for side in SIDES}

    def fits(self, modules: dict[str, nn.Module], attention: str) -> bool:
        """Return whether layers of the right kind stand at all names of an attention module."""
        if self.kind == "Parameter":
            own = dict(modules[attention].named_parameters(recurse=False))
            names = [getattr(self, side) for side in SIDES]
            return all(name in own and own[name].ndim == 3 for name in names)
        return all(self.is_linear(modules.get(name)) for name in self.names(attention).values())

    def is_linear(self, module: nn.Module | None) -> bool:
        """Return whether a module is a layer of the layout's kind."""
        return self.kind in {kind.__name__ for kind in type(module).__mro__}

    def weights(
        self,
        modules: dict[str, nn.Module],
        attention: str,
        sizes: HeadSizes,
        *,
        scaling: float,
        causal: bool = False,
    ) -> LayerWeights:
        """Return the weights, as views of the network's own tensors wherever that can be.

        Raises:
            ValueError: If matrices and sizes do not fit each other.
        """
        tensors: dict[str, Any] = {}
        for side, letter in zip(SIDES, "QKVO", strict=True):
            tensors[f"W_{letter}"] = self.rows(self.matrix(modules, attention, side), side, sizes)
            bias = self.bias(modules, attention, side)
            tensors[f"b_{letter}"] = None if bias is None else self.rows(bias, side, sizes)
        return LayerWeights(
            **tensors,
            n_heads=sizes.n_heads,
            n_kv_heads=sizes.n_kv_heads,
            scaling=scaling,
            causal=causal,
        )

    def stored(self, modules: dict[str, nn.Module], attention: str, side: Side) -> Tensor:
        """Return a view of the matrix that a side is in, (out, in), as far as it is stored."""
        if self.kind == "Parameter":
            flat: Tensor = getattr(modules[attention], getattr(self, side)).detach().flatten(1)
            return flat if side == "output" else flat.T
        layer: Any = modules[self.names(attention)[side]]
        tensor: Tensor = layer.weight.detach()
        if self.kind == "Conv1d":
            return tensor.flatten(1)
        return tensor.T if self.kind == "Conv1D" else tensor

    def matrix(self, modules: dict[str, nn.Module], attention: str, side: Side) -> Tensor:
        """Return the whole matrix that a side is in, (out, in), with other sides where it is fused.

        Raises:
            ValueError: If it looks at more than one token at a time.
        """
        stored = self.stored(modules, attention, side)
        if self.kind != "Conv1d":
            return stored
        layer: Any = modules[self.names(attention)[side]]
        if layer.kernel_size != (1,):
            raise ValueError(f"convolution is {layer.kernel_size[0]} tokens wide, expected 1.")
        return stored if layer.groups == 1 else torch.block_diag(*stored.chunk(layer.groups))

    def bias(self, modules: dict[str, nn.Module], attention: str, side: Side) -> Tensor | None:
        """Return the bias of the layer that a side is in, where there is one."""
        apart = {"query": self.query_bias, "value": self.value_bias}.get(side)
        if self.kind == "Parameter":
            return None
        holder: Any = modules[attention if apart else self.names(attention)[side]]
        tensor: Tensor | None = getattr(holder, apart or "bias")
        return None if tensor is None else tensor.detach()

    def rows(self, whole: Tensor, side: Side, sizes: HeadSizes) -> Tensor:
        """Return which rows of a layer's matrix, or numbers of its bias, belong to one side.

        Raises:
            ValueError: If there are other than there should be.
        """
        if side == "output" or whole.shape[0] == sizes.rows(side):
            return whole  # a side that stands alone, or a parameter for a bias
        if self.fusion == "separate":
            if side == "query" and self.gated and whole.shape[0] == 2 * sizes.rows(side):
                pairs = torch.unflatten(whole, 0, (sizes.n_heads, 2, sizes.d_head))
                return pairs[:, 0].flatten(0, 1)
            raise ValueError(
                f"{side} projection has {whole.shape[0]} rows, expected {sizes.rows(side)}."
            )
        return _cut(whole, self.fusion, sizes)[SIDES.index(side)]


def _below(attention: str, name: str) -> str:
    parts = attention.split(".") if attention else []
    while name.startswith("../"):
        name, parts = name.removeprefix("../"), parts[:-1]
    return ".".join([*parts, name])


def _cut(fused: Tensor, fusion: Fusion, sizes: HeadSizes) -> tuple[Tensor, Tensor, Tensor]:
    """Return the rows of queries, keys and values that one matrix (or bias) holds."""
    n_heads, n_kv_heads, d_head, d_value = sizes
    widths = (n_heads * d_head, n_kv_heads * d_head, n_kv_heads * d_value)
    if fused.shape[0] != sum(widths):
        raise ValueError(
            f"fused projection has {fused.shape[0]} rows, expected {' + '.join(map(str, widths))}: "
            "queries, keys and values of all heads."
        )
    if fusion == "concatenated":
        query, key, value = fused.split(widths)
        return query, key, value
    if d_head != d_value or n_heads % n_kv_heads or (fusion == "per head" and n_heads > n_kv_heads):
        raise ValueError(f"fused projection cannot be cut {fusion}: {sizes}.")
    if fusion == "quarters":
        if n_heads != n_kv_heads or n_heads % 4:
            raise ValueError(f"fused projection cannot be cut into quarters: {sizes}.")
        query, value, key = fused.unflatten(0, (4, 3, -1)).unbind(1)
        return query.flatten(0, 1), key.flatten(0, 1), value.flatten(0, 1)
    groups = fused.unflatten(0, (n_kv_heads, n_heads // n_kv_heads + 2, d_head))
    return (
        groups[:, :-2].flatten(0, 2),
        groups[:, -2].flatten(0, 1),
        groups[:, -1].flatten(0, 1),
    )


_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
_HINTS = get_type_hints(Layout)
_LAYOUT: dict[str, Any] = {one.name: (_HINTS[one.name], one.default) for one in fields(Layout)}
_Row: Any = create_model("_Row", __config__=_STRICT, families=(list[str], ...), **_LAYOUT)
"""The families that keep their weights so, and the fields of `Layout`."""


class _Undeclared(BaseModel):
    model_config = _STRICT

    classes: list[str]
    reason: str


class _Table(BaseModel):
    model_config = _STRICT

    layouts: list[_Row]
    undeclared: list[_Undeclared]


def _by_family(table: _Table) -> dict[str, tuple[Layout, ...]]:
    layouts: dict[str, tuple[Layout, ...]] = {}
    for row in table.layouts:
        layout = Layout(**row.model_dump(exclude={"families"}))
        for family in row.families:
            layouts[family] = (*layouts.get(family, ()), layout)
    return layouts


_TABLE = _Table.model_validate(read_own_yaml(Path(__file__).with_name("layouts.yaml")))

LAYOUTS: dict[str, tuple[Layout, ...]] = _by_family(_TABLE)
"""Family → its layouts, in the order in which they are tried."""

UNDECLARED: dict[str, str] = {
    name: entry.reason for entry in _TABLE.undeclared for name in entry.classes
}
"""Class of attention → why no layout can say where its W_Q, W_K, W_V and W_O are."""


def family_of(module: nn.Module) -> str:
    """Return the package of transformers.models that a module's class is from, or ''.

    Example:
        >>> family_of(nn.Linear(1, 1))
        ''
    """
    parts = type(module).__module__.split(".")
    return parts[2] if parts[:2] == ["transformers", "models"] else ""


def layouts_at(modules: dict[str, nn.Module], attention: str) -> tuple[Layout, ...]:
    """Return the layouts of the table that fit the module of a name, in order."""
    rows = LAYOUTS.get(family_of(modules[attention]), ())
    return tuple(layout for layout in rows if layout.fits(modules, attention))


def attention_sites(network: nn.Module) -> Iterator[tuple[str, tuple[Layout, ...]]]:
    """Yield name → layouts of every module of a network that the table knows."""
    modules = dict(network.named_modules())
    for name in modules:
        layouts = layouts_at(modules, name)
        if layouts:
            yield name, layouts
