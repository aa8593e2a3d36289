"""Modules that show nothing, proved by how they answer when their weights are changed."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support.each import each

from inspector.models.tiny_models import configuration
from inspector.models.weight_checks.network_check import prove_table_entry
from inspector.models.weight_layouts.layout import LAYOUTS, UNDECLARED, Layout, attention_sites
from inspector.models.weight_layouts.perturbation_check import prove_by_response

# Configuration → how many modules are proved so: attention in windows and blocks, from landmarks,
# by torch's own function, on tokens first, from parameters, from convolutions of groups.
PROVED = {
    "longformer": 2,
    "led": 2,
    "longt5, local": 2,
    "longt5, transient global": 2,
    "pegasus_x": 2,
    "nystromformer": 2,
    "wavlm": 2,
    "fsmt": 6,
    "prophetnet": 6,
    "xlnet": 2,
    "squeezebert": 2,
    "hiera": 2,
    "canine": 4,
    "lxmert": 2,
}


def built(name):
    row = configuration(name)
    return row.build(), row.make_inputs()


@each("name", PROVED)
def test_modules_that_show_nothing_are_proved(name):
    entries = prove_table_entry(*built(name)).values()
    assert [entry.reason for entry in entries] == [None] * len(entries)
    assert sum(entry.by == "its response" for entry in entries) == PROVED[name]


@each("name", ["fsmt", "xlnet", "squeezebert"])
def test_weights_are_those_that_the_module_computes_with(name):
    """What the projections make of noise, by plain sums in float64 over the entry's rows."""
    network, inputs = built(name)
    site, entry = next(iter(prove_table_entry(network, inputs).items()))
    module, weights = network.get_submodule(site), entry.weights
    noise = torch.randn(1, 3, weights.d_model, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        theirs = {
            "fsmt": lambda: module.v_proj(noise),
            "xlnet": lambda: torch.einsum("bih,hnd->bind", noise, module.v).flatten(-2),
            "squeezebert": lambda: module.value(noise.transpose(1, 2)).transpose(1, 2),
        }[name]()
    bias = torch.zeros(len(weights.W_V)) if weights.b_V is None else weights.b_V
    for token in range(3):
        for row in range(len(weights.W_V)):
            products = zip(weights.W_V[row].tolist(), noise[0, token].tolist(), strict=True)
            ours = bias[row].item() + sum(w * x for w, x in products)
            assert ours == pytest.approx(theirs[0, token, row].item(), abs=1e-5)


WRONG = {
    "fsmt": [
        (Layout("q_proj", "v_proj", "k_proj", "out_proj"), "value"),
        (Layout("k_proj", "q_proj", "v_proj", "out_proj"), "key"),
        (Layout("q_proj", "k_proj", "v_proj", "q_proj"), "value"),
    ],
    "wavlm": [
        (Layout("v_proj", "k_proj", "q_proj", "out_proj"), "value"),
        (Layout("k_proj", "q_proj", "v_proj", "out_proj"), "key"),
    ],
    "nystromformer": [(Layout("key", "query", "value"), "key")],
    "xlnet": [
        (Layout("q", "v", "k", "o", kind="Parameter"), "value"),
        (Layout("v", "k", "q", "o", kind="Parameter"), "value"),
        (Layout("q", "k", "v", "q", kind="Parameter"), "value"),
    ],
    "hiera": [
        (Layout(*("qkv",) * 3, "proj", "per head"), "value"),
        (Layout(*("qkv",) * 3, "proj", "quarters"), "fused projection cannot be cut"),
    ],
}


@each("name", WRONG)
def test_control_a_wrong_layout_is_not_proved(name):
    network, inputs = built(name)
    site = list(dict(attention_sites(network)))[-1]
    for layout, wrong in WRONG[name]:
        entry = prove_by_response(network, inputs, site, [layout])
        assert not entry.proved
        assert entry.reason.startswith(wrong)


def test_control_heads_in_another_order_are_not_proved():
    """The rows of two heads of W_V change places: W_O's columns no longer belong to them."""
    network, inputs = built("wavlm")
    site, layouts = next(iter(attention_sites(network)))
    right = prove_by_response(network, inputs, site, layouts)
    assert right.proved

    class Turned(Layout):
        """Heads in the reverse order, on one side."""

        def rows(self, whole, side, sizes):
            found = super().rows(whole, side, sizes)
            return (
                found.unflatten(0, (sizes.n_heads, -1)).flip(0).flatten(0, 1)
                if (side == turned)
                else found
            )

    own = layouts[0]
    for turned in ("query", "key", "value"):
        entry = prove_by_response(
            network, inputs, site, [Turned(own.query, own.key, own.value, own.output)]
        )
        assert entry.reason == f"{turned} does not follow from the weights"


@each("name", ["wavlm", "xlnet", "squeezebert", "hiera"])
def test_every_weight_is_put_back_to_the_bit(name):
    network, inputs = built(name)
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    for site, layouts in attention_sites(network):
        prove_by_response(network, inputs, site, layouts)
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[key])


def test_a_module_that_is_not_run_is_not_proved():
    network, inputs = built("longformer")
    site, layouts = next(iter(attention_sites(network)))
    network.encoder.layer = network.encoder.layer[1:]
    network.spare = built("longformer")[0].encoder.layer[0]
    entry = prove_by_response(network, inputs, "spare.attention.self", layouts)
    assert site == "encoder.layer.0.attention.self"
    assert entry.reason == "it was not called, or does not return its probabilities"


class TestUndeclared:
    @each(
        ("name", "kind"),
        [
            ("yoso", "YosoSelfAttention"),
            ("ibert", "IBertSelfAttention"),
            ("convbert", "ConvBertSelfAttention"),
            ("diffllama", "DiffLlamaAttention"),
            ("jetmoe", "JetMoeAttention"),
            ("deepseek_v2", "DeepseekV2Attention"),
            ("minicpm3", "MiniCPM3Attention"),
        ],
    )
    def test_the_reason_stands_at_each_module(self, name, kind):
        entries = prove_table_entry(*built(name))
        assert len(entries) == 2
        assert {entry.reason for entry in entries.values()} == {UNDECLARED[kind]}
        assert not any(entry.proved for entry in entries.values())

    def test_every_class_is_one_of_transformers(self):
        import transformers

        files = Path(transformers.__path__[0]).glob("models/*/modeling_*.py")
        text = "\n".join(path.read_text(encoding="utf-8") for path in files)
        assert {name for name in UNDECLARED if f"class {name}(" in text} == set(UNDECLARED)


class TestBetween:
    """A gate or a norm before W_O is declared, and compared with what W_O was given."""

    @each(
        ("name", "between"), [("afmoe", "a gate"), ("qwen3_next", "a gate"), ("bitnet", "a norm")]
    )
    def test_is_proved(self, name, between):
        entries = prove_table_entry(*built(name)).values()
        assert all(entry.proved and entry.by == "its calls" for entry in entries)
        assert {entry.layout.between for entry in entries} == {between}

    @each(
        ("name", "between"),
        [
            ("afmoe", "nothing"),
            ("afmoe", "a norm"),
            ("qwen3_next", "nothing"),
            ("bitnet", "nothing"),
            ("bitnet", "a gate"),
            ("llama", "a gate"),
        ],
    )
    def test_control_another_one_is_not(self, monkeypatch, name, between):
        wrong = replace(LAYOUTS[name][0], between=between)
        monkeypatch.setitem(LAYOUTS, name, (wrong,))
        entries = prove_table_entry(*built(name)).values()
        assert {entry.reason for entry in entries} == {"output does not follow from the weights"}

    def test_queries_without_their_gates(self):
        network, inputs = built("qwen3_next")
        site, entry = next(iter(prove_table_entry(network, inputs).items()))
        whole = network.get_submodule(site).q_proj.weight
        d_head = entry.sizes.d_head
        for head in range(entry.sizes.n_heads):
            for row in range(d_head):
                assert torch.equal(
                    entry.weights.W_Q[head * d_head + row], whole[head * 2 * d_head + row]
                )

    def test_values_times_a_factor(self):
        network, inputs = built("mimo_v2_flash")
        site, entry = next(iter(prove_table_entry(network, inputs).items()))
        module = network.get_submodule(site)
        assert module.v_scale != 1.0
        assert entry.value_factor == pytest.approx(module.v_scale)
        assert torch.equal(entry.weights.W_V, module.v_proj.weight)
