"""Loading a pretrained model so that what was loaded is what was meant.

The only way into transformers' `from_pretrained`: fixed arguments, no code of the checkpoint's
own, every tensor accounted for, the tokenizer proved usable, the weights proved to be where the
table says. Must not know: what is done with the model.
"""

import os
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any

import torch
from torch import nn

from inspector.arguments import checked
from inspector.errors import InputError, ModelError
from inspector.models.architectures import Architecture
from inspector.models.forward.padding_check import (
    check_padding_id,
    check_routing,
    keep_padding_out,
    prove_independence,
)
from inspector.models.loading.model_files import check_tokenizer_files, file_hashes, read_config
from inspector.models.loading.model_names import DEFAULT_MODEL, called, model_folder
from inspector.models.loading.network import check_tensors, check_weight_files, read_network
from inspector.models.log_level import quiet
from inspector.models.pretrained import DTYPES, PretrainedModel
from inspector.models.tokenizing.guarded import one_line
from inspector.models.tokenizing.load_tokenizer import load_tokenizer, most_tokens
from inspector.models.weight_checks.network_check import prove_sites, unproved_sites

ModelOrName = PretrainedModel | str | os.PathLike[str]
"""A loaded model, or what `inspector.load` takes: an alias, a folder, a hub id."""
_ACTIVATIONS = ("hidden_act", "activation", "activation_function", "hidden_activation")


@checked
def load(
    name: str | os.PathLike[str] = DEFAULT_MODEL,
    *,
    revision: str | None = None,
    dtype: str = "float32",
    device: str = "cpu",
) -> PretrainedModel:
    """Return a pretrained model, checked and proved, in evaluation mode.

    Args:
        name: `minilm` (ships with inspector's dependencies), a folder, or a hub id.
        revision: Branch, tag or commit of a hub id.
        dtype: 'float32', 'float64' or 'bfloat16'. The file's weights are read as float32.
        device: A torch device, such as 'cpu' or 'cuda:0'.

    Raises:
        InputError: If there is no such dtype or device.
        ModelError: If the model cannot be reached, read, or trusted.
        UnsupportedModelError: If its architecture is not known.

    Example:
        >>> model = load("minilm")
        >>> model.n_layers, model.n_heads, model.d_model, model.d_head
        (6, 12, 384, 32)
    """
    from transformers import AutoModel

    check_dtype(dtype)
    target = check_device(device)
    text = called(name)
    folder = model_folder(text, revision)
    architecture, settings = read_config(folder)
    weight_files = check_weight_files(folder)
    check_tokenizer_files(folder)
    with quiet():
        config = _config_of(architecture, settings, folder)
        tokenizer = load_tokenizer(folder, config, architecture)
        network, info = read_network(AutoModel, folder, config)
    check_tensors(folder, _needed(architecture, info), network)
    network = reader_of(architecture, network).eval()
    n_heads = config.num_attention_heads
    model = PretrainedModel(
        name=text,
        folder=folder,
        model=network,
        tokenizer=tokenizer,
        architecture=architecture,
        sites=unproved_sites(network),
        n_layers=_n_layers(architecture, config),
        n_heads=n_heads,
        n_kv_heads=n_heads,
        d_model=config.hidden_size,
        d_head=config.hidden_size // n_heads,
        max_tokens=most_tokens(architecture, config, tokenizer),
        dtype=dtype,
        file_hashes=file_hashes(folder, weight_files),
        unused_tensors=tuple(sorted(info["unexpected_keys"])),
    )
    proved = prove_sites(model)
    prove_independence(proved)
    network.to(device=target, dtype=DTYPES[dtype])
    return proved


def loaded(
    model: ModelOrName,
    dtype: str | None = None,
    device: str | None = None,
    revision: str | None = None,
) -> PretrainedModel:
    """Return a model, loaded where it is given by name: in float32 and on the CPU, if not told.

    Raises:
        InputError: If it was loaded in another dtype, on another device, or a revision is named.
        ModelError: If it cannot be loaded.
    """
    if not isinstance(model, PretrainedModel):
        return load(model, dtype=dtype or "float32", device=device or "cpu", revision=revision)
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
    if dtype not in (None, model.dtype):
        raise InputError(
            f"dtype ({dtype}) must be that of the model ({model.dtype}): load it in {dtype}, or "
            "give its name."
        )
    return model


def check_dtype(dtype: str) -> None:
    """Refuse a dtype that inspector does not compute in; InputError if it is one."""
    if dtype not in DTYPES:
        raise InputError(
            f"dtype ({dtype}) must be one that inspector computes in. "
            f"Available: {', '.join(DTYPES)}."
        )


def check_device(device: str) -> torch.device:
    """Return the device of a name; InputError if it is not there."""
    try:
        target = torch.device(device)
        torch.zeros(1, device=target).item()  # a device such as "meta" holds no numbers
    except (RuntimeError, AssertionError):
        raise InputError(
            f"device ({device}) is not there on this machine: choose one that is, such as cpu."
        ) from None
    return target


def build_config(model_type: str, settings: dict[str, Any], folder: Path) -> Any:
    """Return the configuration of a model type; ModelError if it cannot take a setting."""
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    try:
        config = AutoConfig.for_model(model_type, **settings)
    except (
        StrictDataclassError, AttributeError, KeyError, NotImplementedError, TypeError, ValueError,
    ) as error:  # fmt: skip
        raise ModelError(
            f"{folder / 'config.json'} has a setting that {model_type} cannot take: "
            f"{one_line(error)}"
        ) from None
    check_padding_id(config, folder)
    return config


def _config_of(architecture: Architecture, settings: dict[str, Any], folder: Path) -> Any:
    from transformers.activations import ACT2FN

    config = build_config(architecture.model_type, settings, folder)
    for name in _ACTIVATIONS:
        activation = getattr(config, name, None)
        if activation is not None and activation not in ACT2FN:
            raise ModelError(
                f"activation ({activation}) in {folder / 'config.json'} must be one that "
                "transformers has, such as gelu."
            )
    check_routing(config, folder)
    if architecture.kind == "decoder":
        config.use_cache = False  # nothing is generated
    return config


def _needed(architecture: Architecture, info: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of the loading, without what lacks in a part that is not taken."""
    if architecture.kind != "encoder of two":
        return info
    missing = [name for name in info["missing_keys"] if not name.startswith("decoder.")]
    return {**info, "missing_keys": missing}


def reader_of(architecture: Architecture, network: nn.Module) -> nn.Module:
    """Return the part of a network that reads texts, ready for any precision."""
    whole: Any = network
    # The other ways of running experts have no float64.
    whole.set_experts_implementation("eager")
    reader: nn.Module = whole.get_encoder() if architecture.kind == "encoder of two" else whole
    keep_padding_out(reader)
    return reader


def _n_layers(architecture: Architecture, config: Any) -> int:
    if architecture.kind == "encoder of two":
        return int(getattr(config, "encoder_layers", None) or config.num_layers)
    return int(config.num_hidden_layers) * int(getattr(config, "inner_group_num", 1))


def random_init_model(model: PretrainedModel, seed: int) -> PretrainedModel:
    """Return the same architecture with random weights, drawn as transformers initialises it.

    What such a model scores is what the architecture and the tokenizer give away by themselves.

    Args:
        model: Whose architecture, tokenizer, device and dtype it has.
        seed: Of the weights; the generator's state is restored.
    """
    from transformers import AutoModel

    trained: Any = model.model
    config = deepcopy(trained.config)
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(seed)
        network = AutoModel.from_config(config, attn_implementation="eager", dtype=torch.float32)
    reader = reader_of(model.architecture, network).eval()
    reader.to(device=model.device, dtype=model.torch_dtype)
    return replace(model, name=f"{model.name}, random {seed}", model=reader, lock=RLock())
