"""Right implementations in the styles that people write, tried by the tests of ordinary use."""

import numpy as np
import torch
from torch.nn.functional import linear, scaled_dot_product_attention

from support.implementations.false_passes import attention


def heads_of(w, hidden):
    return (
        linear(hidden, W, c).unflatten(-1, (w.n_heads, -1)).transpose(1, 2)
        for W, c in ((w.W_Q, w.b_Q), (w.W_K, w.b_K), (w.W_V, w.b_V))
    )


def with_einsum(w):
    def layer(hidden, padding):
        q, k, v = heads_of(w, hidden)
        s = torch.einsum("bhqd,bhkd->bhqk", q, k) * w.scaling
        if padding is not None:
            s = s + torch.zeros_like(s).masked_fill(~padding[:, None, None], -1e9)
        heads = torch.einsum("bhqk,bhkd->bqhd", s.softmax(-1), v)
        return torch.einsum("bqhd,mhd->bqm", heads, w.W_O.unflatten(1, (w.n_heads, -1))) + w.b_O

    return layer


def with_sdpa(w):
    def layer(hidden, padding):
        mask = None if padding is None else padding[:, None, None, :]
        heads = scaled_dot_product_attention(*heads_of(w, hidden), attn_mask=mask, scale=w.scaling)
        return linear(heads.transpose(1, 2).flatten(-2), w.W_O, w.b_O)

    return layer


def with_numpy(w):
    arrays = {name: getattr(w, name).numpy() for name in ("W_Q", "W_K", "W_V", "W_O")}
    biases = {name: getattr(w, name).numpy() for name in ("b_Q", "b_K", "b_V", "b_O")}

    def layer(hidden, padding):
        x = hidden.numpy()
        b, n, _ = x.shape
        q, k, v = (
            (x @ arrays[f"W_{c}"].T + biases[f"b_{c}"]).reshape(b, n, w.n_heads, -1).swapaxes(1, 2)
            for c in "QKV"
        )
        s = q @ k.swapaxes(-1, -2) * np.float32(w.scaling)
        if padding is not None:
            s = np.where(padding.numpy()[:, None, None], s, np.finfo(np.float32).min)
        e = np.exp(s - s.max(-1, keepdims=True))
        context = (e / e.sum(-1, keepdims=True)) @ v
        return context.swapaxes(1, 2).reshape(b, n, -1) @ arrays["W_O"].T + biases["b_O"]

    return layer


def with_online_softmax(w, chunk=5):
    def layer(hidden, padding):
        q, k, v = heads_of(w, hidden)
        top = torch.full((*q.shape[:3], 1), torch.finfo(q.dtype).min)
        total, heads = torch.zeros_like(top), torch.zeros_like(q)
        for start in range(0, k.shape[2], chunk):
            part = slice(start, start + chunk)
            s = q @ k[:, :, part].transpose(-1, -2) * w.scaling
            if padding is not None:
                s = s.masked_fill(~padding[:, None, None, part], torch.finfo(q.dtype).min)
            higher = torch.maximum(top, s.amax(-1, keepdim=True))
            e, shrink = torch.exp(s - higher), torch.exp(top - higher)
            total, heads = (
                shrink * total + e.sum(-1, keepdim=True),
                shrink * heads + e @ v[:, :, part],
            )
            top = higher
        return linear((heads / total).transpose(1, 2).flatten(-2), w.W_O, w.b_O)

    return layer


def head_by_head(w):
    def layer(hidden, padding):
        output = torch.zeros_like(hidden) + w.b_O
        for h in range(w.n_heads):
            rows = slice(h * w.d_head, (h + 1) * w.d_head)
            q, k, v = (
                hidden @ W[rows].T + c[rows]
                for W, c in ((w.W_Q, w.b_Q), (w.W_K, w.b_K), (w.W_V, w.b_V))
            )
            s = q @ k.mT * w.scaling
            if padding is not None:
                s = s.masked_fill(~padding[:, None], float("-inf"))
            output = output + (s.softmax(-1) @ v) @ w.W_O[:, rows].T
        return output

    return layer


def in_float64(w):
    wide = w.to(torch.float64)
    return lambda hidden, padding: attention(wide, hidden.double(), padding).to(hidden.dtype)


class Multi(torch.nn.Module):
    """nn.MultiheadAttention, with dropout as it was trained."""

    def __init__(self, w):
        super().__init__()
        self.inner = torch.nn.MultiheadAttention(
            w.d_model, w.n_heads, dropout=0.1, batch_first=True
        )
        with torch.no_grad():
            self.inner.in_proj_weight.copy_(torch.cat([w.W_Q, w.W_K, w.W_V]))
            self.inner.in_proj_bias.copy_(torch.cat([w.b_Q, w.b_K, w.b_V]))
            self.inner.out_proj.weight.copy_(w.W_O)
            self.inner.out_proj.bias.copy_(w.b_O)

    def forward(self, hidden, padding):
        hidden_keys = None if padding is None else ~padding
        return self.inner(hidden, hidden, hidden, key_padding_mask=hidden_keys)[0]


class Dropping(torch.nn.Module):
    """A module with dropout in two forms, switched off by eval()."""

    def __init__(self, w):
        super().__init__()
        self.w, self.drop = w, torch.nn.Dropout(0.3)

    def forward(self, hidden, padding):
        def dropped(p):
            return torch.nn.functional.dropout(self.drop(p), 0.2, self.training)

        return attention(self.w, hidden, padding, probabilities=dropped)


def in_place(w):
    """Writes over what a backward pass would need."""

    def layer(hidden, padding):
        def doubled_and_halved(p):
            return p.mul_(2.0).div_(2.0)

        return attention(w, hidden, padding, probabilities=doubled_and_halved)

    return layer


def zeros_at_padding(w):
    def layer(hidden, padding):
        output = torch.nan_to_num(attention(w, hidden, padding))
        return output if padding is None else output * padding[..., None]

    return layer


RIGHT_STYLES = {
    "plain, −∞": lambda w: lambda hidden, padding: attention(w, hidden, padding),
    "einsum": with_einsum,
    "sdpa": with_sdpa,
    "numpy, no autograd": with_numpy,
    "online softmax": with_online_softmax,
    "head by head": head_by_head,
    "float64 inside": in_float64,
    "nn.MultiheadAttention, module": lambda w: Multi(w).eval(),
    "dropout in training, module": lambda w: Dropping(w).eval(),
    "in place, no autograd": in_place,
    "detached, no autograd": lambda w: lambda h, p: attention(w, h, p).detach(),
    "zeros at padding": zeros_at_padding,
}
