"""Any model of transformers, as far as running it and watching its attention goes.

A folder that save_pretrained wrote, of any model type, with or without a tokenizer; or a network
in memory. Where its weights are is not known, and need not be.
"""

import os
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from inspector.attention import LayerWeights
from inspector.errors import InputError, ModelError, UnsupportedModelError
from inspector.models.any_model.random_inputs import make_inputs
from inspector.models.loading.load_model import (
    build_config,
    check_device,
    computed_in,
    load,
    loaded,
    round_weights,
)
from inspector.models.loading.memory_model import (
    check_attention,
    check_numbers,
    own_network,
    private_copy,
    unwrapped,
)
from inspector.models.loading.model_files import (
    file_hashes,
    has_tokenizer,
    read_settings,
)
from inspector.models.loading.model_names import called, model_folder
from inspector.models.loading.network import check_tensors, read_network
from inspector.models.loading.size_limits import check_sizes
from inspector.models.loading.weight_files import check_weight_files
from inspector.models.log_level import quiet
from inspector.models.pretrained import DTYPES, PretrainedModel
from inspector.models.weight_checks.network_check import prove_table_entry

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
        """Return a network in memory as a model, called as its class is where no name is given.

        Raises:
            InputError: If it is no model of transformers.
            ModelError: If its weights are not there.

        Example:
            >>> from inspector.models.tiny_models import configuration
            >>> AnyModel.of(configuration("t5").build())
            <AnyModel T5Model: t5, float32>
        """
        network = unwrapped(network)
        check_numbers(network)
        check_attention(network)
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


def load_any(
    name: str | os.PathLike[str],
    *,
    revision: str | None = None,
    dtype: str | torch.dtype = "float32",
    device: str | torch.device = "cpu",
) -> AnyModel:
    """Return a model of any architecture, checked, in evaluation mode, with its eager attention.

    It is named as for `load`, and refused as there; an architecture that transformers itself does
    not know is an UnsupportedModelError.
    """
    chosen, rounded = computed_in(dtype)
    target = check_device(device)
    text = called(name)
    folder = model_folder(text, revision)
    model_type, settings = read_settings(folder)
    check_sizes(settings, folder / "config.json")
    weight_files = check_weight_files(folder)
    with quiet():
        config = _build_config(model_type, settings, folder)
        network, info = read_network(_network_class(config), folder, config)
    check_tensors(folder, info, network)
    # The other ways of running experts have no float64.
    network.set_experts_implementation("eager")
    if rounded:
        round_weights(text, network)
    network.eval().to(device=target, dtype=DTYPES[chosen])
    return AnyModel(text, network, chosen, file_hashes(folder, weight_files))


def load_to_run(name: str | os.PathLike[str], **options: Any) -> PretrainedModel | AnyModel:
    """Return a model as `load` does where it can, else as `load_any` does; the options are theirs.

    It cannot where there is no tokenizer, or the table of architectures lacks the model; and of an
    encoder-decoder it takes the encoder alone.
    """
    if has_tokenizer(model_folder(called(name), options.get("revision"))):
        with suppress(UnsupportedModelError):
            found = load(name, **options)
            if found.architecture.kind != "encoder of two":
                return found
    return load_any(name, **options)


def load_for_weights(
    name: PretrainedModel | AnyModel | nn.Module | str | os.PathLike[str], **options: Any
) -> PretrainedModel | AnyModel:
    """Return a model as `load_to_run` does, but the encoder alone of an encoder-decoder.

    A model that is loaded already is returned, a network in memory read through a private copy; of
    a name that neither way knows, `load` says why.
    """
    if isinstance(name, AnyModel):
        return name
    if isinstance(name, PretrainedModel):
        return loaded(name)
    if not isinstance(name, str | os.PathLike):
        network = own_network(name)
        try:
            return loaded(network)
        except (InputError, UnsupportedModelError):  # no tokenizer, or an architecture of its own
            return AnyModel.of(private_copy(network), type(network).__name__)
    if not has_tokenizer(model_folder(called(name), options.get("revision"))):
        return load_any(name, **options)
    try:
        return load(name, **options)
    except UnsupportedModelError as error:
        try:
            return load_any(name, **options)
        except ModelError:
            raise error from None


def _build_config(model_type: str, settings: dict[str, Any], folder: Path) -> Any:
    from transformers import CONFIG_MAPPING

    if model_type not in CONFIG_MAPPING:
        raise UnsupportedModelError(
            f"model_type ({model_type}) must be one that transformers knows without code from the "
            f"checkpoint. Available: {len(CONFIG_MAPPING)} model types, bert and llama among them."
        )
    return build_config(model_type, settings, folder)


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


@dataclass(frozen=True)
class ModuleWeights:
    """The proved weights of one attention module."""

    module: str
    weights: LayerWeights
    before_rotation: bool | None
    """Whether queries and keys are rotated or normed before they meet; None where not seen."""


def proved_weights(model: AnyModel) -> tuple[list[ModuleWeights], dict[str, str]]:
    """Return the weights of each attention module, in the order of the network, and what is left.

    What is left out is module → why. It runs once or more, on random inputs that suit it.

    Raises:
        UnsupportedModelError: If no module's weights are proved, or no inputs can be made.

    Example:
        >>> from inspector.models.tiny_models import configuration
        >>> found, left = proved_weights(AnyModel.of(configuration("wavlm").build()))
        >>> [each.module for each in found], left
        (['encoder.layers.0.attention', 'encoder.layers.1.attention'], {})
    """
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what networks say of inputs is no concern of the user's
        entries = prove_table_entry(model.model, model.make_inputs(padded=True), model.lock)
    found = [
        ModuleWeights(
            name,
            entry.weights,
            entry.before_rotation if entry.query is not None else None,
        )
        for name, entry in entries.items()
        if entry.weights is not None
    ]
    left = {name: str(entry.reason) for name, entry in entries.items() if not entry.proved}
    if not found:
        why = "; ".join(f"{name}: {reason}" for name, reason in list(left.items())[:3])
        raise UnsupportedModelError(
            f"model ({model.name}, {model.model_type}) has no attention module whose W_Q, W_K, W_V "
            f"and W_O are proved to be where the table says ({why or 'it has none'})."
        )
    return found, left
