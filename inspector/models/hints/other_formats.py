"""Weights in a form that is not read: whose it is, and what to give instead.

Must not know: torch, transformers; what is in weights.
"""

import re
from pathlib import Path

from inspector.models.hints.folder_listing import CONFIG, is_file, json_of, names_in

SAVE = "save it with save_pretrained and give that folder"
_AS_IN_4 = "load it with transformers 4 ({option}=True), {save}"
# A pattern of names → what such a file is, and what to do; the first that fits is said.
_FORMATS: tuple[tuple[str, str, str], ...] = (
    (r".*\.gguf", "a GGUF file of llama.cpp, whose weights are rounded",
     "give the checkpoint that it was made from"),
    (r"(tf_model|.*weights|model)\.h5|.*\.keras|saved_model\.pb|.*\.ckpt\.(index|meta|data-.*)",
     "TensorFlow's", _AS_IN_4.format(option="from_tf", save=SAVE)),
    (r".*\.msgpack", "Flax's", _AS_IN_4.format(option="from_flax", save=SAVE)),
    (r".*\.onnx(_data)?", "an ONNX graph, in which no head stands by itself",
     "give the checkpoint that it was exported from"),
    (r"openvino_model\.(xml|bin)", "an OpenVINO graph, in which no head stands by itself",
     "give the checkpoint that it was exported from"),
    (r".*\.(mlmodel|mlpackage|mlmodelc)", "a Core ML graph, in which no head stands by itself",
     "give the checkpoint that it was exported from"),
    (r".*\.tflite", "a TensorFlow Lite graph", "give the checkpoint that it was exported from"),
    (r"rust_model\.ot", "rust-bert's copy of the weights",
     "give the folder with model.safetensors of the same model"),
    (r".*\.npz", "an archive of numpy arrays (MLX or JAX)",
     "give the checkpoint that it was made from"),
    (r".*\.nemo", "an archive of NeMo", "convert it to Hugging Face's form first"),
    (r"consolidated.*\.(pth|safetensors)", "the original form of Llama and Mistral",
     "give the folder in Hugging Face's form, with config.json and model.safetensors"),
    (r".*\.(zip|tar|tgz|tar\.gz|tar\.bz2|tar\.xz|7z|rar)", "an archive",
     "unpack it and give the folder inside"),
)  # fmt: skip
_SHARD = re.compile(r"-\d+-of-\d+(\.[\w-]+)?\.safetensors$")
# What training leaves beside the weights: no weights of a model.
_OF_TRAINING = re.compile(
    r"(optimizer|scheduler|scaler|training_args|rng_state.*|random_states.*)\.(pt|pth|bin|pkl)"
)


def adapter(folder: Path) -> str | None:
    """Return what is said of a folder that holds a PEFT adapter, alone or beside a model."""
    path = folder / "adapter_config.json"
    weights = [n for n in ("adapter_model.safetensors", "adapter_model.bin") if is_file(folder / n)]
    if not is_file(path) and not weights:
        return None
    found = json_of(path)
    base = found.get("base_model_name_or_path") if isinstance(found, dict) else None
    of = f" of {base}" if isinstance(base, str) and base else ""
    beside = "beside a model" if is_file(folder / CONFIG) else "not a model"
    which = path.name if is_file(path) else weights[0]
    return (
        f"model folder ({folder}) holds a PEFT adapter ({which}){of}, {beside}: merge it "
        "(merge_and_unload, save_pretrained) and give that folder."
    )


def pickles(folder: Path) -> list[str]:
    """Return the names of pickled weights, those that training alone needs left out."""
    found = [n for n in names_in(folder) if re.fullmatch(r".*\.(bin|pt\w*|ckpt|pkl)", n)]
    bins = [name for name in found if name.endswith(".bin")]
    others = [name for name in found if name not in bins]
    return [name for name in bins + others if not _OF_TRAINING.fullmatch(name)]


def other_format(folder: Path, names: list[str]) -> str | None:
    """Return what is said of weights that another library or program wrote."""
    looked_at = [(folder / name, name) for name in names]
    looked_at += [(folder / "onnx" / n, n) for n in names_in(folder / "onnx")]
    for pattern, what, then in _FORMATS:
        for path, name in looked_at:
            if re.fullmatch(pattern, name, re.IGNORECASE):
                shown = path.relative_to(folder)
                return f"model folder ({folder}) has {shown}, which is {what}: {then}."
    return None


def ctranslate(folder: Path, names: list[str]) -> str | None:
    """Return what is said of a folder that CTranslate2 wrote."""
    if "model.bin" not in names or not any(re.match(r"(\w+_)?vocabulary\.", n) for n in names):
        return None
    return (
        f"model folder ({folder}) is CTranslate2's (model.bin): give the checkpoint that it was "
        "converted from."
    )


def variant(folder: Path, names: list[str]) -> str | None:
    """Return what is said of weights of a variant, such as model.fp16.safetensors."""
    indexes = [name for name in names if ".index." in name]  # it says where the shards are
    for name in indexes + names:
        if _SHARD.search(name):
            continue
        if (found := re.fullmatch(r"model\.safetensors\.index\.([\w-]+)\.json", name)) or (
            found := re.fullmatch(r"model\.([\w-]+)\.safetensors\.index\.json", name)
        ):
            wanted = "model.safetensors.index.json"
        elif found := re.fullmatch(r"model\.([\w-]+)\.safetensors", name):
            wanted = "model.safetensors"
        else:
            continue
        return (
            f"model folder ({folder}) has no {wanted}, but there is {name}, the variant "
            f"{found[1]}: rename it to {wanted}."
        )
    return None


def lone_shards(folder: Path, names: list[str]) -> str | None:
    """Return what is said of safetensors that are not called as a model's are."""
    tensors = [name for name in names if name.endswith(".safetensors")]
    if not tensors:
        return None
    if all(_SHARD.search(name) for name in tensors):
        return (
            f"model folder ({folder}) has {len(tensors)} shard(s) of the weights but no "
            "model.safetensors.index.json, which says what is in them: fetch it too, or "
            f"{SAVE}."
        )
    if tensors[0].startswith("consolidated"):
        return None
    return (
        f"model folder ({folder}) has no model.safetensors, but there is {tensors[0]}: if it holds "
        "this model's weights, rename it to model.safetensors."
    )
