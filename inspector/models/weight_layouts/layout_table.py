"""Which families keep their attention weights in which layout: the table in layouts.yaml.

A family is a package of transformers.models: its attention modules' classes say which it is, so
that the parts of a composite model are found too. Several rows of one family are tried in order.
Must not know: how a model is loaded or run.
"""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model
from torch import nn

from inspector.models.weight_layouts.layout import Layout
from inspector.yaml_file import read_own_yaml

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
_HINTS = get_type_hints(Layout)
_LAYOUT: dict[str, Any] = {one.name: (_HINTS[one.name], one.default) for one in fields(Layout)}
_Row: Any = create_model("_Row", __config__=_STRICT, families=(list[str], ...), **_LAYOUT)
"""The families that keep their weights so, and the fields of `Layout`."""


class _Undeclared(BaseModel):
    model_config = _STRICT

    classes: list[str]
    reason: str


class _Table(BaseModel):
    model_config = _STRICT

    layouts: list[_Row]
    undeclared: list[_Undeclared]


def _by_family(table: _Table) -> dict[str, tuple[Layout, ...]]:
    layouts: dict[str, tuple[Layout, ...]] = {}
    for row in table.layouts:
        layout = Layout(**row.model_dump(exclude={"families"}))
        for family in row.families:
            layouts[family] = (*layouts.get(family, ()), layout)
    return layouts


_TABLE = _Table.model_validate(read_own_yaml(Path(__file__).with_name("layouts.yaml")))

LAYOUTS: dict[str, tuple[Layout, ...]] = _by_family(_TABLE)
"""Family → its layouts, in the order in which they are tried."""

UNDECLARED: dict[str, str] = {
    name: entry.reason for entry in _TABLE.undeclared for name in entry.classes
}
"""Class of attention → why no layout can say where its W_Q, W_K, W_V and W_O are."""


def family_of(module: nn.Module) -> str:
    """Return the package of transformers.models that a module's class is from, or ''.

    Example:
        >>> family_of(nn.Linear(1, 1))
        ''
    """
    parts = type(module).__module__.split(".")
    return parts[2] if parts[:2] == ["transformers", "models"] else ""


def layouts_at(modules: dict[str, nn.Module], attention: str) -> tuple[Layout, ...]:
    """Return the layouts of the table that fit the module of a name, in order."""
    rows = LAYOUTS.get(family_of(modules[attention]), ())
    return tuple(layout for layout in rows if layout.fits(modules, attention))


def attention_sites(network: nn.Module) -> Iterator[tuple[str, tuple[Layout, ...]]]:
    """Yield name → layouts of every module of a network that the table knows."""
    modules = dict(network.named_modules())
    for name in modules:
        layouts = layouts_at(modules, name)
        if layouts:
            yield name, layouts
