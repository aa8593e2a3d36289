"""Folders that `inspector weights` cannot use: the whole sentence, the exit code, nothing lost.

Every bad model is made from one tiny BERT; `{folder}` in a sentence stands for where it is.
"""

import pytest
import torch
from support.each import each
from support.spoilt_models import (
    INDEX,
    KEY,
    WEIGHTS,
    config,
    cut,
    edited,
    holding,
    one_value,
    removed,
    shards,
    tensors,
    vocabulary,
)
from support.terminal import assert_refused

from inspector.errors import sentence

pytestmark = pytest.mark.usefixtures("one_thread")

BAD_MODEL = 3


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
        (
            "model folder ({folder}) lacks x.safetensors, 1 of the 1 shards that "
            "model.safetensors.index.json names: fetch them too."
        ),
    ),
    "no shards": (
        shards({}),
        (
            f"{{folder}}/{INDEX} has no weight_map that says which shard holds which tensor: fetch "
            "it again, or save the model with save_pretrained."
        ),
    ),
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
