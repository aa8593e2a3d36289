"""A bound on what is built: stopped while it is built, before memory is taken for it.

A configuration may ask for anything; what is stored says how much there can be.
Must not know: models, files.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.nn.modules import module as hooks

MOST_MODULES = 200_000
_SPARE = 2**28  # numbers that a network may have besides: tables that are computed, not stored
_COPIES = 4  # of a tensor that is stored once and tied to several places


class TooLarge(ValueError):
    """A network that would be larger than it can be."""


@contextmanager
def bounded(stored: int) -> Iterator[None]:
    """Stop, inside a `with` block, what builds more than the stored numbers can fill.

    Args:
        stored: Numbers in the files of the model.

    Raises:
        TooLarge: As soon as too much is built.
    """
    most = _COPIES * stored + _SPARE
    thread, counts = threading.get_ident(), {"modules": 0, "numbers": 0}

    def count(kind: str, more: int, limit: int) -> None:
        if threading.get_ident() != thread:
            return
        counts[kind] += more
        if counts[kind] > limit:
            raise TooLarge(
                f"it asks for more than {limit:,} {kind}, but {stored:,} numbers are stored: check "
                "the sizes in config.json"
            )

    def of_tensor(_: nn.Module, name: str, tensor: Any) -> None:
        # What is built has no memory yet; what is loaded into it is counted by its file.
        count("numbers", tensor.numel() if tensor is not None and tensor.is_meta else 0, most)

    def of_module(_: nn.Module, name: str, child: Any) -> None:
        count("modules", 1, MOST_MODULES)

    handles = (
        hooks.register_module_parameter_registration_hook(of_tensor),
        hooks.register_module_buffer_registration_hook(of_tensor),
        hooks.register_module_module_registration_hook(of_module),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
