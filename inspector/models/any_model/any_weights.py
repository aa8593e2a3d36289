"""The attention weights of any network, where the layout table names them and a run proves them.

Must not know: what is done with the weights.
"""

import os
import warnings
from dataclasses import dataclass

from torch import nn

from inspector.attention import LayerWeights
from inspector.errors import InputError, ModelError, UnsupportedModelError
from inspector.models.any_model.any_model import AnyModel as AnyModel
from inspector.models.any_model.any_model import load_any
from inspector.models.loading.given_model import loaded
from inspector.models.loading.load_model import load
from inspector.models.loading.memory_model import own_network, private_copy
from inspector.models.loading.model_files import has_tokenizer
from inspector.models.loading.model_names import called, model_folder
from inspector.models.log_level import quiet
from inspector.models.pretrained import PretrainedModel
from inspector.models.weight_checks.network_check import prove_table_entry


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


def load_for_weights(
    name: PretrainedModel | AnyModel | nn.Module | str | os.PathLike[str],
    *,
    revision: str | None = None,
    device: str = "cpu",
) -> PretrainedModel | AnyModel:
    """Return a model as `load` does where it can, else as `load_any` does.

    Args:
        name: An alias, a folder, a hub id, or a network in memory; a model that is loaded already
            is returned.
        revision: Branch, tag or commit of a hub id.
        device: A torch device, such as 'cpu' or 'cuda:0'.

    Raises:
        InputError: If there is no such device.
        ModelError: If the model cannot be reached, read, or trusted.
        UnsupportedModelError: If neither knows its architecture.
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
    if not has_tokenizer(model_folder(called(name), revision)):
        return load_any(name, revision=revision, device=device)
    try:
        return load(name, revision=revision, device=device)
    except UnsupportedModelError as error:
        try:
            return load_any(name, revision=revision, device=device)
        except ModelError:
            raise error from None
