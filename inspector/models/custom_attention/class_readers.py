"""How the mathematics of each known module is said in our terms: one reader for each class.

A reader says what the queries, keys, values, mask, bias and scaling are; the softmax and the
sums are ours. Must not know: how a module is watched.
"""

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
from inspector.models.calls.attention_call import AttentionCall
from inspector.models.calls.call_arguments import split_mask
from inspector.models.custom_attention.image_attention import IMAGE_READERS
from inspector.models.custom_attention.observed_forward import (
    Reader,
    Seen,
    called,
    linear,
    without_cache,
)
from inspector.models.custom_attention.plain_attention import PLAIN_READERS
from inspector.models.custom_attention.relative_position import PLACE_READERS
from inspector.models.custom_attention.windowed_attention import WINDOW_READERS


def _plain(seen: Seen) -> AttentionCall | None:
    """BERT's attention in a class of its own."""
    if seen.arguments.get("encoder_hidden_states") is not None:
        return None
    query, key, value = seen.heads("query", "key", "value")
    return called(seen, query, key, value, term="plain")


def _luke(seen: Seen) -> AttentionCall | None:
    return _plain(seen) if seen.arguments.get("entity_hidden_states") is None else None


def _mpnet(seen: Seen) -> AttentionCall:
    query, key, value = seen.heads("q", "k", "v")
    bias = seen.arguments["position_bias"]
    return called(seen, query, key, value, term="relative bias", bias=bias)


def _relative_vision(seen: Seen) -> AttentionCall:
    query, key, value = seen.heads("query", "key", "value")
    given = (seen.made.get("relative_position_bias"), seen.arguments["relative_position_bias"])
    biases = [bias if bias.ndim == 4 else bias[None] for bias in given if bias is not None]
    bias = sum(biases[1:], biases[0]) if biases else None
    return called(seen, query, key, value, term="relative bias", bias=bias)


def _bloom(seen: Seen) -> AttentionCall:
    module, fused = seen.module, seen.made["query_key_value"]
    query, key, value = fused.unflatten(-1, (module.num_heads, 3, -1)).permute(3, 0, 2, 1, 4)
    n_key = seen.weights.shape[-1]
    bias = _of_real_keys(alibi_bias(module.num_heads, n_key), seen)
    return called(seen, query, key, value, term="ALiBi", bias=bias.to(fused.dtype))


def _of_real_keys(bias: Tensor, seen: Seen) -> Tensor:
    """Return ALiBi's bias, (batch, head, 1, key), where padding does not count as a key.

    Args:
        bias: (head, 1, key), of a text without padding.
        seen: Of the module.
    """
    allowed, _ = split_mask(seen.module, bias.dtype, seen.arguments["attention_mask"])
    if allowed is None:
        return bias[None]
    real = allowed[..., -1:, :].long()  # what the last query may look at
    places = ((real.cumsum(-1) - 1) * real).clamp_min(0)
    bias = bias.to(places.device).expand(len(places), *bias.shape)
    return bias.gather(-1, places.expand(-1, bias.shape[1], -1, -1))


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
    return called(
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
        return called(seen, query, key, value, term="rotary")
    # Falcon keeps its slopes in bfloat16, and scales the bias with the scores.
    bias = alibi_bias(n_heads, seen.weights.shape[-1])
    slopes = alibi_bias(n_heads, 2).diff(dim=-1)  # a text of one token has none to tell
    bias = (bias / slopes) * slopes.bfloat16().double() * module.inv_norm_factor
    bias = _of_real_keys(bias, seen)
    return called(seen, query, key, value, term="ALiBi", bias=bias.to(fused.dtype))


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
    return called(seen, query, key, value, term="rotary")


def _roformer(seen: Seen) -> AttentionCall | None:
    if seen.arguments.get("encoder_hidden_states") is not None:
        return None
    query, key, value = seen.heads("query", "key", "value")
    given = seen.arguments["sinusoidal_pos"]
    if given is not None:
        sin, cos = given.chunk(2, dim=-1)  # the model's own table, which it keeps as a weight
        query, key = rotated_pairs(query, cos, sin), rotated_pairs(key, cos, sin)
        value = rotated_pairs(value, cos, sin) if seen.module.rotary_value else value
    return called(seen, query, key, value, term="rotary")


def _gpt_neo(seen: Seen) -> AttentionCall:
    """Scores are not scaled; every other layer sees a window."""
    query, key, value = seen.heads("q_proj", "k_proj", "v_proj")
    n_key, n_query = seen.weights.shape[-1], query.shape[2]
    window = seen.module.bias[:, :, n_key - n_query : n_key, :n_key]
    given = seen.arguments["attention_mask"]
    allowed, _ = split_mask(seen.module, query.dtype, given)
    mask = window if allowed is None else window & allowed
    return called(seen, query, key, value, term="unscaled", scaling=1.0, mask=mask)


def _mvp(seen: Seen) -> AttentionCall | None:
    """BART's attention in a class of its own, the query scaled before its product."""
    if seen.arguments.get("attn_prompt") is not None:
        return None
    if "k_proj" not in seen.made:  # after a cache, of what an encoder has read
        return None
    query, key, value = seen.heads("q_proj", "k_proj", "v_proj")
    if seen.arguments.get("key_value_states") is not None:
        seen = without_cache(seen)
    return called(seen, query, key, value, term="plain", scaling=seen.module.scaling)


def _codegen(seen: Seen) -> AttentionCall:
    """Queries, values and keys lie in four parts, as they once did on four processors."""
    module = seen.module
    parts = seen.made["qkv_proj"].unflatten(-1, (_CODEGEN_PARTS, 3, -1))
    query, value, key = (split_heads(part.flatten(-2), seen.n_heads) for part in parts.unbind(-2))
    angles = rotary_angles(seen.arguments["position_ids"], module.pos_embd_dim)[:, None]
    query, key = (rotated_pairs(part, angles.cos(), angles.sin()) for part in (query, key))
    return called(seen, query, key, value, term="rotary")


def _neox_japanese(seen: Seen) -> AttentionCall:
    fused = seen.made["query_key_value"].unflatten(-1, (seen.n_heads, 3, -1))
    query, key, value = fused.permute(3, 0, 2, 1, 4)
    cos, sin = seen.arguments["position_embeddings"]
    query, key = (
        torch.cat(
            (_turned_halves(part[..., : cos.shape[-1]], cos, sin), part[..., cos.shape[-1] :]), -1
        )
        for part in (query, key)
    )
    return called(seen, query, key, value, term="rotary")


def _deberta(seen: Seen) -> AttentionCall | None:
    """The first version: one layer for all projections, head by head; keys have no bias."""
    module, given = seen.module, seen.arguments
    if module.talking_head or given["query_states"] is not None:
        return None
    fused = seen.made["in_proj"].unflatten(-1, (seen.n_heads, 3, -1))
    query, key, value = fused.permute(3, 0, 2, 1, 4)
    query, value = (
        part + bias.unflatten(0, (seen.n_heads, 1, -1))
        for part, bias in ((query, module.q_bias), (value, module.v_bias))
    )
    scaling = _by_terms(query, 1 + len(module.pos_att_type))
    bias = None
    if module.relative_attention and given["rel_embeddings"] is not None:
        span = min(query.shape[2], module.max_relative_positions)
        middle = module.max_relative_positions
        table = given["rel_embeddings"][middle - span : middle + span]
        keys, queries = (
            split_heads(linear(table, getattr(module, name))[None], seen.n_heads)[0]
            if kind in module.pos_att_type
            else None
            for kind, name in (("c2p", "pos_proj"), ("p2c", "pos_q_proj"))
        )
        rows = torch.arange(query.shape[2], device=query.device)
        places = (rows[:, None] - rows + span).clamp(0, 2 * span - 1)
        bias = disentangled_bias(query, key, keys, queries, places, scaling)
    mask = given["attention_mask"].bool()
    return called(
        seen, query, key, value, term="disentangled", scaling=scaling, bias=bias, mask=mask
    )


def _deberta_v2(seen: Seen) -> AttentionCall:
    module = seen.module
    query, key, value = seen.heads("query_proj", "key_proj", "value_proj")
    terms = [kind for kind in ("c2p", "p2c") if kind in module.pos_att_type]
    scaling = _by_terms(query, 1 + len(terms))
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
    return called(
        seen, query, key, value, term="disentangled", scaling=scaling, bias=bias, mask=mask
    )


def _by_terms(query: Tensor, n_terms: int) -> float:
    """Return 1/√(d_head · terms), the root rounded to float32, as the models keep it."""
    return 1.0 / float(torch.tensor(query.shape[-1] * n_terms, dtype=torch.float32).sqrt())


def _of_places(module: Any, table: Tensor, side: str) -> Tensor:
    """Return the key or query of each place, (head, place, d_head)."""
    name = f"{side}_proj" if module.share_att_key else f"pos_{side}_proj"
    made = linear(table, getattr(module, name))
    return split_heads(made[None], module.num_attention_heads)[0]


def _distances(module: Any, query: Tensor, key: Tensor) -> Tensor:
    rows, columns = (torch.arange(part.shape[2], device=part.device) for part in (query, key))
    distances = rows[:, None] - columns
    if module.position_buckets > 0:
        return log_buckets(distances, module.position_buckets, module.max_relative_positions)
    return distances


_CODEGEN_PARTS = 4
_PLAIN = Reader(_plain)

READERS: dict[str, Reader] = {
    **PLAIN_READERS,
    **IMAGE_READERS,
    **PLACE_READERS,
    **WINDOW_READERS,
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
    "CodeGenAttention": Reader(_codegen, "out_proj"),
    "GPTNeoXJapaneseAttention": Reader(_neox_japanese, "dense"),
    "modeling_deberta.DisentangledSelfAttention": Reader(_deberta),
    "modeling_deberta_v2.DisentangledSelfAttention": Reader(_deberta_v2),
    "modeling_sew_d.DisentangledSelfAttention": Reader(_deberta_v2),
}
"""Class of a module, after its file where two share a name → how it is read."""


def reader_of(module: nn.Module) -> Reader | None:
    """Return how a module's own mathematics is read, None where that is not known."""
    kind = type(module)
    if not kind.__module__.startswith(("transformers.", "torch.nn.modules.")):
        return None
    file = kind.__module__.rsplit(".", 1)[-1]
    return READERS.get(kind.__name__) or READERS.get(f"{file}.{kind.__name__}")
