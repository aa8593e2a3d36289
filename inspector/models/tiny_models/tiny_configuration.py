"""Tiny random networks of families of transformers, and inputs that suit them, as YAML has them.

A file has templates (a kind, inputs, entries of config.json) and models: each is like a template,
and says what differs. A new model of a known family is a line there. Weights are drawn so that
attention is far from uniform and no bias is zero.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Generator, Tensor, nn

from inspector.yaml_file import read_own_yaml

Kind = Literal[
    "text encoder",
    "decoder",
    "encoder-decoder",
    "vision",
    "audio",
    "text and vision",
    "text and audio",
]

VOCABULARY = 99
_FIRST_ORDINARY = 5  # the ids below are special ones
_LENGTHS = (9, 6, 4)
_TARGET_LENGTHS = (7, 7, 5)


def _text(
    generator: Generator,
    padding: Literal["right", "left"] = "right",
    *,
    lengths: Sequence[int] = _LENGTHS,
    pad_id: int = 0,
    prefix: str = "",
) -> dict[str, Tensor]:
    """Return `input_ids` and `attention_mask`."""
    longest = max(lengths)
    shape = (len(lengths), longest)
    drawn = torch.randint(_FIRST_ORDINARY, VOCABULARY, shape, generator=generator)
    steps = torch.arange(longest).expand(len(lengths), -1)
    counts = torch.tensor(lengths)[:, None]
    kept = steps < counts if padding == "right" else steps >= longest - counts
    return {
        f"{prefix}input_ids": drawn.masked_fill(~kept, pad_id),
        f"{prefix}attention_mask": kept.long(),
    }


def _sequences(generator: Generator, pad_id: int = 0) -> dict[str, Tensor]:
    """Return a padded text to read and a padded text to write."""
    read = _text(generator, pad_id=pad_id)
    write = _text(generator, lengths=_TARGET_LENGTHS, pad_id=pad_id, prefix="decoder_")
    return read | write


def _ids(generator: Generator, name: str, length: int, *, batch: int = 3) -> dict[str, Tensor]:
    """Return ids without padding."""
    shape = (batch, length)
    return {name: torch.randint(_FIRST_ORDINARY, VOCABULARY, shape, generator=generator)}


def _numbers(generator: Generator, name: str, shape: Sequence[int]) -> dict[str, Tensor]:
    """Return standard normal numbers: pixels, samples, features."""
    return {name: torch.randn(*shape, generator=generator)}


def _pixels(
    generator: Generator, size: int = 16, *, channels: int = 3, batch: int = 2
) -> dict[str, Tensor]:
    """Return `pixel_values` of square images."""
    return _numbers(generator, "pixel_values", (batch, channels, size, size))


def _boxes(
    generator: Generator, length: int, *, coordinates: int = 4, batch: int = 3
) -> dict[str, Tensor]:
    """Return `bbox`: places on a page, left and top before right and bottom."""
    drawn = torch.randint(0, 60, (batch, length, coordinates), generator=generator)
    return {"bbox": drawn.sort(-1).values}


def _samples(
    generator: Generator, length: int, *, lengths: Sequence[int] = ()
) -> dict[str, Tensor]:
    """Return `input_values`, sound as samples, with its mask where lengths are given."""
    made = _numbers(generator, "input_values", (len(lengths) or 2, length))
    if lengths:
        kept = torch.arange(length)[None] < torch.tensor(lengths)[:, None]
        made["attention_mask"] = kept.long()
    return made


_MAKERS: dict[str, Callable[..., dict[str, Tensor]]] = {
    "text": _text,
    "sequences": _sequences,
    "ids": _ids,
    "numbers": _numbers,
    "pixels": _pixels,
    "boxes": _boxes,
    "samples": _samples,
}
"""What inputs are made of, each drawn with a generator."""
_Maker = Literal["text", "sequences", "ids", "numbers", "pixels", "boxes", "samples"]
_Inputs = list[dict[_Maker, dict[str, Any]]]

# At width 32 scores then vary by more than one, and attention is far from uniform.
_MATRIX_DEVIATION, _VECTOR_DEVIATION = 0.3, 0.2


@dataclass(frozen=True)
class Configuration:
    """A tiny random network: hidden width 32 and two layers, as far as its family lets it."""

    name: str
    """Unique; the model type, and what is special after a comma."""
    model_type: str
    """What `config.json` calls it."""
    kind: Kind
    settings: Mapping[str, Any] = field(repr=False)
    """Entries of config.json."""
    inputs: _Inputs = field(repr=False)
    """What they are made of, and what each is given."""
    class_name: str = "AutoModel"
    """Of transformers: what is built; `AutoModel` picks by the model type."""

    def build(self, seed: int = 20170612) -> nn.Module:
        """Return the network with random weights, in evaluation mode, with its eager attention.

        Example:
            >>> from inspector.models.tiny_models import configuration
            >>> type(configuration("bert").build()).__name__
            'BertModel'
        """
        import transformers

        config = transformers.AutoConfig.for_model(self.model_type, **deepcopy(dict(self.settings)))
        made: Any = getattr(transformers, self.class_name)
        # Some families draw more than parameters when they are built.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if self.class_name.startswith("Auto"):
                network = made.from_config(config, attn_implementation="eager")
            else:
                config._attn_implementation = "eager"
                network = made(config)
        draw_weights(network, seed)
        # The other ways of running experts have no float64.
        network.set_experts_implementation("eager")
        evaluating: nn.Module = network.float().eval()
        return evaluating

    def make_inputs(self, seed: int = 0) -> dict[str, Tensor]:
        """Return the keyword arguments of a forward pass: random, padded where there is padding.

        Example:
            >>> from inspector.models.tiny_models import configuration
            >>> configuration("gpt2").make_inputs()["attention_mask"].sum(-1).tolist()
            [9, 6, 4]
        """
        generator = torch.Generator().manual_seed(seed)
        made: dict[str, Tensor] = {}
        for one in self.inputs:
            for kind, given in one.items():
                made |= _MAKERS[kind](generator, **given)
        return made


def draw_weights(network: nn.Module, seed: int) -> None:
    """Draw every parameter anew.

    Matrices and embeddings around zero; vectors (biases, the weights of norms, sinks) around what
    the family starts from, so that a norm stays near one and a bias is not zero.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            drawn = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim > 1:
                parameter.copy_(_MATRIX_DEVIATION * drawn)
            else:
                parameter.add_(_VECTOR_DEVIATION * drawn)


FOLDER = Path(__file__).parent
FILES = (
    "text_encoders", "decoders", "mixtures", "encoder_decoders", "vision", "audio", "mixed",
    "model_parts",
)  # fmt: skip
"""In the order in which their models are tried."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Template(_Strict):
    kind: Kind
    inputs: _Inputs
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
                inputs=model.inputs or template.inputs,
                class_name=model.class_name or template.class_name,
            )
        )
    return rows
