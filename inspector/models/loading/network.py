"""A network as its safetensors have it: files found whole, read in bounds, all accounted for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as hooks

from inspector.errors import ModelError, no_memory
from inspector.models.hints.other_tensors import codes, is_number, why_names_differ
from inspector.models.loading.weight_files import check_weight_files, stored_dtypes, stored_numbers
from inspector.models.tokenizing.guarded import one_line

# A pooler is no part of the encoder: a checkpoint may lack it, and nothing here uses it.
_OPTIONAL = ("pooler.",)
# Tables that older versions stored and this one computes.
_COMPUTED = (
    "position_ids",
    "rotary_emb.inv_freq",
    "attn.bias",
    "attn.masked_bias",
    "attention.bias",
    "attention.masked_bias",
)
MOST_MODULES = 200_000
_SPARE = 2**28  # numbers that a network may have besides: tables that are computed, not stored
_COPIES = 4  # of a tensor that is stored once and tied to several places


class TooLarge(ValueError):
    """A network that would be larger than it can be."""


@contextmanager
def bounded(stored: int) -> Iterator[None]:
    """Stop, inside a `with` block, what builds more than the stored numbers can fill.

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


def read_network(loader: Any, folder: Path, config: Any) -> tuple[Any, dict[str, Any]]:
    """Return a network as the folder's safetensors have it, and what is said of the loading.

    Raises:
        ModelError: If transformers cannot load it.
    """
    files = check_weight_files(folder)
    try:
        with bounded(stored_numbers(files)):
            network, info = loader.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                attn_implementation="eager",
                trust_remote_code=False,
                use_safetensors=True,
                local_files_only=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except (
        OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError,
        ZeroDivisionError, NotImplementedError, ImportError, MemoryError,
    ) as error:  # fmt: skip
        if no_memory(error):
            raise ModelError(
                f"model folder ({folder}) needs more memory than is left: end other programs, or "
                "give a smaller model."
            ) from None
        raise ModelError(f"model folder ({folder}) cannot be loaded: {one_line(error)}") from None
    _check_stored(folder, files, network)
    return network, info


def _check_stored(folder: Path, files: list[Path], network: nn.Module) -> None:
    """Refuse whole numbers that were read into parameters, and two tensors for one of these."""
    stored = stored_dtypes(files)
    stem = f"{getattr(network, 'base_model_prefix', '')}."
    places = {name for name, each in network.named_parameters() if each.is_floating_point()}
    coded = [
        name
        for name, dtype in stored.items()
        if not is_number(dtype) and {name, name.removeprefix(stem), stem + name} & places
    ]
    if coded:
        raise ModelError(f"model folder ({folder}) {codes(coded, stored)}")
    for name in stored:
        again = stem + name
        if again in stored and {name, again} & places and _differ(files, name, again):
            raise ModelError(
                f"model folder ({folder}) stores one weight twice, with other numbers, as {name} "
                f"and {again}: one of them would be passed over. Take away the one that is not "
                "meant (load_file and save_file of safetensors.torch)."
            )


def _differ(files: list[Path], *names: str) -> bool:
    from safetensors import safe_open

    found = []
    for file in files:
        with safe_open(file, framework="pt") as tensors:
            found += [tensors.get_tensor(name).double() for name in {*names} & {*tensors.keys()}]
    return not torch.equal(*found[:2])


def check_tensors(folder: Path, info: dict[str, Any], network: nn.Module) -> None:
    """Refuse weights that are not all there, not of the right shape, or not finite.

    Raises:
        ModelError: If a tensor is missing, of another shape, left over, or not finite.
    """
    missing = sorted(name for name in info["missing_keys"] if not name.startswith(_OPTIONAL))
    expected = {name for name in network.state_dict() if not name.startswith(_OPTIONAL)}
    base = getattr(network, "base_model_prefix", "")
    reason = why_names_differ(missing, info["unexpected_keys"], expected, base)
    if reason is not None:
        raise ModelError(f"model folder ({folder}) {reason}")
    if missing:
        raise ModelError(
            f"model folder ({folder}) lacks {len(missing)} tensor(s) that its configuration asks "
            f"for ({_some(missing)}): they would be random. Check num_hidden_layers, or save the "
            "whole model."
        )
    mismatched = sorted(str(entry[0]) for entry in info["mismatched_keys"])
    if mismatched:
        raise ModelError(
            f"model folder ({folder}) has {len(mismatched)} tensor(s) of another shape than its "
            f"configuration asks for ({_some(mismatched)}): they would be random. Check the sizes "
            "in config.json."
        )
    # What the encoder itself would hold had it more layers: not a task head's tensors.
    own = {name.split(".")[0] for name, _ in network.named_children()}
    own.discard("pooler")
    extra = sorted(
        name
        for name in info["unexpected_keys"]
        if name.removeprefix(f"{getattr(network, 'base_model_prefix', '')}.").split(".")[0] in own
        and not name.endswith(_COMPUTED)
    )
    if extra:
        raise ModelError(
            f"model folder ({folder}) stores {len(extra)} encoder tensor(s) that its configuration "
            f"leaves out ({_some(extra)}): a shorter model would be loaded. Check "
            "num_hidden_layers."
        )
    check_finite(f"model folder ({folder})", network)


def check_finite(what: str, network: nn.Module) -> None:
    """Refuse weights that are not finite, by a ModelError; `what` is the network in messages."""
    for name, parameter in network.named_parameters():
        # What is not finite makes the sum so, which is had much sooner; a sum may overflow, too.
        if not (parameter.sum().isfinite() or torch.isfinite(parameter).all()):
            raise ModelError(
                f"{what} has a value that is not finite in {name}: every number computed from it "
                "would be NaN."
            )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
