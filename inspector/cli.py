"""The command line: parse, call one public function, write.

Results go to stdout, progress and messages to stderr; a user's mistake is one sentence and an
exit code, never a traceback. Must not know: formulas.
"""

import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from inspector.cli_options import (
    Debug,
    Device,
    Force,
    Json,
    Model,
    Revision,
    check_choice,
    debugging,
    numbers,
)
from inspector.console import (
    encode_anything,
    print_frame,
    print_report,
    print_run,
    printable,
    progress,
    say,
    stop_writing,
)
from inspector.errors import InputError, InspectorError, Interrupted, OutputError
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
    check_choice("view", view, ("head", "model"))
    chosen = None if layers is None else numbers("layers", layers)
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


@app.command(epilog="Example: inspector profile --corpus treebank.conllu -o run")
def profile(
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the run.")],
    model: Model = "minilm",
    corpus: Annotated[
        list[str] | None,
        typer.Option(help="A .conllu or .txt file, or a known name; inspector's own if none."),
    ] = None,
    labels: Annotated[
        Literal["universal", "full"], typer.Option(help="nsubj, or nsubj:pass as well.")
    ] = "universal",
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first malformed sentence.")
    ] = False,
    parse: Annotated[
        bool, typer.Option("--parse", help="Give plain text spaCy's trees (silver).")
    ] = False,
    distances: Annotated[
        bool, typer.Option("--distances", help="Compare all heads with each other too.")
    ] = False,
    engine: Annotated[str, typer.Option(help="Where shards are computed: local.")] = "local",
    workers: Annotated[int, typer.Option(help="Processes; the result is the same.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped.")
    ] = False,
    device: Device = "cpu",
    revision: Revision = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run the model once over a corpus; keep what every head does in a run folder."""
    check_choice("engine", engine, ("local",))
    if workers < 1:
        raise InputError(f"workers ({workers}) must be at least 1: 1 computes in this process.")
    with progress() as show:
        show("Reading", 0.0)
        from inspector.runs.place import check_run_folder

        check_run_folder(output, resume=resume, force=force)
        from inspector.corpora import default_corpus, read_corpus

        read = (
            read_corpus(corpus, labels=labels, strict=strict, parse=parse)
            if corpus
            else default_corpus()
        )
        from inspector.runs.profiling import profile_corpus
        from inspector.runs.shard_work import ProfileSettings

        loaded = _load(model, "float32", device, revision)
        try:
            run = profile_corpus(
                loaded,
                read,
                output,
                settings=ProfileSettings(labels=labels, distances=distances),
                revision=revision,
                workers=workers,
                resume=resume,
                force=force,
                progress=show,
            )
        except KeyboardInterrupt:
            raise Interrupted(
                f"interrupted: what was finished is kept in {output}; go on with --resume."
            ) from None
    if as_json:
        document = {"output": str(output), "manifest": run.manifest.run_id}
        frames = {name: records(run.frames[name]) for name in ("claims", "roles", "totals")}
        print(json_text({**document, **frames}))
    else:
        print_run(run, output)


def main() -> None:
    """Run the command line; turn what goes wrong into a sentence and an exit code."""
    debugging.set(False)
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
    if debugging.get():
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
