"""The command that verifies every family of transformers that inspector has a tiny network of.

Must not know: formulas.
"""

from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.options import Debug, Force, Json
from inspector.console import print_frame, progress, say
from inspector.output import check_output, write_atomically
from inspector.records import json_text, records

DIFFERENCES = 1
_SHOWN = ["name", "route", "calls", "error_in_u", "rms_ratio", "verdict"]

EXAMPLE = "inspector architectures --json"


def architectures(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Configurations, such as gpt2; all where none is named."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A .md file: the same as a page.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Verify a tiny random network of every known architecture; exit code 1 if one differs.

    Takes a minute or two. A new version of transformers is checked by it.
    """
    target = None if output is None else check_output(output, suffixes=[".md"], force=force)
    with progress() as show:
        from inspector.verification.architectures import (
            DIFFERS,
            VERIFIED,
            architectures_page,
            transformers_version,
            verify_architectures,
        )

        frame = verify_architectures(names or [], progress=show)
    verified = int((frame["verdict"] == VERIFIED).sum())
    if target is not None:
        write_atomically(target, architectures_page(frame).encode(), force=force)
    if as_json:
        document = {
            "transformers": transformers_version(),
            "listed": len(frame),
            "verified": verified,
            "output": None if target is None else str(target),
            "architectures": records(frame),
        }
        print(json_text(document))
    else:
        print_frame(frame[_SHOWN], f"Architectures of transformers {transformers_version()}")
        say(f"{verified} of {len(frame)} configurations verified.")
    if (frame["verdict"] == DIFFERS).any():
        raise typer.Exit(DIFFERENCES)
