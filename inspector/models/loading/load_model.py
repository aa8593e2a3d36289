"""Loading a pretrained model so that what was loaded is what was meant.

The only way into transformers' `from_pretrained`: fixed arguments, no code of the checkpoint's
own, every tensor accounted for, the tokenizer proved usable, the weights proved to be where the
table says.
"""

import os
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any

import torch
from torch import nn

from inspector.arguments import checked, refused
from inspector.errors import InputError, ModelError
from inspector.models.architectures import Architecture
from inspector.models.forward.padding_check import (
    check_padding_id,
    check_routing,
    keep_padding_out,
    prove_independence,
)
from inspector.models.loading.memory_model import (
    has_changed,
    memory_hashes,
    own_body,
    own_network,
    private_copy,
)
from inspector.models.loading.memory_tokenizer import own_tokenizer, tokenizer_folder
from inspector.models.loading.model_files import (
    check_tokenizer_files,
    file_hashes,
    read_config,
    supported,
)
from inspector.models.loading.model_names import DEFAULT_MODEL, called, model_folder
from inspector.models.loading.network import (
    check_finite,
    check_tensors,
    read_network,
)
from inspector.models.loading.weight_files import check_weight_files
from inspector.models.log_level import quiet
from inspector.models.pretrained import DTYPES, LOADED_IN, PretrainedModel
from inspector.models.tokenizing.guarded import one_line
from inspector.models.tokenizing.load_tokenizer import load_tokenizer, made_usable, most_tokens
from inspector.models.weight_checks.network_check import prove_sites, unproved_sites

ModelOrName = PretrainedModel | nn.Module | str | os.PathLike[str]
"""A loaded model, or what `inspector.load` takes: an alias, a folder, a hub id, a network."""
_ACTIVATIONS = ("hidden_act", "activation", "activation_function", "hidden_activation")


@checked
def load(
    model: Any = None,
    tokenizer: Any = None,
    name: str | None = None,
    *,
    revision: str | None = None,
    dtype: str | torch.dtype | None = None,
    device: str | torch.device | None = None,
) -> PretrainedModel:
    """Return a pretrained model, checked and proved, in evaluation mode.

    Args:
        model: `minilm` (ships with inspector's dependencies; the standard), a folder, a hub id; or
            a transformers model in memory, with a task head or adapters, in training, on any
            device: it is never changed, and what is learned later is seen.
        tokenizer: Of a model in memory; that of the folder it was loaded from if not given.
        name: What a model in memory is to be called; its class if not given.
        revision: Branch, tag or commit of a hub id.
        dtype: 'float32', 'float64', 'bfloat16' or 'float16', or torch's. The file's weights are
            read as float32; a model in memory keeps its own. Weights in float16 are computed in
            float32, which is then the model's dtype.
        device: A torch device, such as 'cpu' or 'cuda:0'; 'auto' for a GPU where there is one. The
            CPU, or that of the model in memory, if not given.

    Raises:
        InputError: If there is no such dtype or device, what is given is no model, or a tokenizer
            is not the model's.
        ModelError: If the model cannot be reached, read, or trusted.
        UnsupportedModelError: If its architecture is not known.

    Example:
        >>> model = load("minilm")
        >>> model.n_layers, model.n_heads, model.d_model, model.d_head
        (6, 12, 384, 32)
    """
    if isinstance(model, PretrainedModel):
        for what, one in (("tokenizer", tokenizer), ("name", name)):
            if one is not None:
                raise refused(what, one, "left out beside a loaded model, which has its own")
        return loaded(model, dtype, device, revision)
    if isinstance(model, str | os.PathLike) or (model is None and tokenizer is None):
        given = _one_name(model, tokenizer, name)
        return _load_folder(given, revision, dtype, "cpu" if device is None else device)
    if revision is not None:
        raise InputError(
            f"revision ({revision}) must be left out beside a model in memory: it says which files "
            "of a hub id are read."
        )
    return _load_memory(own_network(model), tokenizer, name, dtype, device)


def _one_name(model: str | os.PathLike[str] | None, tokenizer: Any, name: str | None) -> str:
    """Return the one name that is given; `name` was once what `model` is called."""
    if tokenizer is not None:
        raise InputError(
            f"tokenizer ({type(tokenizer).__name__}) must be left out beside a model's name: its "
            "folder has it. Give both in memory, or the name alone."
        )
    if model is not None and name is not None:
        raise InputError(
            f"name ({name}) must be left out beside a model's name ({model}): it says what a model "
            "in memory is to be called."
        )
    return called(model if model is not None else name if name is not None else DEFAULT_MODEL)


def _load_folder(
    text: str,
    revision: str | None,
    dtype: str | torch.dtype | None,
    device: str | torch.device,
) -> PretrainedModel:
    from transformers import AutoModel

    chosen, rounded = computed_in("float32" if dtype is None else dtype)
    target = check_device(device)
    folder = model_folder(text, revision)
    architecture, settings = read_config(folder)
    weight_files = check_weight_files(folder)
    check_tokenizer_files(folder)
    with quiet():
        config = _config_of(architecture, settings, folder)
        tokenizer = load_tokenizer(folder, config, architecture)
        network, info = read_network(AutoModel, folder, config)
    check_tensors(folder, _needed(architecture, info), network)
    return _proved(
        PretrainedModel(
            name=text,
            folder=folder,
            model=reader_of(architecture, network).eval(),
            tokenizer=tokenizer,
            dtype=chosen,
            rounded=rounded,
            file_hashes=file_hashes(folder, weight_files),
            unused_tensors=tuple(sorted(info["unexpected_keys"])),
            **_sizes(architecture, config, tokenizer),
        ),
        target,
    )


def _load_memory(
    network: Any,
    tokenizer: Any,
    name: str | None,
    dtype: str | torch.dtype | None,
    device: str | torch.device | None,
) -> PretrainedModel:
    text = name or type(network).__name__
    kept = str(next(network.parameters()).dtype).removeprefix("torch.")
    default = kept if kept in DTYPES else "float32"
    chosen, rounded = computed_in(default if dtype is None else dtype)
    target = check_device(_one_device(network, text) if device is None else device)
    architecture = supported(
        network.config.model_type, network.config.to_dict(), f"configuration of model ({text})"
    )
    with quiet(), torch.random.fork_rng(devices=[]):
        body = private_copy(own_body(network, text))
        config = body.config
        if architecture.kind == "decoder":
            config.use_cache = False
        if tokenizer is None:
            usable = load_tokenizer(tokenizer_folder(network, text), config, architecture)
        else:
            usable = own_tokenizer(tokenizer, body, padded=architecture.kind != "decoder")
            usable = made_usable(usable, config, architecture, {}, text)
    check_finite(f"model ({text})", body)
    hashes = memory_hashes(body, usable)
    reader = reader_of(architecture, body).eval()
    # Proved on the CPU, with more digits than half a float has; what has these already is shared.
    reader.to(device="cpu", dtype=DTYPES[kept] if kept in ("float32", "float64") else torch.float32)
    return _proved(
        PretrainedModel(
            name=text,
            folder=None,
            model=reader,
            tokenizer=usable,
            dtype=chosen,
            rounded=rounded,
            file_hashes=hashes,
            unused_tensors=(),
            source=network,
            **_sizes(architecture, config, usable),
        ),
        target,
    )


def _one_device(network: Any, name: str) -> torch.device:
    """Return where a network in memory stands.

    Raises:
        InputError: If a device_map has spread it over several devices.
    """
    devices = {str(place) for place in getattr(network, "hf_device_map", {}).values()}
    if len(devices) > 1:
        raise InputError(
            f"model ({name}) is spread over several devices ({', '.join(sorted(devices))}), and "
            "inspector computes on one: say which, as device=…, with memory for all of it; the "
            "model itself stays where it is."
        )
    device: torch.device = network.device
    return device


def _sizes(architecture: Architecture, config: Any, tokenizer: Any) -> dict[str, Any]:
    """Return what a configuration says of a model, until it is seen running."""
    n_heads = config.num_attention_heads
    return {
        "architecture": architecture,
        "n_layers": _n_layers(architecture, config),
        "n_heads": n_heads,
        "n_kv_heads": n_heads,
        "d_model": config.hidden_size,
        "d_head": config.hidden_size // n_heads,
        "max_tokens": most_tokens(architecture, config, tokenizer),
        "sites": (),
    }


def _proved(model: PretrainedModel, target: torch.device) -> PretrainedModel:
    """Return a model with each layer proved to be where the table says, on its device."""
    if model.rounded:
        round_weights(model.name, model.model)
    proved = prove_sites(replace(model, sites=unproved_sites(model.model)))
    prove_independence(proved)
    proved.model.to(device=target, dtype=DTYPES[model.dtype])
    return proved


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
    if dtype is not None:
        check_dtype(dtype)
    if not isinstance(model, PretrainedModel):
        return load(model, dtype=dtype, device=device, revision=revision)
    if device is not None and _place(check_device(device)) != _place(model.device):
        raise InputError(
            f"device ({device}) must be that of the model ({model.device}): load it there, or give "
            "its name."
        )
    if revision is not None:
        raise InputError(
            f"revision ({revision}) must be left out beside a loaded model: load it with its "
            "revision, or give its name."
        )
    known = "float16" if model.rounded else model.dtype
    if dtype is not None and check_dtype(dtype) not in (known, model.dtype):
        raise InputError(
            f"dtype ({dtype}) must be that of the model ({known}): load it in {dtype}, or "
            "give its name."
        )
    if model.source is None or not has_changed(model.source, model.file_hashes):
        return model
    return load(model.source, model.tokenizer, model.name, dtype=known, device=model.device)


def _place(device: torch.device) -> tuple[str, int]:
    return device.type, device.index or 0


def computed_in(dtype: str | torch.dtype) -> tuple[str, bool]:
    """Return in what weights of a dtype are computed, and whether they are rounded to it before."""
    name = check_dtype(dtype)
    return (name, False) if name in DTYPES else ("float32", True)


def round_weights(name: str, network: nn.Module) -> None:
    """Round a network's weights to float16, in the dtype that they have; they must stay finite."""
    for parameter in network.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(torch.float16).to(parameter.dtype)
    check_finite(f"model ({name}) in float16", network)


def check_dtype(dtype: str | torch.dtype) -> str:
    """Return the name of a dtype; InputError if no model is loaded in it."""
    name = str(dtype).removeprefix("torch.")
    if name not in LOADED_IN:
        raise InputError(
            f"dtype ({name}) must be one that a model is loaded in. "
            f"Available: {', '.join(LOADED_IN)}."
        )
    return name


def check_device(device: str | torch.device) -> torch.device:
    """Return the device of a name; of 'auto' a GPU where there is one, else the CPU.

    Raises:
        InputError: If it is not there.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
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
