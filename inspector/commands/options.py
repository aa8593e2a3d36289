"""The options that several commands share, and the choices that they may take."""

from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from inspector.errors import InputError
from inspector.output import check_output
from inspector.records import FRAME_WRITERS

if TYPE_CHECKING:
    import pandas as pd

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
Dtype = Annotated[str, typer.Option(help="float32, float64 or bfloat16.")]
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


def annotated(
    corpus: list[Path] | None, files: list[Path], labels: Literal["universal", "full"]
) -> Any:
    """Return corpora as public functions take them, read with what further files say of them."""
    from inspector.corpora.annotation.annotated_corpus import read_annotated

    return read_annotated(corpus or None, files, labels=labels)


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


def frame_target(output: Path | None, *, force: bool) -> Path | None:
    """Return where a frame is to be written, None for nowhere, refused before any work is done.

    Raises:
        InputError: If the suffix is none that a frame can have.
        OutputError: If the file exists and is not to be replaced, or cannot be written.
    """
    if output is None:
        return None
    return check_output(output, suffixes=list(FRAME_WRITERS), force=force)


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
