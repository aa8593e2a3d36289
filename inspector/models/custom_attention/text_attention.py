"""Attention of text and sound models in classes of their own: what each adds to its scores.

Tables by distance, ALiBi, rotations, disentangled places, boxes, gates, relative keys. Each reader
says what biases its scores; the softmax and the sums are ours.
"""

from typing import Any

import torch
from torch import Tensor

from inspector.attention import split_heads
from inspector.attention.positions import (
    alibi_bias,
    disentangled_bias,
    log_buckets,
    rotary_angles,
    rotated_pairs,
)
from inspector.models.calls.call_arguments import split_mask
from inspector.models.custom_attention.observed_forward import (
    Calls,
    Readers,
    Seen,
    called,
    linear,
    without_cache,
)

READERS = Readers()
_CODEGEN_PARTS = 4


@READERS.of("MPNetSelfAttention", output="o")
def _mpnet(seen: Seen) -> Calls:
    query, key, value = seen.heads("q", "k", "v")
    bias = seen.arguments["position_bias"]
    return called(seen, query, key, value, term="relative bias", bias=bias)


@READERS.of("Data2VecVisionSelfAttention")
def _relative_vision(seen: Seen) -> Calls:
    query, key, value = seen.heads("query", "key", "value")
    given = (seen.made.get("relative_position_bias"), seen.arguments["relative_position_bias"])
    biases = [bias if bias.ndim == 4 else bias[None] for bias in given if bias is not None]
    bias = sum(biases[1:], biases[0]) if biases else None
    return called(seen, query, key, value, term="relative bias", bias=bias)


@READERS.of("BloomAttention", output="dense")
def _bloom(seen: Seen) -> Calls:
    module, fused = seen.module, seen.made["query_key_value"]
    query, key, value = fused.unflatten(-1, (module.num_heads, 3, -1)).permute(3, 0, 2, 1, 4)
    n_key = seen.weights.shape[-1]
    bias = _of_real_keys(alibi_bias(module.num_heads, n_key), seen)
    return called(seen, query, key, value, term="ALiBi", bias=bias.to(fused.dtype))


def _of_real_keys(bias: Tensor, seen: Seen) -> Tensor:
    """Return ALiBi's bias (head, 1, key) by text, where padding does not count as a key."""
    allowed, _ = split_mask(seen.module, bias.dtype, seen.arguments["attention_mask"])
    if allowed is None:
        return bias[None]
    real = allowed[..., -1:, :].long()  # what the last query may look at
    places = ((real.cumsum(-1) - 1) * real).clamp_min(0)
    bias = bias.to(places.device).expand(len(places), *bias.shape)
    return bias.gather(-1, places.expand(-1, bias.shape[1], -1, -1))


@READERS.of("MptAttention", output="out_proj")
def _mpt(seen: Seen) -> Calls:
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


@READERS.of("FalconAttention", output="dense")
def _falcon(seen: Seen) -> Calls:
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


@READERS.of("GPTJAttention", output="out_proj")
def _gptj(seen: Seen) -> Calls:
    module = seen.module
    query, key, value = seen.heads("q_proj", "k_proj", "v_proj")
    width = module.rotary_dim or module.embed_dim
    angles = rotary_angles(seen.arguments["position_ids"], width)[:, None]
    query, key = (rotated_pairs(part, angles.cos(), angles.sin()) for part in (query, key))
    return called(seen, query, key, value, term="rotary")


@READERS.of("RoFormerSelfAttention")
def _roformer(seen: Seen) -> Calls:
    if seen.arguments.get("encoder_hidden_states") is not None:
        return None
    query, key, value = seen.heads("query", "key", "value")
    given = seen.arguments["sinusoidal_pos"]
    if given is not None:
        sin, cos = given.chunk(2, dim=-1)  # the model's own table, which it keeps as a weight
        query, key = rotated_pairs(query, cos, sin), rotated_pairs(key, cos, sin)
        value = rotated_pairs(value, cos, sin) if seen.module.rotary_value else value
    return called(seen, query, key, value, term="rotary")


@READERS.of("GPTNeoSelfAttention", output="out_proj")
def _gpt_neo(seen: Seen) -> Calls:
    """Scores are not scaled; every other layer sees a window."""
    query, key, value = seen.heads("q_proj", "k_proj", "v_proj")
    n_key, n_query = seen.weights.shape[-1], query.shape[2]
    window = seen.module.bias[:, :, n_key - n_query : n_key, :n_key]
    given = seen.arguments["attention_mask"]
    allowed, _ = split_mask(seen.module, query.dtype, given)
    mask = window if allowed is None else window & allowed
    return called(seen, query, key, value, term="unscaled", scaling=1.0, mask=mask)


@READERS.of("CodeGenAttention", output="out_proj")
def _codegen(seen: Seen) -> Calls:
    """Queries, values and keys lie in four parts, as they once did on four processors."""
    module = seen.module
    parts = seen.made["qkv_proj"].unflatten(-1, (_CODEGEN_PARTS, 3, -1))
    query, value, key = (split_heads(part.flatten(-2), seen.n_heads) for part in parts.unbind(-2))
    angles = rotary_angles(seen.arguments["position_ids"], module.pos_embd_dim)[:, None]
    query, key = (rotated_pairs(part, angles.cos(), angles.sin()) for part in (query, key))
    return called(seen, query, key, value, term="rotary")


@READERS.of("GPTNeoXJapaneseAttention", output="dense")
def _neox_japanese(seen: Seen) -> Calls:
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


@READERS.of("modeling_deberta.DisentangledSelfAttention")
def _deberta(seen: Seen) -> Calls:
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


@READERS.of(
    "modeling_deberta_v2.DisentangledSelfAttention", "modeling_sew_d.DisentangledSelfAttention"
)
def _deberta_v2(seen: Seen) -> Calls:
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


@READERS.of("BrosSelfAttention")
def _bros(seen: Seen) -> Calls:
    """A query's product with what stands for two boxes' places is added before the scaling."""
    if seen.arguments.get("encoder_hidden_states") is not None:
        return None
    query, key, value = seen.heads("query", "key", "value")
    batch, _, n_tokens, width = query.shape
    boxes = seen.arguments["bbox_pos_emb"].reshape(n_tokens, n_tokens, batch, width)
    bias = torch.einsum("bhid,ijbd->bhij", query, boxes) * width**-0.5
    return called(seen, query, key, value, term="relative bias", bias=bias)


@READERS.of("LiltSelfAttention", watched=True)
def _lilt(seen: Seen) -> Calls:
    """Texts and boxes attend apart, with the sum of both scores.

    Source: Wang et al. (2022), arXiv:2202.13669, eq. 2.
    """
    text = seen.heads("query", "key", "value")
    boxes = seen.heads("layout_query", "layout_key", "layout_value")
    scores = [(query @ key.mT) * query.shape[-1] ** -0.5 for query, key, _ in (text, boxes)]
    return (
        called(seen, *boxes, term="two streams", bias=scores[0], product=0),
        called(seen, *text, term="two streams", bias=scores[1], product=1),
    )


@READERS.of("WavLMAttention", watched=True)
def _wavlm(seen: Seen) -> Calls:
    """A bias by distance is let through a gate that each query opens.

    Source: Chen et al. (2022), arXiv:2110.13900, eq. 4 to 6.
    """
    module, hidden = seen.module, seen.arguments["hidden_states"]
    query, key, value = (
        split_heads(linear(hidden, layer), seen.n_heads)
        for layer in (module.q_proj, module.k_proj, module.v_proj)
    )
    opened = linear(split_heads(hidden, seen.n_heads), module.gru_rel_pos_linear)
    update, reset = opened.unflatten(-1, (2, 4)).sum(-1).sigmoid().unbind(-1)
    gate = update * (reset * module.gru_rel_pos_const[..., 0] - 1.0) + 2.0
    given = seen.arguments["position_bias"]
    n_tokens = hidden.shape[1]
    by_distance = module.compute_bias(n_tokens, n_tokens) if given is None else given
    bias = gate[..., None] * by_distance.reshape(-1, seen.n_heads, n_tokens, n_tokens)
    padding = seen.arguments["attention_mask"]
    mask = None if padding is None else (padding == 1)[:, None, None]
    return called(
        seen, query, key, value, term="gated relative bias", bias=bias, mask=mask, product=0
    )


@READERS.of("XLNetRelativeAttention", watched=True)
def _xlnet(seen: Seen) -> Calls:
    """Keys by content, by distance and by segment, each with a bias of the query for it.

    Source: Yang et al. (2019), arXiv:1906.08237, sec. 2.4 and A.2; Dai et al. (2019),
        arXiv:1901.02860, eq. (5) of sec. 3.3.
    """
    module, given = seen.module, seen.arguments
    if given["g"] is not None:  # the stream of the tokens that are to be guessed
        return None
    hidden, before = given["h"], given["mems"]
    every = hidden if before is None or before.ndim < 2 else torch.cat([before, hidden])
    query = torch.einsum("ibm,mhd->bhid", hidden, module.q)
    key, value = (torch.einsum("jbm,mhd->bhjd", every, part) for part in (module.k, module.v))
    places = torch.einsum("rbm,mhd->bhrd", given["r"].to(query.dtype), module.r)
    n_query, n_key = query.shape[2], key.shape[2]
    steps = torch.arange(n_key)[None] - torch.arange(n_query)[:, None] + n_query
    by_place = (query + module.r_r_bias[:, None]) @ places.mT
    bias = by_place.gather(-1, steps.to(query.device).expand(*query.shape[:2], -1, -1))
    if given["seg_mat"] is not None:
        by_segment = torch.einsum(
            "bhid,shd->bhis", query + module.r_s_bias[:, None], module.seg_embed
        )
        bias = bias + torch.einsum("ijbs,bhis->bhij", given["seg_mat"], by_segment)
    forbidden = given["attn_mask_h"]
    mask = None if forbidden is None else forbidden.permute(2, 3, 0, 1) == 0
    return called(
        seen, query + module.r_w_bias[:, None], key, value, term="relative keys",
        scaling=module.scale, bias=bias * module.scale, mask=mask, product=0,
    )  # fmt: skip


@READERS.of("FunnelRelMultiheadAttention", output="post_proj")
def _funnel(seen: Seen) -> Calls:
    """Relative keys and segments, as in XLNet; queries may be pooled ones, each of two tokens.

    Source: Dai et al. (2020), arXiv:2006.03236, sec. A.2.
    """
    module, n_heads = seen.module, seen.module.config.n_head
    places, segments, padding, whether_cls = seen.arguments["attention_inputs"]
    query, key, value = (
        split_heads(seen.made[name], n_heads) for name in ("q_head", "k_head", "v_head")
    )
    bias = _by_place(module, query + module.r_r_bias[:, None], key.shape[2], places)
    if segments is not None:
        by_segment = torch.einsum(
            "bhid,shd->bhis", query + module.r_s_bias[:, None], module.seg_embed
        )
        other, same = by_segment[..., :1], by_segment[..., 1:]
        bias = bias + torch.where(segments[:, None], same, other)
    if whether_cls is not None:
        bias = bias * whether_cls
    mask = None if padding is None else (padding != 0)[:, None, None]
    return called(
        seen, query + module.r_w_bias[:, None], key, value, term="relative keys",
        scaling=module.scale, bias=bias * module.scale, mask=mask,
    )  # fmt: skip


def _by_place(module: Any, query: Tensor, n_key: int, places: Any) -> Tensor:
    """Return a query's product with the key of its distance to each token."""
    if module.config.attention_type == "factorized":
        of_query, shifted, of_key, turned = places
        wide = torch.einsum("bhid,mhd->bhim", query, module.r_kernel)
        product: Tensor = (wide * of_query) @ of_key.mT + (wide * shifted) @ turned.mT
        return product
    n_query = query.shape[2]
    stride = 1 if n_query == n_key else 2  # of the queries, of which some are pooled
    keys = torch.einsum("rm,mhd->hrd", places[module.block_index][stride - 1], module.r_kernel)
    steps = torch.arange(n_key)[None] + stride * (n_query - torch.arange(n_query)[:, None])
    return (query @ keys.mT).gather(-1, steps.to(query.device).expand(*query.shape[:2], -1, -1))


@READERS.of("ProphetNetNgramSelfAttention", watched=True)
def _prophetnet(seen: Seen) -> Calls:
    """One stream that reads, and one for each token to be guessed, which reads it and itself.

    Source: Qi et al. (2020), arXiv:2001.04063, sec. 3.2.
    """
    given = seen.arguments
    if given["main_relative_position_buckets"] is None:  # of single tokens, after a cache
        return None
    n_streams = 1 + seen.module.ngram
    query, key, value = (
        part.unflatten(2, (n_streams, -1)).unbind(2)
        for part in seen.heads("query_proj", "key_proj", "value_proj")
    )
    by_bucket = seen.made["relative_pos_embeddings"].unflatten(-1, (-1, seen.n_heads))
    by_bucket = by_bucket.permute(0, 3, 1, 2)
    buckets = given["main_relative_position_buckets"][:, None].long()
    bias = by_bucket.gather(-1, buckets.expand(*by_bucket.shape[:3], -1))
    reading = called(seen, query[0], key[0], value[0], term="n-grams", bias=bias, product=0)
    stacked = [
        torch.stack([torch.cat((before, part), 2) for part in parts[1:]], 1).flatten(0, 1)
        for before, parts in ((reading.key, key), (reading.value, value))
    ]
    mask = given["extended_predict_attention_mask"]
    guessing = called(
        without_cache(seen), torch.stack(query[1:], 1).flatten(0, 1), *stacked, term="n-grams",
        bias=_guessing_bias(seen), product=1,
        mask=None if mask is None else _every(mask.transpose(1, 2), len(query[0])),
    )  # fmt: skip
    return reading, guessing


def _guessing_bias(seen: Seen) -> Tensor:
    """Return the bias of the streams that guess, (text · stream, head, query, key).

    The released code lays out what it takes by (text, token, stream, head) and the place where by
    (stream, text, head, token), and neither is turned: which query's bias is whose follows.
    """
    n_streams = seen.module.ngram
    by_bucket = seen.again["relative_pos_embeddings"].unflatten(-1, (-1, seen.n_heads))
    batch, _, n_tokens, n_buckets, n_heads = by_bucket.shape
    rows = by_bucket.permute(0, 2, 1, 4, 3).reshape(-1, n_buckets)
    buckets = seen.arguments["predict_relative_position_buckets"].long()
    places = buckets[None, :, None].expand(n_streams, -1, n_heads, -1, -1)
    taken: Tensor = rows.gather(1, places.flatten(0, 3))
    return taken.reshape(batch * n_streams, n_heads, n_tokens, -1)


def _every(mask: Tensor, batch: int) -> Tensor:
    """Return (text · stream, head, query, key) of a mask by text and stream."""
    return mask.expand(batch, *mask.shape[1:]).flatten(0, 1)
