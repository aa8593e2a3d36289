"""Nothing of a text depends on padding or on the other texts of its batch."""

import json
import shutil

import pytest
import torch
from support.each import each
from support.tiny.decoders import save_tiny_decoder
from support.tiny.models import save_tiny_model

import inspector
from inspector.errors import InputError, UnsupportedModelError
from inspector.models import (
    ARCHITECTURES,
    attention_probabilities,
    last_hidden_state,
    load,
    random_init_model,
    word_batches,
)
from inspector.models.forward import padding_check as padding_module
from inspector.models.tiny_models import CONFIGURATIONS

TEXTS = ["The keys to the old cabinet are on the kitchen table.", "A dog had the bone", "rain"]
LOADED = [row.name for row in CONFIGURATIONS if row.model_type in ARCHITECTURES]
# One of each way to tell positions, and all that look at neighbours or share experts.
SOME = [
    "bert", "roberta", "mpnet", "xlm", "deberta-v2", "modernbert", "mobilebert", "gpt2", "llama",
    "hunyuan_v1_moe", "falcon, ALiBi", "gpt_neo", "t5", "switch_transformers", "nllb-moe",
]  # fmt: skip


def assert_alone_as_in_a_batch(model):
    """Check states and maps of each text, alone and padded; return the batch."""
    batch = model.encode(TEXTS)
    states = last_hidden_state(model, batch, "eager")
    maps = attention_probabilities(model, batch)
    for row, text in enumerate(TEXTS):
        one = model.encode([text])
        n = one.input_ids.shape[1]
        assert torch.equal(batch.input_ids[row, :n], one.input_ids[0])
        assert batch.attention_mask[row].tolist() == [1] * n + [0] * (len(states[row]) - n)
        alone = last_hidden_state(model, one, "eager")[0]
        assert (states[row, :n] - alone).abs().max() < 2e-5 * alone.abs().max()
        assert (maps[:, row, :, :n, :n] - attention_probabilities(model, one)[:, 0]).abs().max() < (
            2e-5
        )


def test_every_model_type_of_load_has_a_configuration_to_try():
    assert {name.split(",")[0] for name in LOADED} == set(ARCHITECTURES)
    assert set(SOME) <= set(LOADED)


def left_padded(folder):
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "padding_side": "left"}))
    return folder


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in SOME else pytest.mark.full)
        for name in dict.fromkeys([*SOME, *LOADED])
    ],
)
def test_a_text_alone_is_the_text_in_a_padded_batch(tmp_path, name):
    """Whatever side the tokenizer's files pad on."""
    model = load(left_padded(save_tiny_decoder(tmp_path / "model", name)))
    assert_alone_as_in_a_batch(model)


@pytest.mark.parametrize(
    ("family", "token"), [("bert", "[UNK]"), ("bert", "the"), ("roberta", "</s>"), ("roberta", "t")]
)
def test_any_token_may_be_padded_with(tmp_path, family, token):
    """The end of a text, the unknown token, a word: padding is told by its place alone."""
    folder = save_tiny_model(tmp_path / family, family)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "pad_token": token}))
    model = load(folder)
    assert model.tokenizer.pad_token == token
    assert_alone_as_in_a_batch(model)


@pytest.mark.parametrize("family", ["bert", "roberta", "albert"])
def test_profile_of_left_and_right_is_the_same(tmp_path, family):
    """Words in batches, as `profile` gives them to the model."""
    right = save_tiny_model(tmp_path / "right", family)
    left = left_padded(shutil.copytree(right, tmp_path / "left"))
    sentences = [text.split() for text in TEXTS]
    ours, theirs = (
        word_batches(load(folder), sentences, 3, batch_cost=10**6).batches[0]
        for folder in (left, right)
    )
    assert torch.equal(ours.batch.input_ids, theirs.batch.input_ids)
    assert torch.equal(ours.word_of_token, theirs.word_of_token)


def test_mobilebert_does_not_read_the_padding_beside_the_last_token(tmp_path, monkeypatch):
    folder = save_tiny_decoder(tmp_path / "model", "mobilebert")
    model = load(folder)
    assert_alone_as_in_a_batch(random_init_model(model, seed=3))
    # A text may hold the padding token itself: it is read as the model reads it.
    batch = model.encode(["rain<|endoftext|>rain"])
    assert batch.input_ids[0].tolist().count(model.tokenizer.pad_token_id) == 1
    ours = last_hidden_state(model, batch, "eager")
    with torch.no_grad():
        network = type(model.model).from_pretrained(folder, attn_implementation="eager")
        theirs = network.eval()(**batch.inputs())
    assert torch.equal(ours, theirs.last_hidden_state)
    # Without what is done about it, the model is refused.
    monkeypatch.setattr(
        "inspector.models.loading.load_model.keep_padding_out", lambda network: None
    )
    with pytest.raises(UnsupportedModelError) as caught:
        load(folder)
    assert str(caught.value).startswith(
        f"model ({folder}) gives a text other hidden states in a padded batch than alone (by "
    )
    assert str(caught.value).endswith(
        "of their size): what is measured on it would depend on padding, so its model_type "
        "(mobilebert) cannot be inspected with these settings."
    )


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (
            {"moe_eval_capacity_token_fraction": 0.5},
            "moe_eval_capacity_token_fraction (0.5) in {path} must be 1.0",
        ),
        ({"second_expert_policy": "random"}, "second_expert_policy (random) in {path} must be all"),
    ],
)
def test_experts_that_look_at_the_batch_are_refused(tmp_path, setting, sentence):
    folder = save_tiny_decoder(tmp_path / "model", "nllb-moe", **setting)
    with pytest.raises(UnsupportedModelError) as caught:
        load(folder)
    assert str(caught.value) == sentence.format(path=folder / "config.json") + (
        ": else what becomes of a text depends on the other texts of its batch, or on chance."
    )


def test_a_leak_is_found_at_load(tmp_path, monkeypatch):
    """A model that numbers positions over the whole batch, as no family does yet."""
    folder = save_tiny_decoder(tmp_path / "model", "bert")
    model = load(folder)
    own = padding_module.last_hidden_state

    def leaking(model, batch, implementation):
        state = own(model, batch, implementation)
        return state + 0.01 * state.abs().mean() * batch.attention_mask.logical_not().sum()

    monkeypatch.setattr(padding_module, "last_hidden_state", leaking)
    with pytest.raises(UnsupportedModelError, match="in a padded batch than alone"):
        padding_module.prove_independence(model)


class TestWhatIsNoText:
    @each(
        ("given", "sentence"),
        [
            (b"rain", "text (bytes) must be a string: decode it first."),
            (bytearray(b"rain"), "text (bytearray) must be a string: decode it first."),
            (None, "text (NoneType) must be a string: give one text."),
            (5, "text (int) must be a string: give one text."),
            (float("nan"), "text (float) must be a string: give one text."),
        ],
    )
    def test_it_is_refused_as_first_and_as_second_text(self, bert, given, sentence):
        for texts in ((given,), ("rain", given)) if given is not None else ((given,),):
            with pytest.raises(InputError) as caught:
                inspector.attend(bert, *texts)
            assert str(caught.value) == sentence

    def test_a_text_in_the_place_of_a_list(self, bert):
        with pytest.raises(InputError) as caught:
            bert.encode("rain")
        assert str(caught.value) == "texts (str) must be a list: put the text in one."
