"""Implementations as users write them: a right one, and one for each way of going wrong."""

import numpy as np
import torch


def plain(weights, *, scale=None, low=float("-inf")):
    """Return torch attention in the shortest form."""
    w = weights

    def heads(x, matrix, bias):
        features = torch.nn.functional.linear(x, matrix, bias)
        return features.view(*x.shape[:2], w.n_heads, w.d_head).transpose(1, 2)

    def layer(hidden, padding):
        q, k, v = (heads(hidden, getattr(w, f"W_{c}"), getattr(w, f"b_{c}")) for c in "QKV")
        scores = q @ k.transpose(-1, -2) * (w.scaling if scale is None else scale)
        if padding is not None:
            scores = scores.masked_fill(~padding[:, None, None], low)
        context = (scores.softmax(-1) @ v).transpose(1, 2).flatten(-2)
        return torch.nn.functional.linear(context, w.W_O, w.b_O)

    return layer


def returning(change):
    """Return a build whose right output is changed."""
    return lambda weights: lambda hidden, padding: change(plain(weights)(hidden, padding))


def in_file(folder, text, name="my.py"):
    """Return FILE.py of a text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# A right implementation and a wrong one, as files: no import of inspector.
RIGHT = """
import torch
from torch.nn.functional import linear

def build(weights, scaling=None):
    w = weights
    def layer(hidden, padding):
        b, n, _ = hidden.shape
        q, k, v = (linear(hidden, W, c).view(b, n, w.n_heads, -1).transpose(1, 2)
                   for W, c in ((w.W_Q, w.b_Q), (w.W_K, w.b_K), (w.W_V, w.b_V)))
        s = q @ k.transpose(-1, -2) * (scaling or w.scaling)
        if padding is not None:
            s = s.masked_fill(~padding[:, None, None, :], float("-inf"))
        return linear((s.softmax(-1) @ v).transpose(1, 2).reshape(b, n, -1), w.W_O, w.b_O)
    print("what a user prints is in nobody's way")
    return layer
"""
WRONG = (
    RIGHT
    + """
def wrong(weights):
    return build(weights, scaling=1.0)
"""
)


class Wrapped:
    """Something with __array__ only."""

    def __init__(self, tensor):
        self._tensor = tensor

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._tensor.numpy(), dtype)


class Capsule:
    """Something with DLPack only."""

    def __init__(self, tensor):
        self._tensor = tensor

    def __dlpack__(self, **settings):
        return self._tensor.__dlpack__(**settings)

    def __dlpack_device__(self):
        return self._tensor.__dlpack_device__()
