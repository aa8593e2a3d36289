"""Our attention inside a model of transformers, and a look at what the model's own one does.

Two backends are registered: `inspector` computes with `inspector.attention`; `inspector_watch`
lets the model compute with its own eager function and only looks. Both with a mask function:
without one transformers drops the mask and says nothing. Whoever wants to see the calls gives
an observer.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import cache, partial
from threading import RLock
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from inspector.attention import attention, scaled_dot_product_scores
from inspector.models.calls.attention_call import AttentionCall
from inspector.models.calls.call_arguments import (
    causal_unless_masked,
    eager_function,
    read_arguments,
)
from inspector.models.custom_attention.hooks import watch_own_maths
from inspector.models.log_level import quiet

OURS = "inspector"
WATCH = "inspector_watch"

Observer = Callable[[AttentionCall], None]
observing: ContextVar[Observer | None] = ContextVar("inspector_observer", default=None)


class Intervention(Protocol):
    """What may put other head outputs in the place of those that our attention computes."""

    def instead(self, module: nn.Module) -> Float[Tensor, "batch query head d_value"] | None:
        """Return what a call is to give without being computed, None where it is computed."""

    def changed(
        self,
        module: nn.Module,
        heads: Float[Tensor, "batch head query d_value"],
        value: Float[Tensor, "batch kv_head key d_value"],
        mask: Bool[Tensor, "#batch #head #query key"] | None,
    ) -> Float[Tensor, "batch head query d_value"]:
        """Return what a call that was computed is to give."""


intervention: ContextVar[Intervention | None] = ContextVar("inspector_intervention", default=None)


@runtime_checkable
class Runnable(Protocol):
    """A network of transformers, and the lock that its users hold."""

    @property
    def model(self) -> nn.Module:
        """Return the network."""

    @property
    def lock(self) -> RLock:
        """Return what is held while it runs with another attention than its own."""


@contextmanager
def running(
    model: Runnable,
    implementation: str,
    observer: Observer | None = None,
    *,
    evaluating: bool = True,
) -> Iterator[None]:
    """Run the model with another attention implementation, in evaluation mode.

    What was set, in the model, its parts and its modules' modes, is always restored.

    Args:
        model: Locked for other threads as long as this lasts.
        implementation: `OURS`, `WATCH`, or one of transformers' own ('eager', 'sdpa').
        observer: Called with each attention call of `OURS` and `WATCH`; where a model was proved
            to have mathematics of its own, with `OURS` it is called with those too.
        evaluating: Whether each module is put in evaluation mode; else it keeps its own.
    """
    register()
    network: Any = model.model
    with model.lock:
        before = [(config, config._attn_implementation) for config in _configs(network)]
        modes = [(module, module.training) for module in network.modules()]
        token = observing.set(observer)
        try:
            # That a part has its own mathematics, whoever looks at the calls finds out.
            with quiet():
                network.set_attn_implementation(implementation)
            if evaluating:
                network.eval()
            with ExitStack() as stack:
                own = getattr(model, "has_own_maths", False) and implementation == OURS
                if observer is not None and own:
                    stack.enter_context(watch_own_maths(network, observer))
                yield
        finally:
            for config, own in before:
                config._attn_implementation_internal = own
            if evaluating:
                for module, training in modes:
                    module.training = training
            observing.reset(token)


def _configs(network: nn.Module) -> list[Any]:
    """Return the configuration of the network and of each of its parts, each once."""
    found: dict[int, Any] = {}
    waiting: list[Any] = [
        module.config for module in network.modules() if hasattr(module, "set_attn_implementation")
    ]
    while waiting:
        config = waiting.pop()
        if config is not None and id(config) not in found:
            found[id(config)] = config
            waiting += [getattr(config, name, None) for name in config.sub_configs]
    return list(found.values())


@cache
def register() -> None:
    """Make both backends known to transformers, each with its mask function.

    That is eager's: parts of a model with their own mathematics add it to their scores, and it
    is never left out because a kernel would make it, as sdpa's is.
    """
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(OURS, our_attention)
    AttentionMaskInterface.register(OURS, finite_mask)
    AttentionInterface.register(WATCH, _watch)
    AttentionMaskInterface.register(WATCH, finite_mask)


def finite_mask(*args: Any, **kwargs: Any) -> Tensor | None:
    """Return eager's mask, of numbers that float32 has.

    Many families compute their softmax in float32, where the least number of float64 is -inf: a
    row without a key would become NaN, and spread.
    """
    from transformers.masking_utils import eager_mask

    if kwargs.get("dtype") == torch.float64:
        kwargs["dtype"] = torch.float32
    mask: Tensor | None = eager_mask(*args, **kwargs)
    return mask


def our_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """Return (batch, query, head, d_head) and the probabilities, by `inspector.attention`."""
    intervening = intervention.get()
    given = None if intervening is None else intervening.instead(module)
    if given is not None:
        return given, given.new_zeros(0)
    attention_mask = causal_unless_masked(
        module, query, key, attention_mask, kwargs.get("is_causal")
    )
    terms = read_arguments(module, query, key, attention_mask, kwargs)
    factor = query.shape[-1] ** -0.5 if scaling is None else scaling
    observer = observing.get()
    state = torch.get_rng_state() if observer is not None and dropout > 0.0 else None
    heads, probabilities = attention(
        query,
        key,
        value,
        **terms._asdict(),
        score=partial(scaled_dot_product_scores, scaling=factor),
        dropout=dropout if module.training else 0.0,
    )
    if intervening is not None:
        heads = intervening.changed(module, heads, value, terms.mask)
    output = heads.transpose(1, 2).contiguous()
    if observer is not None:
        observer(
            AttentionCall(
                module, query, key, value, terms.mask, factor, dropout, state, probabilities,
                output.flatten(-2), terms.bias, terms.softcap, terms.sinks,
            )
        )  # fmt: skip
    return output, probabilities


def _watch(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """Return what the model's own eager function returns, after showing it to the observer."""
    terms = read_arguments(module, query, key, attention_mask, kwargs)
    state = torch.get_rng_state() if dropout > 0.0 else None
    eager = eager_function(module)

    def again(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        return eager(module, q, k, v, attention_mask, scaling=scaling, dropout=dropout, **kwargs)

    output, probabilities = again(query, key, value)
    observer = observing.get()
    if observer is not None:
        factor = query.shape[-1] ** -0.5 if scaling is None else scaling
        observer(
            AttentionCall(
                module, query, key, value, terms.mask, factor, dropout, state, probabilities,
                output.flatten(-2), terms.bias, terms.softcap, terms.sinks, again,
            )
        )  # fmt: skip
    return output, probabilities


def sdpa_context(call: AttentionCall) -> Float[Tensor, "batch query heads_d_head"]:
    """Return what transformers' other path, sdpa, makes of the same call (without dropout).

    Raises:
        ValueError: If the call has a cap or sinks, which sdpa has not.
    """
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    if call.softcap is not None or call.sinks is not None:
        raise ValueError("call has a cap or sinks, which sdpa does not compute.")
    mask = call.mask
    if call.bias is not None:
        mask = call.bias if mask is None else call.bias.masked_fill(~mask, float("-inf"))
    output, _ = ALL_ATTENTION_FUNCTIONS["sdpa"](
        call.module,
        call.query,
        call.key,
        call.value,
        mask,
        dropout=0.0,
        scaling=call.scaling,
        is_causal=False,
    )
    context: Tensor = output.flatten(-2)
    return context
