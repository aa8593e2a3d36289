"""What one shard gave, and the bytes that hold it: a safetensors file sealed by a checksum.

The same result gives the same bytes. The checksum covers every byte of the file, header
included, and is compared before anything else looks at them.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_DTYPES = ("bool", *_INTEGERS, "float16", "float32", "float64")
_SEAL = re.compile(rb'"sha256":"([0-9a-f]{64})"')
_UNSEALED = b"0" * 64
_LENGTH = 8  # bytes of the header's length, before the header


class ShardError(ValueError):
    """Bytes that are not the whole shard that was asked for; the shard is computed again."""


@dataclass(frozen=True)
class ShardResult:
    """What one shard gave: arrays of numbers or bools by name, and lists of texts by name."""

    arrays: dict[str, NDArray[Any]]
    labels: dict[str, list[str]] = field(default_factory=dict)


def encode_shard(result: ShardResult, *, run_id: str, shard_id: int) -> bytes:
    """Return a safetensors file of the result, whose metadata name the run and the shard.

    Args:
        result: Arrays of bools, integers or floats up to 64 bits, of any shape; and texts.
        run_id: The run that the shard belongs to.
        shard_id: Which of the run's shards it is, from 0.

    Raises:
        TypeError: If an array is of another dtype.
        ValueError: If an array has the one name that safetensors keeps for itself.

    Example:
        >>> data = encode_shard(ShardResult({"n": np.array([3])}), run_id="a", shard_id=0)
        >>> decode_shard(data, run_id="a", shard_id=0).arrays
        {'n': array([3])}
    """
    for name, array in result.arrays.items():
        if name == "__metadata__":
            raise ValueError("array (__metadata__) has a name that safetensors keeps for itself.")
        if array.dtype.name not in _DTYPES:
            raise TypeError(
                f"array {name} ({array.dtype}) is of a dtype that no shard holds: "
                f"convert it, or put texts into labels. Available: {', '.join(_DTYPES)}."
            )
    metadata = {
        "labels": json.dumps(result.labels, sort_keys=True),
        "run_id": run_id,
        "sha256": _UNSEALED.decode(),
        "shard_id": str(shard_id),
    }
    # np.ascontiguousarray would give a scalar an axis.
    arrays = {name: np.require(array, requirements="C") for name, array in result.arrays.items()}
    unsealed = _with_ordered_metadata(save(arrays, metadata))
    start, end = _seal(unsealed)
    return unsealed[:start] + _checksum(unsealed).encode() + unsealed[end:]


def decode_shard(data: bytes, *, run_id: str, shard_id: int) -> ShardResult:
    """Return the result that `encode_shard` wrote.

    Args:
        data: The file's bytes.
        run_id: The run that the shard must belong to.
        shard_id: Which of the run's shards it must be.

    Raises:
        ShardError: If a byte differs, is missing or was added, or the shard is another one.
    """
    if _checksum(data) != seal_of(data):
        raise ShardError("its checksum does not fit: it was cut short or changed")
    try:
        metadata = json.loads(_header(data))["__metadata__"]
        labels = json.loads(metadata["labels"])
        found = (metadata["run_id"], metadata["shard_id"])
        arrays = load(data)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        # Bytes that carry a checksum of their own but were never written here.
        raise ShardError("it is not a shard of inspector") from error
    if found[0] != run_id:
        raise ShardError(f"it belongs to another run ({found[0]})")
    if found[1] != str(shard_id):
        raise ShardError(f"it is shard {found[1]}")
    return ShardResult({name: arrays[name] for name in sorted(arrays)}, labels)


def seal_of(data: bytes) -> str:
    """Return the checksum that a shard's bytes carry.

    Raises:
        ShardError: If they carry none.
    """
    start, end = _seal(data)
    return data[start:end].decode()


def _header(data: bytes) -> bytes:
    return data[_LENGTH : _LENGTH + int.from_bytes(data[:_LENGTH], "little")]


def _seal(data: bytes) -> tuple[int, int]:
    """Return where the checksum's digits stand. A quote inside a label is escaped: one place."""
    found = _SEAL.search(_header(data))
    if found is None:
        raise ShardError("it has no checksum: it was cut short or changed")
    return _LENGTH + found.start(1), _LENGTH + found.end(1)


def _checksum(data: bytes) -> str:
    """Return the SHA-256 of all bytes, the checksum's own digits taken as zeros."""
    start, end = _seal(data)
    view = memoryview(data)
    digest = hashlib.sha256(view[:start])
    digest.update(_UNSEALED)
    digest.update(view[end:])
    return digest.hexdigest()


def _with_ordered_metadata(data: bytes) -> bytes:
    """Return the file with its metadata sorted: safetensors shuffles them from run to run."""
    fields = json.loads(_header(data))
    fields["__metadata__"] = dict(sorted(fields["__metadata__"].items()))
    header = json.dumps(fields, separators=(",", ":")).encode()
    header += b" " * (-len(header) % _LENGTH)  # as safetensors does: the arrays stay aligned
    payload = data[_LENGTH + len(_header(data)) :]
    return len(header).to_bytes(_LENGTH, "little") + header + payload
