"""How an attention module keeps W_Q, W_K, W_V and W_O: by which names, and in how many matrices.

A layout is a claim. Whoever takes weights by it proves them first (`inspector.models.proof`).
Must not know: which family has which layout; how a model is loaded or run.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from torch import Tensor, nn

from inspector.attention import LayerWeights

Fusion = Literal["separate", "concatenated", "per head", "grouped"]
"""W_Q, W_K, W_V as matrices of their own; or in one, whose rows are all queries, all keys, all
values; or query, key, value of each head in turn; or, of each key/value head in turn, the queries
that share it, its key, its value."""


class HeadSizes(NamedTuple):
    """How many heads there are, and how wide."""

    n_heads: int
    n_kv_heads: int
    d_head: int
    """Of queries and keys."""
    d_value: int


@dataclass(frozen=True)
class Layout:
    """The names of the projections, from the attention module on; `../` is its parent."""

    query: str = "query"
    """The layer that holds W_Q; where W_K and W_V are in the same one, that name three times."""
    key: str = "key"
    value: str = "value"
    output: str = "../output.dense"
    fusion: Fusion = "separate"
    kind: Literal["Linear", "Conv1D"] = "Linear"
    """transformers' Conv1D keeps its matrix the other way round: (in, out)."""

    def names(self, attention: str) -> dict[str, str]:
        """Return side ('query', 'key', 'value', 'output') → the name of its layer.

        Example:
            >>> Layout().names("layer.0.attention.self")["output"]
            'layer.0.attention.output.dense'
        """
        sides = ("query", "key", "value", "output")
        return {side: _below(attention, getattr(self, side)) for side in sides}

    def fits(self, modules: dict[str, nn.Module], attention: str) -> bool:
        """Return whether layers of the right kind stand at all four names.

        Args:
            modules: Name → module, of the whole network.
            attention: Name of the attention module.
        """
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
        names = self.names(attention)
        tensors: dict[str, Any] = {}
        for part in ("weight", "bias"):
            if self.fusion == "separate":
                rows = [
                    self._part(modules[names[side]], part) for side in ("query", "key", "value")
                ]
            else:
                fused = self._part(modules[names["query"]], part)
                rows = [None] * 3 if fused is None else list(_cut(fused, self.fusion, sizes))
            prefix = "W" if part == "weight" else "b"
            tensors |= {f"{prefix}_{letter}": row for letter, row in zip("QKV", rows, strict=True)}
            tensors[f"{prefix}_O"] = self._part(modules[names["output"]], part)
        return LayerWeights(
            **tensors,
            n_heads=sizes.n_heads,
            n_kv_heads=sizes.n_kv_heads,
            scaling=scaling,
            causal=causal,
        )

    def _part(self, layer: Any, part: str) -> Tensor | None:
        tensor = getattr(layer, part)
        if tensor is None:
            return None
        detached: Tensor = tensor.detach()
        return detached.T if self.kind == "Conv1D" and part == "weight" else detached


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
    groups = fused.unflatten(0, (n_kv_heads, n_heads // n_kv_heads + 2, d_head))
    return (
        groups[:, :-2].flatten(0, 2),
        groups[:, -2].flatten(0, 1),
        groups[:, -1].flatten(0, 1),
    )
