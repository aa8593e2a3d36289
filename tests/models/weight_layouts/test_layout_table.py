"""One matrix cut in queries, keys and values, in every way that families do it."""

import importlib.util

import pytest
import torch
from support.each import each
from torch import nn

from inspector.models.weight_layouts.layout import (
    LAYOUTS,
    HeadSizes,
    Layout,
    attention_sites,
    family_of,
    layouts_at,
)

D_MODEL = 7
SIZES = HeadSizes(n_heads=6, n_kv_heads=3, d_head=5, d_value=5)
MULTI_HEAD = HeadSizes(n_heads=3, n_kv_heads=3, d_head=5, d_value=5)


class Conv1D(nn.Module):
    """As transformers': the matrix is (in, out)."""

    def __init__(self, n_out, n_in):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_in, n_out))
        self.bias = nn.Parameter(torch.randn(n_out))


def network(sizes, kind="Linear"):
    rows = sizes.n_heads * sizes.d_head + sizes.n_kv_heads * (sizes.d_head + sizes.d_value)
    width = sizes.n_heads * sizes.d_value
    layers = {
        "Linear": lambda n_in, n_out: nn.Linear(n_in, n_out),
        "Conv1D": lambda n_in, n_out: Conv1D(n_out, n_in),
    }
    torch.manual_seed(0)
    attention = nn.Module()
    attention.qkv, attention.out = layers[kind](D_MODEL, rows), layers[kind](width, D_MODEL)
    whole = nn.Module()
    whole.attention = attention
    return dict(whole.named_modules())


def slow_rows(fusion, sizes):
    """Return which rows of the one matrix belong to Q, K and V, head by head, by counting."""
    n_heads, n_kv_heads, d_head, d_value = sizes
    found = {"Q": [], "K": [], "V": []}
    if fusion == "concatenated":
        owners = (
            ["Q"] * n_heads * d_head + ["K"] * n_kv_heads * d_head + ["V"] * n_kv_heads * d_value
        )
    else:
        owners = []
        for _ in range(n_kv_heads):
            for _ in range(n_heads // n_kv_heads):
                owners += ["Q"] * d_head
            owners += ["K"] * d_head + ["V"] * d_value
    for row, owner in enumerate(owners):
        found[owner].append(row)
    return found


@each("kind", ["Linear", "Conv1D"])
@each(
    ("fusion", "sizes"),
    [
        ("concatenated", SIZES),
        ("concatenated", HeadSizes(6, 1, 5, 5)),
        ("concatenated", HeadSizes(6, 3, 5, 2)),
        ("per head", MULTI_HEAD),
        ("grouped", SIZES),
        ("grouped", MULTI_HEAD),
    ],
)
def test_one_matrix_is_cut_as_counting_rows_cuts_it(fusion, sizes, kind):
    modules = network(sizes, kind)
    layout = Layout("qkv", "qkv", "qkv", "out", fusion, kind)
    weights = layout.weights(modules, "attention", sizes, scaling=0.5, causal=True)
    fused = modules["attention.qkv"].weight.detach()
    matrix = fused if kind == "Linear" else fused.transpose(0, 1)
    for letter, rows in slow_rows(fusion, sizes).items():
        for place, row in enumerate(rows):
            assert torch.equal(getattr(weights, f"W_{letter}")[place], matrix[row])
            assert getattr(weights, f"b_{letter}")[place] == modules["attention.qkv"].bias[row]
    assert weights.W_O.shape == (D_MODEL, sizes.n_heads * sizes.d_value)
    assert (weights.scaling, weights.causal) == (0.5, True)


def test_control_two_fusions_differ():
    modules = network(MULTI_HEAD)
    cut = [
        Layout("qkv", "qkv", "qkv", "out", fusion).weights(
            modules, "attention", MULTI_HEAD, scaling=1.0
        )
        for fusion in ("concatenated", "per head")
    ]
    assert not torch.equal(cut[0].W_Q, cut[1].W_Q)


def test_weights_are_views_where_that_can_be():
    modules = network(SIZES)
    weights = Layout("qkv", "qkv", "qkv", "out", "concatenated").weights(
        modules, "attention", SIZES, scaling=1.0
    )
    memory = modules["attention.qkv"].weight.untyped_storage().data_ptr()
    for matrix in (weights.W_Q, weights.W_K, weights.W_V):
        assert matrix.untyped_storage().data_ptr() == memory


def test_a_layer_without_bias_has_none():
    modules = network(SIZES)
    modules["attention.qkv"].bias = None
    weights = Layout("qkv", "qkv", "qkv", "out", "grouped").weights(
        modules, "attention", SIZES, scaling=1.0
    )
    assert (weights.b_Q, weights.b_K, weights.b_V) == (None, None, None)
    assert weights.b_O is not None


def test_sizes_that_do_not_fit_are_refused():
    layout = Layout("qkv", "qkv", "qkv", "out", "grouped")
    with pytest.raises(ValueError, match="fused projection has") as caught:
        layout.weights(network(SIZES), "attention", HeadSizes(6, 6, 5, 5), scaling=1.0)
    assert str(caught.value) == (
        "fused projection has 60 rows, expected 30 + 30 + 30: "
        "queries, keys and values of all heads."
    )
    with pytest.raises(ValueError, match="cannot be cut") as caught:
        Layout("qkv", "qkv", "qkv", "out", "per head").weights(
            network(SIZES), "attention", SIZES, scaling=1.0
        )
    assert str(caught.value) == f"fused projection cannot be cut per head: {SIZES}."


def test_names_go_up_to_the_parent():
    assert Layout().names("a.b.self") == {
        "query": "a.b.self.query",
        "key": "a.b.self.key",
        "value": "a.b.self.value",
        "output": "a.b.output.dense",
    }
    assert Layout(output="o").names("")["output"] == "o"


def test_a_layout_fits_where_layers_of_its_kind_stand():
    modules = network(SIZES)
    assert Layout("qkv", "qkv", "qkv", "out", "grouped").fits(modules, "attention")
    assert not Layout("qkv", "qkv", "qkv", "out", "grouped", "Conv1D").fits(modules, "attention")
    assert not Layout("qkv", "qkv", "qkv", "norm", "grouped").fits(modules, "attention")
    assert not Layout("qkv", "qkv", "qkv", "out", "grouped").fits(modules, "")


class TestTable:
    def test_every_family_is_a_package_of_transformers(self):
        missing = [
            family
            for family in LAYOUTS
            if importlib.util.find_spec(f"transformers.models.{family}") is None
        ]
        assert missing == []
        assert len(LAYOUTS) >= 100

    def test_no_family_has_the_same_layout_twice(self):
        assert all(len(set(layouts)) == len(layouts) for layouts in LAYOUTS.values())

    def test_a_module_that_is_not_transformers_has_no_family(self):
        linear = nn.Linear(2, 2)
        assert family_of(linear) == ""
        assert layouts_at({"": linear}, "") == ()

    def test_sites_are_attention_modules_in_the_order_of_the_network(self):
        from inspector.models.tiny_models import configuration

        sites = [name for name, _ in attention_sites(configuration("chinese_clip").build())]
        assert sites == [
            "text_model.encoder.layer.0.attention.self",
            "text_model.encoder.layer.1.attention.self",
            "vision_model.encoder.layers.0.self_attn",
            "vision_model.encoder.layers.1.self_attn",
        ] or sites[2:] + sites[:2] == sorted(sites)
