"""Heads as users write them: 2-8, layer 2 and head 8, both counted from 0."""

import re
from collections.abc import Iterable, Sequence
from operator import index
from typing import Any

from inspector.arguments import are_several, is_whole, refused
from inspector.errors import InputError

Head = tuple[int, int]
"""A layer and a head of it, both counted from 0."""
Heads = str | Sequence[int] | Sequence[str | Sequence[int]]
"""Heads as users write them: '2-8', '2-8,3-1', (2, 8), or several of these."""
ALL = "all"
"""Stands for every head."""
_WRITTEN = re.compile(r"\s*([0-9]{1,6})-([0-9]{1,6})\s*")
_SHOWN = 80


def head_list(given: object) -> list[Head]:
    """Return heads as pairs of a layer and a head.

    Args:
        given: '2-8', '2-8,3-1', (2, 8), or several of these.

    Raises:
        InputError: If a part is no head.

    Example:
        >>> head_list("2-8,3-1") == head_list(["2-8", (3, 1)])
        True
        >>> head_list((2, 8))
        [(2, 8)]
    """
    if isinstance(given, str):
        found = [_WRITTEN.fullmatch(part) for part in given.split(",")]
        heads = [(int(one[1]), int(one[2])) for one in found if one is not None]
        if len(heads) == len(found):
            return heads
        raise _refused(given)
    if (pair := _pair(given)) is not None:
        return [pair]
    if isinstance(given, bytes) or not isinstance(given, Iterable):
        raise _refused(given)
    return [head for part in given for head in _of_part(part)]


def chosen_numbers(name: str, given: Any, available: Sequence[int]) -> list[int]:
    """Return chosen layers or heads in order and without repetition, all where none is given.

    Raises:
        InputError: If they are no numbers, none, or not among those that are there.

    Example:
        >>> chosen_numbers("layers", [3, 1, 3], range(6))
        [1, 3]
    """
    if given is None:
        return list(available)
    if not (are_several(given) and all(map(is_whole, given))):
        raise refused(name, given, "whole numbers, such as [0, 3], or be left out")
    chosen = sorted({index(number) for number in given})
    if chosen and {*chosen} <= {*available}:
        return chosen
    given_as = ", ".join(map(str, chosen)) or "none"
    if list(available) != list(range(len(available))):
        kept = ", ".join(map(str, available))
        raise InputError(f"{name} ({given_as}) must be among the {name} that are kept: {kept}.")
    raise InputError(
        f"{name} ({given_as}) must name at least one of the model's {len(available)} {name}: "
        f"give numbers from 0 to {len(available) - 1}."
    )


def _of_part(part: Any) -> list[Head]:
    if isinstance(part, str) or _pair(part) is not None:
        return head_list(part)
    raise _refused(part)


def _pair(given: Any) -> Head | None:
    try:
        layer, head = given
        return index(layer), index(head)
    except (TypeError, ValueError):
        return None


def _refused(given: object) -> InputError:
    text = str(given) if isinstance(given, str) else repr(given)
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return InputError(
        f"heads ({shown}) must be LAYER-HEAD, separated by commas, such as 2-8,3-1; or all."
    )
