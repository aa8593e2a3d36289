"""The command that verifies every family of transformers that inspector has a tiny network of."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.options import Writing
from inspector.console import print_frame, progress, say
from inspector.output import check_output, write_atomically
from inspector.records import json_text, records
from inspector.text import printable

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
    *,
    options: Writing,
) -> None:
    """Verify a tiny random network of every known architecture; exit code 1 if one differs.

    Takes a minute or two. A new version of transformers is checked by it: where the page that
    would be written over records a configuration as verified that is not any more, it stays as
    it is, the configuration is named, and the exit code is 1.
    """
    target = None if output is None else check_output(output, suffixes=[".md"], force=options.force)
    with progress() as show:
        from inspector.verification.survey import (
            DIFFERS,
            VERIFIED,
            architectures_page,
            no_longer_verified,
            transformers_version,
            verify_architectures,
        )

        frame = verify_architectures(names or [], progress=show)
    verified = int((frame["verdict"] == VERIFIED).sum())
    lost: list[str] = []
    if target is not None:
        before = target.read_text("utf-8", "replace") if target.is_file() else ""
        lost = no_longer_verified(before, frame, whole=not names)
        if not lost:
            write_atomically(target, architectures_page(frame).encode(), force=options.force)
    if options.as_json:
        document = {
            "transformers": transformers_version(),
            "listed": len(frame),
            "verified": verified,
            "output": None if target is None or lost else str(target),
            "no_longer_verified": lost,
            "architectures": records(frame),
        }
        print(json_text(document))
    else:
        print_frame(frame[_SHOWN], f"Architectures of transformers {transformers_version()}")
        say(f"{verified} of {len(frame)} configurations verified.")
    if lost:
        reasons = dict(zip(frame["name"], frame["reason"], strict=True))
        said = [
            f"No longer verified: {name}. {reasons.get(name, 'There is no such one.')}"
            for name in lost
        ]
        said.append(f"{target} records them as verified and was left as it is: remove it first.")
        print(printable("\n".join(said)), file=sys.stderr)
    if lost or (frame["verdict"] == DIFFERS).any():
        raise typer.Exit(DIFFERENCES)
