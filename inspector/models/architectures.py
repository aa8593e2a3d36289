"""Which model types can be loaded with their tokenizer: the rows of architectures.yaml."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from inspector.errors import UnsupportedModelError
from inspector.yaml_file import read_own_yaml


class Architecture(BaseModel):
    """One model type that reads texts, as far as loading it goes."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    model_type: str
    """What `config.json` calls it."""
    kind: Literal["encoder", "decoder", "encoder of two"]
    """A decoder sees only what stands before; of an encoder-decoder the encoder is taken."""
    position_offset: int = 0
    """Rows of the position table that no token can use (RoBERTa counts from padding_idx + 1)."""


def _rows() -> list[Architecture]:
    listed = read_own_yaml(Path(__file__).with_name("architectures.yaml"))
    rows = [{**row, "model_type": name} for row in listed for name in row.pop("model_types")]
    return TypeAdapter(list[Architecture]).validate_python(rows)


ARCHITECTURES: dict[str, Architecture] = {row.model_type: row for row in _rows()}


def architecture_for(model_type: str) -> Architecture:
    """Return the row of a model type; UnsupportedModelError if the table has none.

    Example:
        >>> architecture_for("gpt2").kind
        'decoder'
    """
    try:
        return ARCHITECTURES[model_type]
    except KeyError:
        available = ", ".join(sorted(ARCHITECTURES))
        raise UnsupportedModelError(
            f"model_type ({model_type}) has no row in the table of architectures: inspector does "
            f"not know where it keeps its weights. Available: {available}."
        ) from None
