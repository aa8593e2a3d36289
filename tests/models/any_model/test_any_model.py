"""Folders of any architecture: what was saved is what is run, and nothing of it is trusted."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.each import each

from inspector.errors import InputError, ModelError, UnsupportedModelError
from inspector.models.any_model.any_model import AnyModel, load_any, lock_of
from inspector.models.any_model.random_inputs import make_inputs, pads_left
from inspector.models.tiny_models import configuration

# One of each kind: encoder, decoder, experts, both, vision, sound, text beside images.
SAMPLE = (
    "modernbert", "gpt2", "gemma2", "mixtral", "t5", "whisper", "swin", "videomae", "wav2vec2",
    "clip", "deberta-v2", "bloom",
)  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return a function: configuration → its network and the folder that holds it."""

    def save(name):
        network, folder = configuration(name).build(), tmp_path_factory.mktemp("any")
        network.save_pretrained(folder)
        return network, folder

    return save


@pytest.fixture
def folder(saved, tmp_path):
    """Return a folder of a tiny llama, to be changed."""
    return shutil.copytree(saved("llama")[1], tmp_path / "llama")


def first_output(network, inputs):
    with torch.no_grad():
        return next(iter(network(**inputs).values()))


@each("name", SAMPLE)
def test_what_is_loaded_computes_what_was_saved(saved, name):
    network, folder = saved(name)
    model = load_any(folder)
    assert type(model.model) is type(network)
    assert not model.model.training
    assert model.model.config._attn_implementation == "eager"
    inputs = model.make_inputs(padded=True)
    ours, theirs = first_output(model.model, inputs), first_output(network, inputs)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
    assert set(model.file_hashes) == {"config.json", "model.safetensors"}


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_the_dtype_is_that_which_was_asked_for(saved, dtype):
    model = load_any(saved("mixtral")[1], dtype=dtype)
    assert model.torch_dtype == getattr(torch, dtype)
    assert all(p.dtype == model.torch_dtype for p in model.model.parameters())
    assert first_output(model.model, model.make_inputs(padded=False)).isfinite().all()


def test_weights_in_float16_are_rounded_and_computed_in_float32(saved):
    network, folder = saved("mixtral")
    model = load_any(folder, dtype="float16")
    assert model.dtype == "float32"
    for ours, theirs in zip(model.model.parameters(), network.parameters(), strict=True):
        assert torch.equal(ours, theirs.half().float())


def test_a_head_that_was_saved_is_loaded_with_its_own_class(tmp_path):
    from transformers import GPT2Config, GPT2LMHeadModel

    network = GPT2LMHeadModel(GPT2Config(n_embd=8, n_layer=1, n_head=2, vocab_size=20))
    network.save_pretrained(tmp_path)
    assert type(load_any(tmp_path).model) is GPT2LMHeadModel


def edit(folder, **settings):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


class TestRefused:
    def refused(self, folder, kind=ModelError, **options):
        with pytest.raises(kind) as caught:
            load_any(folder, **options)
        return str(caught.value)

    def test_a_model_type_that_transformers_does_not_know(self, folder):
        edit(folder, model_type="nonsense")
        sentence = self.refused(folder, UnsupportedModelError)
        assert sentence.startswith(
            "model_type (nonsense) must be one that transformers knows without code from the "
            "checkpoint. Available: "
        )

    @pytest.mark.parametrize("place", ["top", "part"])
    def test_code_of_the_checkpoints_own(self, folder, place):
        own = {"auto_map": {"AutoModel": "evil.Model"}}
        edit(folder, **(own if place == "top" else {"text_config": own}))
        assert self.refused(folder) == (
            f"{folder}/config.json has auto_map: the model asks for code of its own to be run, "
            "which inspector never does. Use a checkpoint of a model type that transformers "
            "itself implements."
        )

    def test_sizes_that_no_machine_holds(self, folder):
        edit(folder, vocab_size=10**12)
        assert self.refused(folder) == (
            f"vocab_size (1000000000000) in {folder}/config.json must be a whole number from 1 to "
            "2000000."
        )

    def test_sizes_of_a_part(self, folder):
        edit(folder, text_config={"hidden_size": 10**9})
        assert self.refused(folder).startswith("hidden_size (1000000000) in ")

    def test_a_configuration_nested_too_deep(self, folder):
        deep = "[" * 900 + "]" * 900
        text = (folder / "config.json").read_text().rstrip().removesuffix("}")
        (folder / "config.json").write_text(f'{text}, "deep": {deep}}}')
        assert self.refused(folder) in (
            f"{folder}/config.json is nested too deep to be read: write it again.",
            f"{folder}/config.json is not JSON (maximum recursion depth exceeded): write it again.",
        )

    def test_a_setting_of_the_wrong_kind(self, folder):
        edit(folder, hidden_size="wide")
        assert "has a setting that llama cannot take" in self.refused(folder)

    def test_a_tensor_that_is_missing(self, folder):
        tensors = load_file(folder / "model.safetensors")
        del tensors["layers.1.self_attn.q_proj.weight"]
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        assert self.refused(folder) == (
            f"model folder ({folder}) lacks 1 tensor(s) that its configuration asks for "
            "(layers.1.self_attn.q_proj.weight): they would be random. Check num_hidden_layers, "
            "or save the whole model."
        )

    def test_a_value_that_is_not_finite(self, folder):
        tensors = load_file(folder / "model.safetensors")
        tensors["layers.0.self_attn.k_proj.weight"][2, 3] = float("nan")
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        assert self.refused(folder) == (
            f"model folder ({folder}) has a value that is not finite in "
            "layers.0.self_attn.k_proj.weight: every number computed from it would be NaN."
        )

    def test_pickled_weights(self, folder):
        (folder / "model.safetensors").unlink()
        torch.save({}, folder / "pytorch_model.bin")
        assert "has pickled weights only (pytorch_model.bin)" in self.refused(folder)

    def test_a_dtype_that_there_is_not(self, folder):
        assert self.refused(folder, InputError, dtype="int8").startswith("dtype (int8) must be")

    def test_what_is_no_model_of_transformers(self):
        with pytest.raises(InputError) as caught:
            AnyModel.of(torch.nn.Linear(2, 2))
        assert str(caught.value) == (
            "model (Linear) must be a model of transformers, or the name of one: give a name such "
            "as 'minilm', a folder, a hub id, or a model that transformers built."
        )
        with torch.device("meta"):
            network = configuration("bert").build()
        with pytest.raises(ModelError, match="has no numbers in"):
            AnyModel.of(network)


class TestClassesThatAreNamed:
    """`architectures` is a name in a file that anyone may have written."""

    @each("name", ["os", "Trainer", "pipeline", "__builtins__", 7, "BertModel"])
    def test_only_a_model_of_that_configuration_is_built(self, folder, name):
        edit(folder, architectures=[name])
        assert type(load_any(folder).model).__name__ == "LlamaModel"


def test_a_network_has_one_lock():
    network = configuration("llama").build()
    assert AnyModel.of(network).lock is AnyModel.of(network, "again").lock is lock_of(network)
    assert AnyModel.of(configuration("llama").build()).lock is not lock_of(network)


class TestInputs:
    @each(
        ("name", "left"),
        [("bert", False), ("llama", True), ("gpt2", True), ("t5", False), ("bloom", True),
         ("deberta-v2", False), ("llava, text alone", True), ("xlnet", True)],
    )  # fmt: skip
    def test_texts_are_padded_on_the_familys_side(self, name, left):
        network = configuration(name).build()
        assert pads_left(network.config) is left
        kept = make_inputs(network, padded=True)["attention_mask"].bool()
        assert kept.sum(1).tolist() == [9, 6, 4]
        assert bool(kept[:, -1].all()) is left
        assert bool(kept[:, 0].all()) is not left

    @each("name", SAMPLE)
    def test_a_seed_gives_the_same_numbers_and_another_others(self, name):
        network = configuration(name).build()
        one, two, other = (make_inputs(network, padded=True, seed=s) for s in (3, 3, 4))
        assert all(torch.equal(one[key], two[key]) for key in one)
        assert not all(torch.equal(one[key], other[key]) for key in one)

    def test_special_tokens_are_not_drawn(self):
        network = configuration("gpt2").build()
        ids = torch.cat(
            [make_inputs(network, padded=False, seed=s)["input_ids"] for s in range(40)]
        )
        assert not set(ids.flatten().tolist()) & {0, 1, 2}
        assert ids.max() < network.config.vocab_size
