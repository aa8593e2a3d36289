"""The YAML files beside this module: which tiny networks there are, as plain data.

A file has templates (a kind, inputs, entries of config.json) and models: each is like a template,
and says what differs. A new model of a known family is a line there.
Must not know: what is done with a configuration.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from inspector.models.tiny_models import input_kinds
from inspector.models.tiny_models.tiny_configuration import Configuration, Kind, MakeInputs
from inspector.yaml_file import read_own_yaml

FOLDER = Path(__file__).parent
FILES = (
    "text_encoders", "decoders", "mixtures", "encoder_decoders", "vision", "audio", "mixed",
    "model_parts",
)  # fmt: skip
"""In the order in which their models are tried."""

_MAKERS: dict[str, Callable[..., MakeInputs]] = {
    "text": input_kinds.text,
    "sequences": input_kinds.sequences,
    "ids": input_kinds.ids,
    "numbers": input_kinds.numbers,
    "pixels": input_kinds.pixels,
    "boxes": input_kinds.boxes,
    "samples": input_kinds.samples,
}
_Inputs = list[
    dict[
        Literal["text", "sequences", "ids", "numbers", "pixels", "boxes", "samples"],
        dict[str, Any],
    ]
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Template(_Strict):
    kind: Kind
    inputs: _Inputs
    """Functions of input_kinds.py, and what each is given."""
    class_name: str = Field("AutoModel", alias="class")
    settings: dict[str, Any] = {}


class _Model(_Strict):
    like: str
    """Name of its template."""
    kind: Kind | None = None
    inputs: _Inputs | None = None
    class_name: str | None = Field(None, alias="class")
    settings: dict[str, Any] = {}
    """Beside the template's; of the same name they stand in its place."""


class _File(_Strict):
    templates: dict[str, _Template]
    models: dict[str, _Model]


def read_configurations() -> tuple[Configuration, ...]:
    """Return the configurations of all files, in order.

    Raises:
        pydantic.ValidationError: If an entry is unknown or of another type.
    """
    return tuple(row for name in FILES for row in _rows(FOLDER / f"{name}.yaml"))


def _rows(path: Path) -> list[Configuration]:
    file = _File.model_validate(read_own_yaml(path))
    rows = []
    for name, model in file.models.items():
        template = file.templates[model.like]
        rows.append(
            Configuration(
                name=name,
                model_type=name.partition(",")[0],
                kind=model.kind or template.kind,
                settings={**template.settings, **model.settings},
                inputs=_maker(model.inputs or template.inputs),
                class_name=model.class_name or template.class_name,
            )
        )
    return rows


def _maker(inputs: Sequence[dict[Any, dict[str, Any]]]) -> MakeInputs:
    makers = [_MAKERS[kind](**given) for one in inputs for kind, given in one.items()]
    return input_kinds.joined(*makers)
