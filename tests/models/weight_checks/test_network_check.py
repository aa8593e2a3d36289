"""The table of layouts proved on whole networks, and mistakes in it found."""

from collections import Counter

import pytest
import torch
from support.each import each

from inspector.models.tiny_models import configuration
from inspector.models.weight_checks import network_check
from inspector.models.weight_checks.network_check import prove_table_entry
from inspector.models.weight_layouts.layout import LAYOUTS, HeadSizes, Layout

# A configuration for every way in which weights are kept, and what becomes of its queries.
PROVED = {
    "bert": ("separate", "as projected", 2),
    "albert": ("separate", "as projected", 1),
    "distilbert": ("separate", "as projected", 2),
    "gpt2": ("concatenated", "as projected", 2),
    "gpt_bigcode": ("concatenated", "as projected", 2),
    "gpt_bigcode, multi-head": ("per head", "as projected", 2),
    "gpt_neox": ("per head", "rotated", 2),
    "phi3": ("concatenated", "rotated", 2),
    "modernbert": ("concatenated", "rotated", 2),
    "llama": ("separate", "rotated", 2),
    "qwen3": ("separate", "changed", 2),
    "opt": ("separate", "scaled", 2),
    "whisper": ("separate", "scaled", 6),
    "mobilebert": ("separate", "as projected", 2),
    "t5": ("separate", "as projected", 6),
    "bart": ("separate", "as projected", 6),
    "swin": ("separate", "as projected", 4),
    "segformer": ("separate", "as projected", 2),
    "blip_2_vision_model": ("concatenated", "as projected", 2),
    # By the probabilities that they return.
    "bloom": ("per head", None, 2),
    "falcon": ("concatenated", None, 2),
    "falcon, multi-head": ("grouped", None, 2),
    "falcon, grouped": ("grouped", None, 2),
    "mpnet": ("separate", None, 2),
    "gptj": ("separate", None, 2),
    "deberta-v2": ("separate", None, 2),
}


def proofs_of(name):
    row = configuration(name)
    return prove_table_entry(row.build(), row.make_inputs())


@each("name", PROVED)
def test_every_entry_is_proved(name):
    fusion, relation, n_modules = PROVED[name]
    proofs = proofs_of(name)
    assert [entry.reason for entry in proofs.values()] == [None] * n_modules
    assert all(entry.proved for entry in proofs.values())
    assert {entry.layout.fusion for entry in proofs.values()} == {fusion}
    assert {entry.query for entry in proofs.values()} == {relation}
    rotated = relation in ("rotated", "changed")
    assert {entry.before_rotation for entry in proofs.values()} == {rotated}


def test_the_weights_compute_what_the_layer_computes():
    """By plain loops over tokens and heads, in float64, on gpt2's fused matrix."""
    row = configuration("gpt2")
    network, inputs = row.build(), row.make_inputs()
    weights = prove_table_entry(network, inputs)["h.0.attn"].weights
    seen = {}
    network.h[0].attn.c_attn.register_forward_pre_hook(
        lambda module, args: seen.update(hidden=args[0])
    )
    network.h[0].attn.c_attn.register_forward_hook(
        lambda module, args, output: seen.update(fused=output)
    )
    with torch.no_grad():
        network(**inputs)
    hidden, fused = seen["hidden"][0].double(), seen["fused"][0].double()
    w_v, b_v = weights.W_V.double(), weights.b_V.double()
    for token in range(hidden.shape[0]):
        for feature in range(w_v.shape[0]):
            value = b_v[feature].item()
            for i in range(hidden.shape[1]):
                value += w_v[feature, i].item() * hidden[token, i].item()
            assert value == pytest.approx(fused[token, 64 + feature].item(), abs=1e-5)


def test_what_queries_are_multiplied_by_is_told():
    entry = next(iter(proofs_of("opt").values()))
    assert entry.factor == pytest.approx(8**-0.5)
    assert entry.weights.scaling == 1.0
    assert next(iter(proofs_of("bert").values())).factor == 1.0


def test_causal_attention_is_told():
    assert {entry.weights.causal for entry in proofs_of("llama").values()} == {True}
    assert {entry.weights.causal for entry in proofs_of("bert").values()} == {False}
    bart = {name: entry.weights.causal for name, entry in proofs_of("bart").items()}
    assert Counter(bart.values()) == {False: 4, True: 2}
    assert all(
        ("decoder" in name and "self_attn" in name) == causal for name, causal in bart.items()
    )


@pytest.mark.parametrize(
    ("name", "family", "wrong", "reason"),
    [
        (
            "bert",
            "bert",
            Layout("query", "value", "key"),
            "value does not follow from the weights",
        ),
        (
            "vit",
            "vit",
            Layout("q_proj", "k_proj", "v_proj", "q_proj"),
            "output does not follow from the weights",
        ),
        (
            "gpt_neox",
            "gpt_neox",
            Layout(
                "query_key_value", "query_key_value", "query_key_value", "dense", "concatenated"
            ),
            "value does not follow from the weights",
        ),
        (
            "bloom",
            "bloom",
            Layout(
                "query_key_value", "query_key_value", "query_key_value", "dense", "concatenated"
            ),
            "context does not follow from the weights",
        ),
        (
            "phi3",
            "phi3",
            Layout("qkv_proj", "qkv_proj", "qkv_proj", "o_proj", "per head"),
            f"fused projection cannot be cut per head: {HeadSizes(4, 2, 8, 8)}.",
        ),
    ],
)
def test_control_a_wrong_entry_is_not_proved(monkeypatch, name, family, wrong, reason):
    monkeypatch.setitem(LAYOUTS, family, (wrong,))
    proofs = proofs_of(name)
    assert {entry.proved for entry in proofs.values()} == {False}
    assert {entry.reason for entry in proofs.values()} == {reason}


def test_control_query_and_key_swapped_are_not_as_projected(monkeypatch):
    monkeypatch.setitem(LAYOUTS, "bert", (Layout("key", "query", "value"),))
    assert {(entry.query, entry.key) for entry in proofs_of("bert").values()} == {
        ("changed", "changed")
    }
    swapped = Layout("k_proj", "q_proj", "v_proj", "o_proj")
    monkeypatch.setitem(LAYOUTS, "nomic_bert", (swapped,))
    assert {entry.query for entry in proofs_of("nomic_bert").values()} == {"changed"}


def test_a_family_that_is_not_in_the_table_is_named(monkeypatch):
    monkeypatch.setattr(network_check, "UNDECLARED", {})
    proofs = proofs_of("deepseek_v3")
    assert {name: entry.reason for name, entry in proofs.items()} == {
        "layers.0.self_attn": "the table has no layout for it",
        "layers.1.self_attn": "the table has no layout for it",
    }


def test_a_part_that_does_not_run_is_not_proved():
    proofs = proofs_of("llava, text alone")
    assert Counter(entry.proved for entry in proofs.values()) == {True: 2, False: 2}
    assert {entry.reason for entry in proofs.values() if not entry.proved} == {
        "it was not called, or does not return its probabilities"
    }


def test_what_is_set_on_the_network_is_restored():
    row = configuration("gemma2")
    network = row.build()
    before = network.config._attn_implementation
    prove_table_entry(network, row.make_inputs())
    assert network.config._attn_implementation == before
    hooks = [
        hook
        for module in network.modules()
        for hook in (*module._forward_hooks.values(), *module._forward_pre_hooks.values())
    ]
    assert hooks == []
