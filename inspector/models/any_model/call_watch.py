"""A forward pass of any model with its own attention, each call shown; or with ours.

Also which modules of a network are attention, and what is run so that all of them are reached:
texts of one length, padded ones, single tokens after a cache, parts that the whole leaves out.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, signature
from typing import Any

import torch
from torch import Tensor, nn

from inspector.errors import UnsupportedModelError
from inspector.models.any_model.any_model import AnyModel
from inspector.models.calls.attention_call import AttentionCall
from inspector.models.calls.call_arguments import calls_interface
from inspector.models.custom_attention.hooks import watch_own_maths
from inspector.models.forward.backend import OURS, WATCH, running
from inspector.models.pretrained import PretrainedModel
from inspector.models.weight_checks.projection_calls import OnProjected, Projections

_ATTENTION = "Attention"
OnCall = Callable[[str, AttentionCall], None]
"""Called with the name of the module that calls, and the call."""


@dataclass(frozen=True)
class Pass:
    """One thing that a network is run on."""

    name: str
    run: Callable[[], None]


def watch_calls(
    model: AnyModel,
    run: Callable[[], None],
    on_call: OnCall,
    ran: set[str] | None = None,
    projections: tuple[Projections, OnProjected] | None = None,
) -> None:
    """Run a network with its own eager attention, and show each call of it.

    Args:
        model: What runs.
        run: Runs it.
        on_call: Called with each attention call, while the network waits.
        ran: Takes the names of the attention modules that were run, whatever they called.
        projections: The linear layers around the attention, and what is called with what they
            made, after the call itself was shown; they are left alone where not given.
    """
    names = {id(module): name for name, module in model.model.named_modules()}

    def observer(call: AttentionCall) -> None:
        name = names.get(id(call.module), type(call.module).__name__)
        on_call(name, call)
        if projections is not None:
            projections[0].called(name, call)

    with ExitStack() as stack:
        if projections is not None:
            stack.enter_context(projections[0].watched(projections[1]))
        for name, module in attention_modules(model.model).items():
            if ran is not None:
                note = partial(_note, ran, name)
                stack.callback(module.register_forward_pre_hook(note).remove)
        stack.enter_context(watch_own_maths(model.model, observer))
        stack.enter_context(running(model, WATCH, observer))
        stack.enter_context(torch.no_grad())
        run()


def _note(ran: set[str], name: str, *_: object) -> None:
    ran.add(name)


def passes(
    model: AnyModel, given: dict[str, Tensor] | None = None, seed: int = 0
) -> Iterator[Pass]:
    """Yield what a model is run on: texts of one length, padded ones, and tokens after a cache.

    Or inputs that are given, in the place of those that are made.
    """
    network: Any = model.model
    if given is not None:
        yield Pass("given inputs", lambda: network(**given))
    else:
        plain = model.make_inputs(padded=False, seed=seed)
        padded = model.make_inputs(padded=True, seed=seed + 1)
        yield Pass("one length", lambda: network(**plain))
        if set(padded) != set(plain):
            yield Pass("padded", lambda: network(**padded))
    inputs = padded if given is None else given
    if "input_ids" in inputs and hasattr(network.config, "use_cache"):
        yield Pass("after a cache", lambda: _run_with_cache(network, inputs))


def _run_with_cache(network: Any, inputs: dict[str, Tensor]) -> None:
    """Run on all but the last token, then on the last with what was cached, where there is any."""
    from transformers.modeling_outputs import BaseModelOutput

    prefix = "decoder_" if "decoder_input_ids" in inputs else ""
    ids, mask = f"{prefix}input_ids", f"{prefix}attention_mask"
    by_token = {
        name
        for name, tensor in inputs.items()
        if name.startswith(prefix) and tensor.shape[:2] == inputs[ids].shape
    }
    first = network(
        **{name: t[:, :-1] if name in by_token else t for name, t in inputs.items()},
        use_cache=True,
    )
    cache = getattr(first, "past_key_values", None)
    if cache is None:
        return
    rest: dict[str, Any] = {name: inputs[name][:, -1:] for name in by_token - {mask}}
    rest |= {name: inputs[name] for name in {mask, "attention_mask"} & set(inputs)}
    if prefix:
        encoded = first.encoder_last_hidden_state
        rest["encoder_outputs"] = BaseModelOutput(last_hidden_state=encoded)
        if signature(network.forward).parameters["input_ids"].default is Parameter.empty:
            rest["input_ids"] = inputs["input_ids"]  # asked for, though it is encoded already
    network(**rest, past_key_values=cache, use_cache=True)


def attention_modules(network: nn.Module) -> dict[str, nn.Module]:
    """Return name → module of what calls itself an attention and holds no other one.

    Example:
        >>> from inspector.models.tiny_models import configuration
        >>> list(attention_modules(configuration("albert").build()))
        ['encoder.albert_layer_groups.0.albert_layers.0.attention']
    """
    return {
        name: module
        for name, module in network.named_modules()
        if _is_named_attention(module)
        and not any(_is_named_attention(below) for below in module.modules() if below is not module)
    }


def _is_named_attention(module: nn.Module) -> bool:
    kind = type(module)
    runs = kind.forward is not nn.Module.forward  # else it only keeps what others compute with
    return _ATTENTION in kind.__name__ and not kind.__name__.endswith("Output") and runs


def not_reached(network: nn.Module, reached: set[str]) -> list[str]:
    """Return the names of the attention modules that made no call, nor hold or are held by one."""
    return [
        name
        for name in attention_modules(network)
        if not any(
            name == other or name.startswith(f"{other}.") or other.startswith(f"{name}.")
            for other in reached
        )
    ]


def idle_parts(model: AnyModel, ran: set[str]) -> list[tuple[str, AnyModel]]:
    """Return the parts that are models of their own and of which no attention was run.

    Only the largest: a part of a part is run with it.
    """
    modules = attention_modules(model.model)
    found: list[tuple[str, AnyModel]] = []
    for name, module in model.model.named_modules():
        if not name or not hasattr(module, "set_attn_implementation"):
            continue
        inside = {other for other in modules if other.startswith(f"{name}.")}
        within = any(name.startswith(f"{above}.") for above, _ in found)
        if inside and not inside & ran and not within:
            found.append((name, AnyModel.of(module, f"{model.name}, {name}")))
    return found


_SOME = 3


@contextmanager
def using(model: PretrainedModel | AnyModel | nn.Module) -> Iterator[None]:
    """Run a model on inspector's attention inside a `with` block; its own is back after it.

    Each module keeps its mode. Other threads that use the model wait.

    Raises:
        InputError: If it is no model of transformers.
        UnsupportedModelError: If it has no attention, or one that transformers' attention
            interface does not reach.

    Example:
        >>> import torch
        >>> from inspector.models.tiny_models import configuration
        >>> network = configuration("llama").build()
        >>> ids = torch.tensor([[7, 11, 13]])
        >>> with using(network):
        ...     state = network(ids).last_hidden_state
        >>> torch.allclose(state, network(ids).last_hidden_state, atol=1e-5)
        True
    """
    runnable = model if isinstance(model, (PretrainedModel, AnyModel)) else AnyModel.of(model)
    modules = attention_modules(runnable.model)
    if not modules:
        raise UnsupportedModelError(f"model ({runnable.name}) has no attention to exchange.")
    own = sorted(name for name, module in modules.items() if not calls_interface(module))
    if own:
        kinds = ", ".join(sorted({type(modules[name]).__name__ for name in own}))
        more = f" and {len(own) - _SOME} more" if len(own) > _SOME else ""
        raise UnsupportedModelError(
            f"model ({runnable.name}) computes {len(own)} of its {len(modules)} attention modules "
            f"by mathematics of its own ({kinds} in {', '.join(own[:_SOME])}{more}), which "
            "inspector's attention cannot take the place of."
        )
    with running(runnable, OURS, evaluating=False):
        yield
