"""Names and outputs that `inspector weights` cannot use, and code that a model must not run."""

import os
import pickle
from pathlib import Path

import pytest
from support.each import each
from support.spoilt_models import WEIGHTS, config, edited, holding, removed
from support.terminal import assert_refused

pytestmark = pytest.mark.usefixtures("one_thread")

BAD_INPUT, BAD_MODEL, BAD_FILE = 2, 3, 4
AUTO_MAP = (
    "has auto_map: the model asks for code of its own to be run, which inspector never does. "
    "Use a checkpoint of a model type that transformers itself implements."
)


# Code that must not run


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@each("name", ["pytorch_model.bin", "model.pt", "weights.pth"])
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


@each("name", ["config.json", "tokenizer_config.json"])
def test_code_of_the_checkpoints_own_is_not_run(command, folder, name):
    sign = folder.parent / "ran"
    code = f"from pathlib import Path\nPath({str(sign)!r}).touch()\nclass Evil: pass\n"
    holding("evil.py", code)(folder)
    auto_map = {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil", "AutoTokenizer": ["evil.Evil"]}
    edited(name, auto_map=auto_map)(folder)
    assert_refused(command("verify", folder), BAD_MODEL, f"{folder}/{name} {AUTO_MAP}")
    assert not sign.exists()


@each("key", ["_attn_implementation", "attn_implementation"])
@each("choice", ["evil/kernel", "sdpa"])
def test_an_attention_implementation_is_not_chosen_by_the_file(command, folder, key, choice):
    before = command("weights", folder, "--json")
    config(**{key: choice})(folder)
    after = command("weights", folder, "--json")
    assert (after.code, after.out) == (0, before.out)


@each(
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


@each("name", ["no-such/model", "nosuch-model"])
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


@each(
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


# Outputs


@each(
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
