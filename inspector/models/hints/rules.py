"""The rules of hints.yaml: what is said of names and settings that are no model's."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from inspector.yaml_file import read_own_yaml


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Rule(_Strict):
    names: list[str] = []
    none: str | None = None
    only: list[str] | None = None
    settings: list[str] = []
    says: str

    def said(self, names: Sequence[str], settings: Mapping[str, Any], folder: object) -> str | None:
        """Return the sentence, or None where the rule does not hold."""
        found = [_fitting(pattern, names) for pattern in self.names]
        values = [settings[name] for name in self.settings if name in settings]
        if not all(found) or bool(self.settings) != bool(values):
            return None
        if self.none is not None and _fitting(self.none, names):
            return None
        if self.only is not None and not all(
            any(_fitting(pattern, [name]) for pattern in self.only) for name in names
        ):
            return None
        first = found[0] if found else []
        return self.says.format(
            folder=folder,
            found=first[0] if first else None,
            count=len(first),
            value=values[0] if values else None,
        )


class TensorNames(_Strict):
    """By what stored tensors are told from weights; patterns are searched for in their names."""

    floating: list[str]
    dtypes: dict[str, str]
    """As safetensors call one → as torch does."""
    weight: str
    mask: str
    scale: str
    adapter: str
    ending: str


class _Hints(_Strict):
    definitions: list[Any]
    """What YAML's marks stand for."""
    pickled: list[str]
    rules: dict[str, list[_Rule]]
    tensors: TensorNames


@cache
def hints() -> _Hints:
    """Return what hints.yaml holds."""
    return _Hints.model_validate(read_own_yaml(Path(__file__).with_name("hints.yaml")))


def said_of(
    rules: str,
    names: Sequence[str],
    settings: Mapping[str, Any] | None = None,
    folder: object = None,
) -> str | None:
    """Return the sentence of the first rule that holds, None where none does.

    Args:
        rules: Which, of hints.yaml.
        names: Of what lies in a folder, sorted; or the one name that was given.
        settings: Of config.json.
        folder: As the user called it.

    Example:
        >>> said_of("files", ["a.zip"])
        ', an archive: unpack it'
    """
    said = (rule.said(names, settings or {}, folder) for rule in hints().rules[rules])
    return next((sentence for sentence in said if sentence is not None), None)


def _fitting(pattern: str, names: Sequence[str]) -> list[re.Match[str]]:
    whole = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return [found for name in names if (found := whole.fullmatch(name))]
