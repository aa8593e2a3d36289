"""Tiny random networks of families of transformers, and inputs that suit them, as YAML has them.

A file has templates (a kind, inputs, entries of config.json) and models: each is like a template,
and says what differs. A new model of a known family is a line there. Weights are drawn so that
attention is far from uniform and no bias is zero. Must not know: what is done with the network.
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
MakeInputs = Callable[[torch.Generator], dict[str, Tensor]]

VOCABULARY = 99
_FIRST_ORDINARY = 5  # the ids below are special ones
_LENGTHS = (9, 6, 4)
_TARGET_LENGTHS = (7, 7, 5)


def text(
    padding: Literal["right", "left"] = "right",
    *,
    lengths: Sequence[int] = _LENGTHS,
    pad_id: int = 0,
    prefix: str = "",
) -> MakeInputs:
    """Return a maker of `input_ids` and `attention_mask`."""

    def make(generator: Generator) -> dict[str, Tensor]:
        longest = max(lengths)
        ids = _ids(generator, len(lengths), longest)
        steps = torch.arange(longest).expand(len(lengths), -1)
        counts = torch.tensor(lengths)[:, None]
        kept = steps < counts if padding == "right" else steps >= longest - counts
        return {
            f"{prefix}input_ids": ids.masked_fill(~kept, pad_id),
            f"{prefix}attention_mask": kept.long(),
        }

    return make


def sequences(pad_id: int = 0) -> MakeInputs:
    """Return a maker of a padded text to read and a padded text to write."""
    return joined(text(pad_id=pad_id), text(lengths=_TARGET_LENGTHS, pad_id=pad_id,
                                            prefix="decoder_"))  # fmt: skip


def ids(name: str, length: int, *, batch: int = 3) -> MakeInputs:
    """Return a maker of ids without padding."""
    return lambda generator: {name: _ids(generator, batch, length)}


def numbers(name: str, shape: Sequence[int]) -> MakeInputs:
    """Return a maker of standard normal numbers: pixels, samples, features."""
    return lambda generator: {name: torch.randn(*shape, generator=generator)}


def pixels(size: int = 16, *, channels: int = 3, batch: int = 2) -> MakeInputs:
    """Return a maker of `pixel_values` of square images."""
    return numbers("pixel_values", (batch, channels, size, size))


def boxes(length: int, *, coordinates: int = 4, batch: int = 3) -> MakeInputs:
    """Return a maker of `bbox`: places on a page, left and top before right and bottom."""

    def make(generator: Generator) -> dict[str, Tensor]:
        drawn = torch.randint(0, 60, (batch, length, coordinates), generator=generator)
        return {"bbox": drawn.sort(-1).values}

    return make


def samples(length: int, *, lengths: Sequence[int] = ()) -> MakeInputs:
    """Return a maker of `input_values`, sound as samples, with its mask where lengths are given."""

    def make(generator: Generator) -> dict[str, Tensor]:
        batch = len(lengths) or 2
        made = {"input_values": torch.randn(batch, length, generator=generator)}
        if lengths:
            kept = torch.arange(length)[None] < torch.tensor(lengths)[:, None]
            made["attention_mask"] = kept.long()
        return made

    return make


def joined(*makers: MakeInputs) -> MakeInputs:
    """Return a maker of what several makers make."""

    def make(generator: Generator) -> dict[str, Tensor]:
        made: dict[str, Tensor] = {}
        for maker in makers:
            made |= maker(generator)
        return made

    return make


def _ids(generator: Generator, batch: int, length: int) -> Tensor:
    return torch.randint(_FIRST_ORDINARY, VOCABULARY, (batch, length), generator=generator)


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
    inputs: MakeInputs = field(repr=False)
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
        return self.inputs(torch.Generator().manual_seed(seed))


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

_MAKERS: dict[str, Callable[..., MakeInputs]] = {
    maker.__name__: maker for maker in (text, sequences, ids, numbers, pixels, boxes, samples)
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
    """Functions of this module, and what each is given."""
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
    return joined(*makers)
