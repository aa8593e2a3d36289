"""A network that stands in memory, read through a copy of its own; it is never changed.

The copy shares its numbers wherever device, dtype and adapters allow it, and nothing else:
neither its hooks nor its mode, neither its attention implementation nor its gradients.
"""

import hashlib
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from inspector.errors import InputError, ModelError
from inspector.models.tokenizing.guarded import one_line

_WEIGHTS = "weights (in memory)"
# Where libraries of quantisation keep what stands for a weight.
_CODES = ("qweight", "weight_packed", "weight_scale", "_packed_params", "_weight_bias")
_LIBRARIES = {"accelerate", "inspector", "kernels", "peft", "torch", "transformers"}
_HOOKS = tuple(
    name for name, value in vars(nn.Module()).items() if "hooks" in name and isinstance(value, dict)
)


def unwrapped(given: object) -> Any:
    """Return the model of transformers that a user means, without what he has wrapped it in.

    Raises:
        InputError: If it is no model of transformers in memory.
    """
    from transformers import PreTrainedModel

    network: Any = given
    while not isinstance(network, PreTrainedModel):
        inner = _inside(network)
        if inner is None:
            raise InputError(_what_it_is(given))
        network = inner
    return network


def own_network(given: object) -> Any:
    """Return the model of transformers that a user means, once its weights are known to be there.

    Raises:
        InputError: If it is no model of transformers in memory.
        ModelError: If its weights are not there, or it does not compute as its class does.
    """
    network = unwrapped(given)
    check_numbers(network)
    _check_forward(network)
    check_attention(network)
    _tell_of_hooks(network)
    return network


def _inside(network: Any) -> Any:
    """Return what a wrapper holds, None where it is none."""
    if not isinstance(network, nn.Module):
        return None
    if any(each.is_prompt_learning for each in getattr(network, "peft_config", {}).values()):
        raise InputError(
            f"model ({type(network).__name__}) is steered by learned prompts, which stand in no "
            "weight: give the base model, or an adapter that changes weights, such as LoRA."
        )
    base: Any = getattr(network, "get_base_model", None)
    if base is not None:
        return base()
    children = dict(network.named_children())
    return children.get("_orig_mod", children.get("module"))


def _what_it_is(given: Any) -> str:
    """Return the sentence that refuses what is no model of transformers, with the way out."""
    kind = type(given).__name__
    inside = _path_inside(given)
    if isinstance(given, type):
        return (
            f"model (the class {given.__name__}) must be a model, not its class: give what "
            f"{given.__name__}.from_pretrained(...) returns."
        )
    if hasattr(given, "model") and hasattr(given, "tokenizer"):
        way = "a pipeline's parts are what is asked for: give its .model and its .tokenizer"
    elif isinstance(given, Mapping) and any(isinstance(one, Tensor) for one in given.values()):
        way = (
            "weights alone do not say how they are used: put them into a model "
            "(model.load_state_dict(weights)) and give that"
        )
    elif inside:
        way = f"the one that transformers built is inside: give {inside}"
    elif isinstance(given, tuple | list):
        way = "give the model and its tokenizer as two arguments"
    elif hasattr(given, "model_type"):
        way = "a configuration has no weights: give the model that was trained with it"
    elif hasattr(given, "convert_ids_to_tokens"):
        way = "it is a tokenizer: give the model first, then the tokenizer"
    elif hasattr(given, "encode") and hasattr(given, "tokenizer"):
        way = "its network is inside: give model[0].auto_model and model.tokenizer"
    else:
        way = "give a name such as 'minilm', a folder, a hub id, or a model that transformers built"
    return f"model ({kind}) must be a model of transformers, or the name of one: {way}."


def _path_inside(given: Any) -> str | None:
    """Return where in a network of the user's own a model of transformers stands."""
    from transformers import PreTrainedModel

    modules = given.named_modules() if isinstance(given, nn.Module) else ()
    paths = (name for name, each in modules if isinstance(each, PreTrainedModel))
    return next((re.sub(r"\.(\d+)", r"[\1]", f"model.{name}") for name in paths), None)


def check_numbers(network: Any) -> None:
    """Refuse a network whose weights are not there, or are codes of numbers.

    Raises:
        ModelError: If it is one.
    """
    kind = type(network).__name__
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    absent = [name for name, each in tensors.items() if each.is_meta]
    if absent:
        raise ModelError(
            f"model ({kind}) has no numbers in {len(absent)} tensor(s) ({absent[0]}): it is on "
            "the device meta. Load it with its weights (without device_map, on one device)."
        )
    quantised = getattr(network.config, "quantization_config", None)
    coded = [name for name, each in network.named_parameters() if _is_coded(each)]
    coded += [name for name, each in network.named_modules() if _holds_codes(each)]
    if quantised or getattr(network, "is_quantized", False) or coded:
        where = f" ({coded[0]})" if coded else ""
        raise ModelError(
            f"model ({kind}) has rounded weights{where}, which are codes, not numbers: give the "
            "model that was quantised, or what model.dequantize() returns."
        )


def _is_coded(parameter: Tensor) -> bool:
    """Return whether a parameter is no plain tensor of numbers: integers, 8-bit floats, others."""
    is_plain = type(parameter.data) is Tensor
    return not (is_plain and parameter.is_floating_point() and parameter.dtype.itemsize > 1)


def _holds_codes(module: nn.Module) -> bool:
    """Return whether a module is a linear layer that a library of quantisation has made."""
    is_torchs = ".quantized" in type(module).__module__
    return is_torchs or any(hasattr(module, name) for name in _CODES)


def _check_forward(network: Any) -> None:
    kind = type(network).__name__
    for name, module in network.named_modules():
        if "forward" in vars(module) and not hasattr(module, "_hf_hook"):
            raise ModelError(
                f"module ({name or kind}) has a forward that was put in the place of its class's: "
                "what it computes is not what inspector would read. Take it away "
                "(del module.forward), or make it a class."
            )


def check_attention(network: Any) -> None:
    """Refuse a network that runs on an attention function of the user's own.

    Raises:
        ModelError: If it does: what stands in its place while it is read would be called it.
    """
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    bodies = [each for each in network.modules() if hasattr(each, "set_attn_implementation")]
    for name in dict.fromkeys(
        getattr(each.config, "_attn_implementation", None) for each in bodies
    ):
        if name in ALL_ATTENTION_FUNCTIONS and _is_the_users(ALL_ATTENTION_FUNCTIONS[name]):
            raise ModelError(
                f"model ({type(network).__name__}) runs on an attention of your own ({name}), "
                "which is not what inspector would read: give it with one of the library's "
                "(model.set_attn_implementation('eager')). A function of your own is checked by "
                "verify_implementation."
            )


def _tell_of_hooks(network: Any) -> None:
    """Say that hooks of the user's own take no part in what is read."""
    hooked = [
        name or type(network).__name__
        for name, module in network.named_modules()
        for kind in ("_forward_hooks", "_forward_pre_hooks")
        if any(map(_is_the_users, vars(module)[kind].values()))
    ]
    if hooked:
        logging.getLogger("inspector").warning(
            "model (%s) has %d hook(s) of your own (%s): it is read without them. What they change "
            "is in no figure.",
            type(network).__name__,
            len(hooked),
            hooked[0],
        )


def _is_the_users(function: Any) -> bool:
    """Return whether a function is neither a library's nor ours, by the module it stands in."""
    place = getattr(getattr(function, "func", function), "__module__", None) or ""
    return place.partition(".")[0] not in _LIBRARIES


def own_body(network: Any, name: str) -> Any:
    """Return the part of a network that stands below its task head.

    Raises:
        ModelError: If it is not what transformers itself has for the configuration.
    """
    from transformers import MODEL_MAPPING

    body = network.base_model
    mapping: Any = MODEL_MAPPING
    if not isinstance(body, mapping.get(type(network.config), ())):
        raise ModelError(
            f"model ({name}) has a {type(body).__name__} inside, which is not the network that "
            f"transformers has for a {network.config.model_type}: give one that AutoModel builds."
        )
    return body


def has_adapters(network: nn.Module) -> bool:
    """Return whether PEFT has put anything into a network."""
    return any(_is_adapted(module) for module in network.modules())


def private_copy(network: Any) -> Any:
    """Return a copy in evaluation mode, with eager attention and without hooks.

    It shares the network's parameters, whose later values are its values too; with adapters in it,
    whose effect is added to the copy's weights, it has its own.

    Raises:
        ModelError: If an adapter cannot be merged.
    """
    adapters = has_adapters(network)
    memo: dict[int, Any] = {}
    for parameter in network.parameters():
        numbers = parameter.detach()
        memo[id(parameter)] = nn.Parameter(
            numbers.clone() if adapters else numbers, requires_grad=False
        )
    for module in network.modules():
        for name in _HOOKS:
            memo[id(vars(module)[name])] = OrderedDict()
        for name in ("forward", "_old_forward", "_hf_hook"):
            if name in vars(module):
                memo[id(vars(module)[name])] = None
    copied: Any = deepcopy(network, memo)
    for module in copied.modules():
        for name in ("forward", "_old_forward", "_hf_hook"):
            vars(module).pop(name, None)
    if adapters:
        _merge_adapters(copied)
    copied.set_attn_implementation("eager")
    return copied.eval()


def _is_adapted(module: Any) -> bool:
    """Return whether a module is one that PEFT has put in the place of another."""
    return (hasattr(module, "merge") and hasattr(module, "get_base_layer")) or (
        hasattr(module, "modules_to_save") and hasattr(module, "original_module")
    )


def _merge_adapters(copied: Any) -> None:
    """Put each adapted module's own in its place, the active adapters' effect in its weights."""
    for name, module in list(copied.named_modules()):
        if not _is_adapted(module):
            continue
        parent = copied.get_submodule(name.rpartition(".")[0])
        setattr(parent, name.rpartition(".")[2], _merged(module, name))


def _merged(module: Any, name: str) -> Any:
    if hasattr(module, "modules_to_save"):
        active = [module.active_adapter, *getattr(module, "active_adapters", ())]
        kept = [module.modules_to_save[each] for each in active
                if isinstance(each, str) and each in module.modules_to_save]  # fmt: skip
        disabled = getattr(module, "disable_adapters", False)
        return kept[0] if kept and not disabled else module.original_module
    if not getattr(module, "disable_adapters", False):
        try:
            module.merge()
        except (RuntimeError, ValueError, NotImplementedError, TypeError) as error:
            raise ModelError(
                f"module ({name}) has an adapter that cannot be merged: {one_line(error)}"
            ) from None
    return module.get_base_layer()


def memory_hashes(network: Any, tokenizer: Any) -> dict[str, str]:
    """Return the SHA-256 of what makes a model in memory what it is: as a file's hashes do."""
    config = json.dumps(network.config.to_diff_dict(), sort_keys=True, default=str)
    return {
        "config (in memory)": hashlib.sha256(config.encode()).hexdigest(),
        "tokenizer (in memory)": hashlib.sha256(
            tokenizer.backend_tokenizer.to_str().encode()
        ).hexdigest(),
        _WEIGHTS: weights_hash(network),
    }


def weights_hash(network: nn.Module) -> str:
    """Return the SHA-256 of all numbers of a network, with their names, dtypes and shapes."""
    found = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(memoryview(flat.view(torch.uint8).numpy()))
    return found.hexdigest()


def has_changed(network: Any, hashes: Mapping[str, str]) -> bool:
    """Return whether a network is another one now than when its hashes were taken.

    Of adapters, which may be switched without a weight being changed, it is always asked again.
    """
    body = network.base_model
    return has_adapters(body) or weights_hash(body) != hashes[_WEIGHTS]
