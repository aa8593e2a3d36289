"""A model's files, read and checked before any library is let near them.

config.json is bounded, cleaned of everything that names code to run, and checked against the
table of architectures.
"""

import errno
import hashlib
import json
from itertools import islice
from pathlib import Path
from typing import Any

from inspector.errors import ModelError
from inspector.input import irregular, open_regular, read_regular
from inspector.models.architectures import Architecture, architecture_for
from inspector.models.hints.other_folder import adapter, why_no_config, why_no_model_type
from inspector.models.loading.size_limits import check_limits, check_numbers
from inspector.models.tokenizing.load_tokenizer import check_tokenizer, check_tokenizer_settings

_MOST_OF_A_FILE = 200_000_000  # bytes of what is read whole; a large vocabulary's are 40 million
_MOST_BYTES = {"config.json": 1_000_000}
_READ_WHOLE = (".json", ".txt", ".model", ".jinja")  # by transformers, whatever they are called
_POINTER = b"version https://git-lfs"
_NAMES_OF_CODE = ("implementation", "trust_remote_code")
# How a network is run and what it hands back: ours to decide, and without effect on its numbers.
_NAMES_OF_RUNNING = {
    "torchscript", "output_attentions", "output_hidden_states", "return_dict", "use_return_dict",
    "dtype", "torch_dtype", "chunk_size_feed_forward", "fusion_config",
}  # fmt: skip
_TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "sentencepiece.bpe.model", "spiece.model")
_HASHED = ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt")


def read_config(folder: Path) -> tuple[Architecture, dict[str, Any]]:
    """Return the architecture, and the settings of config.json that are safe to build a model from.

    Raises:
        ModelError: If the file is missing, unreadable, out of bounds, or asks for code to be run.
        UnsupportedModelError: If the table of architectures lacks the model type.
    """
    model_type, settings = read_settings(folder)
    path = folder / "config.json"
    architecture = supported(model_type, settings, str(path))
    check_limits(settings, path)
    return architecture, settings


def supported(model_type: str, settings: dict[str, Any], where: str) -> Architecture:
    """Return the architecture of a configuration that transformers computes as it is meant.

    Raises:
        ModelError: If a setting is one that transformers passes over, or draws by chance.
        UnsupportedModelError: If the table of architectures lacks the model type.
    """
    positions = settings.get("position_embedding_type") or "absolute"
    if positions != "absolute" and (model_type, positions) != ("esm", "rotary"):
        raise ModelError(
            f"{where} has position_embedding_type {positions!r}, which transformers no longer "
            "computes: it would run as another model. Only 'absolute' can be inspected."
        )
    if model_type == "big_bird" and settings.get("attention_type") != "original_full":
        raise ModelError(
            f"{where} has attention_type block_sparse, by which tokens attend to blocks that "
            "chance draws: set it to original_full, which transformers itself takes for shorter "
            "texts."
        )
    return architecture_for(model_type)


def read_settings(folder: Path) -> tuple[str, dict[str, Any]]:
    """Return the model type, and the settings of config.json without all that names code to run.

    Raises:
        ModelError: If the file is missing, unreadable, too large, of a quantised or pruned model,
            or asks for code to be run.
    """
    path = folder / "config.json"
    settings = read_json(path, "config.json")
    check_folder(folder)
    model_type = settings.pop("model_type", None)
    if not isinstance(model_type, str):
        what = why_no_model_type(folder, settings)
        raise ModelError(
            f"{path} has no model_type: inspector must know which architecture it describes."
            + (f" {what}" if what else "")
        )
    try:
        parts = _parts(settings)
    except RecursionError:
        raise ModelError(f"{path} is nested too deep to be read: write it again.") from None
    for part in parts:
        _refuse_code(part, path)
    check_numbers(settings, path)
    quantised = [part["quantization_config"] for part in parts if "quantization_config" in part]
    refused = {
        "transformers_weights, which names other weights than model.safetensors: take it out, and "
        "call the weights model.safetensors.": settings.get("transformers_weights"),
        "quantization_config: its weights are rounded in a way that inspector does not read. Use "
        "the checkpoint that was quantised.": any(quantised),
        "a quantization_config that says nothing: take it out if the weights were never rounded; "
        "else use the checkpoint that was quantised.": any(q is not None for q in quantised),
        "pruned_heads, which transformers no longer applies: save the model with its heads "
        "removed, or without this setting.": settings.get("pruned_heads"),
    }
    for what, is_so in refused.items():
        if is_so:
            raise ModelError(f"{path} has {what}")
    cleaned: dict[str, Any] = _without_code(settings)
    return model_type, cleaned


def _parts(settings: Any) -> list[dict[str, Any]]:
    """Return settings and the settings within them: those of a model's parts."""
    inner = settings.values() if isinstance(settings, dict) else settings
    if not isinstance(settings, (dict, list)):
        return []
    own = [settings] if isinstance(settings, dict) else []
    return own + [part for value in inner for part in _parts(value)]


def _without_code(settings: Any) -> Any:
    if isinstance(settings, list):
        return [_without_code(value) for value in settings]
    if not isinstance(settings, dict):
        return settings
    return {
        name: _without_code(value)
        for name, value in settings.items()
        if name not in _NAMES_OF_RUNNING and not any(word in name for word in _NAMES_OF_CODE)
    }


def _refuse_code(settings: dict[str, Any], path: Path) -> None:
    if "auto_map" in settings:
        raise ModelError(
            f"{path} has auto_map: the model asks for code of its own to be run, which inspector "
            "never does. Use a checkpoint of a model type that transformers itself implements."
        )


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds what would be read without end, or two models in one.

    Raises:
        ModelError: If there is an adapter, a pipe or a device, or a text that is no text's size.
    """
    unmerged = adapter(folder)
    if unmerged:
        raise ModelError(unmerged)
    below = folder / "additional_chat_templates"
    for path in islice((*folder.iterdir(), *(below.iterdir() if below.is_dir() else ())), 100_000):
        try:
            state = path.stat()
        except OSError:
            continue  # a link to nothing: who needs it will say so
        kind = irregular(state.st_mode)
        if kind is not None:
            raise ModelError(
                f"{path} is {kind}, not a regular file, and might be read without end: take it "
                "out of the model's folder."
            )
        if path.suffix in _READ_WHOLE and path.is_file() and state.st_size > _MOST_OF_A_FILE:
            raise ModelError(
                f"{path} is larger than {_MOST_OF_A_FILE} bytes: that is no file of a model that "
                "is read whole."
            )


def has_tokenizer(folder: Path) -> bool:
    """Return whether there is any of the files that a tokenizer is read from."""
    pair = (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()
    return pair or any((folder / name).is_file() for name in _TOKENIZER_FILES)


def check_tokenizer_files(folder: Path) -> None:
    """Refuse a folder without a tokenizer, for which transformers would make up an empty one.

    Raises:
        ModelError: If there is none of the files that a tokenizer is read from, or one is not
            what such a file is, or asks for code to be run.
    """
    if not has_tokenizer(folder):
        raise ModelError(
            f"model folder ({folder}) has no tokenizer: one of {', '.join(_TOKENIZER_FILES)}, "
            "or vocab.json and merges.txt, must be there."
        )
    whole, settings = folder / "tokenizer.json", folder / "tokenizer_config.json"
    if whole.is_file():
        check_tokenizer(read_json(whole, whole.name), whole)
    if settings.is_file():
        content = read_json(settings, settings.name)
        _refuse_code(content, settings)
        check_tokenizer_settings(content, settings)


def file_hashes(folder: Path, weights: list[Path]) -> dict[str, str]:
    """Return file name → SHA-256 (hexadecimal) of the files that make the model what it is."""
    files = [folder / name for name in _HASHED if (folder / name).is_file()] + weights
    hashes = {}
    for file in files:
        with open_regular(file) as stream:
            hashes[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashes


def read_json(path: Path, what: str) -> dict[str, Any]:
    """Return what a JSON file of a model holds.

    Raises:
        ModelError: If it is missing, too large, no regular file, or holds no JSON object.
    """
    most = _MOST_BYTES.get(what, _MOST_OF_A_FILE)
    try:
        content = json.loads(read_regular(path, most=most).decode("utf-8"))
    except FileNotFoundError:
        raise ModelError(
            (why_no_config(path.parent) if what == "config.json" else None)
            or f"model folder ({path.parent}) has no {what}: "
            "give the folder that save_pretrained wrote."
        ) from None
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ModelError(
                f"{path} is larger than {most} bytes: that is no {what} of a model."
            ) from None
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        if is_pointer(path):
            raise ModelError(
                f"{path} is a Git LFS pointer, not the file: run `git lfs pull` in the model's "
                "folder."
            ) from None
        raise ModelError(f"{path} is not JSON ({error}): write it again.") from None
    if not isinstance(content, dict):
        raise ModelError(f"{path} must hold a JSON object, not a {type(content).__name__}.")
    return content


def is_pointer(file: Path) -> bool:
    """Return whether a file stands for one that Git LFS has not fetched.

    Raises:
        ModelError: If it cannot be read.
    """
    try:
        with open_regular(file) as stream:
            return stream.read(64).startswith(_POINTER)
    except OSError as error:
        raise ModelError(f"weights ({file}) cannot be read: {error.strerror}.") from None
