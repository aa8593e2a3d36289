"""The command that proves ours equal to the model's own attention.

Must not know: formulas.
"""

from contextlib import suppress
from typing import Annotated

import typer

from inspector.commands.options import Debug, Device, Json, Model, Revision
from inspector.console import print_report, progress
from inspector.records import json_text

NOT_VERIFIED = 1

EXAMPLE = "inspector verify minilm --dtype float64 --json"


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
        from inspector.api import load
        from inspector.api import verify as prove

        show("Loading", 0.0)
        report = prove(load(model, dtype=dtype, device=device, revision=revision), progress=show)
    with suppress(BrokenPipeError):  # the exit code is the verdict, whoever stops reading
        if as_json:
            print(json_text(report.as_dict()))
        else:
            print_report(report)
    if not report.passed:
        raise typer.Exit(NOT_VERIFIED)
