"""Attention of text and sound models whose scores know more of places than a table by distance.

Boxes on a page, gates, relative keys and segments. Each reader says what biases its scores; the
softmax and the sums are ours. Must not know: how a module is watched.
"""

from typing import Any

import torch
from torch import Tensor

from inspector.attention import split_heads
from inspector.models.custom_attention.observed_forward import (
    Calls,
    Reader,
    Seen,
    called,
    linear,
    without_cache,
)


def _bros(seen: Seen) -> Calls:
    """A query's product with what stands for two boxes' places is added before the scaling."""
    if seen.arguments.get("encoder_hidden_states") is not None:
        return None
    query, key, value = seen.heads("query", "key", "value")
    batch, _, n_tokens, width = query.shape
    boxes = seen.arguments["bbox_pos_emb"].reshape(n_tokens, n_tokens, batch, width)
    bias = torch.einsum("bhid,ijbd->bhij", query, boxes) * width**-0.5
    return called(seen, query, key, value, term="relative bias", bias=bias)


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


PLACE_READERS: dict[str, Reader] = {
    "BrosSelfAttention": Reader(_bros),
    "LiltSelfAttention": Reader(_lilt, watched=True),
    "WavLMAttention": Reader(_wavlm, watched=True),
    "XLNetRelativeAttention": Reader(_xlnet, watched=True),
    "FunnelRelMultiheadAttention": Reader(_funnel, "post_proj"),
    "ProphetNetNgramSelfAttention": Reader(_prophetnet, watched=True),
}
"""Class of a module, after its file where two share a name → how it is read."""
