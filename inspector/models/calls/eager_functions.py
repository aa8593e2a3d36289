"""Which eager attention function of transformers a module would call, found in its own code.

Must not know: what is computed.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import cache
from types import FunctionType
from typing import Any

from torch import Tensor, nn

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
