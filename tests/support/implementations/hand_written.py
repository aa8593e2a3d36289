"""Attention as somebody writes it in numpy, with a switch for everything one can get wrong.

Written apart from inspector's own steps, so that one can be compared with the other.
"""

import math
import random
from itertools import permutations, product

import numpy as np

# Mistake → the switches that make it; where it can be made in several ways, one switch set each.
SWITCHES = {
    "scale omitted": [{"scale": lambda w: 1.0}],
    "scale of √d_model": [{"scale": lambda w: 1 / math.sqrt(w.d_model)}],
    "scale of d_model": [{"scale": lambda w: 1 / w.d_model}],
    "scale applied twice": [{"scale": lambda w: w.scaling * w.scaling}],
    "scale of √d_head where the model has none": [{"scale": lambda w: 1 / math.sqrt(w.d_head)}],
    "scale of √length": [{"length": 0.5}],
    "scale of length": [{"length": 1.0}],
    "scale of √n_heads": [{"scale": lambda w: 1 / math.sqrt(w.n_heads)}],
    "scale inverted": [{"scale": lambda w: 1 / w.scaling}],
    "scale off by a factor": [
        {"scale": lambda w, by=by: by * w.scaling} for by in (1.0001, 0.7, 3.1, math.log(2))
    ],
    "softmax over queries": [{"axis": 2}],
    "softmax over heads": [{"axis": 1}],
    "softmax over the batch": [{"axis": 0}],
    "softmax omitted": [{"softmax": False}],
    "mask ignored": [{"padding": "ignored"}],
    "mask inverted": [{"padding": "inverted"}],
    "mask transposed": [{"padding": "transposed"}],
    "mask applied after softmax": [{"masking": "zero after"}],
    "mask added after softmax": [{"masking": "add after", "low": low} for low in (-1.0, -1e4)],
    "mask multiplied instead of added": [{"masking": "multiply"}],
    "mask of too small a negative": [{"low": low} for low in (-1.0, -5.0)],
    "causal mask added": [{"causal": lambda i, j: j <= i}],
    "causal mask omitted": [{"causal": lambda i, j: j == j}],
    "causal mask off by one": [
        {"causal": lambda i, j: j <= i + 1},
        {"causal": lambda i, j: j < i},
    ],
    "causal mask transposed": [{"causal": lambda i, j: j >= i}],
    "query and key swapped": [{"q": "K", "k": "Q"}],
    "value taken from key": [{"v": "K"}],
    "key taken from query": [{"k": "Q"}],
    "value taken from query": [{"v": "Q"}],
    "query bias omitted": [{"without": "Q"}],
    "key bias omitted": [{"without": "K", "stages": ("key", "output")}],
    "value bias omitted": [{"without": "V"}],
    "output bias omitted": [{"without": "O"}],
    "query, value and output bias omitted": [{"without": "QKVO"}, {"without": "QVO"}],
    "W_Q scaled and b_Q not": [{"scaled": "W"}, {"scaled": "roots"}],
    "b_Q scaled and W_Q not": [{"scaled": "b"}],
    "W_Q transposed": [{"transposed": "Q"}],
    "W_K transposed": [{"transposed": "K"}],
    "W_V transposed": [{"transposed": "V"}],
    "W_O transposed": [{"transposed": "O"}],
    "W_Q, W_K, W_V and W_O transposed": [{"transposed": "QKVO"}],
    "W_Q, W_K and W_V transposed": [{"transposed": "QKV"}],
    "layer norm applied before": [{"before": "plain"}, {"before": "own"}],
    "heads interleaved": [
        {"split": "interleaved"},
        {"split": "interleaved", "merge": "interleaved"},
    ],
    "heads split without moving the axes": [
        {"split": "in place"},
        {"split": "in place", "merge": "in place"},
    ],
    "heads reversed": [{"order": lambda heads: heads[:, ::-1]}],
    "heads rotated": [
        {"order": lambda heads: np.roll(heads, 1, 1)},
        {"order": lambda heads: np.roll(heads, -1, 1)},
    ],
    "concatenation in the wrong order": [
        {"merge": "interleaved"},
        {"merge": "reversed", "stages": ("probabilities", "output")},
    ],
    "heads merged without moving the axes": [{"merge": "in place"}],
    **{
        f"Q, K, V taken from {', '.join(order)}": [dict(zip("qkv", order, strict=True))]
        for order in permutations("QKV")
        if order not in (("Q", "K", "V"), ("K", "Q", "V"))
    },
    **{
        f"fused Q, K, V {how} as ({', '.join(axes)})": [{"fused": {how: axes}}]
        for how in ("read", "stacked")
        for axes in permutations(("qkv", "head", "d_head"))
        if axes[0] != "qkv" or (how == "stacked" and axes[1] == "d_head")
    },
    "batch and sequence axes swapped": [
        {"axes": "swapped"},
        {"axes": "swapped", "padding": "ignored"},
    ],
    "heads and batch swapped": [
        {"merge": "batch first"},
        {"merge": "heads first"},
        {"order": lambda heads: heads.transpose(1, 0, 2, 3).reshape(heads.shape)},
        {
            "order": lambda heads: heads.reshape(
                heads.shape[1], heads.shape[0], *heads.shape[2:]
            ).transpose(1, 0, 2, 3)
        },
        {"padding": "text fastest"},
        {"padding": "head fastest"},
    ],
    "probabilities transposed when they weight the values": [{"mix": "bhqk,bhqd->bhkd"}],
    "probabilities averaged over the heads": [{"average": True}],
    "heads averaged instead of concatenated": [
        {"merge": how} for how in ("mean", "sum", "mean first", "sum first")
    ],
    "a head that gives nothing": [{"silent": 0}, {"silent": 2}, {"silent": -1}],
    "key and value groups tiled instead of repeated": [{"groups": "tiled"}],
    "W_O omitted": [{"out": "none"}, {"out": "bias alone"}],
    "W_O applied per head without sum": [{"out": "mean"}, {"out": "last"}, {"out": "first"}],
    "output bias added for every head": [{"out": "biases"}],
    "residual added": [{"residual": True}],
    "layer norm applied after": [{"after": "plain"}, {"after": "own"}],
    "residual added and layer norm applied after": [
        {"residual": True, "after": "plain"},
        {"residual": True, "after": "own"},
    ],
    "relative bias omitted": [{"bias": "none"}],
    "relative bias transposed": [{"bias": "transposed"}],
    "rotary omitted": [{"rotary": "none"}],
    "rotary applied to the wrong halves": [{"rotary": "neighbours"}, {"rotary": "other sign"}],
    "rotary applied to the query or the key alone": [{"rotary": "query"}, {"rotary": "key"}],
    "rotary applied to the value, too": [{"rotary": "value, too"}],
    "probabilities in half precision (float16)": [{"half": np.float16}],
}


def attend(layer, hidden, real, dtype=np.float32, **wrong):
    """Return stage → array of a layer, with what `wrong` says done wrong."""
    w = layer.weights
    x = np.asarray(hidden).astype(dtype)
    if wrong.pop("axes", ""):
        turned = None if real is None else np.asarray(real).T
        stages = attend(layer, x.swapaxes(0, 1), turned, dtype, **wrong)
        return {stage: stages[stage].swapaxes(0, 1) for stage in ("context", "output")}
    if "before" in wrong:
        x = normalised(x, layer.norm, wrong["before"])
    project = {
        letter: _projected(x, w, wrong.get(side, letter), wrong, kv)
        for side, letter, kv in (("q", "Q", False), ("k", "K", True), ("v", "V", True))
    }
    if "fused" in wrong:
        project = _fused(project, **wrong["fused"])
    q, k, v = (wrong.get("order", lambda heads: heads)(project[c]) for c in "QKV")
    q, k, v = _rotated(q, k, v, w, wrong.get("rotary", "both"))
    repeats = w.n_heads // w.n_kv_heads
    share = (
        (lambda h: np.tile(h, (1, repeats, 1, 1)))
        if wrong.get("groups")
        else (lambda h: np.repeat(h, repeats, 1))
    )
    scale = dtype(wrong.get("scale", lambda w: w.scaling)(w))
    n = x.shape[1]
    scale = dtype(n ** -wrong["length"]) if "length" in wrong else scale
    scale = dtype(1) if "scaled" in wrong else scale
    scores = np.einsum("bhqd,bhkd->bhqk", q, share(k)) * scale
    if w.relative_bias is not None and wrong.get("bias") != "none":
        bias = w.relative_bias.numpy().astype(dtype)[:, :n, :n]
        scores = scores + (bias.transpose(0, 2, 1) if "bias" in wrong else bias)
    probabilities = _probabilities(scores, _allowed(w, real, n, wrong), wrong)
    weighting = probabilities
    if "average" in wrong:
        weighting = np.repeat(probabilities.mean(1, keepdims=True), w.n_heads, 1)
    heads = np.einsum(wrong.get("mix", "bhqk,bhkd->bhqd"), weighting, share(v))
    if "silent" in wrong:
        heads[:, wrong["silent"]] = 0
    context = _merged(heads, wrong.get("merge"))
    output = _output(context, w, wrong)
    if wrong.get("residual"):
        output = output + x
    if "after" in wrong:
        output = normalised(output, layer.norm, wrong["after"])
    return {
        "query": q, "key": k, "value": v, "scores": scores, "probabilities": probabilities,
        "context": context, "output": output,
    }  # fmt: skip


def _matrix(w, letter, wrong, dtype):
    matrix = getattr(w, f"W_{letter}").numpy().astype(dtype)
    return matrix.T if letter in wrong.get("transposed", "") else matrix


def _projected(x, w, letter, wrong, kv):
    flat = np.einsum("bpm,fm->bpf", x, _matrix(w, letter, wrong, x.dtype))
    bias = getattr(w, f"b_{letter}")
    if letter in "QK" and "scaled" in wrong:
        return _scaled(flat, bias, w, letter, wrong["scaled"])
    if bias is not None and letter not in wrong.get("without", ""):
        flat = flat + bias.numpy().astype(x.dtype)
    batch, tokens, _ = flat.shape
    n = w.n_kv_heads if kv else w.n_heads
    if wrong.get("split") == "interleaved":
        return flat.reshape(batch, tokens, -1, n).transpose(0, 3, 1, 2)
    if wrong.get("split") == "in place":
        return flat.reshape(batch, n, tokens, -1)
    return flat.reshape(batch, tokens, n, -1).transpose(0, 2, 1, 3)


def _scaled(flat, bias, w, letter, how):
    """Return heads whose matrix and bias have not got the same share of the scale."""
    share = math.sqrt(w.scaling) if how == "roots" else w.scaling if letter == "Q" else 1.0
    bias = 0.0 if bias is None else bias.numpy()
    flat = flat + share * bias if how == "b" else share * flat + bias
    heads = flat.astype(np.float32).reshape(*flat.shape[:2], -1, w.d_head)
    return heads.transpose(0, 2, 1, 3)


def _fused(project, stacked=("qkv", "head", "d_head"), read=("qkv", "head", "d_head")):
    """Return the features of all three, put into one row in one order and taken out in another."""
    _, n_heads, _, width = project["Q"].shape
    sizes = {"qkv": 3, "head": n_heads, "d_head": width}

    def places(axes):
        for numbers in product(*(range(sizes[axis]) for axis in axes)):
            at = dict(zip(axes, numbers, strict=True))
            yield "QKV"[at["qkv"]], at["head"], at["d_head"]

    taken = {letter: np.empty_like(heads) for letter, heads in project.items()}
    for (to, h, j), (of, g, i) in zip(places(read), places(stacked), strict=True):
        taken[to][:, h, :, j] = project[of][:, g, :, i]
    return taken


def _rotated(q, k, v, w, how):
    if w.rotary_cos is None or how == "none":
        return q, k, v
    n = q.shape[2]
    cos, sin = (a.numpy()[:n].astype(q.dtype) for a in (w.rotary_cos, w.rotary_sin))
    half = cos.shape[-1] // 2

    def turn(heads):
        turned = np.empty_like(heads)
        for i in range(half):
            a, b = (2 * i, 2 * i + 1) if how == "neighbours" else (i, i + half)
            c, s = cos[:, i], -sin[:, i] if how == "other sign" else sin[:, i]
            turned[..., a] = heads[..., a] * c - heads[..., b] * s
            turned[..., b] = heads[..., b] * c + heads[..., a] * s
        return turned

    return (
        q if how == "key" else turn(q),
        k if how == "query" else turn(k),
        turn(v) if how == "value, too" else v,
    )


def _allowed(w, real, n, wrong):
    i, j = np.arange(n)[:, None], np.arange(n)[None, :]
    rule = wrong.get("causal", (lambda i, j: j <= i) if w.causal else (lambda i, j: j == j))
    allowed = np.broadcast_to(rule(i, j) & (i == i), (1, 1, n, n))
    kind = wrong.get("padding")
    if real is None or kind == "ignored":
        return allowed
    real = np.asarray(real)
    if kind == "transposed":
        return allowed & real[:, None, :, None]
    if kind in ("text fastest", "head fastest"):
        batch = real.shape[0]
        rows = np.empty((batch, w.n_heads, n), bool)
        for text, head in product(range(batch), range(w.n_heads)):
            flat = text * w.n_heads + head if kind == "text fastest" else head * batch + text
            rows[text, head] = real[flat % batch if kind == "text fastest" else flat // w.n_heads]
        return allowed & rows[:, :, None, :]
    return allowed & (~real if kind == "inverted" else real)[:, None, None, :]


def _probabilities(scores, allowed, wrong):
    masking = wrong.get("masking", "fill")
    low = scores.dtype.type(wrong.get("low", np.finfo(scores.dtype).min))
    if not wrong.get("softmax", True):
        return np.where(allowed, scores, 0)
    if masking == "multiply":
        scores = scores * allowed
    elif masking == "fill":
        scores = scores + low * ~allowed if "low" in wrong else np.where(allowed, scores, low)
    axis = wrong.get("axis", 3)
    exponents = np.exp(scores - scores.max(axis, keepdims=True))
    probabilities = exponents / exponents.sum(axis, keepdims=True)
    if masking == "zero after":
        probabilities = probabilities * allowed
    if masking == "add after":
        probabilities = probabilities + low * ~allowed
    if "half" in wrong:
        probabilities = probabilities.astype(wrong["half"]).astype(scores.dtype)
    return probabilities


def _merged(heads, how):
    batch, n, tokens, width = heads.shape
    if how == "interleaved":
        return heads.transpose(0, 2, 3, 1).reshape(batch, tokens, n * width)
    if how == "in place":
        return heads.reshape(batch, tokens, n * width)
    if how == "batch first":
        heads = heads.transpose(1, 0, 2, 3).reshape(batch, n, tokens, width)
    if how == "heads first":
        heads = heads.reshape(n, batch, tokens, width).transpose(1, 0, 2, 3)
    if how is not None and how.startswith(("mean", "sum")):
        one = heads.mean(1) if how.startswith("mean") else heads.sum(1)
        many = [one if h == 0 or "first" not in how else 0 * one for h in range(n)]
        return np.concatenate(many, -1)
    ordered = heads[:, ::-1] if how == "reversed" else heads
    return ordered.transpose(0, 2, 1, 3).reshape(batch, tokens, n * width)


def _output(context, w, wrong):
    how = wrong.get("out")
    bias = 0 if w.b_O is None or "O" in wrong.get("without", "") else w.b_O.numpy()
    bias = np.asarray(bias, context.dtype)
    if how in ("none", "bias alone"):
        return context + (bias if how == "bias alone" else 0)
    matrix = _matrix(w, "O", wrong, context.dtype)
    n, width = w.n_heads, context.shape[-1] // w.n_heads
    parts = [
        np.einsum("bpf,mf->bpm", context[..., h * width : (h + 1) * width],
                  matrix[:, h * width : (h + 1) * width])
        for h in range(n)
    ]  # fmt: skip
    whole = {"mean": sum(parts) / n, "last": parts[-1], "first": parts[0]}.get(how, sum(parts))
    return whole + (n * bias if how == "biases" else bias)


def normalised(x, norm, how):
    own = how == "own"
    eps = norm.eps if own else 1e-5
    centred = x - x.mean(-1, keepdims=True) if norm.centred or not own else x
    scaled = centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + eps)
    if own:
        scaled = scaled * norm.weight.numpy()
        scaled = scaled if norm.bias is None else scaled + norm.bias.numpy()
    return scaled.astype(x.dtype)


# Two switches that say different things about the same step cannot both be made.
LEFT_OUT = {"key bias omitted", "concatenation in the wrong order", "softmax omitted"}


def random_pairs(count, applying, seed=7):
    """Return pairs of names with their switches, no two of one pair on the same switch."""
    drawn = random.Random(seed)
    names = sorted(set(SWITCHES) - LEFT_OUT & set(SWITCHES))
    pairs = []
    while len(pairs) < count:
        first, second = drawn.sample([name for name in names if name in applying], 2)
        one, other = drawn.choice(SWITCHES[first]), drawn.choice(SWITCHES[second])
        if not one.keys() & other.keys() and not {"low", "masking"} <= {*one, *other}:
            pairs.append((first, second, {**one, **other}))
    return pairs
