"""How large a model may be that config.json asks for, before anything is built.

The limits stand in size_limits.yaml.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from inspector.errors import ModelError
from inspector.yaml_file import read_own_yaml


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    most: dict[str, int]
    may_be_null: list[str]
    widths: list[str]
    heads: list[str]
    head_widths: list[str]
    most_labels: int
    most_of_others: int
    of_nothing: str


@cache
def _limits() -> _Limits:
    return _Limits.model_validate(read_own_yaml(Path(__file__).with_name("size_limits.yaml")))


def check_numbers(settings: Any, path: Path) -> None:
    """Refuse whole numbers, wherever they stand, by which something would be made without end.

    Raises:
        ModelError: If there is one.
    """
    limits = _limits()
    for name, value in _numbers(settings, "config.json"):
        most = limits.most_labels if name == "num_labels" else limits.most_of_others
        of_nothing = re.search(limits.of_nothing, name, re.IGNORECASE)
        if value > most and not of_nothing and name not in limits.most:
            raise ModelError(f"{name} ({value!r}) in {path} must be at most {most}.")


def _numbers(settings: Any, name: str) -> Iterator[tuple[str, int]]:
    """Yield each whole number within settings, and what it is called."""
    if isinstance(settings, int):
        yield name, settings
    elif isinstance(settings, (dict, list)):
        named = settings.items() if isinstance(settings, dict) else [(name, v) for v in settings]
        for key, value in named:
            yield from _numbers(value, key)


def check_sizes(settings: Any, path: Path) -> None:
    """Refuse sizes, those of a model's parts too, by which more would be built than can be.

    Raises:
        ModelError: If one is too large.
    """
    known = _limits().most
    for name, value in _numbers(settings, ""):
        if value > known.get(name, value):
            raise _no_size(name, value, known[name], path)


def check_limits(settings: dict[str, Any], path: Path) -> None:
    """Refuse sizes that are no whole numbers, too large to be built, or do not fit each other.

    Raises:
        ModelError: If there is one.
    """
    limits = _limits()
    for name, most in limits.most.items():
        value = settings.get(name, 1)
        if value is None and name in limits.may_be_null:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise _no_size(name, value, most, path)
    if any(settings.get(name) for name in limits.head_widths):
        return  # heads are as wide as is said, whatever the width of the model
    width, heads = (
        next((settings[name] for name in names if name in settings), None)
        for names in (limits.widths, limits.heads)
    )
    if width and heads and width % heads:
        raise ModelError(
            f"d_model ({width}) must be divisible by n_heads ({heads}) in {path}: "
            "every head gets d_model / n_heads features."
        )


def _no_size(name: str, value: object, most: int, path: Path) -> ModelError:
    return ModelError(f"{name} ({value!r}) in {path} must be a whole number from 1 to {most}.")
