"""A room's public names, of which each imports its module when it is first asked for (PEP 562)."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def public_names(
    room: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's `__getattr__` and `__dir__`.

    Args:
        room: The package's name.
        modules: Of each public name, the module below the package that has it.

    Example:
        >>> find, names = public_names("inspector.corpora", {"Sentence": "sentence"})
        >>> names(), find("Sentence").__name__
        (['Sentence'], 'Sentence')
    """

    def find(name: str) -> Any:
        if name in modules:
            return getattr(import_module(f"{room}.{modules[name]}"), name)
        raise AttributeError(
            f"module {room!r} has no attribute {name!r}. Available: {', '.join(modules)}."
        )

    return find, lambda: [*modules]
