"""The catalogue is whole, says how each mistake is fixed, and each mistake is named first."""

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
        if case[0] == "bert" or case[1:] not in cases("bert") or place % 3 == 0
    ],
    ids=str,
)
def test_named_first_on_tiny_layers(tools, observe, layers, kind, name, number):
    """Each mistake on one kind, a third of them on the others too."""
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
