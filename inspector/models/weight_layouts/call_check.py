"""An entry of the layout table compared with one call of the attention that it is about.

The values must follow from W_V, the output from W_O and the context; queries and keys from W_Q
and W_K, or be them scaled, or turned by a rotation, which keeps their lengths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from inspector.attention import LayerWeights, repeat_key_value_heads, split_heads
from inspector.models.calls.attention_call import AttentionCall
from inspector.models.weight_layouts.layout import Between, HeadSizes, Layout

# A wrong matrix is off by about the numbers' own size; float32 rounding by less than 1e-5 of it.
RELATIVE_TOLERANCE = 1e-4

Relation = Literal["as projected", "scaled", "rotated", "changed"]


@dataclass(frozen=True)
class SeenCall:
    """What one call of an attention module took and made, as the model computed it."""

    sources: Mapping[str, Float[Tensor, "batch token d_source"]]
    """'query', 'key', 'value' → what W_Q, W_K, W_V were given."""
    given: Float[Tensor, "batch query heads_d_value"]
    """What W_O was given: the heads' outputs side by side, as a rule."""
    output: Float[Tensor, "batch query d_model"]
    call: AttentionCall | None = None
    """None where the model does not let it be seen."""
    probabilities: Float[Tensor, "batch head query key"] | None = None
    """What the module returned, where its call is not seen."""

    @property
    def scaling(self) -> float:
        """Return the factor on query · key; 1/√d_head where the call is not seen."""
        return self.sizes_seen[1] ** -0.5 if self.call is None else self.call.scaling

    @property
    def sizes_seen(self) -> tuple[int, int]:
        """Return the number of heads and their width, as probabilities say them."""
        if self.probabilities is None:
            raise ValueError("a call shows its values or its probabilities.")
        n_heads = self.probabilities.shape[1]
        return n_heads, self.given.shape[-1] // n_heads


@dataclass(frozen=True)
class Entry:
    """The weights of an attention module, proved, or why they could not be."""

    layout: Layout | None = None
    sizes: HeadSizes | None = None
    weights: LayerWeights | None = None
    query: Relation | None = None
    """What the model's queries are to those that follow from W_Q; None where they are not seen."""
    key: Relation | None = None
    factor: float = 1.0
    """What queries are multiplied by before they are handed over."""
    value_factor: float = 1.0
    """What values are multiplied by, likewise."""
    by: Literal["its calls", "its probabilities", "its response"] | None = None
    """What the proof looked at: what went into and came out of the attention, or how the module
    answers to changed weights."""
    reason: str | None = None
    """Why the entry is not proved."""
    wrong: str | None = None
    """Which of value, context and output does not follow, where one of them does not."""

    @property
    def proved(self) -> bool:
        """Return whether values and output follow from the weights."""
        return self.weights is not None

    @property
    def before_rotation(self) -> bool:
        """Return whether W_Q and W_K give queries and keys before a rotation or a norm."""
        return {self.query, self.key} & {"rotated", "changed"} != set()


def prove_entry(
    modules: dict[str, nn.Module], attention: str, layouts: Sequence[Layout], seen: SeenCall
) -> Entry:
    """Return the first layout that explains a call, with its weights, or why none does."""
    reason, wrong = "the table has no layout for it", None
    causal = seen.call is not None and seen.call.is_causal
    for layout in layouts:
        sizes = _sizes(modules, attention, layout, seen)
        try:
            weights = layout.weights(modules, attention, sizes, scaling=seen.scaling, causal=causal)
        except ValueError as error:
            reason, wrong = str(error), "value"
            continue
        factor = _value_factor(weights, sizes, seen)
        wrong = "value" if factor is None else _first_wrong(layout, weights, sizes, seen)
        if wrong is None and factor is not None:
            return replace(_related(layout, sizes, weights, seen), value_factor=factor)
        reason = f"{wrong} does not follow from the weights"
    return Entry(reason=reason, wrong=wrong)


def _related(layout: Layout, sizes: HeadSizes, weights: LayerWeights, seen: SeenCall) -> Entry:
    """Return the entry with what queries and keys are to their projections."""
    if seen.call is None:
        return Entry(layout, sizes, weights, by="its probabilities")
    projected = linear(seen.sources["query"], weights.W_Q, weights.b_Q)
    query, factor = _relation(projected, seen.call.query, sizes.n_heads)
    projected = linear(seen.sources["key"], weights.W_K, weights.b_K)
    key, _ = _relation(projected, seen.call.key, sizes.n_kv_heads)
    return Entry(layout, sizes, weights, query, key, factor, by="its calls")


def _sizes(
    modules: dict[str, nn.Module], attention: str, layout: Layout, seen: SeenCall
) -> HeadSizes:
    if seen.call is not None:
        query, key, value = seen.call.query, seen.call.key, seen.call.value
        return HeadSizes(query.shape[1], key.shape[1], query.shape[-1], value.shape[-1])
    n_heads, d_head = seen.sizes_seen
    matrix: Any = modules[layout.names(attention)["value"]].weight
    rows: int = matrix.shape[1 if layout.kind == "Conv1D" else 0]
    fused = layout.fusion != "separate"
    n_kv_heads = (rows // d_head - n_heads) // 2 if fused else rows // d_head
    return HeadSizes(n_heads, max(n_kv_heads, 1), d_head, d_head)


def _value_factor(weights: LayerWeights, sizes: HeadSizes, seen: SeenCall) -> float | None:
    """Return what the model's values are times those that follow from W_V; None if neither."""
    source = seen.sources["value"]
    if weights.W_V.shape != (sizes.n_kv_heads * sizes.d_value, source.shape[-1]):
        return None
    if seen.call is None:
        return 1.0
    value, real = (
        split_heads(linear(source, weights.W_V, weights.b_V), sizes.n_kv_heads),
        seen.call.value,
    )
    if is_close(value, real):
        return 1.0
    if value.shape != real.shape:
        return None
    factor = float((value * real).sum() / (value * value).sum())
    return factor if is_close(factor * value, real) else None


def _first_wrong(
    layout: Layout, weights: LayerWeights, sizes: HeadSizes, seen: SeenCall
) -> str | None:
    """Return the first of context and output that the weights do not explain."""
    given, context = seen.given, seen.given if seen.call is None else seen.call.context
    if seen.call is None and seen.probabilities is not None:
        value = linear(seen.sources["value"], weights.W_V, weights.b_V)
        repeated = repeat_key_value_heads(split_heads(value, sizes.n_kv_heads), sizes.n_heads)
        if repeated.shape[:3] != seen.probabilities.shape[:2] + seen.probabilities.shape[-1:]:
            return "context"
        heads = seen.probabilities @ repeated
        if not is_close(heads.transpose(1, 2).flatten(-2), context):
            return "context"
    if weights.W_O.shape[1] != given.shape[-1]:
        return "output"
    if not _stands_between(layout.between, context, given):
        return "output"
    return None if is_close(linear(given, weights.W_O, weights.b_O), seen.output) else "output"


def _stands_between(between: Between, context: Tensor, given: Tensor) -> bool:
    """Return whether W_O is given the context, or what a gate or a norm makes of it."""
    if between == "nothing":
        return is_close(context, given)
    if context.shape != given.shape:
        return False
    ratio = given / context
    if between == "a gate":
        shrunk = (ratio >= 0.0) & (ratio <= 1.0 + RELATIVE_TOLERANCE)
        return bool(shrunk.all()) and not is_close(context, given)
    # A norm: one factor for each token, one for each feature.
    of_token = ratio.median(dim=-1, keepdim=True).values
    of_feature = (ratio / of_token).flatten(0, -2).median(dim=0).values
    return is_close(context * of_token * of_feature, given)


def _relation(projected: Tensor, seen: Tensor, n_heads: int) -> tuple[Relation, float]:
    """Return what the model made of a projection, and the factor on it."""
    if projected.shape[-1] != seen.shape[1] * seen.shape[-1]:
        return "changed", 1.0
    heads = split_heads(projected, n_heads)
    if is_close(heads, seen):
        return "as projected", 1.0
    if heads.shape != seen.shape:
        return "changed", 1.0
    factor = float((heads * seen).sum() / (heads * heads).sum())
    if is_close(factor * heads, seen):
        return "scaled", factor
    # A rotation keeps lengths; some families scale by the place besides, all heads alike.
    lengths = torch.linalg.vector_norm(seen, dim=-1) / torch.linalg.vector_norm(heads, dim=-1)
    mean = lengths.mean(dim=1, keepdim=True) if n_heads > 1 else lengths.mean()
    if bool(((lengths - mean).abs() <= 10 * RELATIVE_TOLERANCE * mean).all()):
        return "rotated", float(lengths.mean())
    return "changed", 1.0


def is_close(computed: Tensor, real: Tensor) -> bool:
    """Return whether one tensor is the other, but for float32's rounding."""
    if computed.shape != real.shape:
        return False
    scale = real.abs().max()
    return bool((computed - real).abs().max() <= RELATIVE_TOLERANCE * scale)
