"""Any model of transformers, as far as running it and watching its attention goes.

A folder that save_pretrained wrote, of any model type, with or without a tokenizer; or a network
in memory. Where its weights are is not known, and need not be.
Must not know: what is done with the model.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from inspector.errors import ModelError, UnsupportedModelError
from inspector.models.any_model.random_inputs import make_inputs
from inspector.models.forward.padding_check import check_padding_id
from inspector.models.loading.load_model import (
    check_device,
    check_dtype,
    load,
    one_line,
)
from inspector.models.loading.model_files import (
    check_sizes,
    file_hashes,
    has_tokenizer,
    read_settings,
)
from inspector.models.loading.model_names import called, model_folder
from inspector.models.loading.network import check_tensors, read_network
from inspector.models.loading.weight_files import check_weight_files
from inspector.models.log_level import quiet
from inspector.models.pretrained import DTYPES, PretrainedModel

_LOCKS: "WeakKeyDictionary[nn.Module, RLock]" = WeakKeyDictionary()


@dataclass(frozen=True, repr=False)
class AnyModel:
    """A network of transformers of any architecture."""

    name: str
    """What the user called it."""
    model: nn.Module
    dtype: str
    """Of its parameters, such as 'float32'."""
    file_hashes: dict[str, str] = field(default_factory=dict)
    """File name → SHA-256 of the files the model was read from; none where it was in memory."""

    @classmethod
    def of(cls, network: nn.Module, name: str | None = None) -> "AnyModel":
        """Return a network in memory as a model; the network itself, not a copy.

        Args:
            network: A model of transformers.
            name: What it is to be called; its class where not given.

        Raises:
            UnsupportedModelError: If it is no model of transformers.

        Example:
            >>> from inspector.models.tiny_models import configuration
            >>> AnyModel.of(configuration("t5").build())
            <AnyModel T5Model: t5, float32>
        """
        check_network(network)
        floating = (p.dtype for p in network.parameters() if p.is_floating_point())
        dtype = str(next(floating, torch.float32)).removeprefix("torch.")
        return cls(name or type(network).__name__, network, dtype)

    def __repr__(self) -> str:
        """Return what model it is, in a line."""
        return f"<AnyModel {self.name}: {self.model_type}, {self.dtype}>"

    @property
    def model_type(self) -> str:
        """Return what config.json calls the architecture."""
        config: Any = self.model.config
        return str(config.model_type)

    @property
    def torch_dtype(self) -> torch.dtype:
        """Return the dtype of the parameters."""
        dtype: torch.dtype = getattr(torch, self.dtype)
        return dtype

    @property
    def lock(self) -> RLock:
        """Return what is held while the network runs with another attention than its own."""
        return lock_of(self.model)

    def make_inputs(
        self, *, padded: bool = True, seed: int = 0, real: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return random inputs that suit the model, as keyword arguments of its forward.

        Args:
            padded: Whether texts differ in length.
            seed: Of the numbers drawn.
            real: (batch, token), False where padding stands, in the place of `padded`.
        """
        return make_inputs(self.model, padded=padded, seed=seed, real=real)


def lock_of(network: nn.Module) -> RLock:
    """Return the one lock of a network, made when it is first asked for."""
    return _LOCKS.setdefault(network, RLock())


def check_network(network: object) -> None:
    """Refuse what is no model of transformers.

    Raises:
        UnsupportedModelError: If it is none.
    """
    from transformers import PreTrainedModel

    if not isinstance(network, PreTrainedModel):
        raise UnsupportedModelError(
            f"model ({type(network).__name__}) must be a model of transformers, or the name of "
            "one: only their attention can be exchanged."
        )


def load_any(
    name: str | os.PathLike[str],
    *,
    revision: str | None = None,
    dtype: str = "float32",
    device: str = "cpu",
) -> AnyModel:
    """Return a model of any architecture, checked, in evaluation mode, with its eager attention.

    Args:
        name: A folder, or a hub id.
        revision: Branch, tag or commit of a hub id.
        dtype: 'float32', 'float64' or 'bfloat16'. The file's weights are read as float32.
        device: A torch device, such as 'cpu' or 'cuda:0'.

    Raises:
        InputError: If there is no such dtype or device.
        ModelError: If the model cannot be reached, read, or trusted.
        UnsupportedModelError: If transformers itself does not know its architecture.
    """
    check_dtype(dtype)
    target = check_device(device)
    text = called(name)
    folder = model_folder(text, revision)
    model_type, settings = read_settings(folder)
    check_sizes(settings, folder)
    weight_files = check_weight_files(folder)
    with quiet():
        config = _build_config(model_type, settings, folder)
        network, info = read_network(_network_class(config), folder, config)
    check_tensors(folder, info, network)
    if hasattr(network, "set_experts_implementation"):
        # The other ways of running experts have no float64.
        network.set_experts_implementation("eager")
    network.eval().to(device=target, dtype=DTYPES[dtype])
    return AnyModel(text, network, dtype, file_hashes(folder, weight_files))


def load_to_run(
    name: str | os.PathLike[str],
    *,
    revision: str | None = None,
    dtype: str = "float32",
    device: str = "cpu",
) -> PretrainedModel | AnyModel:
    """Return a model as `load` does where it can, else as `load_any` does.

    It cannot where there is no tokenizer, or the table of architectures lacks the model; and of an
    encoder-decoder it takes the encoder alone.

    Args:
        name: An alias, a folder, or a hub id.
        revision: Branch, tag or commit of a hub id.
        dtype: 'float32', 'float64' or 'bfloat16'.
        device: A torch device, such as 'cpu' or 'cuda:0'.

    Raises:
        InputError: If there is no such dtype or device.
        ModelError: If the model cannot be reached, read, or trusted.
        UnsupportedModelError: If transformers itself does not know its architecture.
    """
    options = {"revision": revision, "dtype": dtype, "device": device}
    if has_tokenizer(model_folder(called(name), revision)):
        with suppress(UnsupportedModelError):
            loaded = load(name, **options)
            if loaded.architecture.kind != "encoder of two":
                return loaded
    return load_any(name, **options)  # type: ignore[arg-type]


def _build_config(model_type: str, settings: dict[str, Any], folder: Path) -> Any:
    from huggingface_hub.errors import StrictDataclassError
    from transformers import CONFIG_MAPPING, AutoConfig

    if model_type not in CONFIG_MAPPING:
        raise UnsupportedModelError(
            f"model_type ({model_type}) must be one that transformers knows without code from the "
            f"checkpoint. Available: {len(CONFIG_MAPPING)} model types, bert and llama among them."
        )
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


def _network_class(config: Any) -> Any:
    """Return the class that was saved, where it is one of transformers' own, else the base model's.

    With the class that was saved every tensor of the file has its place.
    """
    import transformers

    for name in getattr(config, "architectures", None) or ():
        found = getattr(transformers, name, None) if isinstance(name, str) else None
        if (
            isinstance(found, type)
            and issubclass(found, transformers.PreTrainedModel)
            and isinstance(config, found.config_class or ())
        ):
            return found
    return transformers.AutoModel
