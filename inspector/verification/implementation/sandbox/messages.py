"""What two processes say to each other: plain data and tensors, nothing that runs when read.

Must not know: what the messages mean.
"""

import json
import struct
from typing import Any, BinaryIO

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

LENGTHS = struct.Struct("!QQ")
"""How every message begins: the number of bytes of its plain data, and of its tensors."""


def packed(words: dict[str, Any], tensors: dict[str, Tensor] | None = None) -> bytes:
    """Return plain data and tensors as one message."""
    text = json.dumps(words).encode()
    data = save({name: tensor.contiguous() for name, tensor in tensors.items()}) if tensors else b""
    return LENGTHS.pack(len(text), len(data)) + text + data


def unpacked(text: bytes, data: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the plain data and the tensors of a message, whatever its bytes are.

    Raises:
        ValueError: If they are no message.
    """
    try:
        words = json.loads(text)
        tensors = load(data) if data else {}
    except (ValueError, RecursionError, SafetensorError, KeyError) as error:
        raise ValueError("neither plain data nor tensors") from error
    if not isinstance(words, dict):
        raise ValueError("no plain data")
    return words, tensors


def write_message(
    stream: BinaryIO, words: dict[str, Any], tensors: dict[str, Tensor] | None = None
) -> None:
    """Write plain data and tensors as one message."""
    stream.write(packed(words, tensors))
    stream.flush()


def read_message(stream: BinaryIO) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the plain data and the tensors of the next message of one who is trusted.

    Raises:
        EOFError: If the other side is gone.
    """
    text_length, data_length = LENGTHS.unpack(_exactly(stream, LENGTHS.size))
    return unpacked(_exactly(stream, text_length), _exactly(stream, data_length))


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("the other process is gone")
    return data
