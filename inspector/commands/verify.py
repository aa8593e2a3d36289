"""The command that proves our attention, or a user's own, equal to the model's."""

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from inspector.commands.options import Loading, Model, Printing, numbers
from inspector.console import print_implementation, print_report, progress
from inspector.errors import InputError
from inspector.records import json_text

if TYPE_CHECKING:
    from inspector.verification import ImplementationReport, VerificationReport

NOT_VERIFIED = 1

EXAMPLE = "inspector verify minilm --implementation my.py:build --json"


def verify(
    model: Model = "minilm",
    implementation: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.py:NAME",
            help="Verify your own attention instead, and say what its mistake is. The file is run.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            help="Seconds that one call of your own attention may take (300).", show_default=False
        ),
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option(
            metavar="BYTES",
            help="Memory that your own attention may take; half of what is free if not given.",
            show_default=False,
        ),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(help="Layers of your own attention to verify, such as 0,3; all if not given."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Of the inputs that are drawn anew in each run; printed, and drawn if not given.",
            show_default=False,
        ),
    ] = None,
    *,
    loading: Loading,
    options: Printing,
) -> None:
    """Prove our equations, or your own, equal to the model's layers; exit code 1 if they are not.

    With --implementation, NAME in FILE.py is a function: build(weights) gets one layer's weights
    and settings and returns a function of (hidden_states, padding_mask) that returns the output, or
    a mapping of stages. Loading the file runs it, in a process of its own.
    """
    if implementation is None:
        _check_none_given(timeout=timeout, memory=memory, layers=layers)
        report: VerificationReport | ImplementationReport = _ours(model, seed, loading)
    else:
        report = _theirs(model, implementation, timeout, memory, layers, seed, loading)
    with suppress(BrokenPipeError):  # the exit code is the verdict, whoever stops reading
        if options.as_json:
            print(json_text(report.as_dict()))
        else:
            _show(report)
    if not report.passed:
        raise typer.Exit(NOT_VERIFIED)


def _check_none_given(**options: object) -> None:
    """Refuse options that are of your own attention alone.

    Raises:
        InputError: If one is given.
    """
    for name, value in options.items():
        if value is not None:
            raise InputError(
                f"{name} ({value}) must be given with --implementation, whose it is: add "
                "--implementation FILE.py:NAME, or leave it out."
            )


def _ours(model: str, seed: int | None, loading: Loading) -> "VerificationReport":
    with progress() as show:
        from inspector.api import verify as prove

        return prove(model, seed=seed, progress=show, **loading.keywords)


def _theirs(
    model: str,
    implementation: str,
    timeout: float | None,
    memory: int | None,
    layers: str | None,
    seed: int | None,
    loading: Loading,
) -> "ImplementationReport":
    chosen = None if layers is None else numbers("layers", layers)
    with progress() as show:
        from inspector.api import verify_implementation
        from inspector.verification.implementation.sandbox.process_tree import (
            check_memory,
            check_timeout,
        )
        from inspector.verification.implementation.sandbox.source import split_source

        timeout = 300.0 if timeout is None else timeout
        check_timeout(timeout)  # before a model is loaded for nothing
        check_memory(memory)
        split_source(implementation)
        show("Loading", 0.0)
        return verify_implementation(
            implementation,
            loading.load(model),
            layers=chosen,
            timeout=timeout,
            memory=memory,
            seed=seed,
            progress=show,
        )


def _show(report: "VerificationReport | ImplementationReport") -> None:
    from inspector.verification import VerificationReport

    if isinstance(report, VerificationReport):
        print_report(report)
    else:
        print_implementation(report)
