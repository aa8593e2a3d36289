"""Our attention inside a model of transformers, and a look at what the model's own one does.

Two backends are registered: `inspector` computes with `inspector.attention`; `inspector_shadow`
lets the model compute with its own eager function and only looks. Both with a mask function:
without one transformers drops the mask and says nothing. Whoever wants to see the calls gives
an observer. Must not know: what the observer is for.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from inspector.attention import (
    attention,
    causal_mask,
    merge_heads,
    repeat_key_value_heads,
    scaled_dot_product_scores,
)
from inspector.errors import UnsupportedModelError
from inspector.models.pretrained import PretrainedModel

OURS = "inspector"
SHADOW = "inspector_shadow"

# Arguments that the attention interface hands over and that change nothing in the mathematics:
# they are known to the mask, the cache or the model.
_HARMLESS = {
    "is_causal",
    "use_cache",
    "position_ids",
    "cache_position",
    "cu_seq_lens_q",
    "cu_seq_lens_k",
    "token_type_ids",
}


@dataclass(frozen=True)
class AttentionCall:
    """One call of the attention function inside a model."""

    module: nn.Module
    query: Float[Tensor, "batch head query d_head"]
    key: Float[Tensor, "batch kv_head key d_head"]
    value: Float[Tensor, "batch kv_head key d_head"]
    mask: Bool[Tensor, "#batch #head #query key"] | None
    scaling: float
    dropout: float
    """Probability of dropping a weight: 0 outside training."""
    random_state: Tensor | None
    """The random generator's state before the call, where there was dropout."""
    probabilities: Float[Tensor, "batch head query key"]
    context: Float[Tensor, "batch query heads_d_head"]


Observer = Callable[[AttentionCall], None]
_observer: ContextVar[Observer | None] = ContextVar("inspector_observer", default=None)


@contextmanager
def running(
    model: PretrainedModel, implementation: str, observer: Observer | None = None
) -> Iterator[None]:
    """Run the model with another attention implementation, in evaluation mode.

    What was set, each module's mode included, is always restored.

    Args:
        model: Locked for other threads as long as this lasts.
        implementation: `OURS`, `SHADOW`, or one of transformers' own ('eager', 'sdpa').
        observer: Called with each attention call of `OURS` and `SHADOW`.
    """
    register()
    hugging_face: Any = model.model
    with model.lock:
        before = hugging_face.config._attn_implementation
        modes = [(module, module.training) for module in hugging_face.modules()]
        token = _observer.set(observer)
        try:
            hugging_face.set_attn_implementation(implementation)
            hugging_face.eval()
            yield
        finally:
            hugging_face.set_attn_implementation(before)
            for module, training in modes:
                module.training = training
            _observer.reset(token)


@cache
def register() -> None:
    """Make both backends known to transformers, each with its mask function."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask, sdpa_mask

    def boolean_mask(*args: Any, **kwargs: Any) -> Tensor | None:
        # sdpa's own rule leaves a causal mask out where its kernel makes one. Ours does not.
        return sdpa_mask(*args, **{**kwargs, "allow_is_causal_skip": False})

    AttentionInterface.register(OURS, _ours)
    AttentionMaskInterface.register(OURS, boolean_mask)
    AttentionInterface.register(SHADOW, _shadow)
    AttentionMaskInterface.register(SHADOW, eager_mask)


def _ours(
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
    _refuse_unknown(module, kwargs)
    mask = _allowed(module, query, key, attention_mask)
    factor = query.shape[-1] ** -0.5 if scaling is None else scaling
    observer = _observer.get()
    state = torch.get_rng_state() if observer is not None and dropout > 0.0 else None
    n_heads = query.shape[1]
    heads, probabilities = attention(
        query,
        repeat_key_value_heads(key, n_heads),
        repeat_key_value_heads(value, n_heads),
        mask=mask,
        score=partial(scaled_dot_product_scores, scaling=factor),
        dropout=dropout if module.training else 0.0,
    )
    if observer is not None:
        observer(
            AttentionCall(
                module, query, key, value, mask, factor, dropout, state, probabilities,
                merge_heads(heads),
            )
        )  # fmt: skip
    return heads.transpose(1, 2).contiguous(), probabilities


def _shadow(
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
    _refuse_unknown(module, kwargs)
    state = torch.get_rng_state() if dropout > 0.0 else None
    output, probabilities = _eager_function(module)(
        module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, **kwargs
    )
    observer = _observer.get()
    if observer is not None:
        mask = _allowed(module, query, key, attention_mask)
        factor = query.shape[-1] ** -0.5 if scaling is None else scaling
        observer(
            AttentionCall(
                module, query, key, value, mask, factor, dropout, state, probabilities,
                output.flatten(-2),
            )
        )  # fmt: skip
    return output, probabilities


def sdpa_context(call: AttentionCall) -> Float[Tensor, "batch query heads_d_head"]:
    """Return what transformers' other path, sdpa, makes of the same call (without dropout)."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    output, _ = ALL_ATTENTION_FUNCTIONS["sdpa"](
        call.module,
        call.query,
        call.key,
        call.value,
        call.mask,
        dropout=0.0,
        scaling=call.scaling,
        is_causal=False,
    )
    context: Tensor = output.flatten(-2)
    return context


def _eager_function(module: nn.Module) -> Callable[..., tuple[Tensor, Tensor]]:
    """Return the eager function that stands beside a module's class in transformers."""
    source = inspect.getmodule(type(module))
    function = getattr(source, "eager_attention_forward", None)
    if function is None:
        raise UnsupportedModelError(
            f"module ({type(module).__name__}) has no eager_attention_forward beside it: "
            "its own attention cannot be watched."
        )
    eager: Callable[..., tuple[Tensor, Tensor]] = function
    return eager


def _refuse_unknown(module: nn.Module, kwargs: dict[str, Any]) -> None:
    """Refuse tensors that would change the mathematics and that our function does not read.

    Raises:
        UnsupportedModelError: If there is one.
    """
    unknown = sorted(
        name
        for name, value in kwargs.items()
        if name not in _HARMLESS
        and (isinstance(value, Tensor) or (name in ("softcap", "sinks", "s_aux") and value))
    )
    if unknown:
        raise UnsupportedModelError(
            f"module ({type(module).__name__}) hands its attention function "
            f"{', '.join(unknown)}, which inspector's does not read: "
            "the result would be another model's."
        )


def _allowed(
    module: nn.Module, query: Tensor, key: Tensor, attention_mask: Tensor | None
) -> Bool[Tensor, "#batch #head #query key"] | None:
    """Return the model's mask as True where a query may look.

    Raises:
        UnsupportedModelError: If the mask also adds to scores that it does not forbid.
    """
    if attention_mask is None:
        if getattr(module, "is_causal", False) and query.shape[-2] > 1:
            return causal_mask(query.shape[-2], key.shape[-2], query.device)[None, None]
        return None
    if attention_mask.dtype == torch.bool:
        return attention_mask
    allowed = attention_mask > torch.finfo(attention_mask.dtype).min / 2
    if bool((attention_mask.masked_fill(~allowed, 0.0) != 0.0).any()):
        raise UnsupportedModelError(
            f"module ({type(module).__name__}) adds a bias to its scores through the mask, "
            "which inspector's attention function does not read."
        )
    return allowed
