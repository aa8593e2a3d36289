"""How the mathematics of each known module is said in our terms: one reader for each class.

A reader says what the queries, keys, values, mask, bias and scaling are; the softmax and the
sums are ours. Must not know: how a module is watched.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from inspector.attention import split_heads
from inspector.attention.positions import (
    alibi_bias,
    disentangled_bias,
    log_buckets,
    rotary_angles,
    rotated_pairs,
)
from inspector.models.arguments import split_mask
from inspector.models.calls import AttentionCall


@dataclass(frozen=True)
class Seen:
    """What was seen of one forward of a module."""

    module: Any
    arguments: dict[str, Any]
    """Of its forward, defaults included."""
    made: dict[str, Tensor]
    """Linear layer → what it made, the first time."""
    context: Tensor
    weights: Tensor
    """The probabilities that it returned."""

    def heads(self, *names: str) -> tuple[Tensor, ...]:
        """Return what linear layers made, split into the module's heads."""
        n_heads = _first(self.module, "num_attention_heads", "num_heads", "n_heads", "n_head")
        return tuple(split_heads(self.made[name], n_heads) for name in names)


@dataclass(frozen=True)
class Reader:
    """One way to read a module."""

    read: Callable[[Seen], AttentionCall | None]
    output: str | None = None
    """The linear layer that holds W_O, below the module; None where it returns the context."""


def _first(module: Any, *names: str) -> Any:
    return next(getattr(module, name) for name in names if hasattr(module, name))


def _call(
    seen: Seen,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    term: str,
    scaling: float | None = None,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
) -> AttentionCall:
    """Return the call; keys and values before it are taken from the cache, where there is one."""
    key, value = _with_cache(seen, key, value)
    given = seen.arguments.get("attention_mask") if mask is None else mask
    allowed, added = split_mask(seen.module, query.dtype, given)
    if bias is not None:
        added = bias if added is None else bias + added
    return AttentionCall(
        seen.module,
        query,
        key,
        value,
        allowed,
        query.shape[-1] ** -0.5 if scaling is None else scaling,
        0.0,
        None,
        seen.weights.reshape(*query.shape[:3], key.shape[2]),
        seen.context,
        added,
        own_term=term,
    )


def _with_cache(seen: Seen, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    cache = seen.arguments.get("layer_past")
    cache = seen.arguments.get("past_key_values") if cache is None else cache
    if cache is None:
        return key, value
    cache = getattr(cache, "self_attention_cache", cache)
    layer = cache.layers[_first(seen.module, "layer_idx", "layer_id")]
    return layer.keys, layer.values


def _plain(seen: Seen) -> AttentionCall | None:
    """BERT's attention in a class of its own."""
    if seen.arguments.get("encoder_hidden_states") is not None:
        return None
    query, key, value = seen.heads("query", "key", "value")
    return _call(seen, query, key, value, term="plain")


def _luke(seen: Seen) -> AttentionCall | None:
    return _plain(seen) if seen.arguments.get("entity_hidden_states") is None else None


def _mpnet(seen: Seen) -> AttentionCall:
    query, key, value = seen.heads("q", "k", "v")
    bias = seen.arguments["position_bias"]
    return _call(seen, query, key, value, term="relative bias", bias=bias)


def _relative_vision(seen: Seen) -> AttentionCall:
    query, key, value = seen.heads("query", "key", "value")
    given = (seen.made.get("relative_position_bias"), seen.arguments["relative_position_bias"])
    biases = [bias if bias.ndim == 4 else bias[None] for bias in given if bias is not None]
    bias = sum(biases[1:], biases[0]) if biases else None
    return _call(seen, query, key, value, term="relative bias", bias=bias)


def _bloom(seen: Seen) -> AttentionCall:
    module, fused = seen.module, seen.made["query_key_value"]
    query, key, value = fused.unflatten(-1, (module.num_heads, 3, -1)).permute(3, 0, 2, 1, 4)
    n_key = seen.weights.shape[-1]
    bias = alibi_bias(module.num_heads, n_key).to(fused.dtype)[None]
    return _call(seen, query, key, value, term="ALiBi", bias=bias)


def _mpt(seen: Seen) -> AttentionCall:
    module, fused = seen.module, seen.made["Wqkv"]
    if module.clip_qkv:
        fused = fused.clamp(-module.clip_qkv, module.clip_qkv)
    query, key, value = (split_heads(part, module.n_heads) for part in fused.chunk(3, dim=-1))
    bias = None
    if seen.arguments["position_bias"] is not None:
        bias = alibi_bias(module.n_heads, seen.weights.shape[-1]).to(fused.dtype)[None]
    forbidden = seen.arguments["attention_mask"]
    mask = None if forbidden is None else ~forbidden.bool()
    return _call(
        seen, query, key, value,
        term="plain" if bias is None else "ALiBi", scaling=module.softmax_scale, bias=bias,
        mask=mask,
    )  # fmt: skip


def _falcon(seen: Seen) -> AttentionCall:
    module, fused = seen.module, seen.made["query_key_value"]
    n_heads = module.num_heads
    if module.new_decoder_architecture:
        groups = fused.unflatten(-1, (module.num_kv_heads, n_heads // module.num_kv_heads + 2, -1))
        query = groups[..., :-2, :].flatten(2, 3)
        key, value = groups[..., -2, :], groups[..., -1, :]
    elif module.multi_query:
        rows = fused.unflatten(-1, (n_heads + 2, -1))
        query, key, value = rows[..., :-2, :], rows[..., -2:-1, :], rows[..., -1:, :]
    else:
        query, key, value = fused.unflatten(-1, (n_heads, 3, -1)).unbind(3)
    query, key, value = (part.transpose(1, 2) for part in (query, key, value))
    if seen.arguments["alibi"] is None:
        cos, sin = seen.arguments["position_embeddings"]
        query, key = _turned_halves(query, cos, sin), _turned_halves(key, cos, sin)
        return _call(seen, query, key, value, term="rotary")
    # Falcon keeps its slopes in bfloat16, and scales the bias with the scores.
    bias = alibi_bias(n_heads, seen.weights.shape[-1])
    slopes = bias[..., -1:] - bias[..., -2:-1]
    bias = (bias / slopes) * slopes.bfloat16().double() * module.inv_norm_factor
    return _call(seen, query, key, value, term="ALiBi", bias=bias.to(fused.dtype)[None])


def _turned_halves(features: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return features turned in pairs (i, i + half), the model's own cosines and sines given."""
    first, second = features.chunk(2, dim=-1)
    cos, sin = (table[:, None, :, : first.shape[-1]] for table in (cos, sin))
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def _gptj(seen: Seen) -> AttentionCall:
    module = seen.module
    query, key, value = seen.heads("q_proj", "k_proj", "v_proj")
    width = module.rotary_dim or module.embed_dim
    angles = rotary_angles(seen.arguments["position_ids"], width)[:, None]
    query, key = (rotated_pairs(part, angles.cos(), angles.sin()) for part in (query, key))
    return _call(seen, query, key, value, term="rotary")


def _roformer(seen: Seen) -> AttentionCall | None:
    if seen.arguments.get("encoder_hidden_states") is not None:
        return None
    query, key, value = seen.heads("query", "key", "value")
    given = seen.arguments["sinusoidal_pos"]
    if given is not None:
        sin, cos = given.chunk(2, dim=-1)  # the model's own table, which it keeps as a weight
        query, key = rotated_pairs(query, cos, sin), rotated_pairs(key, cos, sin)
        value = rotated_pairs(value, cos, sin) if seen.module.rotary_value else value
    return _call(seen, query, key, value, term="rotary")


def _gpt_neo(seen: Seen) -> AttentionCall:
    """Scores are not scaled; every other layer sees a window."""
    query, key, value = seen.heads("q_proj", "k_proj", "v_proj")
    n_key, n_query = seen.weights.shape[-1], query.shape[2]
    window = seen.module.bias[:, :, n_key - n_query : n_key, :n_key]
    given = seen.arguments["attention_mask"]
    allowed, _ = split_mask(seen.module, query.dtype, given)
    mask = window if allowed is None else window & allowed
    return _call(seen, query, key, value, term="unscaled", scaling=1.0, mask=mask)


def _mvp(seen: Seen) -> AttentionCall | None:
    """BART's attention in a class of its own, the query scaled before its product."""
    if seen.arguments.get("attn_prompt") is not None:
        return None
    if "k_proj" not in seen.made:  # after a cache, of what an encoder has read
        return None
    query, key, value = seen.heads("q_proj", "k_proj", "v_proj")
    if seen.arguments.get("key_value_states") is not None:
        given = {**seen.arguments, "past_key_values": None}
        seen = Seen(seen.module, given, seen.made, seen.context, seen.weights)
    return _call(seen, query, key, value, term="plain", scaling=seen.module.scaling)


def _deberta_v2(seen: Seen) -> AttentionCall:
    module = seen.module
    query, key, value = seen.heads("query_proj", "key_proj", "value_proj")
    terms = [kind for kind in ("c2p", "p2c") if kind in module.pos_att_type]
    scaling = 1.0 / math.sqrt(query.shape[-1] * (1 + len(terms)))
    mask = seen.arguments["attention_mask"].bool()
    bias = None
    if module.relative_attention:
        span = module.pos_ebd_size
        table = seen.arguments["rel_embeddings"][: 2 * span]
        bias = disentangled_bias(
            query,
            key,
            _of_places(module, table, "key") if "c2p" in terms else None,
            _of_places(module, table, "query") if "p2c" in terms else None,
            (_distances(module, query, key) + span).clamp(0, 2 * span - 1),
            scaling,
        )
    return _call(
        seen, query, key, value, term="disentangled", scaling=scaling, bias=bias, mask=mask
    )


def _of_places(module: Any, table: Tensor, side: str) -> Tensor:
    """Return the key or query of each place, (head, place, d_head)."""
    name = f"{side}_proj" if module.share_att_key else f"pos_{side}_proj"
    linear: nn.Linear = getattr(module, name)
    made = nn.functional.linear(table, linear.weight, linear.bias)
    return split_heads(made[None], module.num_attention_heads)[0]


def _distances(module: Any, query: Tensor, key: Tensor) -> Tensor:
    rows, columns = (torch.arange(part.shape[2], device=part.device) for part in (query, key))
    distances = rows[:, None] - columns
    if module.position_buckets > 0:
        return log_buckets(distances, module.position_buckets, module.max_relative_positions)
    return distances


_PLAIN = Reader(_plain)

READERS: dict[str, Reader] = {
    "BigBirdSelfAttention": _PLAIN,
    "RemBertSelfAttention": _PLAIN,
    "MegatronBertSelfAttention": _PLAIN,
    "TapasSelfAttention": _PLAIN,
    "GitSelfAttention": _PLAIN,
    "VisualBertSelfAttention": _PLAIN,
    "ViltSelfAttention": _PLAIN,
    "LukeSelfAttention": Reader(_luke),
    "MPNetSelfAttention": Reader(_mpnet, "o"),
    "Data2VecVisionSelfAttention": Reader(_relative_vision),
    "BloomAttention": Reader(_bloom, "dense"),
    "MptAttention": Reader(_mpt, "out_proj"),
    "FalconAttention": Reader(_falcon, "dense"),
    "GPTJAttention": Reader(_gptj, "out_proj"),
    "GPTNeoSelfAttention": Reader(_gpt_neo, "out_proj"),
    "RoFormerSelfAttention": Reader(_roformer),
    "MvpAttention": Reader(_mvp, "out_proj"),
    "modeling_deberta_v2.DisentangledSelfAttention": Reader(_deberta_v2),
}
"""Class of a module, after its file where two share a name → how it is read."""


def reader_of(module: nn.Module) -> Reader | None:
    """Return how a module's own mathematics is read, None where that is not known."""
    kind = type(module)
    if not kind.__module__.startswith("transformers."):
        return None
    file = kind.__module__.rsplit(".", 1)[-1]
    return READERS.get(kind.__name__) or READERS.get(f"{file}.{kind.__name__}")
