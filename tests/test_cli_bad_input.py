"""Bad input: for each the whole sentence, the exit code, nothing on stdout, nothing lost.

Every bad model is made from one tiny BERT; `{folder}` in a sentence stands for where it is.
"""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.each import each

from inspector.errors import sentence

pytestmark = pytest.mark.usefixtures("one_thread")

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
KEY = "encoder.layer.1.attention.self.key.weight"
BAD_INPUT, BAD_MODEL, BAD_FILE = 2, 3, 4


# How a folder is spoilt: each returns a function of the folder.


def removed(*names):
    return lambda folder: [(folder / name).unlink() for name in names]


def holding(name, content):
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / name).write_bytes(data)


def cut(name, length):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:length])


def edited(name, **entries):
    def change(folder):
        content = {**json.loads((folder / name).read_text()), **entries}
        kept = {key: value for key, value in content.items() if value is not ...}
        (folder / name).write_text(json.dumps(kept))

    return change


def config(**entries):
    return edited("config.json", **entries)


def tensors(**changed):
    """Replace tensors; None takes one away."""

    def change(folder):
        stored = {**load_file(folder / WEIGHTS), **changed}
        kept = {name: tensor for name, tensor in stored.items() if tensor is not None}
        save_file(kept, folder / WEIGHTS, metadata={"format": "pt"})

    return change


def one_value(value):
    def change(folder):
        stored = load_file(folder / WEIGHTS)
        stored[KEY][3, 5] = value
        save_file(stored, folder / WEIGHTS, metadata={"format": "pt"})

    return change


def shards(weight_map):
    def change(folder):
        (folder / WEIGHTS).unlink()
        (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))

    return change


def vocabulary(change_vocabulary):
    def change(folder):
        content = json.loads((folder / "tokenizer.json").read_text())
        content["model"]["vocab"] = change_vocabulary(content["model"]["vocab"])
        (folder / "tokenizer.json").write_text(json.dumps(content))

    return change


def whole_number(name, value, most):
    return f"{name} ({value}) in {{folder}}/config.json must be a whole number from 1 to {most}."


def not_json(reason, name="config.json"):
    return f"{{folder}}/{name} is not JSON ({reason}): write it again."


def not_whole(reason):
    return (
        f"weights ({{folder}}/{WEIGHTS}) are not whole safetensors ({reason}): "
        "download the file again."
    )


def bad_shard(shown):
    return (
        f"weight_map of {{folder}}/{INDEX} names {shown}: every shard must be a .safetensors "
        "file of the model's own folder."
    )


NO_TOKENIZER = (
    "model folder ({folder}) has no tokenizer: one of tokenizer.json, vocab.txt, "
    "sentencepiece.bpe.model, spiece.model, or vocab.json and merges.txt, must be there."
)
NO_WEIGHTS = f"model folder ({{folder}}) has no weights: {WEIGHTS} or {INDEX} must be there."
NO_MODEL_TYPE = (
    "{folder}/config.json has no model_type: inspector must know which architecture it describes. "
    'Its architectures say BertModel: add "model_type": "bert".'
)
AUTO_MAP = (
    "has auto_map: the model asks for code of its own to be run, which inspector never does. "
    "Use a checkpoint of a model type that transformers itself implements."
)
DESERIALIZING = "Error while deserializing header"


def no_row(model_type):
    from inspector.models import ARCHITECTURES

    return sentence(  # which is cut: there are more than a hundred
        f"model_type ({model_type}) has no row in the table of architectures: inspector does not "
        f"know where it keeps its weights. Available: {', '.join(sorted(ARCHITECTURES))}."
    )


def not_finite():
    return (
        f"model folder ({{folder}}) has a value that is not finite in {KEY}: "
        "every number computed from it would be NaN."
    )


NESTED = '{"model_type": "bert", "deep": ' + "[" * 100_000 + "]" * 100_000 + "}"

FOLDERS = {
    # Files that are not there
    "no config": (
        removed("config.json"),
        (
            "model folder ({folder}) has weights but no config.json: fetch that too; it says what "
            "they are."
        ),
    ),
    "no weights": (removed(WEIGHTS), NO_WEIGHTS),
    # Weights that are not whole
    "truncated": (
        cut(WEIGHTS, -100),
        not_whole(f"{DESERIALIZING}: incomplete metadata, file not fully covered"),
    ),
    "truncated in its header": (
        cut(WEIGHTS, 50),
        not_whole(f"{DESERIALIZING}: invalid header length"),
    ),
    "empty weights": (holding(WEIGHTS, b""), not_whole(f"{DESERIALIZING}: header too small")),
    "not safetensors": (
        holding(WEIGHTS, "<!doctype html><title>Not found</title>"),
        not_whole(f"{DESERIALIZING}: header too large"),
    ),
    "Git LFS pointer": (
        holding(WEIGHTS, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n"),
        (
            f"weights ({{folder}}/{WEIGHTS}) are a Git LFS pointer, not the weights: "
            "run `git lfs pull` in the model's folder."
        ),
    ),
    "weights are a folder": (
        lambda folder: (removed(WEIGHTS)(folder), (folder / WEIGHTS).mkdir()),
        f"weights ({{folder}}/{WEIGHTS}) cannot be read: Is a directory.",
    ),
    # Weights that do not fit the configuration
    "a tensor missing": (
        tensors(**{KEY: None}),
        (
            "model folder ({folder}) lacks 1 tensor(s) that its configuration asks for "
            f"({KEY}): they would be random. Check num_hidden_layers, or save the whole model."
        ),
    ),
    "more layers configured": (
        config(num_hidden_layers=4),
        (
            "model folder ({folder}) lacks 16 tensor(s) that its configuration asks for "
            "(encoder.layer.3.attention.output.LayerNorm.bias, "
            "encoder.layer.3.attention.output.LayerNorm.weight, "
            "encoder.layer.3.attention.output.dense.bias, …): they would be random. "
            "Check num_hidden_layers, or save the whole model."
        ),
    ),
    "fewer layers configured": (
        config(num_hidden_layers=2),
        (
            "model folder ({folder}) stores 16 encoder tensor(s) that its configuration leaves out "
            "(encoder.layer.2.attention.output.LayerNorm.bias, "
            "encoder.layer.2.attention.output.LayerNorm.weight, "
            "encoder.layer.2.attention.output.dense.bias, …): a shorter model would be loaded. "
            "Check num_hidden_layers."
        ),
    ),
    "wrong shape": (
        tensors(**{KEY: torch.zeros(16, 32)}),
        (
            "model folder ({folder}) has 1 tensor(s) of another shape than its configuration "
            f"asks for ({KEY}): they would be random. Check the sizes in config.json."
        ),
    ),
    "NaN": (one_value(float("nan")), not_finite()),
    "infinity": (one_value(float("inf")), not_finite()),
    # Sizes that cannot be
    "heads that do not divide": (
        config(num_attention_heads=5),
        (
            "d_model (32) must be divisible by n_heads (5) in {folder}/config.json: "
            "every head gets d_model / n_heads features."
        ),
    ),
    "no heads": (config(num_attention_heads=0), whole_number("num_attention_heads", 0, 256)),
    "negative layers": (config(num_hidden_layers=-1), whole_number("num_hidden_layers", -1, 256)),
    "3000 layers": (config(num_hidden_layers=3000), whole_number("num_hidden_layers", 3000, 256)),
    "a size as text": (config(hidden_size="384"), whole_number("hidden_size", "'384'", 32768)),
    "a size as a fraction": (config(hidden_size=32.0), whole_number("hidden_size", 32.0, 32768)),
    "a size as a truth": (
        config(num_hidden_layers=True),
        whole_number("num_hidden_layers", True, 256),
    ),
    "a vocabulary of billions": (
        config(vocab_size=2_000_000_000),
        whole_number("vocab_size", 2_000_000_000, 2_000_000),
    ),
    # config.json that is none
    "config cut short": (
        cut("config.json", 1),
        not_json("Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ),
    "config not text": (
        holding("config.json", b"\xff\xfe\x00"),
        not_json("'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ),
    "config a list": (
        holding("config.json", "[1]"),
        "{folder}/config.json must hold a JSON object, not a list.",
    ),
    "config nested a hundred thousand deep": (
        holding("config.json", NESTED),
        not_json(
            "maximum recursion depth exceeded while decoding a JSON array from a unicode string"
        ),
    ),
    "config of a megabyte": (
        config(padding="x" * 1_000_000),
        "{folder}/config.json is larger than 1000000 bytes: that is no config.json of a model.",
    ),
    "no model_type": (config(model_type=...), NO_MODEL_TYPE),
    "model_type a number": (config(model_type=3), NO_MODEL_TYPE),
    "xlnet": (config(model_type="xlnet"), no_row("xlnet")),
    "vit": (config(model_type="vit"), no_row("vit")),
    # config.json that asks for another computation
    "pruned heads": (
        config(pruned_heads={"0": [1]}),
        (
            "{folder}/config.json has pruned_heads, which transformers no longer applies: "
            "save the model with its heads removed, or without this setting."
        ),
    ),
    "relative positions": (
        config(position_embedding_type="relative_key"),
        (
            "{folder}/config.json has position_embedding_type 'relative_key', which transformers "
            "no longer computes: it would run as another model. Only 'absolute' can be inspected."
        ),
    ),
    "quantised": (
        config(quantization_config={"quant_method": "bitsandbytes", "load_in_8bit": True}),
        (
            "{folder}/config.json has quantization_config: its weights are rounded in a way that "
            "inspector does not read. Use the checkpoint that was quantised."
        ),
    ),
    "quantised by nothing": (
        config(quantization_config={}),
        (
            "{folder}/config.json has a quantization_config that says nothing: take it out if the "
            "weights were never rounded; else use the checkpoint that was quantised."
        ),
    ),
    "quantised by an empty list": (
        config(quantization_config=[]),
        (
            "{folder}/config.json has a quantization_config that says nothing: take it out if the "
            "weights were never rounded; else use the checkpoint that was quantised."
        ),
    ),
    "an unknown activation": (
        config(hidden_act="nonsense"),
        (
            "activation (nonsense) in {folder}/config.json must be one that transformers has, "
            "such as gelu."
        ),
    ),
    "a setting of another type": (
        config(layer_norm_eps="tiny"),
        (
            "{folder}/config.json has a setting that bert cannot take: Validation error for field "
            "'layer_norm_eps': TypeError: Field 'layer_norm_eps' expected float, got str "
            "(value: 'tiny')"
        ),
    ),
    # An index that leads elsewhere
    "shard above": (shards({"a": "../x.safetensors"}), bad_shard("'../x.safetensors'")),
    "shard absolute": (shards({"a": "/etc/passwd"}), bad_shard("'/etc/passwd'")),
    "shard by drive": (shards({"a": r"C:\x.safetensors"}), bad_shard(r"'C:\\x.safetensors'")),
    "shard is the folder above": (shards({"a": ".."}), bad_shard("'..'")),
    "shard a pickle": (shards({"a": "x.bin"}), bad_shard("'x.bin'")),
    "shard a number": (shards({"a": "x.safetensors", "b": 3}), bad_shard("3")),
    "shard a list": (shards({"a": [1]}), bad_shard("[1]")),
    "shard missing": (
        shards({"a": "x.safetensors"}),
        "weights ({folder}/x.safetensors) cannot be read: No such file or directory.",
    ),
    "no shards": (shards({}), NO_WEIGHTS),
    # Tokenizers that cannot be used
    "tokenizer an empty object": (
        holding("tokenizer.json", "{}"),
        (
            "{folder}/tokenizer.json has no model: it is not the whole file of a tokenizer. "
            "Save the tokenizer again."
        ),
    ),
    "tokenizer not JSON": (
        holding("tokenizer.json", "{"),
        not_json(
            "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            "tokenizer.json",
        ),
    ),
    "tokenizer settings a list": (
        holding("tokenizer_config.json", "[]"),
        "{folder}/tokenizer_config.json must hold a JSON object, not a list.",
    ),
    "tokenizer of specials only": (
        vocabulary(lambda tokens: {p: n for p, n in tokens.items() if p.startswith("[")}),
        (
            "tokenizer of {folder} knows 5 special tokens and nothing else: every word would be "
            "unknown. Add the vocabulary that the model was trained with."
        ),
    ),
    "tokenizer of another model": (
        vocabulary(lambda tokens: {**tokens, "zebra": 5000}),
        (
            "tokenizer of {folder} has token ids up to 5000, but the model has embeddings for "
            "79 tokens: it is another model's tokenizer."
        ),
    ),
    "tokenizer without padding": (
        edited("tokenizer_config.json", pad_token=None),
        (
            "tokenizer of {folder} has no padding token: texts of different lengths cannot be put "
            "in one batch. Set pad_token in tokenizer_config.json."
        ),
    ),
}


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """Return a copy of the tiny BERT, to be spoilt."""
    return shutil.copytree(tiny_folder("bert"), tmp_path / "model")


def assert_refused(result, code, sentence):
    """Check that exactly this sentence was said, on stderr, with this exit code."""
    assert result.err == f"inspector: {sentence}\n"
    assert result.out == ""
    assert result.code == code


@each(("spoil", "sentence"), FOLDERS.values(), ids=FOLDERS)
def test_a_model_that_cannot_be_used(command, folder, spoil, sentence):
    spoil(folder)
    output = folder.parent / "weights.csv"
    result = command("weights", folder, "-o", output)
    assert_refused(result, BAD_MODEL, sentence.replace("{folder}", str(folder)))
    assert not output.exists()


def test_texts_cannot_be_read_without_a_tokenizer_but_weights_can(command, folder):
    removed("tokenizer.json", "tokenizer_config.json")(folder)
    page = folder.parent / "a.html"
    result = command("attend", folder, "--text", "a", "-o", page)
    assert_refused(result, BAD_MODEL, NO_TOKENIZER.replace("{folder}", str(folder)))
    assert command("weights", folder, "-o", folder.parent / "weights.csv").code == 0


def test_control_the_folder_unspoilt_is_used(command, folder):
    result = command("weights", folder, "-o", folder.parent / "weights.csv")
    assert (result.code, result.err) == (0, "")
    assert (folder.parent / "weights.csv").read_text().startswith("layer,head,q_norm")


def test_a_tokenizer_without_a_model_in_it(command, folder):
    edited("tokenizer.json", model={"type": "Nonsense"})(folder)
    result = command("weights", folder)
    assert result.err.startswith(f"inspector: tokenizer of {folder} cannot be loaded: ")
    assert (result.code, result.out, result.err.count("\n")) == (BAD_MODEL, "", 1)


@pytest.mark.parametrize("command_line", [["verify"], ["attend", "--text", "a", "-o", "a.html"]])
def test_every_command_refuses_alike(command, folder, monkeypatch, command_line):
    monkeypatch.chdir(folder.parent)
    removed(WEIGHTS)(folder)
    result = command(*command_line, folder)
    assert_refused(result, BAD_MODEL, NO_WEIGHTS.replace("{folder}", str(folder)))
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


# Code that must not run


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pth"])
def test_pickled_weights_are_not_opened(command, folder, name):
    sign = folder.parent / "ran"
    data = pickle.dumps(Canary(sign))
    removed(WEIGHTS)(folder)
    holding(name, data)(folder)
    result = command("verify", folder)
    assert_refused(
        result,
        BAD_MODEL,
        f"model folder ({folder}) has pickled weights only ({name}), which can run code when they "
        "are read: convert them to safetensors (save_pretrained does) and give that folder.",
    )
    assert not sign.exists()
    pickle.loads(data)  # noqa: S301  # the canary sings
    assert sign.exists()


def test_pickles_beside_safetensors_are_not_opened(command, folder):
    sign = folder.parent / "ran"
    holding("pytorch_model.bin", pickle.dumps(Canary(sign)))(folder)
    assert command("weights", folder, "--json").code == 0
    assert not sign.exists()


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_of_the_checkpoints_own_is_not_run(command, folder, name):
    sign = folder.parent / "ran"
    code = f"from pathlib import Path\nPath({str(sign)!r}).touch()\nclass Evil: pass\n"
    holding("evil.py", code)(folder)
    auto_map = {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil", "AutoTokenizer": ["evil.Evil"]}
    edited(name, auto_map=auto_map)(folder)
    assert_refused(command("verify", folder), BAD_MODEL, f"{folder}/{name} {AUTO_MAP}")
    assert not sign.exists()


@pytest.mark.parametrize("key", ["_attn_implementation", "attn_implementation"])
@pytest.mark.parametrize("choice", ["evil/kernel", "sdpa"])
def test_an_attention_implementation_is_not_chosen_by_the_file(command, folder, key, choice):
    before = command("weights", folder, "--json")
    config(**{key: choice})(folder)
    after = command("weights", folder, "--json")
    assert (after.code, after.out) == (0, before.out)


@pytest.mark.parametrize(
    "entries",
    [
        {"torch_dtype": "nonsense", "dtype": "float16"},
        {"chunk_size_feed_forward": 7},
        {"return_dict": False, "use_return_dict": False, "output_attentions": True},
    ],
    ids=["dtype", "chunks", "what it returns"],
)
def test_how_a_model_is_run_is_not_chosen_by_the_file(command, folder, entries):
    before = command("weights", folder, "--json")
    config(**entries)(folder)
    after = command("weights", folder, "--json")
    assert (after.code, after.out) == (0, before.out)


# Names


@pytest.mark.parametrize("name", ["no-such/model", "nosuch-model"])
def test_an_unknown_name_without_a_network(command, name):
    assert_refused(
        command("weights", name),
        BAD_MODEL,
        f"model ({name}) is not in the local cache and the hub cannot be reached: connect to the "
        "network (and unset HF_HUB_OFFLINE), or give a folder. "
        "Available without a network: minilm.",
    )


NOTHING = ["./no/such/folder", "/no-such", "a b", "a/b/c", "a\ud800", "a\x1b[31m"]


@each("name", NOTHING)
def test_a_name_of_nothing(command, name):
    shown = name.replace("\x1b", "�").replace("\ud800", "�")
    assert_refused(
        command("weights", name),
        BAD_MODEL,
        f"model ({shown}) is neither a folder that exists nor a hub id: check the path. "
        "Available without a network: minilm.",
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "model name is empty: give an alias, a folder or a hub id."),
        ("mini\0lm", "model name has a NUL character: give an alias, a folder or a hub id."),
        ("a" * 300, f"model ({'a' * 80}) cannot be looked up as a folder: File name too long"),
        (
            "a..b/c",
            "model (a..b/c) is no hub id: Cannot have -- or .. in repo_id: 'a..b/c'.",
        ),
    ],
    ids=["empty", "NUL", "too long", "dots"],
)
def test_a_name_that_cannot_be(command, name, sentence):
    assert_refused(command("weights", name), BAD_MODEL, sentence)


def test_a_file_for_a_folder(command, folder):
    path = folder / "config.json"
    assert_refused(
        command("weights", path),
        BAD_MODEL,
        f"model ({path}) is a file: give the folder that holds config.json, the tokenizer's files "
        "and model.safetensors.",
    )


# Texts


@pytest.fixture
def attend(command, tiny_folder, tmp_path):
    """Return a function: text and more arguments → what became of `attend`, and its file."""
    output = tmp_path / "maps.html"

    def run(text, *more):
        return command("attend", tiny_folder("bert"), "--text", text, "-o", output, *more), output

    return run


NOT_UNICODE = (
    "text is not valid Unicode: the character at position 3 is half of a pair. "
    "Save the text as UTF-8."
)


@each(
    ("text", "sentence"),
    [
        ("", "text ('') must not be empty: give at least one word."),
        (" \n", r"text (' \n') must not be empty: give at least one word."),
        (
            "\u200b\u200d",
            (
                r"text ('\u200b\u200d') has no token that this tokenizer knows: "
                "give a text with at least one word."
            ),
        ),
        (
            "\ue000\U000f0000",
            (
                r"text ('\ue000\U000f0000') has no token that this tokenizer knows: "
                "give a text with at least one word."
            ),
        ),
        ("cat\ud800", NOT_UNICODE),
        (
            "a" * 1_000_001,
            "text (1000001 characters) must have at most 1000000 characters: shorten it.",
        ),
    ],
    ids=["empty", "spaces", "zero width", "private use", "lone surrogate", "too long"],
)
def test_a_text_that_cannot_be_read(attend, text, sentence):
    result, output = attend(text)
    assert_refused(result, BAD_INPUT, sentence)
    assert not output.exists()


def test_a_text_over_the_models_length(attend, tiny_folder):
    result, output = attend("the " * 95)
    assert_refused(
        result,
        BAD_INPUT,
        "text (97 tokens) must have at most 96 tokens, special ones included, for model "
        f"{tiny_folder('bert')}: shorten it.",
    )
    assert not output.exists()


def test_an_empty_second_text(attend):
    result, _ = attend("cat", "--pair", "")
    assert_refused(result, BAD_INPUT, "text ('') must not be empty: give at least one word.")


@pytest.mark.parametrize(
    ("text", "n_tokens"),
    [
        ("ca\0t", 3),
        ("שלום cat", 4),
        ("👩‍👩‍👧 cat", 4),
        ("é", 3),
        ("red \x1b[31m", 7),
        ("[CLS] cat", 4),
    ],
    ids=["NUL", "right to left", "emoji", "accent", "escape", "special token"],
)
def test_odd_texts_work(attend, text, n_tokens):
    result, output = attend(text, "--json")
    assert (result.code, result.err) == (0, "")
    assert len(json.loads(result.out)["tokens"]) == n_tokens
    assert output.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_markup_in_a_text_stays_text(attend):
    result, output = attend("</script><img src=x onerror=alert(1)>")
    assert (result.code, result.err) == (0, "")
    page = output.read_text(encoding="utf-8")
    # Every element of markup that stands in the page is the page's own.
    assert "<img" not in page
    assert "onerror=alert" not in page.replace("&lt;img src=x onerror=alert(1)&gt;", "")
    clean, other = attend("cat", "--force")
    assert clean.code == 0
    assert page.count("</script") == other.read_text(encoding="utf-8").count("</script")


# Outputs


def test_an_output_that_exists_is_left_alone_without_force(attend, tmp_path):
    (tmp_path / "maps.html").write_text("mine")
    result, output = attend("cat")
    assert_refused(
        result,
        BAD_FILE,
        f"output ({output}) already exists: choose another name, or allow replacing it "
        "(force=True, --force on the command line).",
    )
    assert output.read_text() == "mine"
    result, output = attend("cat", "--force")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"head view of 3 tokens written to {output}\n")
    assert output.read_text().startswith("<!")


@pytest.mark.parametrize(
    ("place", "code", "sentence"),
    [
        (
            "missing/w.csv",
            BAD_FILE,
            "folder ({tmp}/missing) does not exist: make it first, or choose another place.",
        ),
        (
            "closed/w.csv",
            BAD_FILE,
            "folder ({tmp}/closed) is read-only: change its permissions, or choose another place.",
        ),
        (
            "closed",
            BAD_INPUT,
            (
                "output ({tmp}/closed) has no suffix, which cannot be written: end the name in an "
                "available one. Available: '.csv', '.parquet', '.json'."
            ),
        ),
        (
            "w.pdf",
            BAD_INPUT,
            (
                "output ({tmp}/w.pdf) has the suffix '.pdf', which cannot be written: end the name "
                "in an available one. Available: '.csv', '.parquet', '.json'."
            ),
        ),
    ],
    ids=["no such folder", "read-only folder", "no suffix", "unknown suffix"],
)
def test_an_output_that_cannot_be_written(command, tmp_path, place, code, sentence):
    (tmp_path / "closed").mkdir(mode=0o555)
    # Refused before the model is looked at: this one does not exist.
    result = command("weights", "/no-such-model", "-o", tmp_path / place)
    assert_refused(result, code, sentence.replace("{tmp}", str(tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["closed"]


def test_a_full_disk(command, folder, monkeypatch):
    output = folder.parent / "w.csv"

    def full(descriptor):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    assert_refused(
        command("weights", folder, "-o", output),
        BAD_FILE,
        f"output ({output}) could not be written (No space left on device): "
        "choose another place. Nothing was changed.",
    )
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


# Options


@each(
    ("arguments", "sentence"),
    [
        (
            ["verify", "--device", "cuda"],
            "device (cuda) is not there on this machine: choose one that is, such as cpu.",
        ),
        (
            ["verify", "--dtype", "int4"],
            (
                "dtype (int4) must be one that inspector computes in. "
                "Available: float32, float64, bfloat16."
            ),
        ),
        (
            ["attend", "--text", "a", "-o", "a.html", "--view", "neuron"],
            "view (neuron) must be one of these. Available: head, model.",
        ),
        (
            ["attend", "--text", "a", "-o", "a.html", "--layers", "1,b"],
            "layers (1,b) must be numbers separated by commas, such as 0,3.",
        ),
        (
            ["attend", "--text", "a", "-o", "a.html", "--layers", ""],
            "layers () must be numbers separated by commas, such as 0,3.",
        ),
        (["verify", "--frob"], "No such option: --frob"),
        (["verify", "minilm", "other"], "Got unexpected extra argument(s) (other)"),
        (["attend", "-o", "a.html"], "Missing option '--text'."),
        (["frobnicate"], "No such command 'frobnicate'."),
    ],
)
def test_options_that_cannot_be(command, monkeypatch, tmp_path, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert_refused(command(*arguments), BAD_INPUT, sentence)
    assert list(tmp_path.iterdir()) == []


def test_a_layer_that_the_model_does_not_have(attend):
    result, output = attend("cat", "--layers", "1,9")
    assert_refused(
        result,
        BAD_INPUT,
        "layers (1, 9) must name at least one of the model's 3 layers: give numbers from 0 to 2.",
    )
    assert not output.exists()
