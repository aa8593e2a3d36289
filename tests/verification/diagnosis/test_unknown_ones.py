"""A mistake that is not in the catalogue is unknown: the nearest is never given as the answer."""

import pytest
import torch
from support.each import each
from support.tiny.layers import make_layer


def run(w, x, padding, *, hidden=None, query=None, key=None, value=None, scores=None,
        softmax=None, probabilities=None, heads=None, out=None):  # fmt: skip
    """Return plain attention with one step passed through another function."""

    def through(change, *given):
        return given[0] if change is None else change(*given)

    x = through(hidden, x)
    q, k, v = (
        torch.nn.functional.linear(x, getattr(w, f"W_{c}"), getattr(w, f"b_{c}"))
        .unflatten(-1, (w.n_heads, -1))
        .transpose(1, 2)
        for c in "QKV"
    )
    q, k, v = through(query, q), through(key, k), through(value, v)
    s = through(scores, q @ k.transpose(-1, -2) * w.scaling, q, k)
    if padding is not None:
        s = s.masked_fill(~padding[:, None, None], torch.finfo(torch.float32).min)
    p = s.softmax(-1) if softmax is None else softmax(s)
    p = through(probabilities, p)
    context = through(heads, p @ v).transpose(1, 2).flatten(-2)
    return through(out, torch.nn.functional.linear(context, w.W_O, w.b_O))


def keep_largest(p):
    top = p.topk(2, dim=-1).indices
    kept = torch.zeros_like(p).scatter(-1, top, p.gather(-1, top))
    return kept / kept.sum(-1, keepdim=True)


def alibi(s, q, k):
    n = s.shape[-1]
    slopes = 2.0 ** -torch.arange(1, s.shape[1] + 1)[:, None, None]
    return s - slopes * (torch.arange(n)[None] - torch.arange(n)[:, None]).abs()


def windowed(s, q, k):
    n = s.shape[-1]
    far = (torch.arange(n)[None] - torch.arange(n)[:, None]).abs() > 2
    return s.masked_fill(far, -1e9)


def cosine(s, q, k):
    unit = torch.nn.functional.normalize
    return 4.0 * unit(q, dim=-1) @ unit(k, dim=-1).transpose(-1, -2)


def drop_feature(heads):
    return torch.cat([heads[..., :-1], torch.zeros_like(heads[..., -1:])], -1)


def talking(p):
    mix = torch.eye(p.shape[1]) + 0.1
    return torch.einsum("bhqk,hg->bgqk", p, mix)


def quiet(s):
    exponents = torch.exp(s - s.amax(-1, keepdim=True))
    return exponents / (torch.exp(-s.amax(-1, keepdim=True)) + exponents.sum(-1, keepdim=True))


def with_epsilon(s):
    exponents = torch.exp(s - s.amax(-1, keepdim=True))
    return exponents / (exponents.sum(-1, keepdim=True) + 1e-4)


UNKNOWN = {
    "sigmoid instead of softmax": {"softmax": torch.sigmoid},
    "softmax with one more": {"softmax": quiet},
    "an epsilon in the sum": {"softmax": with_epsilon},
    "probabilities squared": {"probabilities": torch.square},
    "probabilities cubed": {"probabilities": lambda p: p**3},
    "two keys only": {"probabilities": keep_largest},
    "talking heads": {"probabilities": talking},
    "uniform over all": {"probabilities": lambda p: torch.ones_like(p) / p.shape[-1]},
    "heads scaled": {"heads": lambda heads: 1.01 * heads},
    "linear biases": {"scores": alibi},
    "a window": {"scores": windowed},
    "cosine similarity": {"scores": cosine},
    "capped scores": {"scores": lambda s, q, k: 2.0 * torch.tanh(s / 2.0)},
    "euclidean distance": {"scores": lambda s, q, k: -torch.cdist(q, k)},
    "scores squared": {"scores": lambda s, q, k: s.square()},
    "a query feature dropped": {"query": drop_feature},
    "a value feature dropped": {"value": drop_feature},
    "values shifted": {"value": lambda v: v.roll(1, 2)},
    "keys shifted": {"key": lambda k: k.roll(1, 2)},
    "queries normalised": {"query": lambda q: torch.nn.functional.layer_norm(q, q.shape[-1:])},
    "values through an activation": {"value": torch.relu},
    "output through an activation": {"out": torch.nn.functional.gelu},
    "hidden states doubled": {"hidden": lambda x: 2.0 * x},
    "output negative": {"out": torch.neg},
}


# Tried in pairs, too, which takes some seconds; the others where there is time.
IN_PAIRS = "softmax with one more"


@each("name", UNKNOWN)
def test_a_mistake_that_is_not_known_is_unknown(tools, probes, name):
    assert_unknown(tools, probes, name, pairs=name == IN_PAIRS)


@pytest.mark.full
@pytest.mark.parametrize("name", UNKNOWN)
def test_nor_is_it_two_that_are_known(tools, probes, name):
    assert_unknown(tools, probes, name, pairs=True)


def assert_unknown(tools, probes, name, pairs):
    layer = make_layer("bert")
    observations = [
        tools.Observation(
            probe, {"output": run(layer.weights, probe.hidden, probe.padding, **UNKNOWN[name])}, {}
        )
        for probe in probes(layer)
    ]
    found = tools.diagnose(layer, observations, torch.float32, pairs=pairs)
    assert found is not None, "passed for right"
    assert (found.verdict, found.mistakes, found.fix) == ("unknown", (), ""), str(found)
    if found.nearest is None:
        assert "nearest" not in str(found)
    else:
        assert 1e-5 < found.nearest.distance < found.distance / 2
        assert f"The nearest, which is not the answer: {found.nearest.name}, at" in str(found)


def test_control_the_same_function_without_a_change_is_right(tools, probes):
    layer = make_layer("bert")
    observations = [
        tools.Observation(probe, {"output": run(layer.weights, probe.hidden, probe.padding)}, {})
        for probe in probes(layer)
    ]
    assert tools.diagnose(layer, observations, torch.float32) is None


def test_there_are_twenty_and_more():
    assert len(UNKNOWN) >= 20
