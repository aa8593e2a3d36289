"""The language-modelling head says what transformers' whole model says, or is not there at all."""

import json
import shutil

import pytest
import torch
import transformers
from support.each import each
from support.tiny.decoders import byte_level_tokenizer
from support.tiny.language_models import save_language_model
from support.tolerances import FLOAT32, FLOAT64

from inspector.errors import ModelError
from inspector.models import last_hidden_state, load, random_init_model
from inspector.models.loading import language_head as module
from inspector.models.loading.language_head import language_head

TEXTS = ["The dog had rain.", "That cat, not the old dog, saw the town; rain."]
# Tied and untied heads, a cap on logits (gemma2), a factor (granite, cohere), a norm and a dense
# layer of their own (bert, roberta, modernbert), a body within the body (opt).
HEADS = {
    "gpt2": "causal", "llama": "causal", "opt": "causal", "gemma2": "causal", "granite": "causal",
    "cohere": "causal", "gpt_neox": "causal", "mixtral": "causal", "bert": "masked",
    "roberta": "masked", "distilbert": "masked", "electra": "masked", "albert": "masked",
    "modernbert": "masked",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    root = tmp_path_factory.mktemp("language-models")

    def made(name):
        folder = root / name
        return folder if folder.exists() else save_language_model(folder, name, HEADS[name])

    return made


def own_logits(folder, kind, inputs):
    """Return the logits of the whole language model, as transformers itself loads and runs it."""
    auto = {
        "causal": transformers.AutoModelForCausalLM,
        "masked": transformers.AutoModelForMaskedLM,
    }
    network = auto[kind].from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
    network.set_experts_implementation("eager")  # the other ways have no float64
    with torch.no_grad():
        return network.eval()(**inputs).logits[0]


@each("name", HEADS)
def test_its_logits_are_those_of_the_whole_language_model(folder_of, name):
    model = load(folder_of(name), dtype="float64")
    head = language_head(model)
    assert head is not None
    assert head.kind == HEADS[name]
    assert (head.mask_id is None) == (head.kind == "causal")
    # Gemma's norms compute in float32, whatever the states are in.
    tolerance = FLOAT32 if name == "gemma2" else FLOAT64
    for text in TEXTS:
        batch = model.encode([text])
        whole = own_logits(folder_of(name), head.kind, batch.inputs())
        states = last_hidden_state(model, batch, "eager")[0]
        tokens = batch.input_ids[0]
        with torch.inference_mode():
            torch.testing.assert_close(head.logits(states), whole, **tolerance)
            found = head.log_probabilities(states, tokens)
            apart = head.log_probabilities(states.roll(1, 0), tokens)
        for place, token in enumerate(tokens.tolist()):
            slow = whole[place].log_softmax(0)[token]
            assert float(found[place]) == pytest.approx(float(slow), abs=1e-5)
        assert (found - apart).abs().max() > 0.01  # control: other states, other probabilities


def test_logits_are_held_of_few_places_at_once(folder_of, monkeypatch):
    model = load(folder_of("gpt2"))
    head = language_head(model)
    states = last_hidden_state(model, model.encode(TEXTS), "eager").flatten(0, 1)
    tokens = torch.arange(len(states))
    sizes = []
    own = type(head).logits
    monkeypatch.setattr(
        type(head), "logits", lambda self, some: sizes.append(len(some)) or own(self, some)
    )
    with torch.inference_mode():
        whole = head.log_probabilities(states, tokens)
        monkeypatch.setattr(module, "_CELLS", 3 * head.vocabulary)
        parts = head.log_probabilities(states, tokens)
        assert head.log_probabilities(states[:0], tokens[:0]).shape == (0,)
    assert sizes[0] == len(states)
    assert max(sizes[1:]) == 3
    torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-5)


def test_the_body_is_not_held_twice(folder_of):
    head = language_head(load(folder_of("llama")))
    assert {name for name, _ in head.network.named_parameters()} == {"lm_head.weight"}


@pytest.mark.parametrize("name", ["gpt2", "bert"])
def test_a_bare_network_has_no_head(folder_of, tmp_path, name):
    """GPT-2's head would be its embeddings: but nobody says that it was trained with one."""
    network = transformers.AutoModel.from_pretrained(folder_of(name))
    network.save_pretrained(tmp_path / "bare")
    load(folder_of(name)).tokenizer.save_pretrained(tmp_path / "bare")
    assert language_head(load(tmp_path / "bare")) is None


def test_minilm_has_none(minilm):
    assert language_head(minilm) is None


def test_an_encoder_decoder_has_none(tmp_path):
    from support.tiny.decoders import save_tiny_decoder

    assert language_head(load(save_tiny_decoder(tmp_path / "t5", "t5"))) is None


def test_a_network_that_is_not_the_files_own_has_none(folder_of):
    model = load(folder_of("gpt2"))
    assert language_head(random_init_model(model, 1)) is None
    with torch.no_grad():
        model.layer_weights(0).W_O[0, 0] += 1.0
    assert language_head(model) is None


def changed_tensors(source, target, change):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(source, target)
    tensors = change(load_file(folder / "model.safetensors"))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_a_head_that_is_not_in_the_file_is_none(folder_of, tmp_path):
    """What is said to be a language model, without its head: it would be random."""
    folder = changed_tensors(
        folder_of("bert"),
        tmp_path / "cut",
        lambda held: {name: it for name, it in held.items() if not name.startswith("cls.")},
    )
    assert language_head(load(folder)) is None
    folder = shutil.copytree(folder_of("electra"), tmp_path / "electra")
    network = transformers.ElectraForPreTraining.from_pretrained(
        folder_of("bert").parent / "electra"
    )
    network.save_pretrained(folder)  # it tells replaced tokens from others
    assert language_head(load(folder)) is None


def test_a_head_among_others_is_found(folder_of, tmp_path):
    """BERT as it was published: the head, and another that says whether sentences follow."""
    network = transformers.BertForPreTraining.from_pretrained(folder_of("bert"))
    network.save_pretrained(tmp_path / "both")
    load(folder_of("bert")).tokenizer.save_pretrained(tmp_path / "both")
    assert json.loads((tmp_path / "both/config.json").read_text())["architectures"] == [
        "BertForPreTraining"
    ]
    assert language_head(load(tmp_path / "both")).kind == "masked"


def test_a_tokenizer_without_a_mask_has_none(folder_of, tmp_path):
    folder = shutil.copytree(folder_of("modernbert"), tmp_path / "unmasked")
    byte_level_tokenizer(padding=True).save_pretrained(folder)
    assert language_head(load(folder)) is None


def test_a_head_that_reads_more_than_the_last_state_is_none(folder_of, monkeypatch):
    own = transformers.LlamaForCausalLM.forward

    def forward(self, *args, **kwargs):
        found = own(self, *args, **kwargs)
        found.logits = found.logits + (kwargs.get("input_ids") is not None)
        return found

    monkeypatch.setattr(transformers.LlamaForCausalLM, "forward", forward)
    assert language_head(load(folder_of("llama"))) is None


def test_a_value_that_is_not_finite_is_named(folder_of, tmp_path):
    def spoil(held):
        held["lm_head.weight"][3, 1] = float("nan")
        return held

    folder = changed_tensors(folder_of("llama"), tmp_path / "nan", spoil)
    with pytest.raises(ModelError) as caught:
        language_head(load(folder))
    assert str(caught.value) == (
        f"model folder ({folder}) has a value that is not finite in lm_head.weight: "
        "every number computed from it would be NaN."
    )
