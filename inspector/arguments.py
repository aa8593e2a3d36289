"""What callers give to public functions, checked by the argument's name before any work is done.

A name means the same in every function: so one table says what each may be.
"""

import os
from collections.abc import Callable, Collection
from functools import wraps
from inspect import signature
from itertools import zip_longest
from numbers import Real
from operator import index
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from inspector.errors import InputError
from inspector.text import in_a_line

Given = ParamSpec("Given")
Result = TypeVar("Result")

MOST_SEED = 2**31 - 1
_SHOWN = 80


def shown(given: object) -> str:
    """Return a value of any kind as it is shown in a sentence, a string without its quotes.

    Example:
        >>> shown("x"), shown(b"x"), len(shown("a" * 1000))
        ('x', "b'x'", 80)
    """
    return in_a_line(given, _SHOWN) if isinstance(given, str) else _written(given)


def _written(given: object) -> str:
    try:
        return in_a_line(repr(given), _SHOWN)
    except Exception:  # noqa: BLE001  # a number of too many digits, or a stranger's __repr__
        return f"a value of type {type(given).__name__}"


def refused(name: str, given: object, must_be: str) -> InputError:
    """Return what is raised where an argument is of a kind that it must not be."""
    return InputError(f"{name} ({_written(given)}) must be {must_be}.")


def as_path(name: str, given: object) -> Path:
    """Return an argument as a path.

    Raises:
        InputError: If it is none.

    Example:
        >>> as_path("output", None)
        Traceback (most recent call last):
        inspector.errors.InputError: output (None) must be a path: give a string or a pathlib.Path.
    """
    if not _is_path(given):
        raise refused(name, given, _RULES["output"][1])
    return Path(str(given))


def checked(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Return the function, refusing what its arguments may not be.

    None is let through where it is the default.

    Raises:
        InputError: When it is called with one.

    Example:
        >>> checked(lambda *, force=False: force)(force="yes")
        Traceback (most recent call last):
        inspector.errors.InputError: force ('yes') must be True or False.
    """
    wanted = signature(function)

    @wraps(function)
    def call(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        _refuse_tokenizer(tuple(wanted.parameters), args, kwargs)
        for name, given in wanted.bind(*args, **kwargs).arguments.items():
            if name in _RULES:
                check(name, given, optional=wanted.parameters[name].default is None)
        return function(*args, **kwargs)

    return call


def _refuse_tokenizer(
    names: tuple[str, ...], args: tuple[object, ...], kwargs: dict[str, object]
) -> None:
    """Refuse a tokenizer where none is taken, beside a model or in the place of something else.

    Raises:
        InputError: If there is one.
    """
    for name, given in (*zip_longest(names[: len(args)], args), *kwargs.items()):
        is_one = hasattr(given, "convert_ids_to_tokens") and not isinstance(given, type)
        if is_one and name != "model" and not (name == "tokenizer" and name in names):
            raise InputError(
                f"tokenizer ({type(given).__name__}) must be given to inspector.load, with its "
                "model: write inspector.load(model, tokenizer), and give what it returns in the "
                "place of the model."
            )


def check(name: str, given: object, *, optional: bool = False) -> None:
    """Refuse what an argument of that name may not be.

    Args:
        name: One that this module has a rule for.
        given: The argument.
        optional: Whether None is let through.

    Raises:
        InputError: If it may not be.
    """
    may_be, must_be = _RULES[name]
    if not (may_be(given) or (given is None and optional)):
        raise refused(name, given, f"{must_be}{', or be left out' if optional else ''}")


def is_whole(given: Any) -> bool:
    """Return whether something is a whole number, of Python's or numpy's; True is none.

    Example:
        >>> is_whole(3), is_whole(True), is_whole(3.0)
        (True, False, False)
    """
    try:
        return index(given) == given and not isinstance(given, bool)
    except TypeError:
        return False


def are_several(given: object) -> bool:
    """Return whether something holds several: a list, a tuple, an array; a text is one.

    Example:
        >>> are_several([]), are_several("ab"), are_several(b"ab")
        (True, False, False)
    """
    is_text = isinstance(given, str | bytes | bytearray)
    return isinstance(given, Collection) and not is_text and getattr(given, "shape", None) != ()


def _is_flag(given: object) -> bool:
    return isinstance(given, bool)


def _is_text(given: object) -> bool:
    return isinstance(given, str)


def _is_name(given: object) -> bool:
    """Return whether something is a name, or what torch has in the place of one."""
    return isinstance(given, str) or type(given).__module__ == "torch"


def _is_path(given: Any) -> bool:
    if not isinstance(given, str | os.PathLike):
        return False
    text = os.fspath(given)
    return isinstance(text, str) and text != "" and "\0" not in text


def _are_paths(given: Any) -> bool:
    return _is_path(given) or (are_several(given) and all(map(_is_path, given)))


def _is_seed(given: Any) -> bool:
    return is_whole(given) and 0 <= given <= MOST_SEED


def _are_numbers(given: Any) -> bool:
    return are_several(given) and all(map(is_whole, given))


def _is_number(given: Any) -> bool:
    try:
        return not isinstance(given, bool) and isinstance(given, Real) and float(given) is not None
    except OverflowError:
        return False


def _is_told(given: object) -> bool:
    return callable(given) or _is_flag(given)


_FLAG = (_is_flag, "True or False")
_NUMBERS = (_are_numbers, "whole numbers, such as [0, 3]")
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("ablation", "cause", "check", "distances", "force", "parse"), _FLAG),
    **dict.fromkeys(("resume", "strict", "together", "words"), _FLAG),
    **dict.fromkeys(("kept", "layers"), _NUMBERS),
    "annotations": (_are_paths, "the path of a file, or several"),
    "device": (_is_name, "the name of a device, such as cpu"),
    "dtype": (_is_name, "the name of a dtype, such as float32"),
    "engine": (_is_text, "the name of an engine, such as local"),
    "name": (_is_text, "a name, such as mine"),
    "memory": (_is_number, "a number of bytes"),
    "output": (_is_path, "a path: give a string or a pathlib.Path"),
    "progress": (_is_told, "a function of what is being done and the share, or True or False"),
    "residual": (_is_number, "a number from 0 to 1"),
    "revision": (_is_text, "the name of a branch, tag or commit"),
    "seed": (_is_seed, f"a whole number from 0 to {MOST_SEED}"),
    "workers": (is_whole, "a whole number, at least 1"),
    "timeout": (_is_number, "a number of seconds"),
}
