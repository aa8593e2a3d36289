"""What two processes say to each other: plain data and tensors, nothing that runs when read.

Must not know: what the messages mean.
"""

import json
import struct
from typing import Any, BinaryIO

from safetensors.torch import load, save
from torch import Tensor

_LENGTHS = struct.Struct("!QQ")


def write_message(
    stream: BinaryIO, words: dict[str, Any], tensors: dict[str, Tensor] | None = None
) -> None:
    """Write plain data and tensors as one message."""
    text = json.dumps(words).encode()
    data = save({name: tensor.contiguous() for name, tensor in tensors.items()}) if tensors else b""
    stream.write(_LENGTHS.pack(len(text), len(data)) + text + data)
    stream.flush()


def read_message(stream: BinaryIO) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the plain data and the tensors of the next message.

    Raises:
        EOFError: If the other side is gone.
    """
    text_length, data_length = _LENGTHS.unpack(_exactly(stream, _LENGTHS.size))
    words: dict[str, Any] = json.loads(_exactly(stream, text_length))
    data = _exactly(stream, data_length)
    return words, load(data) if data else {}


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("the other process is gone")
    return data
