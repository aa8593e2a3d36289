"""The command line: which commands there are, and what becomes of what goes wrong in one.

A user's mistake is one sentence on stderr and an exit code, never a traceback.
"""

import logging
import sys
import traceback
from typing import Annotated

import typer

from inspector import __version__
from inspector.commands import (
    ablate,
    architectures,
    attend,
    check,
    compare,
    corpora,
    dashboard,
    frames,
    profile,
    verify,
    weights,
)
from inspector.commands.options import debugging, grouped
from inspector.commands.streams import lost_output, open_streams
from inspector.console import Notes
from inspector.errors import InputError, InspectorError, OutputError, no_memory, sentence

INTERRUPTED = 130
_STOPPED = "interrupted: nothing was written."
_NO_MEMORY = (
    "there is not enough memory left for this: end other programs, or give a smaller model, "
    "shorter texts or less of a corpus."
)
_FAULT = "something went wrong that inspector did not foresee"
_WHAT_TO_DO = "--debug shows where. Please report it, with what you gave."
_MOST_OF_A_FAULT = 250

app = typer.Typer(
    name="inspector",
    help="Prove and show what every attention head of a pretrained Hugging Face model does.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(asked: bool) -> None:
    if asked:
        print(f"inspector {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool,
        typer.Option("--version", help="Say which version it is.", callback=_say_version,
                     is_eager=True),
    ] = False,
) -> None:  # fmt: skip
    pass


for _command, _example in (
    (verify.verify, verify.EXAMPLE),
    (weights.weights, weights.EXAMPLE),
    (attend.attend, attend.EXAMPLE),
    (profile.profile, profile.EXAMPLE),
    (ablate.ablate, ablate.EXAMPLE),
    (compare.compare, compare.EXAMPLE),
    (check.check, check.EXAMPLE),
    (frames.importance, frames.IMPORTANCE),
    (frames.robustness, frames.ROBUSTNESS),
    (frames.composition, frames.COMPOSITION),
    (frames.rollout, frames.ROLLOUT),
    (corpora.corpora, corpora.EXAMPLE),
    (dashboard.dashboard, dashboard.EXAMPLE),
    (architectures.architectures, architectures.EXAMPLE),
):
    app.command(epilog=f"Example: {_example}")(grouped(_command))


def main() -> None:
    """Run the command line; turn what goes wrong into a sentence and an exit code."""
    debugging.set(False)
    open_streams()
    log, notes = logging.getLogger("inspector"), Notes()
    log.addHandler(notes)
    code = _run()
    log.removeHandler(notes)
    lost = lost_output()
    if lost is not None:
        code = _fail(None, f"standard output cannot be used: {lost}.", OutputError.exit_code)
    sys.exit(code)


def _run() -> int:
    """Run the command that was asked for and return its exit code."""
    try:
        code = app(prog_name="inspector", standalone_mode=False)
    except InspectorError as error:
        return _fail(error, str(error), error.exit_code)
    except typer.TyperException as error:
        return _fail(error, _usage(error), error.exit_code)
    except KeyboardInterrupt as error:
        return _fail(error, _STOPPED, INTERRUPTED)
    except BaseException as error:  # noqa: BLE001  # a panic of a Rust library is no Exception
        return _unexpected(error)
    if code == INTERRUPTED:
        print(f"inspector: {_STOPPED}", file=sys.stderr)
    return code if isinstance(code, int) else 0


def _usage(error: typer.TyperException) -> str:
    """Return what is wrong with the words of a command, and which help says what they may be."""
    context = getattr(error, "ctx", None)
    path = "inspector" if context is None else context.command_path
    text = error.format_message()
    if not text:  # the help was printed instead
        return text
    return f"{text}{'' if text.endswith(('.', '?')) else '.'} See {path} --help."


def _fail(error: BaseException | None, text: str, code: int) -> int:
    if error is not None and debugging.get():
        traceback.print_exception(error)
    if text:  # empty where the help was printed instead
        print(f"inspector: {sentence(text)}", file=sys.stderr)
    return code


def _unexpected(error: BaseException) -> int:
    """Say what no room foresaw, and return an exit code that is no verdict."""
    if isinstance(error, SystemExit) and isinstance(error.__context__, OSError):
        error = error.__context__  # typer takes every broken pipe for stdout's, which never breaks
    if no_memory(error):
        return _fail(error, _NO_MEMORY, OutputError.exit_code)
    if isinstance(error, OSError):
        place = error.filename or "what the system was asked for"
        return _fail(error, f"{place} cannot be used: {error.strerror}.", OutputError.exit_code)
    what = traceback.format_exception_only(error)[-1].strip()[:_MOST_OF_A_FAULT]
    return _fail(error, f"{_FAULT} ({what}): {_WHAT_TO_DO}", InputError.exit_code)
