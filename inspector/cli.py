"""The command line: which commands there are, and what becomes of what goes wrong in one.

A user's mistake is one sentence on stderr and an exit code, never a traceback.
Must not know: what a command does.
"""

import sys
import traceback

import typer

from inspector.commands import (
    ablate,
    architectures,
    attend,
    compare,
    dashboard,
    profile,
    verify,
    weights,
)
from inspector.commands.options import debugging
from inspector.console import encode_anything, stop_writing
from inspector.errors import InspectorError, OutputError
from inspector.text import printable

INTERRUPTED = 130
_STOPPED = "interrupted: nothing was written."

app = typer.Typer(
    name="inspector",
    help="Prove and show what every attention head of a pretrained Hugging Face model does.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for _command, _example in (
    (verify.verify, verify.EXAMPLE),
    (weights.weights, weights.EXAMPLE),
    (attend.attend, attend.EXAMPLE),
    (profile.profile, profile.EXAMPLE),
    (ablate.ablate, ablate.EXAMPLE),
    (compare.compare, compare.EXAMPLE),
    (dashboard.dashboard, dashboard.EXAMPLE),
    (architectures.architectures, architectures.EXAMPLE),
):
    app.command(epilog=f"Example: {_example}")(_command)


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
