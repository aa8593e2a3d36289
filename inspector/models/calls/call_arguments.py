"""What transformers hands an attention function, read as what our attention takes.

Masks of every shape, boolean or added to the scores; biases, some of them hidden in a mask; caps
and sinks. What would change the mathematics and is not known by name is refused; what is known
says the eager function that the module itself would call, found in its own code.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from inspector.attention import causal_mask
from inspector.errors import UnsupportedModelError

_NAME = "eager_attention_forward"
_INTERFACE = "ALL_ATTENTION_FUNCTIONS"

EagerFunction = Callable[..., tuple[Tensor, Tensor]]


def eager_function(module: nn.Module) -> EagerFunction:
    """Return the eager function that a module's class names in its code.

    Raises:
        UnsupportedModelError: If it names none.

    Example:
        >>> from transformers.models.bert.modeling_bert import BertConfig, BertSelfAttention
        >>> eager_function(BertSelfAttention(BertConfig())).__name__
        'eager_attention_forward'
    """
    kind: Any = type(module)
    return _named_by(kind)


def calls_interface(module: nn.Module) -> bool:
    """Return whether a module's class names transformers' attention interface in its code.

    Example:
        >>> calls_interface(nn.MultiheadAttention(4, 2))
        False
    """
    kind: Any = type(module)
    return _names_interface(kind)


@cache
def _names_interface(kind: type[nn.Module]) -> bool:
    return any(_INTERFACE in function.__code__.co_names for function in _functions(kind))


@cache
def _named_by(kind: type[nn.Module]) -> EagerFunction:
    for function in _functions(kind):
        for name in function.__code__.co_names:
            if name.endswith(_NAME) and callable(function.__globals__.get(name)):
                named: EagerFunction = function.__globals__[name]
                return named
    beside = getattr(sys.modules.get(kind.__module__), _NAME, None)
    if beside is None:
        raise UnsupportedModelError(
            f"module ({kind.__name__}) has no eager_attention_forward beside it: "
            "its own attention cannot be watched."
        )
    eager: EagerFunction = beside
    return eager


def _functions(kind: type[nn.Module]) -> Iterator[FunctionType]:
    """Yield the functions of a class and its ancestors, `forward` first, without decorators."""
    for ancestor in kind.__mro__:
        members: dict[str, Any] = dict(vars(ancestor))
        for member in (members.pop("forward", None), *members.values()):
            if isinstance(member, FunctionType):
                yield inspect.unwrap(member)


# Arguments that the attention interface hands over and that change nothing in the mathematics:
# they are known to the mask, the cache or the model.
_HARMLESS = {
    "is_causal",
    "use_cache",
    "position_ids",
    "cache_position",
    "cu_seq_lens_q",
    "cu_seq_lens_k",
    "max_length_q",
    "max_length_k",
    "token_type_ids",
}
# What our function reads, where the module's own does.
_READ = ("position_bias", "softcap", "s_aux", "sinks")
# Half of the least number would do; a mask may be made in one dtype and added in another.
_FORBIDDEN = -1e30


class ScoreTerms(NamedTuple):
    """All that decides a call's scores beside queries, keys and scaling."""

    mask: Bool[Tensor, "#batch #head #query key"] | None
    bias: Float[Tensor, "#batch #head #query #key"] | None
    softcap: float | None
    sinks: Float[Tensor, "#batch head #query 1"] | None


def read_arguments(
    module: nn.Module,
    query: Float[Tensor, "batch head query d_head"],
    key: Float[Tensor, "batch kv_head key d_head"],
    attention_mask: Tensor | None,
    kwargs: dict[str, Any],
) -> ScoreTerms:
    """Return what a call adds to its scores.

    Args:
        module: That calls.
        query: Its queries.
        key: Its keys.
        attention_mask: True, or 0, where a query may look; or any other number to be added.
        kwargs: All that the module hands over besides.

    Raises:
        UnsupportedModelError: If there is a tensor that our attention would ignore, or a mask
            that no one can read.
    """
    refuse_unknown(module, kwargs)
    mask, bias = split_mask(module, query.dtype, attention_mask)
    position_bias = kwargs.get("position_bias")
    if position_bias is not None:
        added = _with_four_axes(position_bias).to(query.dtype)
        bias = added if bias is None else bias + added
    return ScoreTerms(mask, bias, kwargs.get("softcap") or None, _sinks(query, kwargs))


def causal_unless_masked(
    module: nn.Module, query: Tensor, key: Tensor, attention_mask: Tensor | None, is_causal: Any
) -> Tensor | None:
    """Return the mask; a causal one where there is none and the layer is causal.

    transformers leaves the mask out where it thinks that `is_causal` will make it.
    """
    causal = getattr(module, "is_causal", False) if is_causal is None else is_causal
    if attention_mask is None and causal and query.shape[-2] > 1:
        return causal_mask(query.shape[-2], key.shape[-2], query.device)[None, None]
    return attention_mask


def refuse_unknown(module: nn.Module, kwargs: dict[str, Any]) -> None:
    """Refuse what would change the mathematics, or would not but for us.

    That is a tensor that our function does not read, and a term that the module's own function
    does not know: a user's, which transformers would ignore.

    Raises:
        UnsupportedModelError: If there is one.
    """
    unknown = sorted(
        name
        for name, value in kwargs.items()
        if name not in _HARMLESS
        and (_holds_tensor(value) or (name in _READ and value))
        and not _is_read(module, name)
    )
    if unknown:
        raise UnsupportedModelError(
            f"module ({type(module).__name__}) hands its attention function "
            f"{', '.join(unknown)}, which inspector's does not read: "
            "the result would be another model's."
        )


def _is_read(module: nn.Module, name: str) -> bool:
    """Return whether our function reads an argument, and the module's own eager one does too."""
    if name == "s_aux":  # there the eager functions read the module itself
        return getattr(module, "sinks", None) is not None
    return name in _READ and name in _parameters(eager_function(module))


@cache
def _parameters(function: EagerFunction) -> frozenset[str]:
    return frozenset(inspect.signature(function).parameters)


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_tensor, value))
    return isinstance(value, Tensor)


def split_mask(
    module: nn.Module, dtype: torch.dtype, mask: Tensor | None
) -> tuple[
    Bool[Tensor, "#batch #head #query key"] | None,
    Float[Tensor, "#batch #head #query #key"] | None,
]:
    """Return where a query may look, and what is added to the scores there, if anything is.

    A value that no score can make up for forbids; every other one, however small, is a bias.

    Args:
        module: Whose mask it is, for the sentence.
        dtype: Of the scores.
        mask: Boolean, or floating and added to the scores.

    Raises:
        UnsupportedModelError: If the mask is neither.
    """
    if mask is None:
        return None, None
    mask = _with_four_axes(mask)
    if mask.dtype == torch.bool:
        return mask, None
    if not mask.is_floating_point():
        raise UnsupportedModelError(
            f"module ({type(module).__name__}) has a mask of dtype {mask.dtype}: only a boolean "
            "one, or one that is added to the scores, says what is meant."
        )
    limit = max(torch.finfo(mask.dtype).min / 2, _FORBIDDEN)
    forbidden = mask <= limit  # NaN forbids nothing: it must come out as NaN
    bias = mask.masked_fill(forbidden, 0.0)
    if not bool(bias.any()):
        return _in_little_memory(~forbidden), None
    allowed = ~forbidden if bool(forbidden.any()) else None
    return allowed, bias.to(dtype)


def _in_little_memory(allowed: Tensor) -> Tensor:
    """Return the same mask, one row of it in memory where all queries have the same.

    Padding makes such masks; whole ones would be held beside the scores, as eager holds none.
    """
    row = allowed[..., :1, :]
    return row.clone().expand_as(allowed) if bool((allowed == row).all()) else allowed


def _sinks(query: Tensor, kwargs: dict[str, Any]) -> Tensor | None:
    """Return the scores of the keys without a value: given by head, or by query."""
    given = kwargs.get("s_aux")
    given = kwargs.get("sinks") if given is None else given
    if given is None:
        return None
    sinks: Tensor = given if given.ndim == 4 else given.reshape(1, -1, 1, 1)
    return sinks.to(query.dtype)


def _with_four_axes(tensor: Tensor) -> Tensor:
    return tensor[(None,) * (4 - tensor.ndim)]
