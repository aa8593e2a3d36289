"""A network given back as it was, whatever its modules keep of the inputs that it is run on."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def unchanged(network: nn.Module) -> Iterator[None]:
    """Restore every module's attributes and buffers when the `with` block is left.

    Statistics of batches, tables of angles that grow with the text, masks that are kept.

    Example:
        >>> norm = nn.BatchNorm1d(1).train()
        >>> with unchanged(norm):
        ...     _ = norm(torch.ones(4, 1))
        >>> norm.running_mean, norm.num_batches_tracked
        (tensor([0.]), tensor(0))
    """
    before = [(module, dict(vars(module)), dict(module._buffers)) for module in network.modules()]
    numbers = [
        (buffer, buffer.clone())
        for _, _, buffers in before
        for buffer in buffers.values()
        if buffer is not None
    ]
    try:
        yield
    finally:
        for module, attributes, buffers in before:
            vars(module).clear()
            vars(module).update(attributes)
            module._buffers.clear()
            module._buffers.update(buffers)
        with torch.no_grad():
            for buffer, kept in numbers:
                if not torch.equal(buffer, kept):
                    buffer.copy_(kept)
