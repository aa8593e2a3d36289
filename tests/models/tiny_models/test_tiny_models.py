"""Tiny random networks of every kind: they run, and a mistake in their attention would show.

All of them run in `make architectures`; here one of each kind's beginning, middle and end does.
"""

import inspect
from collections import Counter

import pytest
import torch
import yaml
from pydantic import ValidationError
from support.each import each

from inspector.errors import InputError, sentence
from inspector.models.tiny_models import CONFIGURATIONS, configuration, tiny_configuration
from inspector.yaml_file import read_own_yaml

KINDS = {row.kind for row in CONFIGURATIONS}
SAMPLE = sorted(
    {
        rows[place].name
        for kind in KINDS
        for rows in [[row for row in CONFIGURATIONS if row.kind == kind]]
        for place in (0, len(rows) // 2, -1)
    }
)


def first_tensor(output):
    return output if torch.is_tensor(output) else first_tensor(output[0])


def test_there_are_enough_of_every_kind():
    counts = Counter(row.kind for row in CONFIGURATIONS)
    assert sum(counts.values()) >= 125
    assert set(counts) == {
        "text encoder",
        "decoder",
        "encoder-decoder",
        "vision",
        "audio",
        "text and vision",
    }
    assert min(counts.values()) >= 12
    assert len({row.model_type for row in CONFIGURATIONS}) >= 125


def test_names_are_unique_and_start_with_the_model_type():
    names = [row.name for row in CONFIGURATIONS]
    assert len(set(names)) == len(names)
    assert all(row.name.split(",")[0] == row.model_type for row in CONFIGURATIONS)


def test_a_configuration_that_is_not_there_is_refused_with_those_there_are():
    with pytest.raises(InputError) as caught:
        configuration("gpt5")
    available = ", ".join(row.name for row in CONFIGURATIONS)
    assert str(caught.value) == sentence(
        f"configuration (gpt5) must be one of inspector's families. Available: {available}."
    )


def test_texts_are_padded_on_the_side_that_the_family_uses():
    encoder = configuration("roberta").make_inputs()
    assert encoder["attention_mask"].tolist()[2] == [1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert encoder["input_ids"][2, 4:].tolist() == [1] * 5  # RoBERTa's padding token
    decoder = configuration("llama").make_inputs()
    assert decoder["attention_mask"].tolist()[2] == [0, 0, 0, 0, 0, 1, 1, 1, 1]
    both = configuration("bart").make_inputs()
    assert both["decoder_attention_mask"].sum(-1).tolist() == [7, 7, 5]


@each("kind", sorted(KINDS))
def test_inputs_follow_from_the_seed(kind):
    row = next(row for row in CONFIGURATIONS if row.kind == kind)
    first, again, other = row.make_inputs(1), row.make_inputs(1), row.make_inputs(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@each("name", SAMPLE)
def test_a_network_runs_in_both_precisions(name):
    row = configuration(name)
    state = torch.get_rng_state()
    network = row.build()
    assert torch.equal(torch.get_rng_state(), state)
    inputs = row.make_inputs()
    with torch.no_grad():
        single = first_tensor(network(**inputs))
        double = {
            key: value.double() if value.is_floating_point() else value
            for key, value in inputs.items()
        }
        precise = first_tensor(network.double()(**double))
    assert not network.training
    assert single.dtype == torch.float32
    assert precise.dtype == torch.float64
    assert bool(torch.isfinite(single).all())


def test_weights_follow_from_the_seed_and_none_is_zero():
    first, again, other = (
        dict(configuration("gpt2").build(seed).named_parameters()) for seed in (1, 1, 2)
    )
    for name, parameter in first.items():
        assert torch.equal(parameter, again[name]), name
        assert not torch.equal(parameter, other[name]), name
        assert bool((parameter != 0).all()), name
    assert 0.5 < first["ln_f.weight"].mean() < 1.5


@each("name", ["bert", "llama", "gpt2", "gemma2", "t5", "bart", "vit", "swin", "wav2vec2", "clip"])
def test_attention_is_far_from_uniform(name):
    """Uniform attention would let a wrong scale or a lost mask pass."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask

    sharpness = []

    def watched(module, *args, **kwargs):
        eager = inspect.getmodule(type(module)).eager_attention_forward
        output, probabilities = eager(module, *args, **kwargs)
        keys = (probabilities > 0).sum(-1)
        sharpness.append((probabilities.amax(-1) * keys)[keys > 1].mean().item())
        return output, probabilities

    row = configuration(name)
    network = row.build()
    AttentionInterface.register("watched", watched)
    AttentionMaskInterface.register("watched", eager_mask)
    try:
        network.set_attn_implementation("watched")
        with torch.no_grad():
            network(**row.make_inputs())
    finally:
        AttentionInterface._global_mapping.pop("watched")
        AttentionMaskInterface._global_mapping.pop("watched")
    assert min(sharpness) > 1.5, sharpness


def test_every_template_of_a_table_is_used():
    for name in tiny_configuration.FILES:
        file = tiny_configuration._File.model_validate(
            read_own_yaml(tiny_configuration.FOLDER / f"{name}.yaml")
        )
        assert {model.like for model in file.models.values()} == set(file.templates), name


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ({"like": "gpt", "setting": {}}, "setting"),
        ({"like": 1}, "like"),
        ({"like": "gpt", "kind": "poem"}, "kind"),
        ({"like": "gpt", "inputs": [{"smells": {}}]}, "smells"),
    ],
)
def test_an_entry_of_a_table_that_is_wrong_is_refused(entry, wrong, tmp_path, monkeypatch):
    template = {"kind": "decoder", "inputs": [{"text": {}}]}
    data = {"templates": {"gpt": template}, "models": {"gpt2": entry}}
    (tmp_path / "decoders.yaml").write_text(yaml.safe_dump(data))
    monkeypatch.setattr(tiny_configuration, "FOLDER", tmp_path)
    monkeypatch.setattr(tiny_configuration, "FILES", ("decoders",))
    with pytest.raises(ValidationError) as error:
        tiny_configuration.read_configurations()
    assert wrong in error.value.errors()[0]["loc"]


def test_what_a_model_says_stands_in_its_templates_place(tmp_path, monkeypatch):
    template = {
        "kind": "decoder",
        "inputs": [{"text": {}}],
        "settings": {"n_layer": 2, "n_head": 4},
    }
    model = {"like": "gpt", "settings": {"n_head": 2}, "class": "GPT2Model", "kind": "vision"}
    data = {
        "templates": {"gpt": template},
        "models": {"gpt2, small": model, "gpt2": {"like": "gpt"}},
    }
    (tmp_path / "decoders.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    monkeypatch.setattr(tiny_configuration, "FOLDER", tmp_path)
    monkeypatch.setattr(tiny_configuration, "FILES", ("decoders",))
    small, plain = tiny_configuration.read_configurations()
    assert (small.name, small.model_type, small.kind) == ("gpt2, small", "gpt2", "vision")
    assert (small.settings, small.class_name) == ({"n_layer": 2, "n_head": 2}, "GPT2Model")
    assert (plain.settings, plain.class_name) == ({"n_layer": 2, "n_head": 4}, "AutoModel")
