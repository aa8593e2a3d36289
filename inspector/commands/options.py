"""The options that several commands share, by themselves and in groups, and their choices."""

import functools
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, fields, is_dataclass
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from inspector.errors import InputError
from inspector.output import check_output, write_atomically
from inspector.records import FRAME_WRITERS, json_text, records

if TYPE_CHECKING:
    import pandas as pd

    from inspector.models import PretrainedModel

debugging: ContextVar[bool] = ContextVar("debug", default=False)


def _remember_debug(value: bool) -> bool:
    debugging.set(value)
    return value


Model = Annotated[str, typer.Argument(help="minilm (ships with inspector), a folder, or a hub id.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Device = Annotated[str, typer.Option(help="A torch device that is there, such as cuda:0.")]
Revision = Annotated[
    str | None, typer.Option(help="Branch, tag or commit of a hub id.", show_default=False)
]
Dtype = Annotated[str, typer.Option(help="float32, float64, bfloat16 or float16.")]
Labels = Annotated[Literal["universal", "full"], typer.Option(help="nsubj, or nsubj:pass as well.")]
Roles = Annotated[list[Path] | None, typer.Option(help="Semantic roles of the corpus, a table.")]
Annotations = Annotated[
    list[Path] | None,
    typer.Option(help="Other annotation of the corpus: names, supersenses, own relations."),
]
BatchTokens = Annotated[
    int | None,
    typer.Option(
        help="Tokens of several texts read at once, at most (1300): less memory, and slower.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(help="Of what is drawn.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an output file that exists.")]
Debug = Annotated[
    bool,
    typer.Option("--debug", help="Show the traceback of an error.", callback=_remember_debug),
]

Columns = Annotated[
    str | None, typer.Option(help="Columns of the frame to print, with commas between.")
]
All = Annotated[bool, typer.Option("--all", help="Print all rows and columns, however wide.")]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="A .csv, .parquet or .json file.")
]


@dataclass(frozen=True)
class Loading:
    """How a model is loaded."""

    dtype: Dtype = "float32"
    device: Device = "cpu"
    revision: Revision = None

    @property
    def keywords(self) -> dict[str, Any]:
        """What `inspector.load` and others take."""
        return {"dtype": self.dtype, "device": self.device, "revision": self.revision}

    def load(self, model: str) -> "PretrainedModel":
        """Return the model."""
        from inspector.api import load

        return load(model, **self.keywords)


@dataclass(frozen=True)
class Printing:
    """What is printed."""

    as_json: Json = False
    debug: Debug = False


@dataclass(frozen=True)
class Writing(Printing):
    """The same, of a command that writes a file."""

    force: Force = False


@dataclass(frozen=True)
class Filed(Writing):
    """The same, of a command that writes a frame where it is asked to."""

    output: Output = None

    def target(self) -> Path | None:
        """Return where the frame is to be written, None for nowhere, checked before any work.

        Raises:
            InputError: If the suffix is none that a frame can have.
            OutputError: If the file exists and is not to be replaced, or cannot be written.
        """
        if self.output is None:
            return None
        return check_output(self.output, suffixes=list(FRAME_WRITERS), force=self.force)

    def write(self, frame: "pd.DataFrame") -> None:
        """Write the frame, if it is asked for in a file."""
        if self.output is not None:
            written = FRAME_WRITERS[self.output.suffix.lower()](frame)
            write_atomically(self.output, written, force=self.force)

    def print_json(self, model: str, name: str, frame: "pd.DataFrame") -> None:
        """Print the frame as a document, with where it was written."""
        written = None if self.output is None else str(self.output)
        print(json_text({"model": model, "output": written, name: records(frame)}))


@dataclass(frozen=True)
class Framed(Filed):
    """The same, of a command that prints the frame as well."""

    columns: Columns = None
    everything: All = False


@dataclass(frozen=True)
class Reading:
    """What is said of a corpus beside its files, and how it is read."""

    roles: Roles = None
    annotate: Annotations = None
    labels: Labels = "universal"
    seed: Seed = 0
    batch_tokens: BatchTokens = None

    @property
    def annotations(self) -> list[Path]:
        """Files of further annotation."""
        return [*(self.roles or ()), *(self.annotate or ())]

    @property
    def passing(self) -> dict[str, Any]:
        """The keywords of a pass: what is drawn, and how much is read at once."""
        return {"seed": self.seed, "batch_tokens": self.batch_tokens}

    def corpora(self, files: list[Path] | None) -> Any:
        """Return corpora as public functions take them, with what further files say of them."""
        from inspector.corpora.annotation.annotated_corpus import read_annotated

        return read_annotated(files or None, self.annotations, labels=self.labels)


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command in which a parameter that is a group of options is told by its fields."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}

    @functools.wraps(command)
    def run(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        command(**given)

    told = []
    for name, parameter in signature(command).parameters.items():
        one = {name: parameter.default}
        if name in groups:
            one = {field.name: field.default for field in fields(groups[name])}
            hints |= get_type_hints(groups[name], include_extras=True)
        told += [Parameter(n, Parameter.KEYWORD_ONLY, default=d, annotation=hints[n])
                 for n, d in one.items()]  # fmt: skip
    del run.__wrapped__
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in told}
    vars(run)["__signature__"] = Signature(told)
    return run


def chosen_columns(frame: "pd.DataFrame", columns: str | None) -> "pd.DataFrame":
    """Return the columns of a list such as layer,head; all where none is given.

    Raises:
        InputError: If there is no such column.
    """
    if columns is None:
        return frame
    names = [name.strip() for name in columns.split(",")]
    unknown = [name for name in names if name not in frame.columns]
    if unknown:
        raise InputError(
            f"columns ({', '.join(unknown)}) must be of the frame. "
            f"Available: {', '.join(map(str, frame.columns))}."
        )
    return frame[names]


def check_choice(name: str, given: str, available: tuple[str, ...]) -> None:
    """Refuse what is not among the choices.

    Raises:
        InputError: If it is not.
    """
    if given not in available:
        raise InputError(
            f"{name} ({given}) must be one of these. Available: {', '.join(available)}."
        )


def numbers(name: str, text: str) -> list[int]:
    """Return the numbers of a list such as 0,3.

    Raises:
        InputError: If a part is no number.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"{name} ({text}) must be numbers separated by commas, such as 0,3."
        ) from None
