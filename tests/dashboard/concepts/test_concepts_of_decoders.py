"""What the Concepts page says holds for decoders, too: causal, rotated, biased, normed layers."""

import base64
import json
import struct

import pytest
import torch
import yaml
from support.browser.dashboard_driver import texts
from support.tiny.decoders import save_tiny_decoder

from inspector.dashboard import walkthrough
from inspector.dashboard.drawing import formulas
from inspector.models import load

TEXT = "The keys to the old cabinet are on the kitchen table."
# Configuration → steps between the projections and the mask.
LAYERS = {
    "gpt2": ("products", "scale"),
    "llama": ("turn", "products", "scale"),
    "t5": ("products", "scale", "bias"),
}
NAMES = {
    "turn": ("Positions applied", "加入位置"),
    "bias": ("Bias", "偏置"),
    "products": ("Dot products", "点积"),
    "scale": ("Scale", "缩放"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a function: name of a configuration → a folder with its model, and its settings."""
    root, made = tmp_path_factory.mktemp("decoders"), {}

    def one(name):
        if name not in made:
            save_tiny_decoder(root / name, name)
            config = root / f"{name}.yaml"
            config.write_text(yaml.safe_dump({"models": [str(root / name)]}))
            made[name] = root / name, config
        return made[name]

    return one


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_every_claim_holds(open_page, folder, name):
    app = open_page("concepts", config=folder(name)[1], mode="claims", layer="1", head="2")
    assert not app.exception
    shown = texts(app)
    assert shown.count("holds, to rounding") == 3
    assert "does not hold" not in shown
    assert "This layer is **causal**" in shown


@pytest.mark.parametrize("language", [0, 1], ids=["en", "zh"])
@pytest.mark.parametrize("name", LAYERS)
def test_what_the_layer_does_besides_is_a_step(open_page, folder, name, language):
    last = len(LAYERS[name]) + 2
    query = {"mode": "self-attention", "layer": "1", "head": "2", "lang": ("en", "zh")[language]}
    app = open_page("concepts", config=folder(name)[1], step=str(last), **query)
    assert not app.exception
    assert app.header[0].value == f"{last} · {NAMES[LAYERS[name][-1]][language]}"
    steps = json.loads(app.get("bidi_component")[0].proto.json)["steps"]
    between = [NAMES[step][language] for step in LAYERS[name]]
    assert [step["name"] for step in steps][2:-3] == between
    assert ("因果的" if language else "**causal**") in texts(app) or name == "t5"
    # Ours inside the model and the model's own differ by rounding alone.
    assert float(app.info[0].value.split("**")[1]) < 1e-6


def test_the_mask_is_switched(open_page, folder):
    """A causal layer is shown so; without its mask it is not the model's any more, and told so."""
    query = {"mode": "self-attention", "step": "5"}
    app = open_page("concepts", config=folder("gpt2")[1], **query)
    assert app.header[0].value == "5 · Mask"
    (own,) = [pane for pane in panes_of(app) if pane["name"] == "M"]
    n = own["n"][0]
    assert numbers(own) == [float(key <= query) for query in range(n) for key in range(n)]
    app = app.segmented_control(key="mask").set_value("switched").run()
    assert app.query_params == {**query, "mask": "switched"}
    (free,) = [pane for pane in panes_of(app) if pane["name"] == "M"]
    assert numbers(free) == [1.0] * n * n
    assert "The mask was switched" in app.info[0].value
    assert float(app.info[0].value.split("**")[1]) > 1e-3


def panes_of(app):
    return json.loads(app.get("bidi_component")[1].proto.json)["panes"]


def numbers(pane):
    data = base64.b64decode(pane["values"])
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def test_a_layer_that_does_more_claims_nothing(open_page, folder):
    app = open_page("concepts", config=folder("bitnet")[1], mode="claims")
    assert not app.exception
    assert "computes more than its matrices, mask and positions say" in app.warning[0].value
    assert "holds, to rounding" not in texts(app)
    assert "does not hold" not in texts(app)


@pytest.mark.parametrize("name", ["gpt2", "llama", "t5", "olmo2", "gemma2", "gpt_oss"])
def test_heads_alone_add_up_to_the_models_layer(folder, name):
    """Each head by itself, whatever its layer does besides: also norms over all heads."""
    model = load(folder(name)[0])
    call, _ = walkthrough.layer_call(model, TEXT, 1)
    weights, hidden = walkthrough.layer_weights(model, call), call.hidden_states[0]
    assert walkthrough.follows(call, weights)
    done = walkthrough.layer_steps(hidden, weights)
    scale = float(call.output.abs().max())
    assert walkthrough.largest_difference(done.total, call.output[0]) < 1e-5 * scale
    one = walkthrough.head_steps(hidden, hidden.clone(), weights, 2)
    own = call.attention.context[0].unflatten(-1, (4, -1))[:, 2]
    torch.testing.assert_close(one.output, own, rtol=1e-4, atol=1e-5)
    for position in (0, 3, len(hidden) - 1):
        alone = walkthrough.one_position(one, position).output[0]
        torch.testing.assert_close(alone, one.output[position])
    assert (one.allowed is None) == (name == "t5")
    if weights.causal:
        assert not one.allowed.triu(1).any()
        assert not one.probabilities.triu(1).any()


def test_between_two_sentences_no_place_counts(folder):
    model = load(folder("llama")[0])
    looking, _ = walkthrough.layer_call(model, TEXT, 0)
    seen, _ = walkthrough.layer_call(model, "Rain fell.", 0)
    weights = walkthrough.layer_weights(model, looking)
    assert walkthrough.counts_places(weights)
    free = walkthrough.between_sentences(weights)
    assert not walkthrough.counts_places(free)
    done = walkthrough.head_steps(looking.hidden_states[0], seen.hidden_states[0], free, 1)
    assert done.allowed is None
    torch.testing.assert_close(done.probabilities.sum(-1), torch.ones(len(done.target)))
    # With its places a longer target than its source is refused in a sentence.
    with pytest.raises(ValueError, match="must be at least as long as target"):
        walkthrough.head_steps(looking.hidden_states[0], seen.hidden_states[0], weights, 1)


def test_formulas_say_what_a_layer_computes(folder):
    def formula(name):
        model = load(folder(name)[0])
        call, _ = walkthrough.layer_call(model, TEXT, 1)
        return formulas.layer_formula(walkthrough.layer_weights(model, call))

    assert formula("gpt2") == (
        r"\mathrm{softmax}\!\left(\frac{QK^\top}{\sqrt{d_k}} + M\right)V"
    )  # fmt: skip
    assert formula("t5") == r"\mathrm{softmax}\!\left(QK^\top + B\right)V"
    assert r"\tilde Q\tilde K^\top" in formula("llama")
    assert r"\tanh" in formula("gemma2")
