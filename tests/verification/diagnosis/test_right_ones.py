"""No right implementation is ever told that it is wrong, in whatever order it computes."""

import numpy as np
import torch
from support.each import each
from support.tiny.layers import make_layer

# 22 families of way and kind: 506 right layers, besides those in float16.
N_SEEDS, N_SEEDS_IN_FLOAT16 = 23, 4


def split(features, n_heads):
    return features.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def projected(w, x):
    linear = torch.nn.functional.linear
    q = split(linear(x, w.W_Q, w.b_Q), w.n_heads)
    k = split(linear(x, w.W_K, w.b_K), w.n_kv_heads)
    v = split(linear(x, w.W_V, w.b_V), w.n_kv_heads)
    if w.rotary_cos is not None:
        q, k = (turned(heads, w) for heads in (q, k))
    repeats = w.n_heads // w.n_kv_heads
    return q, k.repeat_interleave(repeats, 1), v.repeat_interleave(repeats, 1)


def turned(heads, w):
    """Return rotary by complex numbers."""
    n, half = heads.shape[2], heads.shape[3] // 2
    pairs = torch.complex(heads[..., :half], heads[..., half:])
    angles = torch.complex(w.rotary_cos[:n, :half], w.rotary_sin[:n, :half])
    both = pairs * angles
    return torch.cat([both.real, both.imag], -1)


def additive_mask(w, x, padding, low=None):
    n = x.shape[1]
    low = torch.finfo(torch.float32).min if low is None else low
    mask = torch.zeros(len(x), 1, n, n)
    if padding is not None:
        mask = mask.masked_fill(~padding[:, None, None], low)
    if w.causal:
        mask = mask.masked_fill(torch.ones(n, n).triu(1).bool(), low)
    return mask if w.relative_bias is None else mask + w.relative_bias[:, :n, :n]


def with_einsum(w, x, padding):
    q, k, v = projected(w, x)
    scores = torch.einsum("bhqd,bhkd->bhqk", q, k) * w.scaling + additive_mask(w, x, padding)
    heads = torch.einsum("bhqk,bhkd->bqhd", scores.softmax(-1), v)
    out = torch.einsum("bqhd,mhd->bqm", heads, w.W_O.unflatten(1, (w.n_heads, -1)))
    return out if w.b_O is None else out + w.b_O


def with_scaled_query(w, x, padding):
    q, k, v = projected(w, x)
    scores = (q * w.scaling) @ k.transpose(-1, -2) + additive_mask(w, x, padding, -1e9)
    exponents = torch.exp2(1.4426950408889634 * (scores - scores.amax(-1, keepdim=True)))
    heads = (exponents @ v) / exponents.sum(-1, keepdim=True)
    return torch.nn.functional.linear(heads.transpose(1, 2).flatten(-2), w.W_O, w.b_O)


def with_numpy_loops(w, x, padding):
    """Return plain loops over texts, heads and queries, in float32."""
    q, k, v = (heads.numpy() for heads in projected(w, x))
    mask = additive_mask(w, x, padding).numpy()
    n_batch, n_heads, n, width = q.shape
    mask = np.broadcast_to(mask, (n_batch, n_heads, n, n))
    context = np.zeros((n_batch, n, n_heads, width), np.float32)
    for b in range(n_batch):
        for h in range(n_heads):
            for i in range(n):
                scores = np.array(
                    [np.float32(w.scaling) * np.dot(q[b, h, i], k[b, h, j]) for j in range(n)],
                    np.float32,
                ) + mask[b, h, i]  # fmt: skip
                exponents = np.exp(scores - scores.max())
                total = np.float32(0)
                for j in range(n):
                    context[b, i, h] += exponents[j] * v[b, h, j]
                    total += exponents[j]
                context[b, i, h] /= total
    flat = context.reshape(n_batch, n, -1)
    out = sum(
        flat[..., i : i + 1] * w.W_O.numpy()[:, i] for i in range(flat.shape[-1])
    )  # one product after the other
    return torch.from_numpy(out if w.b_O is None else out + w.b_O.numpy())


def with_sdpa(w, x, padding):
    q, k, v = projected(w, x)
    mask = additive_mask(w, x, padding).expand(-1, w.n_heads, -1, -1)
    heads = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=mask.contiguous(), scale=w.scaling
    )
    return torch.nn.functional.linear(heads.transpose(1, 2).flatten(-2), w.W_O, w.b_O)


def with_online_softmax(w, x, padding, chunk=3):
    """Return keys taken in chunks, with a running maximum and sum."""
    q, k, v = projected(w, x)
    mask = additive_mask(w, x, padding).expand(-1, w.n_heads, -1, -1)
    top = torch.full((*q.shape[:3], 1), torch.finfo(torch.float32).min)
    total, heads = torch.zeros_like(top), torch.zeros_like(q)
    for start in range(0, k.shape[2], chunk):
        part = slice(start, start + chunk)
        scores = q @ k[:, :, part].transpose(-1, -2) * w.scaling + mask[..., part]
        higher = torch.maximum(top, scores.amax(-1, keepdim=True))
        exponents = torch.exp(scores - higher)
        shrink = torch.exp(top - higher)
        total = shrink * total + exponents.sum(-1, keepdim=True)
        heads = shrink * heads + exponents @ v[:, :, part]
        top = higher
    context = (heads / total).transpose(1, 2).flatten(-2)
    return torch.nn.functional.linear(context, w.W_O, w.b_O)


def with_float16_storage(w, x, padding):
    """Return float32 mathematics on weights that are kept in float16."""
    from dataclasses import replace

    kept = {
        name: value.half().float()
        for name, value in vars(w).items()
        if name[:2] in ("W_", "b_") and value is not None
    }
    return with_einsum(replace(w, **kept), x, padding)


def with_multi_head_attention(w, x, padding):
    module = torch.nn.MultiheadAttention(x.shape[-1], w.n_heads, batch_first=True)
    with torch.no_grad():
        module.in_proj_weight.copy_(torch.cat([w.W_Q, w.W_K, w.W_V]))
        module.in_proj_bias.copy_(torch.cat([w.b_Q, w.b_K, w.b_V]))
        module.out_proj.weight.copy_(w.W_O)
        module.out_proj.bias.copy_(w.b_O)
    causal = torch.ones(x.shape[1], x.shape[1]).triu(1).bool() if w.causal else None
    hidden = None if padding is None else ~padding
    out = module(x, x, x, key_padding_mask=hidden, attn_mask=causal, need_weights=False)[0]
    return out.detach()


WAYS = [
    with_einsum, with_scaled_query, with_numpy_loops, with_sdpa, with_online_softmax,
    with_float16_storage, with_multi_head_attention,
]  # fmt: skip


# torch.nn.MultiheadAttention has no rotary angles and no relative bias.
FITTING = [
    (kind, way)
    for kind in ("bert", "gpt2", "llama", "t5")
    for way in WAYS
    if way is not with_multi_head_attention or kind in ("bert", "gpt2")
]


@each(("kind", "way"), FITTING, ids=[f"{kind}-{way.__name__}" for kind, way in FITTING])
def test_right_ones_are_never_diagnosed(tools, probes, way, kind):
    for seed in range(N_SEEDS_IN_FLOAT16 if way is with_float16_storage else N_SEEDS):
        layer = make_layer(kind, seed=100 + seed)
        observations = [
            tools.Observation(
                probe,
                {"output": torch.nan_to_num(way(layer.weights, probe.hidden, probe.padding))},
                {},
            )
            for probe in probes(layer)
        ]
        found = tools.diagnose(layer, observations, torch.float32, pairs=False)
        if way is with_float16_storage:
            assert found.verdict == "stored", f"seed {seed}: {found}"
            assert found.mistakes == ()
            assert found.explanation.mistakes == ("stored in float16",)
        else:
            assert found is None, f"seed {seed}: {found}"


@each("way", WAYS[:6], ids=lambda way: way.__name__)
def test_right_ones_pass_on_the_real_model(tools, minilm_layer, way):
    layer = minilm_layer.layer
    observations = [
        tools.Observation(
            probe, {"output": way(layer.weights, probe.hidden, probe.padding)}, theirs
        )
        for probe, theirs in reversed(minilm_layer.inputs)
    ]
    found = tools.diagnose(layer, observations, torch.float32, pairs=False)
    assert found is None or (found.verdict, way) == ("stored", with_float16_storage), str(found)
