"""What is said of folders and names that are no model's: the real cause, and the next step."""

import json
import os
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.each import each

from inspector.errors import ModelError
from inspector.models import load
from inspector.models.any_model.any_model import load_for_weights, load_to_run
from inspector.models.hints.rules import hints

KEY = "encoder.layer.1.attention.self.key.weight"


@pytest.fixture
def folder(tiny_folder, tmp_path):
    return shutil.copytree(tiny_folder("bert"), tmp_path / "model")


def refusal(folder):
    """Return what all ways to load a model say, without the folder."""
    said = set()
    for way in (load, load_for_weights, load_to_run):
        with pytest.raises(ModelError) as caught:
            way(str(folder))
        said.add(str(caught.value))
    assert len(said) == 1
    return said.pop().replace(str(folder), "F")


def files(**contents):
    """Return a function that makes a folder of nothing but these files, `/` written `__`."""

    def make(folder):
        shutil.rmtree(folder)
        folder.mkdir()
        for name, content in contents.items():
            path = folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    return make


def named(*names, **contents):
    return lambda folder: [
        files(**contents)(folder),
        *((folder / name).parent.mkdir(parents=True, exist_ok=True) for name in names),
        *((folder / name).write_text("{}") for name in names),
    ]


def beside_config(*names):
    """Take the weights away and put other files there."""

    def make(folder):
        (folder / "model.safetensors").unlink()
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(b"x")

    return make


FOLDERS = {
    "empty": (named(), "F) is empty: give the folder"),
    "README": (named("README.md"), "F) holds a README alone"),
    "tokenizer": (named("tokenizer.json", "vocab.txt"), "F) holds a tokenizer alone"),
    "texts": (named("train.conllu"), "a corpus is given with --corpus"),
    "run": (named("manifest.json", "shards/0"), "is a run of inspector, not a model"),
    "sentence-transformers": (
        named("0_Transformer/config.json", "1_Pooling/config.json"),
        "there is one in F/0_Transformer: give that folder.",
    ),
    "named by modules.json": (
        named("a/config.json", "z/config.json", modules=""),
        "there is one in F/a (and in z): give that folder.",
    ),
    "two deep": (named("out/best/config.json"), "there is one in F/out/best: give that folder."),
    "Trainer": (
        named("checkpoint-500/config.json", "checkpoint-1000/config.json", "trainer_state.json"),
        "give F/checkpoint-1000, the last.",
    ),
    "Trainer of an adapter": (
        named("checkpoint-5/adapter_config.json", "checkpoint-10/adapter_config.json"),
        "holds what training a PEFT adapter left: merge F/checkpoint-10, the last (merge_and_",
    ),
    "diffusers": (
        named("model_index.json", "text_encoder/config.json", "unet/config.json"),
        "is a diffusers pipeline (model_index.json), with no config.json of its own: give F/text_",
    ),
    "hub above": (named("models--a--b-c/refs/main"), "such as a/b-c."),
    "PEFT, pickled": (named("adapter_model.bin"), "holds a PEFT adapter (adapter_model.bin)"),
    "Google's": (named("bert_config.json", "bert_model.ckpt.index"), 'add "model_type": "bert"'),
    "Llama's": (named("params.json", "consolidated.00.pth"), "original form of Llama or Mistral"),
    "GGUF": (named("m.Q4_K_M.gguf"), "has m.Q4_K_M.gguf, which is a GGUF file of llama.cpp"),
    "weights alone": (named("model.safetensors"), "has weights but no config.json"),
    "variant": (beside_config("model.bf16.safetensors"), "rename it to model.safetensors."),
    "sharded variant": (
        beside_config("model.fp16-00001-of-00002.safetensors", "model.safetensors.index.fp16.json"),
        "rename it to model.safetensors.index.json.",
    ),
    "another name": (
        beside_config("pytorch_model.safetensors"),
        "there is pytorch_model.safetensors: if it holds this model's weights, rename it",
    ),
    "shards alone": (
        beside_config("model-00001-of-00002.safetensors"),
        "has 1 shard(s) of the weights but no model.safetensors.index.json",
    ),
    "shards of a variant alone": (
        beside_config("model-00001-of-00001.fp16.safetensors"),
        "has 1 shard(s) of the weights but no model.safetensors.index.json",
    ),
    "TensorFlow": (beside_config("tf_model.h5"), "which is TensorFlow's: load it with"),
    "Flax": (beside_config("flax_model.msgpack"), "which is Flax's: load it with"),
    "ONNX": (beside_config("onnx/model.onnx"), "has onnx/model.onnx, which is an ONNX graph"),
    "OpenVINO": (beside_config("openvino_model.bin"), "which is an OpenVINO graph"),
    "rust": (beside_config("rust_model.ot"), "rust-bert's"),
    "CTranslate2": (beside_config("model.bin", "vocabulary.json"), "is CTranslate2's"),
    "DeepSpeed": (beside_config("zero_to_fp32.py"), "holds DeepSpeed's parts"),
    "adapter beside": (
        lambda folder: (folder / "adapter_config.json").write_text(
            '{"base_model_name_or_path": "some/base"}'
        ),
        "holds a PEFT adapter (adapter_config.json) of some/base, beside a model: merge it",
    ),
    "training only": (
        beside_config("optimizer.pt", "training_args.bin"),
        "has no weights: model.safetensors or",
    ),
}


@each(("spoil", "words"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_that_is_no_models(folder, spoil, words):
    spoil(folder)
    with pytest.raises(ModelError) as caught:
        load(str(folder))
    said = str(caught.value).replace(str(folder), "F")
    assert words in said
    assert said.startswith("model folder (F) ")


def test_the_hubs_cache_is_led_to_the_snapshot_of_main(folder):
    root = folder.parent / "models--org--name"
    for snapshot in ("aaa", "bbb"):
        shutil.copytree(folder, root / "snapshots" / snapshot)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("aaa")
    for given in (root, root / "snapshots"):
        with pytest.raises(ModelError, match=f"give {root}/snapshots/aaa[.]$"):
            load(str(given))
    assert load(str(root / "snapshots" / "aaa")).n_layers == 3


def rewritten(change):
    """Rewrite the stored tensors: name, tensor → entries."""

    def make(folder):
        path = folder / "model.safetensors"
        stored = {}
        for name, tensor in load_file(path).items():
            stored.update(change(name, tensor))
        save_file(stored, path, metadata={"format": "pt"})

    return make


def renamed(change):
    return rewritten(lambda name, tensor: {change(name): tensor})


NAMES = {
    "module": (renamed(lambda n: f"module.bert.{n}"), "(module.bert.)", "take 'module.'"),
    "compiled": (renamed(lambda n: f"_orig_mod.{n}"), "(_orig_mod.)", "take '_orig_mod.'"),
    "student": (renamed(lambda n: f"student.{n}"), "(student.)", "take 'student.'"),
    "another type": (renamed(lambda n: f"roberta.{n}"), "(roberta.)", "take 'roberta.'"),
    "within": (
        renamed(lambda n: n.replace("layer.", "layer.wrapped.", 1)),
        "with a part (wrapped)",
        "take 'wrapped' within their names away",
    ),
    "an ending": (
        renamed(lambda n: f"{n}_orig"),
        "with an ending (_orig)",
        "take '_orig' at the end of their names away",
    ),
    "pruned": (
        rewritten(lambda n, t: {f"{n}_orig": t, f"{n}_mask": t + 1}),
        "stores weights in parts (",
        "prune.remove",
    ),
    "weight norm": (
        renamed(lambda n: n.replace(".weight", ".parametrizations.weight.original1")),
        "stores weights in parts (",
        "remove_parametrizations",
    ),
    "another architecture": (
        renamed(lambda n: f"transformer.h.{n.replace('.', '_')}"),
        "by the names of another architecture (transformer.h.",
        "check model_type in config.json.",
    ),
    "LoRA": (
        rewritten(
            lambda n, t: {n: t} | ({f"{n[:-7]}.lora_A.default.weight": t + 1} if n == KEY else {})
        ),
        "stores 1 tensor(s) of an adapter that is not merged",
        "Merge it",
    ),
    "LoRA under a prefix": (
        rewritten(
            lambda n, t: {n: t} | ({f"base_model.{n[:-7]}.lora_B": t + 1} if n == KEY else {})
        ),
        "stores 1 tensor(s) of an adapter that is not merged",
        "Merge it",
    ),
}


@each(("spoil", "found", "then"), NAMES.values(), ids=NAMES)
def test_tensors_by_other_names(folder, spoil, found, then):
    spoil(folder)
    said = refusal(folder)
    assert found in said
    assert then in said
    assert "num_hidden_layers" not in said


def test_control_the_prefix_of_the_type_itself_is_no_trouble(folder):
    rewritten(lambda n, t: {f"bert.{n}": t} | ({n: t.clone()} if n == KEY else {}))(folder)
    assert load(str(folder)).n_layers == 3
    rewritten(lambda n, t: {n: t + 1 if n == KEY else t})(folder)
    assert f"stores one weight twice, with other numbers, as {KEY} and bert.{KEY}: one" in (
        refusal(folder)
    )


DTYPES = ("int8", "uint8", "int16", "int32", "int64", "bool", "float8_e4m3fn", "float8_e5m2")


@each("dtype", DTYPES)
@each("which", [KEY, "all", "encoder.layer.0.output.dense.bias"])
def test_codes_are_no_weights(folder, dtype, which):
    kind = getattr(torch, dtype)
    rewritten(lambda n, t: {n: t.to(kind) if which in (n, "all") else t})(folder)
    with pytest.raises(ModelError) as caught:
        load(str(folder))
    assert f"stores {dtype} in " in str(caught.value)
    assert "codes of a quantised model (their scale is not there)" in str(caught.value)
    assert which == "all" or which in str(caught.value)


def test_codes_in_parameters_of_other_names(tmp_path):
    """XLNet's are called q, k, v: what they are is known from the network."""
    from inspector.models.tiny_models import configuration

    configuration("xlnet").build().save_pretrained(tmp_path / "xlnet")
    rewritten(lambda n, t: {n: t.to(torch.int8) if n.endswith("1.rel_attn.q") else t})(
        tmp_path / "xlnet"
    )
    with pytest.raises(ModelError, match=r"stores int8 in (transformer\.)?layer\.1\.rel_attn\.q,"):
        load_for_weights(tmp_path / "xlnet")


@pytest.mark.parametrize(
    "beside", ["weight_scale", "SCB", "weight.absmax", "weight.quant_state.bitsandbytes__nf4"]
)
def test_codes_beside_their_scale(folder, beside):
    name = f"{KEY[:-6]}{beside}"
    rewritten(lambda n, t: {n: t.to(torch.int8), name: torch.ones(1)} if n == KEY else {n: t})(
        folder
    )
    said = refusal(folder)
    assert f"stores {name} beside int8 weights ({KEY})" in said
    assert "config.json lacks quantization_config" in said


PLACES = [
    "config.json",
    "tokenizer.json",
    "vocab.txt",
    "added_tokens.json",
    "model.safetensors",
    "a.txt",
]


@each("place", PLACES)
@each("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_pipes_and_devices_are_not_opened(folder, place, make):
    (folder / place).unlink(missing_ok=True)
    make(folder / place)
    assert "not a regular file" in refusal(folder)


SIZES = {
    "num_labels": 1_000_000_000,
    "type_vocab_size": 2_000_000_000,
    "num_hidden_groups": 10**12,
    "attention_types": [[["global"], 10**9]],
    "vision_config": {"image_size": 10**10},
    "vocab_size": 2_000_000,
    "max_position_embeddings": 1_048_576,
}


@each("name", SIZES)
def test_what_would_be_built_is_bounded(folder, name):
    """The last two are within the limits of each, but a thousand times what is stored."""
    path = folder / "config.json"
    wide = {"hidden_size": 8192} if name in ("vocab_size", "max_position_embeddings") else {}
    path.write_text(json.dumps({**json.loads(path.read_text()), **wide, name: SIZES[name]}))
    said = refusal(folder)
    assert " must be at most " in said or "it asks for more than " in said


def test_an_index_of_a_million_shards(folder):
    (folder / "model.safetensors").unlink()
    weight_map = {f"t{n}": f"{n}.safetensors" for n in range(10_000)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    assert "names 10000 shards: a model has at most 4096." in refusal(folder)


def test_other_weights_than_those_that_are_checked(folder):
    path = folder / "config.json"
    named_there = {"transformers_weights": "evil.safetensors"}
    path.write_text(json.dumps({**json.loads(path.read_text()), **named_there}))
    assert "has transformers_weights, which names other weights" in refusal(folder)


@each(
    ("name", "words"),
    [
        ("https://huggingface.co/org/name", "give the hub id alone, 'org/name'."),
        ("https://huggingface.co/org/name/blob/main/config.json", "alone, 'org/name'."),
        ("huggingface.co/bert-base-uncased/", "alone, 'bert-base-uncased'."),
        ("hf://org/name", "alone, 'org/name'."),
        ("file:///some/folder", "give the folder as a path, '/some/folder'."),
        ("s3://bucket/model", "nothing is fetched from there"),
        (r"C:\models\bert", "is a path as Windows writes it"),
        ("org/name/", "or give the hub id alone, 'org/name'."),
        ("MiniLM", "Did you mean minilm?"),
        ("mini-lm", "Did you mean minilm?"),
        ("minlm", "Did you mean minilm?"),
    ],
)
def test_names_that_are_nearly_one(name, words):
    with pytest.raises(ModelError) as caught:
        load(name)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("suffix", "words"),
    [
        (".gguf", "of llama.cpp"),
        (".bin", "a pickle"),
        (".zip", "unpack it"),
        (".safetensors", "give"),
    ],
)
def test_a_file_that_is_no_folder(tmp_path, suffix, words):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(b"x")
    with pytest.raises(ModelError, match="give the folder that holds") as caught:
        load(path)
    assert words in str(caught.value)


def test_every_command_says_it(command, folder, tmp_path):
    renamed(lambda name: f"module.{name}")(folder)
    (tmp_path / "a.txt").write_text("The cat sat.\n")
    for arguments in (
        ["weights"], ["verify"], ["attend", "--text", "a", "-o", tmp_path / "a.html"],
        ["profile", "--corpus", tmp_path / "a.txt", "-o", tmp_path / "run"],
    ):  # fmt: skip
        result = command(arguments[0], folder, *arguments[1:])
        assert (result.code, result.out) == (3, "")
        assert result.err.startswith(f"inspector: model folder ({folder}) stores its tensors under")


def test_every_sentence_of_the_rules_can_be_said():
    """With all that a rule may name: what is found, with a part in brackets, counted, set."""
    found = re.fullmatch("(a)b", "ab")
    said = [
        rule.says.format(folder="F", found=found, count=2, value="set")
        for rules in hints().rules.values()
        for rule in rules
    ]
    assert len(said) > 40
    assert not [one for one in said if "{" in one or "\n" in one]
