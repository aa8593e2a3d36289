"""The table: every family is found where its row says, and a wrong row is refused."""

import pytest
import torch
from support.each import each
from support.tiny.models import D_MODEL, FAMILIES, MAX_TOKENS, N_HEADS, N_LAYERS, save_tiny_model

from inspector.errors import UnsupportedModelError, sentence
from inspector.models import ARCHITECTURES, architecture_for, load
from inspector.models.weight_layouts.layout import LAYOUTS, Layout

BLOCKS = {
    "distilbert": "transformer.layer.{}.attention",
    "albert": "encoder.albert_layer_groups.0.albert_layers.0.attention",
}
# (attention module, W_Q, W_K, W_V, W_O), below the block.
PARTS = {
    "distilbert": ("", "q_lin", "k_lin", "v_lin", "out_lin"),
    "albert": ("", "query", "key", "value", "dense"),
}
BERT_PARTS = (".self", "self.query", "self.key", "self.value", "output.dense")


def test_the_table_has_a_row_for_each_family_tested_here():
    assert set(FAMILIES) < set(ARCHITECTURES)
    assert all(row.model_type == name for name, row in ARCHITECTURES.items())


def test_a_model_type_without_a_row_is_refused_with_those_there_are():
    with pytest.raises(UnsupportedModelError) as caught:
        architecture_for("xlnet")
    assert str(caught.value) == sentence(
        "model_type (xlnet) has no row in the table of architectures: inspector does not know "
        f"where it keeps its weights. Available: {', '.join(sorted(ARCHITECTURES))}."
    )


class TestFamily:
    @each("family", FAMILIES)
    def test_sizes(self, tiny, family):
        model = tiny(family)
        assert model.architecture.model_type == family
        assert (model.n_layers, model.n_heads, model.n_kv_heads) == (N_LAYERS, N_HEADS, N_HEADS)
        assert (model.d_model, model.d_head) == (D_MODEL, D_MODEL // N_HEADS)
        # RoBERTa's table has two rows more, which no token can use.
        assert model.max_tokens == MAX_TOKENS

    @each("family", FAMILIES)
    def test_sites_in_the_order_in_which_layers_run(self, tiny, family):
        block = BLOCKS.get(family, "encoder.layer.{}.attention")
        parts = PARTS.get(family, BERT_PARTS)
        assert [(site.layer, site.attention, site.output) for site in tiny(family).sites] == [
            (i, block.format(i) + parts[0], f"{block.format(i)}.{parts[-1]}")
            for i in range(N_LAYERS)
        ]

    @each("family", FAMILIES)
    def test_weights_are_the_models_own(self, tiny, family):
        model = tiny(family)
        block = BLOCKS.get(family, "encoder.layer.{}.attention")
        for layer in range(N_LAYERS):
            weights = model.layer_weights(layer)
            names = PARTS.get(family, BERT_PARTS)[1:]
            for letter, name in zip("QKVO", names, strict=True):
                linear = model.model.get_submodule(f"{block.format(layer)}.{name}")
                assert getattr(weights, f"W_{letter}").data_ptr() == linear.weight.data_ptr()
                assert getattr(weights, f"b_{letter}").data_ptr() == linear.bias.data_ptr()
            assert (weights.n_heads, weights.n_kv_heads) == (N_HEADS, N_HEADS)
            assert weights.scaling == pytest.approx((D_MODEL // N_HEADS) ** -0.5)

    @each("family", FAMILIES)
    def test_attention_is_far_from_uniform(self, tiny, family):
        """What would let a wrong scale or a lost mask pass is not what is tested here."""
        from inspector.models import attention_probabilities

        model = tiny(family)
        probabilities = attention_probabilities(model, model.encode(["The cat had the dog."]))
        assert probabilities.amax(-1).mean() > 2.0 / probabilities.shape[-1]


def test_albert_calls_one_shared_module_in_every_layer(tiny):
    model = tiny("albert")
    assert len({site.attention for site in model.sites}) == 1
    assert all(
        model.layer_weights(layer).W_Q.data_ptr() == model.layer_weights(0).W_Q.data_ptr()
        for layer in range(N_LAYERS)
    )


@pytest.mark.parametrize(
    ("settings", "order"),
    [
        ({"num_hidden_layers": 4, "num_hidden_groups": 2}, ["0.0", "0.0", "1.0", "1.0"]),
        ({"num_hidden_layers": 2, "inner_group_num": 2}, ["0.0", "0.1", "0.0", "0.1"]),
    ],
    ids=["two groups", "two layers in a group"],
)
def test_alberts_groups(tmp_path, settings, order):
    model = load(str(save_tiny_model(tmp_path / "albert", "albert", **settings)))
    names = ["encoder.albert_layer_groups.{}.albert_layers.{}.attention".format(*at.split("."))
             for at in order]  # fmt: skip
    assert model.n_layers == 4
    assert [site.attention for site in model.sites] == names


def test_an_albert_with_a_group_that_never_runs_is_not_half_verified(tmp_path):
    from inspector.verification import verify

    folder = save_tiny_model(tmp_path / "albert", "albert", num_hidden_groups=4)
    report = verify(load(str(folder)))
    assert not report.passed
    assert report.coverage == {
        "reached": 3,
        "total": 4,
        "not_reached": ["encoder.albert_layer_groups.3.albert_layers.0.attention"],
    }


_NOT_IN_THE_TABLE = (
    "module (encoder.layer.0.attention.self) calls attention but is not in the table of "
    "architectures: its weights cannot be found."
)


def _another(stage):
    return (
        f"model ({{folder}}) computes another {stage} in encoder.layer.0.attention.self than "
        "follows from the weights that the table of architectures names for 'bert': it cannot be "
        "inspected."
    )


@each(
    ("wrong", "sentence"),
    [
        pytest.param(
            Layout("key", "query", "value"), _another("query"), id="query and key swapped"
        ),
        pytest.param(
            Layout("value", "key", "query"), _another("value"), id="query and value swapped"
        ),
        pytest.param(
            Layout("query", "value", "key"), _another("value"), id="key and value swapped"
        ),
        pytest.param(Layout("query", "key", "key"), _another("value"), id="value taken from key"),
        pytest.param(Layout("query", "query", "value"), _another("key"), id="key taken from query"),
        pytest.param(
            Layout(output="../output.LayerNorm"), _NOT_IN_THE_TABLE, id="output is no linear layer"
        ),
        pytest.param(Layout(query="q_lin"), _NOT_IN_THE_TABLE, id="no such module"),
        pytest.param(Layout(output="query"), _another("output"), id="output before the attention"),
    ],
)
def test_a_wrong_row_is_refused_at_load(tiny_folder, monkeypatch, wrong, sentence):
    monkeypatch.setitem(LAYOUTS, "bert", (wrong,))
    folder = str(tiny_folder("bert"))
    with pytest.raises(UnsupportedModelError) as caught:
        load(folder)
    assert str(caught.value) == sentence.format(folder=folder)


def test_the_right_one_of_two_rows_is_taken(tiny_folder, monkeypatch):
    monkeypatch.setitem(LAYOUTS, "bert", (Layout("query", "value", "key"), Layout()))
    assert {site.layout for site in load(str(tiny_folder("bert"))).sites} == {Layout()}


def test_layers_are_told_apart(tiny):
    """Three layers with the same weights would hide a wrong order."""
    weights = [tiny("bert").layer_weights(layer).W_Q for layer in range(N_LAYERS)]
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[1], weights[2])
