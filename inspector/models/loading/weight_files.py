"""The safetensors files of a model: found whole, and what they hold, without reading a number.

Must not know: torch.
"""

import math
import os
from pathlib import Path

from inspector.errors import ModelError, no_memory
from inspector.models.hints.other_folder import pickles, why_no_weights
from inspector.models.hints.other_tensors import why_codes
from inspector.models.loading.model_files import is_pointer, read_json

_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_MOST_SHARDS = 4_096


def check_weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a model, each opened and found whole, with weights in them.

    Raises:
        ModelError: If there are none, or one is missing, outside the folder, cut short or not
            safetensors at all, or if what is stored are codes of a quantised model.
    """
    files = _weight_files(folder)
    reason = why_codes(stored_dtypes(files))
    if reason is not None:
        raise ModelError(f"model folder ({folder}) {reason}")
    return files


def _check_are_there(folder: Path, shards: list[str]) -> None:
    missing = [name for name in shards if not os.path.lexists(folder / name)]
    if missing:
        raise ModelError(
            f"model folder ({folder}) lacks {missing[0]}, {len(missing)} of the {len(shards)} "
            f"shards that {_INDEX} names: fetch them too."
        )


def _weight_files(folder: Path) -> list[Path]:
    if (folder / _WEIGHTS).exists():
        return [folder / _WEIGHTS]
    index = folder / _INDEX
    if index.exists():
        content = read_json(index, _INDEX)
        weight_map = content.get("weight_map")
        names = list(weight_map.values()) if isinstance(weight_map, dict) else []
        if not names:
            raise ModelError(
                f"{index} has no weight_map that says which shard holds which tensor: fetch it "
                "again, or save the model with save_pretrained."
            )
        for name in names:
            if not _is_shard(name):
                raise ModelError(
                    f"weight_map of {index} names {name!r}: every shard must be a .safetensors "
                    "file of the model's own folder."
                )
        shards = sorted(set(names))
        if len(shards) > _MOST_SHARDS:
            raise ModelError(
                f"weight_map of {index} names {len(shards)} shards: a model has at most "
                f"{_MOST_SHARDS}."
            )
        _check_are_there(folder, shards)
        if not isinstance(content.get("metadata"), dict):
            raise ModelError(
                f"{index} has no metadata, without which transformers does not read it: write "
                '"metadata": {} beside its weight_map.'
            )
        return [folder / name for name in shards]
    for path in (folder / _WEIGHTS, index):
        if path.is_symlink():
            raise ModelError(
                f"weights ({path}) are a link to a file that is not there: download the file again."
            )
    reason = why_no_weights(folder)
    if reason is not None:
        raise ModelError(reason)
    pickled = pickles(folder)
    if pickled:
        raise ModelError(
            f"model folder ({folder}) has pickled weights only ({', '.join(pickled)}), which can "
            "run code when they are read: convert them to safetensors "
            "(save_pretrained does) and give that folder."
        )
    raise ModelError(
        f"model folder ({folder}) has no weights: {_WEIGHTS} or {_INDEX} must be there."
    )


def _is_shard(name: object) -> bool:
    return (
        isinstance(name, str)
        and Path(name).name == name
        and not set(name) & {"\\", "\0"}
        and name.endswith(".safetensors")
    )


def stored_dtypes(files: list[Path]) -> dict[str, str]:
    """Return tensor → dtype, as safetensors call it, of files that are found whole.

    Raises:
        ModelError: If one is not.
    """
    return {name: dtype for file in files for name, dtype, _ in _stored(file)}


def stored_numbers(files: list[Path]) -> int:
    """Return how many numbers files hold."""
    return sum(size for file in files for *_, size in _stored(file))


def _stored(file: Path) -> list[tuple[str, str, int]]:
    """Return each tensor's name, dtype and size."""
    from safetensors import SafetensorError, safe_open

    if is_pointer(file):
        raise ModelError(
            f"weights ({file}) are a Git LFS pointer, not the weights: "
            "run `git lfs pull` in the model's folder."
        )
    try:
        with safe_open(file, framework="numpy") as tensors:
            slices = ((name, tensors.get_slice(name)) for name in tensors.keys())  # noqa: SIM118
            return [(name, one.get_dtype(), math.prod(one.get_shape())) for name, one in slices]
    except (SafetensorError, OSError) as error:
        if no_memory(error):
            raise ModelError(
                f"weights ({file}) need more memory than is left: end other programs, or give a "
                "smaller model."
            ) from None
        raise ModelError(
            f"weights ({file}) are not whole safetensors ({error}): download the file again."
        ) from None
