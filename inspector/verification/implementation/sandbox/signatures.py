"""What a user's function takes, compared with how it is called.

Must not know: what it computes.
"""

import inspect
from collections.abc import Callable
from typing import Any

from torch import nn

from inspector.errors import InputError
from inspector.text import in_a_line

_MOST_OF_A_SIGNATURE = 200


def check_takes(function: Callable[..., Any], what: str, given: tuple[str, ...], call: str) -> None:
    """Refuse a function that cannot be called in this way, where it tells what it takes.

    Args:
        function: The function, a module or a class.
        what: What it is called in sentences.
        given: What it is given, by place.
        call: The call, in words.

    Raises:
        InputError: If it takes fewer arguments, or needs more.

    Example:
        >>> check_takes(lambda query, key, value: query, "mine", ("x", "mask"), "layer(x, mask)")
        Traceback (most recent call last):
        inspector.errors.InputError: mine takes (query, key, value): it is called as layer(x, mask).
    """
    try:
        # What a module takes is said by its forward, not by what calls that.
        called = function.forward if isinstance(function, nn.Module) else function
        signature = inspect.signature(called)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*given)
    except TypeError:
        takes = in_a_line(str(signature).partition(" -> ")[0], _MOST_OF_A_SIGNATURE)
        raise InputError(f"{what} takes {takes}: it is called as {call}.") from None
