"""The catalogue is whole, says how each mistake is fixed, and each mistake is named first."""

from dataclasses import replace

import pytest
import torch
from support.each import each
from support.implementations.hand_written import SWITCHES
from support.tiny.layers import KINDS, make_layer

from inspector.verification.diagnosis import CATALOGUE

# Mistakes that a catalogue has to name.
LISTED = {
    "scale omitted", "scale of d_model", "scale of √d_model", "scale applied twice",
    "scale off by a factor", "softmax over queries", "softmax over heads",
    "softmax over the batch", "mask ignored", "mask inverted", "mask added after softmax",
    "mask transposed", "mask multiplied instead of added", "mask of too small a negative",
    "causal mask added", "causal mask omitted", "causal mask off by one",
    "query and key swapped", "value taken from key", "query bias omitted", "key bias omitted",
    "value bias omitted", "output bias omitted", "W_O transposed",
    "W_Q, W_K, W_V and W_O transposed", "heads interleaved", "heads reversed", "heads rotated",
    "concatenation in the wrong order", "W_O omitted", "W_O applied per head without sum",
    "residual added", "residual left out", "layer norm applied before", "dropout left on",
    "key and value groups tiled instead of repeated", "relative bias omitted", "rotary omitted",
    "rotary applied to the wrong halves", "probabilities in half precision (float16)",
    "probabilities in half precision (bfloat16)",
}  # fmt: skip
# Not made by a switch of the hand-written attention; tested on their own.
APART = {
    "residual left out",
    "dropout left on",
    "probabilities in half precision (bfloat16)",
    "stored in float16",
    "stored in bfloat16",
    "stored in float32",
    "soft cap omitted",
    "window omitted",
    "window off by one",
    "sinks omitted",
    "queries and keys not normed",
}


def names(tools):
    return [mistake.name for mistake in tools.CATALOGUE]


def test_all_that_is_listed_is_there(tools):
    assert {*names(tools), "dropout left on"} >= LISTED
    assert len(set(names(tools))) == len(names(tools)) >= 40
    assert set(SWITCHES) | APART == {*names(tools), "dropout left on"}


def test_each_mistake_says_how_it_is_mended_in_a_sentence_and_where(tools):
    for mistake in tools.CATALOGUE:
        assert mistake.fix[0].isupper(), mistake.name
        assert mistake.fix.endswith((".", ").")), mistake.name
        assert mistake.equation, mistake.name
        assert len(mistake.fix) < 200


def cases(kind):
    """Return name and number of each switch that is a mistake in a layer of this kind.

    Of one matrix for all three there are many, and only rows move: tried on one kind.
    """
    layer = make_layer(kind)
    mistaken = {mistake.name for mistake in CATALOGUE if mistake.applies(layer)}
    if kind != "gpt2":
        mistaken = {name for name in mistaken if not name.startswith(("fused", "Q, K, V"))}
    return [
        (name, number)
        for name, ways in SWITCHES.items()
        for number in range(len(ways))
        if name in mistaken
    ]


def named_on_minilm(tools, observe, minilm_layer, name, number):
    inputs = [probe for probe, _ in minilm_layer.inputs if probe.name.startswith("random")]
    found = tools.diagnose(
        minilm_layer.layer,
        observe(minilm_layer.layer, inputs, **SWITCHES[name][number]),
        torch.float32,
        pairs=False,
    )
    assert_named(found, name)


@each(("name", "number"), cases("bert")[::5], ids=str)
def test_named_first_on_minilm(tools, observe, minilm_layer, name, number):
    """Every fifth: all are on a tiny bert, whose numbers cost less."""
    named_on_minilm(tools, observe, minilm_layer, name, number)


@pytest.mark.full
@each(("name", "number"), cases("bert"), ids=str)
def test_all_are_named_first_on_minilm(tools, observe, minilm_layer, name, number):
    named_on_minilm(tools, observe, minilm_layer, name, number)


def test_all_mistakes_of_a_bert_are_minilms(tools, minilm_layer):
    applying = {mistake.name for mistake in tools.CATALOGUE if mistake.applies(minilm_layer.layer)}
    assert {name for name, _ in cases("bert")} <= applying


ON_ALL_KINDS = [(kind, *case) for kind in KINDS for case in cases(kind)]


def named_on_tiny_layers(tools, observe, layers, kind, name, number):
    found = tools.diagnose(
        layers[kind], observe(layers[kind], **SWITCHES[name][number]), torch.float32, pairs=False
    )
    assert_named(found, name)


@each(
    ("kind", "name", "number"),
    [
        case
        for place, case in enumerate(ON_ALL_KINDS)
        if case[0] == "bert" or case[1:] not in cases("bert") or place % 9 == 0
    ],
    ids=str,
)
def test_named_first_on_tiny_layers(tools, observe, layers, kind, name, number):
    """Each mistake on one kind, a ninth of them on the others too."""
    named_on_tiny_layers(tools, observe, layers, kind, name, number)


@pytest.mark.full
@each(("kind", "name", "number"), ON_ALL_KINDS, ids=str)
def test_all_are_named_first_on_tiny_layers(tools, observe, layers, kind, name, number):
    named_on_tiny_layers(tools, observe, layers, kind, name, number)


def test_every_switch_is_a_mistake_somewhere():
    tried = {name for kind in KINDS for name, _ in cases(kind)}
    assert tried == set(SWITCHES)


def assert_named(found, name):
    assert found is not None, "passed for right"
    assert (found.verdict, found.mistakes) == ("named", (name,)), str(found)
    assert found.fix
    assert found.equation


def test_which_head_gives_nothing_is_told(tools, observe, layers):
    found = tools.diagnose(layers["bert"], observe(layers["bert"], silent=2), torch.float32)
    assert str(found).startswith("a head that gives nothing (head 2). Let every head take part")


def test_control_the_right_one_is_not_diagnosed(tools, observe, tiny_layer):
    stages = tools.STAGES
    assert tools.diagnose(tiny_layer, observe(tiny_layer), torch.float32) is None
    assert tools.diagnose(tiny_layer, observe(tiny_layer, stages=stages), torch.float32) is None


def test_residual_left_out_of_a_layer_that_has_one(tools, observe, layers):
    plain = layers["bert"]
    whole = tools.Layer(plain.weights, plain.norm, residual=True)
    found = tools.diagnose(whole, observe(plain), torch.float32, pairs=False)
    assert_named(found, "residual left out")
    assert tools.diagnose(whole, observe(plain, residual=True), torch.float32) is None


def decoder_attention(w, hidden, padding, cap=None, window=None, sinks=True, normed=True):
    """Return what a decoder's attention with a cap, a window, sinks and norms gives, by hand."""
    b, n, _ = hidden.shape
    q, k, v = (
        (hidden @ getattr(w, f"W_{c}").T + getattr(w, f"b_{c}"))
        .view(b, n, w.n_heads, -1)
        .transpose(1, 2)
        for c in "QKV"
    )
    if normed:
        q, k = (
            x / (x.square().mean(-1, keepdim=True) + w.norm_eps).sqrt() * gain
            for x, gain in ((q, w.query_norm), (k, w.key_norm))
        )
    scores = q @ k.transpose(-1, -2) * w.scaling
    scores = scores if cap is None else cap * torch.tanh(scores / cap)
    back = torch.arange(n)[:, None] - torch.arange(n)
    seen = (back >= 0) & (back < (n if window is None else window))
    seen = seen if padding is None else seen & padding[:, None, None]
    weights = scores.exp() * seen
    total = weights.sum(-1, keepdim=True) + (w.sinks.exp()[:, None, None] if sinks else 0.0)
    heads = (weights / total.clamp(min=1e-30)) @ v
    return heads.transpose(1, 2).flatten(-2) @ w.W_O.T + w.b_O


@each(
    ("wrong", "name"),
    [
        ({}, None),
        ({"cap": None}, "soft cap omitted"),
        ({"window": None}, "window omitted"),
        ({"window": 4}, "window off by one"),
        ({"window": 2}, "window off by one"),
        ({"sinks": False}, "sinks omitted"),
        ({"normed": False}, "queries and keys not normed"),
    ],
    ids=str,
)
def test_what_decoders_add_is_named_too(tools, probes, wrong, name):
    plain = make_layer("gpt2")
    gain = torch.linspace(0.5, 2.0, plain.weights.d_head)
    settings = {"softcap": 2.0, "window": 3, "sinks": torch.linspace(-1.0, 1.0, 4)}
    norms = {"query_norm": gain, "key_norm": gain.flip(0), "norm_eps": 1e-6}
    layer = replace(plain, weights=replace(plain.weights, **settings, **norms))
    right = {"cap": 2.0, "window": 3}
    observed = [
        tools.Observation(
            probe,
            {
                "output": decoder_attention(
                    layer.weights, probe.hidden, probe.padding, **right | wrong
                )
            },
            {},
        )
        for probe in probes(layer)
    ]
    found = tools.diagnose(layer, observed, torch.float32, pairs=False)
    if name is None:
        assert found is None
    else:
        assert_named(found, name)
