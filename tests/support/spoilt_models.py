"""How a model's folder is spoilt: each returns a function of the folder."""

import json

from safetensors.torch import load_file, save_file

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
KEY = "encoder.layer.1.attention.self.key.weight"


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
