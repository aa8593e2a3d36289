"""Nothing that a layer's weights hold is given and ignored: it changes the result, or is refused.

Every stage is compared with plain loops over texts, heads, queries and keys, in float64.
"""

import math
import re
from dataclasses import fields, replace

import pytest
import torch
from support.each import each

from inspector.attention import STEPS, LayerWeights, multi_head_attention, padding_mask

N, GROUPS, WIDTH, D_MODEL, LONGEST = 4, 2, 6, 10, 9
SIDES = {"query": N, "key": GROUPS}


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(sum(shape) + 100 * seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def layer(**other):
    """Return a layer with all that a layer can have, its norms over each head."""
    angles = draw(LONGEST, 4, seed=9)
    given = {
        "W_Q": draw(N * WIDTH, D_MODEL, seed=1),
        "W_K": draw(GROUPS * WIDTH, D_MODEL, seed=2),
        "W_V": draw(GROUPS * WIDTH, D_MODEL, seed=3),
        "W_O": draw(D_MODEL, N * WIDTH, seed=4),
        "b_Q": draw(N * WIDTH, seed=5),
        "b_K": draw(GROUPS * WIDTH, seed=6),
        "b_V": draw(GROUPS * WIDTH, seed=7),
        "b_O": draw(D_MODEL, seed=8),
        "n_heads": N,
        "n_kv_heads": GROUPS,
        "scaling": 0.3,
        "causal": True,
        "window": 4,
        "relative_bias": draw(N, LONGEST, LONGEST, seed=10),
        "rotary_cos": angles.cos(),
        "rotary_sin": angles.sin(),
        "query_norm": draw(WIDTH, seed=11),
        "key_norm": draw(WIDTH, seed=12),
        "query_norm_bias": draw(WIDTH, seed=13),
        "key_norm_bias": draw(WIDTH, seed=14),
        "norm_eps": 0.1,
        "softcap": 1.5,
        "sinks": draw(N, seed=15),
    }
    return LayerWeights(**{**given, **other})


CHANGES = {
    "n_heads": lambda w: replace(
        w, n_heads=2, query_norm=draw(12), query_norm_bias=draw(12), key_norm=draw(12),
        key_norm_bias=draw(12), n_kv_heads=1, sinks=w.sinks[:2],
        relative_bias=w.relative_bias[:2],
    ),
    # With as many rows, one group of twice the width would be another d_head: it is refused.
    "n_kv_heads": lambda w: replace(w, n_kv_heads=1),
    "scaling": lambda w: replace(w, scaling=0.31),
    "causal": lambda w: replace(w, causal=False),
    "window": lambda w: replace(w, window=None),
    "rotary_neighbours": lambda w: replace(w, rotary_neighbours=True),
    "norm_eps": lambda w: replace(w, norm_eps=0.2),
    "norm_centred": lambda w: replace(w, norm_centred=True),
    "norm_after_rotation": lambda w: replace(w, norm_after_rotation=True),
    "softcap": lambda w: replace(w, softcap=2.0),
}  # fmt: skip
# Norms over all heads, and with a gain of each head's own.
WEIGHTS = {
    "everything": layer(),
    "both ways": layer(causal=False),
    "neighbours": layer(rotary_neighbours=True, softcap=None),
    "rotated first": layer(norm_after_rotation=True, norm_centred=True),
    "norms over all heads": layer(
        query_norm=draw(N * WIDTH), key_norm=draw(GROUPS * WIDTH), query_norm_bias=None,
        key_norm_bias=None,
    ),
    "a gain of each head": layer(
        query_norm=draw(N, WIDTH), key_norm=draw(GROUPS, WIDTH), query_norm_bias=draw(N, WIDTH),
        key_norm_bias=None, norm_centred=True,
    ),
}  # fmt: skip


@each("name", [field.name for field in fields(LayerWeights)])
def test_each_field_changes_the_result_or_is_refused(name):
    weights = layer()
    x = draw(2, 7, D_MODEL, seed=20)
    before = multi_head_attention(x, x, weights).output
    value = getattr(weights, name)
    if name == "b_K":  # without a norm a bias of all keys alike would be hidden by the softmax
        assert weights.key_norm is not None
    if name == "n_kv_heads":
        sentence = "W_K has 12 rows, expected n_kv_heads × d_head = 1 × 6 = 6."
        with pytest.raises(ValueError, match=re.escape(sentence)):
            CHANGES[name](weights)
        return
    if name in CHANGES:
        changed = CHANGES[name](weights)
    else:
        changed = replace(weights, **{name: value + 0.5 * draw(*value.shape, seed=30)})
    after = multi_head_attention(x, x, changed).output
    assert (after - before).abs().max() > 1e-3


@each("kind", WEIGHTS)
@each("n_query", [7, 3])
def test_against_plain_loops(kind, n_query):
    """Also where a target is the end of its source, as when keys are cached."""
    weights = WEIGHTS[kind]
    source = draw(2, 7, D_MODEL, seed=21)
    target = source[:, 7 - n_query :]
    real = torch.tensor([[True] * 7, [False] * 2 + [True] * 5])
    found = multi_head_attention(target, source, weights, mask=padding_mask(real))
    torch.testing.assert_close(found.output, plain_loops(target, source, weights, real))


def plain_loops(target, source, w, real):
    """Return the output, number by number."""
    out = torch.zeros(len(target), target.shape[1], D_MODEL, dtype=torch.float64)
    first = source.shape[1] - target.shape[1]
    for b in range(len(target)):
        query = rows(w, "query", w.W_Q, w.b_Q, target[b], first)
        key = rows(w, "key", w.W_K, w.b_K, source[b], 0)
        for i in range(target.shape[1]):
            place = i + first
            context = []
            for head in range(w.n_heads):
                group = head // (w.n_heads // w.n_kv_heads)
                scores = {}
                for j in range(source.shape[1]):
                    seen = bool(real[b, j]) and (j <= place or not w.causal)
                    if w.window is not None and abs(place - j) >= w.window:
                        seen = False
                    if seen:
                        score = w.scaling * float(query[i][head] @ key[j][group])
                        if w.softcap is not None:
                            score = w.softcap * math.tanh(score / w.softcap)
                        scores[j] = score + float(w.relative_bias[head, place, j])
                value = torch.zeros(WIDTH, dtype=torch.float64)
                if scores:
                    total = sum(math.exp(s) for s in scores.values()) + math.exp(w.sinks[head])
                    for j, score in scores.items():
                        part = slice(group * WIDTH, (group + 1) * WIDTH)
                        v = w.W_V[part] @ source[b, j] + w.b_V[part]
                        value += math.exp(score) / total * v
                context.append(value)
            out[b, i] = w.W_O @ torch.cat(context) + w.b_O
    return out


def rows(w, side, matrix, bias, hidden, first):
    """Return of each token the queries or keys of all heads, as they are compared."""
    found = []
    for place, x in enumerate(hidden, start=first):
        heads = (matrix @ x + bias).reshape(-1, WIDTH)
        if not w.norm_after_rotation:
            heads = normed(w, side, heads)
        heads = torch.stack([turned(w, h, place) for h in heads])
        if w.norm_after_rotation:
            heads = normed(w, side, heads)
        found.append(heads)
    return found


def turned(w, head, place):
    width, head = w.rotary_cos.shape[-1], head.clone()
    pairs = [(2 * i, 2 * i + 1) for i in range(width // 2)]
    if not w.rotary_neighbours:
        pairs = [(i, i + width // 2) for i in range(width // 2)]
    before = head.clone()
    for a, b in pairs:
        cos, sin = w.rotary_cos[place], w.rotary_sin[place]
        head[a] = before[a] * cos[a] - before[b] * sin[a]
        head[b] = before[b] * cos[b] + before[a] * sin[b]
    return head


def normed(w, side, heads):
    gain, bias = getattr(w, f"{side}_norm"), getattr(w, f"{side}_norm_bias")
    over_all = gain.ndim == 1 and len(gain) != WIDTH
    parts = [heads.flatten()] if over_all else list(heads)
    done = []
    for number, part in enumerate(parts):
        mean = part.mean() if w.norm_centred else 0.0
        size = math.sqrt(float(((part - mean) ** 2).mean()) + w.norm_eps)
        made = (part - mean) / size * (gain[number] if gain.ndim == 2 else gain)
        if bias is not None:
            made = made + (bias[number] if bias.ndim == 2 else bias)
        done.append(made)
    return torch.stack(done).reshape(-1, WIDTH)


def bare(**given):
    everything = {field.name: None for field in fields(LayerWeights)}
    whole = vars(layer())
    kept = {name: whole[name] for name in everything if name[:2] in ("W_", "b_", "n_")}
    return LayerWeights(**kept, scaling=0.3, **given)


@each(
    ("given", "sentence"),
    [
        ({"rotary_cos": draw(9, 4)}, "rotary_cos must be given with rotary_sin: alone it turns"),
        ({"rotary_sin": draw(9, 4)}, "rotary_sin must be given with rotary_cos: alone it turns"),
        ({"rotary_neighbours": True}, "must be given with rotary_cos and rotary_sin"),
        ({"rotary_cos": draw(9, 3), "rotary_sin": draw(9, 3)}, "with rotary even and at most d_h"),
        ({"rotary_cos": draw(9, 8), "rotary_sin": draw(9, 8)}, "at most d_head \\(6\\)"),
        ({"relative_bias": draw(2, 9, 9)}, "relative_bias has shape \\(2, 9, 9\\), expected"),
        ({"window": 0}, "window \\(0\\) must be at least 1: a query sees itself"),
        ({"sinks": draw(3)}, "sinks has shape \\(3,\\), expected \\(n_heads\\) = \\(4,\\)"),
        ({"query_norm": draw(5), "norm_eps": 1e-5}, "query_norm has shape \\(5,\\), expected one"),
        ({"query_norm": draw(6)}, "norm_eps \\(None\\) must be given with query_norm or key_norm"),
        ({"key_norm_bias": draw(6)}, "key_norm_bias must be given with key_norm, in the same"),
        ({"norm_eps": 1e-5}, "without a gain nothing is normed"),
        ({"norm_centred": True}, "without a gain nothing is normed"),
        ({"norm_after_rotation": True}, "without a gain nothing is normed"),
    ],
)
def test_what_would_be_ignored_is_refused(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        bare(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"causal": True},
        {"window": 2},
        {"relative_bias": draw(N, LONGEST, LONGEST)},
        {"rotary_cos": draw(LONGEST, 4), "rotary_sin": draw(LONGEST, 4)},
    ],
    ids=lambda given: next(iter(given)),
)
def test_lengths_that_leave_places_open_are_refused(given):
    weights, x = bare(**given), draw(1, LONGEST + 1, D_MODEL)
    with pytest.raises(ValueError, match=r"source \(3 tokens\) must be at least as long as target"):
        multi_head_attention(x[:, :4], x[:, :3], weights)
    if next(iter(given)) not in ("causal", "window"):
        with pytest.raises(ValueError, match=r"source \(10 tokens\) must have at most 9 tokens"):
            multi_head_attention(x, x, weights)
    # Without places any lengths are right.
    assert multi_head_attention(x[:, :4], x[:, :3], bare()).output.shape == (1, 4, D_MODEL)


def test_any_step_can_be_replaced():
    weights, x = layer(), draw(1, 5, D_MODEL, seed=22)
    seen = []

    def rotate(query, key, value, rotation):
        seen.append(rotation.cos.shape)
        return query, key, value

    steps = replace(STEPS, rotate=rotate, merge=lambda heads: 2 * STEPS.merge(heads))
    found = multi_head_attention(x, x, weights, steps=steps)
    still = replace(
        weights, rotary_cos=torch.ones(LONGEST, 4).double(), rotary_sin=0 * weights.rotary_sin
    )
    expected = multi_head_attention(x, x, still)
    assert seen == [(5, 4)]
    torch.testing.assert_close(found.context, 2 * expected.context)
