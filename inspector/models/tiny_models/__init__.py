"""Tiny random networks of every kind of family that transformers has.

What inspector's attention, and its table of where weights are, is tried on.
Must not know: what is tried.
"""

from inspector.errors import InputError
from inspector.models.tiny_models.tiny_configuration import Configuration, Kind, read_configurations

CONFIGURATIONS: tuple[Configuration, ...] = read_configurations()
"""All of them, by kind."""

__all__ = ["CONFIGURATIONS", "Configuration", "Kind", "configuration"]


def configuration(name: str) -> Configuration:
    """Return the configuration of a name; InputError if there is none.

    Example:
        >>> configuration("gpt2").kind
        'decoder'
    """
    for row in CONFIGURATIONS:
        if row.name == name:
            return row
    available = ", ".join(row.name for row in CONFIGURATIONS)
    raise InputError(
        f"configuration ({name}) must be one of inspector's families. Available: {available}."
    )
