"""What may be loaded, and loaded whole. What is refused: test_cli_weights_bad_models.py."""

import hashlib
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.each import each
from support.tiny.models import N_HEADS, N_LAYERS, save_tiny_model

import inspector
from inspector.errors import InputError, ModelError
from inspector.models import last_hidden_state, load
from inspector.models.loading.model_names import called


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """Return a copy of the tiny BERT that a test may change."""
    return shutil.copytree(tiny_folder("bert"), tmp_path / "bert")


def state_of(model):
    return last_hidden_state(model, model.encode(["The cat had rain."]), "eager")


def rename(folder, new_name):
    """Rewrite the tensors' names; None leaves a tensor out."""
    path = folder / "model.safetensors"
    tensors = {new_name(name): tensor for name, tensor in load_file(path).items()}
    tensors.pop(None, None)
    save_file(tensors, path, metadata={"format": "pt"})


def test_a_model_is_loaded_ready_to_run(tiny_folder):
    model = load(str(tiny_folder("bert")))
    assert not any(module.training for module in model.model.modules())
    assert model.model.config._attn_implementation == "eager"
    assert model.unused_tensors == ()
    assert model.name == str(model.folder) == str(tiny_folder("bert"))


def test_a_folder_may_be_a_path(tiny_folder):
    folder = tiny_folder("bert")
    assert load(folder).name == str(folder)
    assert len(inspector.weight_statistics(folder)) == N_LAYERS * N_HEADS


@each("dtype", ["float64", "bfloat16"])
def test_a_dtype_is_the_files_float32_converted(tiny_folder, tiny, dtype):
    model, single = load(str(tiny_folder("bert")), dtype=dtype), tiny("bert")
    assert model.dtype == dtype
    for other, own in zip(model.model.parameters(), single.model.parameters(), strict=True):
        assert torch.equal(other, own.to(model.torch_dtype))


def test_file_hashes_are_those_of_the_files(folder):
    hashes = load(str(folder)).file_hashes
    assert set(hashes) == {
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors",
    }
    for name, value in hashes.items():
        assert value == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_a_home_folder_is_understood(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert load("~/bert").n_layers == 3


def test_shards_of_the_folder_are_loaded(folder, tiny):
    whole = load_file(folder / "model.safetensors")
    names = sorted(whole)
    weight_map = {}
    for number, part in enumerate((names[::2], names[1::2])):
        shard = f"model-0000{number + 1}-of-00002.safetensors"
        save_file({name: whole[name] for name in part}, folder / shard, metadata={"format": "pt"})
        weight_map.update(dict.fromkeys(part, shard))
    (folder / "model.safetensors").unlink()
    path, index = folder / "model.safetensors.index.json", {"weight_map": weight_map}
    for spoiled, said in ((index, 'write "metadata": {} beside'), ({}, "has no weight_map that")):
        path.write_text(json.dumps(spoiled))
        with pytest.raises(ModelError, match=said):
            load(str(folder))
    path.write_text(json.dumps(index | {"metadata": {"total_size": 1}}))
    model = load(str(folder))
    assert torch.equal(state_of(model), state_of(tiny("bert")))
    assert len([name for name in model.file_hashes if name.endswith(".safetensors")]) == 2


def test_a_vocabulary_alone_makes_a_tokenizer(folder, tiny):
    vocabulary = tiny("bert").tokenizer.get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.get)
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n")
    model = load(str(folder))
    assert model.encode(["The xy."]).tokens == [["[CLS]", "the", "x", "##y", ".", "[SEP]"]]


def test_a_task_heads_tensors_are_left_over_and_named(tmp_path, tiny_folder, tiny):
    from transformers import BertForMaskedLM

    network = BertForMaskedLM.from_pretrained(tiny_folder("bert"))
    network.save_pretrained(tmp_path / "lm")
    shutil.copy(tiny_folder("bert") / "tokenizer.json", tmp_path / "lm")
    shutil.copy(tiny_folder("bert") / "tokenizer_config.json", tmp_path / "lm")
    model = load(str(tmp_path / "lm"))
    assert model.unused_tensors
    assert all(name.startswith("cls.") for name in model.unused_tensors)
    # The pooler, which such a checkpoint lacks, has no part in the hidden states.
    assert torch.equal(state_of(model), state_of(tiny("bert")))


def test_the_old_names_of_layer_norm_are_understood(folder, tiny):
    """bert-base-uncased on the hub stores `gamma` and `beta`."""
    rename(
        folder,
        lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ),
    )
    assert torch.equal(state_of(load(str(folder))), state_of(tiny("bert")))


def test_a_stored_position_table_of_ids_is_no_trouble(folder, tiny):
    """Checkpoints of before transformers 4.31 store `embeddings.position_ids`."""
    path = folder / "model.safetensors"
    tensors = {**load_file(path), "embeddings.position_ids": torch.arange(96)[None]}
    save_file(tensors, path, metadata={"format": "pt"})
    assert torch.equal(state_of(load(str(folder))), state_of(tiny("bert")))


@each("key", ["_attn_implementation", "attn_implementation"])
@each("choice", ["evil/kernel", "sdpa", "flash_attention_2"])
def test_an_attention_implementation_in_the_config_is_ignored(folder, tiny, key, choice):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, key: choice}))
    model = load(str(folder))
    assert model.model.config._attn_implementation == "eager"
    assert torch.equal(state_of(model), state_of(tiny("bert")))


def test_heads_of_another_width_are_shown(tmp_path):
    """A wrong number of heads loads without a sign: what can be done is to say it."""
    model = load(str(save_tiny_model(tmp_path / "bert", num_attention_heads=8)))
    assert (model.n_heads, model.d_head) == (8, 4)


def test_only_one_quiet_load_at_a_time_leaves_the_log_level(tiny_folder):
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load(str(tiny_folder("bert")))
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


@each("dtype", ["half", "int8", "FLOAT32", ""])
def test_a_dtype_that_no_model_is_loaded_in(dtype):
    with pytest.raises(InputError) as caught:
        load("minilm", dtype=dtype)
    assert str(caught.value) == (
        f"dtype ({dtype}) must be one that a model is loaded in. "
        "Available: float32, float64, bfloat16, float16."
    )


@each("device", ["cuda", "cuda:7", "nonsense", "meta", ""])
def test_a_device_that_is_not_there(device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError) as caught:
        load("minilm", device=device)
    assert str(caught.value) == (
        f"device ({device}) is not there on this machine: choose one that is, such as cpu."
    )


@each(("name", "kind"), [(None, "NoneType"), (5, "int"), (b"minilm", "bytes"), (["a"], "list")])
def test_a_name_that_is_no_text(name, kind):
    # Asked of the door itself: the types of what the tests call are checked before it.
    with pytest.raises(InputError, match=rf"^model \({kind}\) must be a name or a path: give an"):
        called(name)


def test_a_name_with_a_nul_character():
    with pytest.raises(ModelError) as caught:
        load("mini\0lm")
    assert str(caught.value) == (
        "model name has a NUL character: give an alias, a folder or a hub id."
    )


def test_a_random_model_has_the_weights_of_its_seed(tiny_folder):
    """As transformers draws them: other seeds, other weights; nobody else's draws change."""
    from transformers import AutoModel

    from inspector.models import random_init_model

    model = load(tiny_folder("bert"))
    before = torch.random.get_rng_state()
    random_models = {seed: random_init_model(model, seed) for seed in (1, 2)}
    assert torch.equal(torch.random.get_rng_state(), before)
    for seed, random_model in random_models.items():
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            drawn = AutoModel.from_config(model.model.config)
        for name, weight in drawn.state_dict().items():
            assert torch.equal(random_model.model.state_dict()[name], weight), name
    name = "encoder.layer.0.attention.self.query.weight"
    one, other = (random_model.model.state_dict()[name] for random_model in random_models.values())
    assert not torch.equal(one, other)
