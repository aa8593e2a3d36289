"""The command line: parse, call one public function, write.

Results go to stdout, progress and messages to stderr; a user's mistake is one sentence and an
exit code, never a traceback. Must not know: formulas.
"""

import sys
import traceback
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inspector.console import (
    encode_anything,
    print_frame,
    print_report,
    printable,
    progress,
    say,
    stop_writing,
)
from inspector.errors import InputError, InspectorError, OutputError
from inspector.output import check_output, write_atomically
from inspector.records import FRAME_WRITERS, json_text, records

if TYPE_CHECKING:
    from inspector.models import PretrainedModel

NOT_VERIFIED, INTERRUPTED = 1, 130
_STOPPED = "interrupted: nothing was written."

app = typer.Typer(
    name="inspector",
    help="Prove and show what every attention head of a pretrained Hugging Face model does.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

_debug: ContextVar[bool] = ContextVar("debug", default=False)


def _remember_debug(value: bool) -> bool:
    _debug.set(value)
    return value


Model = Annotated[str, typer.Argument(help="minilm (ships with inspector), a folder, or a hub id.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Device = Annotated[str, typer.Option(help="A torch device that is there, such as cuda:0.")]
Revision = Annotated[
    str | None, typer.Option(help="Branch, tag or commit of a hub id.", show_default=False)
]
Force = Annotated[bool, typer.Option("--force", help="Replace an output file that exists.")]
Debug = Annotated[
    bool,
    typer.Option("--debug", help="Show the traceback of an error.", callback=_remember_debug),
]


@app.command(epilog="Example: inspector verify minilm --dtype float64 --json")
def verify(
    model: Model = "minilm",
    dtype: Annotated[str, typer.Option(help="float32, float64 or bfloat16.")] = "float32",
    device: Device = "cpu",
    revision: Revision = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Prove our equations equal to the model's layers; exit code 1 where they are not."""
    with progress() as show:
        from inspector.api import verify as prove

        show("Loading", 0.0)
        report = prove(_load(model, dtype, device, revision), progress=show)
    with suppress(BrokenPipeError):  # the exit code is the verdict, whoever stops reading
        if as_json:
            print(json_text(report.as_dict()))
        else:
            print_report(report)
    if not report.passed:
        raise typer.Exit(NOT_VERIFIED)


@app.command(epilog="Example: inspector weights minilm -o weights.parquet")
def weights(
    model: Model = "minilm",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A .csv, .parquet or .json file."),
    ] = None,
    device: Device = "cpu",
    revision: Revision = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compute the weight statistics, a row per layer and head."""
    target = None
    if output is not None:
        target = check_output(output, suffixes=list(FRAME_WRITERS), force=force)
    with progress() as show:
        from inspector.api import weight_statistics

        show("Loading", 0.0)
        loaded = _load(model, "float32", device, revision)
        show("Weight statistics", 0.5)
        frame = weight_statistics(loaded)
    if target is not None:
        write_atomically(target, FRAME_WRITERS[target.suffix.lower()](frame), force=force)
    if as_json:
        written = None if target is None else str(target)
        print(json_text({"model": model, "output": written, "weights": records(frame)}))
    elif target is not None:
        say(f"{len(frame)} rows written to {target}")
    else:
        print_frame(frame, f"Weight statistics of {model}")


@app.command(epilog='Example: inspector attend --text "The cat sat." -o cat.html')
def attend(
    text: Annotated[str, typer.Option(help="What the model reads.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="An .html file; it needs no network.")
    ],
    model: Model = "minilm",
    pair: Annotated[str | None, typer.Option(help="A second text, read with the first.")] = None,
    view: Annotated[str, typer.Option(help="head or model.")] = "head",
    layers: Annotated[
        str | None, typer.Option(help="Layers to show, such as 0,3; all if not given.")
    ] = None,
    device: Device = "cpu",
    revision: Revision = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write one text's attention as a page that opens in any browser, offline."""
    if view not in ("head", "model"):
        raise InputError(f"view ({view}) must be one that there is. Available: head, model.")
    chosen = None if layers is None else _numbers("layers", layers)
    target = check_output(output, suffixes=[".html"], force=force)
    with progress() as show:
        from inspector.api import attend as look
        from inspector.models import check_text

        check_text(text)
        show("Loading", 0.0)
        loaded = _load(model, "float32", device, revision)
        show("Attention", 0.7)
        maps = look(loaded, text, pair)
        page = maps.head_view(chosen) if view == "head" else maps.model_view(chosen)
    page.save(target, force=force)
    if as_json:
        document = {"model": model, "output": str(target), "view": view, "pieces": maps.pieces}
        print(json_text(document))
    else:
        say(f"{view} view of {len(maps.pieces)} pieces written to {target}")


def main() -> None:
    """Run the command line; turn what goes wrong into a sentence and an exit code."""
    _debug.set(False)
    encode_anything()
    code = _run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        stop_writing()
    except OSError as error:
        code = _failure(error)
    sys.exit(code)


def _run() -> int:
    """Run the command that was asked for and return its exit code."""
    try:
        code = app(prog_name="inspector", standalone_mode=False)
    except InspectorError as error:
        return _fail(error, str(error), error.exit_code)
    except typer.TyperException as error:
        return _fail(error, error.format_message(), error.exit_code)
    except KeyboardInterrupt as error:
        return _fail(error, _STOPPED, INTERRUPTED)
    except (BrokenPipeError, SystemExit):  # typer makes the second of the first
        stop_writing()
        return 0
    except OSError as error:
        return _failure(error)
    if code == INTERRUPTED:
        print(f"inspector: {_STOPPED}", file=sys.stderr)
    return code if isinstance(code, int) else 0


def _fail(error: BaseException, sentence: str, code: int) -> int:
    if _debug.get():
        traceback.print_exception(error)
    if sentence:  # empty where the help was printed instead
        print(printable(f"inspector: {sentence}"), file=sys.stderr)
    return code


def _failure(error: OSError) -> int:
    place = error.filename or "standard output"
    return _fail(error, f"{place} cannot be used: {error.strerror}.", OutputError.exit_code)


def _load(name: str, dtype: str, device: str, revision: str | None) -> "PretrainedModel":
    from inspector.models import load

    return load(name, dtype=dtype, device=device, revision=revision)


def _numbers(name: str, text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"{name} ({text}) must be numbers separated by commas, such as 0,3."
        ) from None
