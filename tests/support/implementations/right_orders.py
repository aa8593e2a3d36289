"""Right ways of computing a layer that differ in nothing but the order of their sums.

Every kind of layer: shared keys, rotary angles, a bias of positions, the causal order.
"""

import torch
from torch.nn.functional import linear, scaled_dot_product_attention


def computing(w, *, project="linear", scale="after", score="matmul", softmax="torch", seed=0):
    """Return the implementation of a layer, each of its sums taken in a way of one's choice."""
    generator = torch.Generator().manual_seed(seed)

    def layer(hidden, padding):
        n = hidden.shape[1]
        q, k, v = (
            _projected(hidden, getattr(w, f"W_{c}"), getattr(w, f"b_{c}"), project, generator)
            .unflatten(-1, (heads, -1))
            .transpose(1, 2)
            for c, heads in (("Q", w.n_heads), ("K", w.n_kv_heads), ("V", w.n_kv_heads))
        )
        if w.rotary_cos is not None:
            q, k = (_turned(x, w.rotary_cos[:n], w.rotary_sin[:n]) for x in (q, k))
        k, v = (x.repeat_interleave(w.n_heads // w.n_kv_heads, 1) for x in (k, v))
        allowed = torch.ones(1, 1, n, n, dtype=torch.bool)
        allowed = allowed.tril() if w.causal else allowed
        allowed = allowed if padding is None else allowed & padding[:, None, None]
        least = torch.finfo(hidden.dtype).min
        added = torch.zeros(allowed.shape, dtype=hidden.dtype).masked_fill(~allowed, least)
        if w.relative_bias is not None:
            added = (w.relative_bias[:, :n, :n] + added).clamp(min=least)
        if softmax == "flash":
            context = scaled_dot_product_attention(q, k, v, attn_mask=added, scale=w.scaling)
        else:
            context = _mixed(_scores(q, k, w.scaling, scale, score, generator) + added, v, softmax)
        return linear(context.transpose(1, 2).flatten(-2), w.W_O, w.b_O)

    return layer


def _projected(x, matrix, bias, how, generator):
    if how == "linear":
        return linear(x, matrix, bias)
    places = torch.arange(x.shape[-1])
    if how == "shuffled":
        places = torch.randperm(x.shape[-1], generator=generator)
    size = {"shuffled": x.shape[-1], "blocks": 8, "one by one": 1}[how]
    parts = [x[..., part] @ matrix[:, part].T for part in places.split(size)]
    return sum(parts) + (0.0 if bias is None else bias)


def _turned(x, cos, sin):
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


def _scores(q, k, factor, scale, how, generator):
    if scale == "before":
        q = q * factor
    elif scale == "roots":
        q, k = q * factor**0.5, k * factor**0.5
    if how == "shuffled":
        order = torch.randperm(q.shape[-1], generator=generator)
        q, k = q[..., order], k[..., order]
    if how == "einsum":
        scores = torch.einsum("bhqd,bhkd->bhqk", q, k)
    elif how == "one by one":
        columns = range(q.shape[-1])
        scores = sum(q[..., i : i + 1] * k[..., i : i + 1].mT for i in columns)
    else:
        scores = q @ k.mT
    if scale == "divided":
        return scores / (1.0 / factor)
    return scores * factor if scale == "after" else scores


def _mixed(s, v, how):
    if callable(how):
        return how(s) @ v
    if how == "torch":
        return s.softmax(-1) @ v
    if how == "in float32":
        return s.softmax(-1, dtype=torch.float32).to(v.dtype) @ v
    if how == "logarithm":
        return s.log_softmax(-1).exp() @ v
    if how == "logarithm of the sum":
        return (s - s.logsumexp(-1, keepdim=True)).exp() @ v
    if how == "divided late":
        exponents = (s - s.amax(-1, keepdim=True)).exp()
        return exponents @ v / exponents.sum(-1, keepdim=True)
    top = torch.full_like(s[..., :1], torch.finfo(s.dtype).min)
    total, context = torch.zeros_like(top), 0.0
    for part in torch.arange(s.shape[-1]).split(5):  # online
        higher = torch.maximum(top, s[..., part].amax(-1, keepdim=True))
        exponents, shrink = (s[..., part] - higher).exp(), (top - higher).exp()
        total = shrink * total + exponents.sum(-1, keepdim=True)
        context, top = shrink * context + exponents @ v[:, :, part], higher
    return context / total


def through(w, dtype):
    """Return the implementation that computes in another dtype."""
    inner = computing(w.to(dtype))
    return lambda hidden, padding: inner(hidden.to(dtype), padding).to(hidden.dtype)


ORDERS = {
    "eager": {},
    "flash": {"softmax": "flash"},
    "flash, projected in blocks": {"softmax": "flash", "project": "blocks"},
    "einsum": {"score": "einsum"},
    "scale before": {"scale": "before"},
    "scale in roots": {"scale": "roots", "softmax": "online"},
    "scale divided by": {"scale": "divided"},
    "divided late": {"scale": "before", "softmax": "divided late"},
    "logarithm": {"softmax": "logarithm"},
    "logarithm of the sum": {"softmax": "logarithm of the sum"},
    "online": {"softmax": "online", "project": "blocks"},
    "in float32": {"softmax": "in float32"},
    "one by one": {"project": "one by one", "score": "one by one", "scale": "before"},
    **{
        f"shuffled {n}": {"project": "shuffled", "score": "shuffled", "scale": scale, "seed": n}
        for n, scale in enumerate(("after", "before", "roots", "after"))
    },
}
