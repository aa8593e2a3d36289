"""A model that is given to a public function: loaded already, or by name.

Must not know: what is done with it.
"""

from os import PathLike

import torch
from torch import nn

from inspector.errors import InputError
from inspector.models.loading.load_model import check_device, check_dtype, load
from inspector.models.loading.memory_model import has_changed
from inspector.models.pretrained import PretrainedModel

ModelOrName = PretrainedModel | nn.Module | str | PathLike[str]
"""A loaded model, or what `inspector.load` takes: an alias, a folder, a hub id, a network."""


def loaded(
    model: ModelOrName,
    dtype: str | torch.dtype | None = None,
    device: str | torch.device | None = None,
    revision: str | None = None,
) -> PretrainedModel:
    """Return a model, loaded where it is not yet: a name's in float32 and on the CPU, if not told.

    What was loaded from a network in memory is read again where the network has changed.

    Raises:
        InputError: If it was loaded in another dtype, on another device, or a revision is named.
        ModelError: If it cannot be loaded.
    """
    if not isinstance(model, PretrainedModel):
        return load(model, dtype=dtype, device=device, revision=revision)
    target = model.device if device is None else check_device(device)
    if (target.type, target.index or 0) != (model.device.type, model.device.index or 0):
        raise InputError(
            f"device ({device}) must be that of the model ({model.device}): load it there, or give "
            "its name."
        )
    if revision is not None:
        raise InputError(
            f"revision ({revision}) must be left out beside a loaded model: load it with its "
            "revision, or give its name."
        )
    if dtype is not None and check_dtype(dtype) != model.dtype:
        raise InputError(
            f"dtype ({dtype}) must be that of the model ({model.dtype}): load it in {dtype}, or "
            "give its name."
        )
    if model.source is None or not has_changed(model.source, model.file_hashes):
        return model
    return load(model.source, model.tokenizer, model.name, dtype=model.dtype, device=model.device)
