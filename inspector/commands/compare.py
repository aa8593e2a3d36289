"""The command that compares two runs with each other, head by head."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inspector.commands.options import Framed, check_choice, chosen_columns
from inspector.console import note, print_frame, say
from inspector.records import json_text, records

if TYPE_CHECKING:
    import pandas as pd

EXAMPLE = "inspector compare run-before run-after -o heads.csv"
_GATES = ("lost-role",)
_SHOWN = ["layer", "head", "roles", "other_roles", "entropy_nats_difference"]


def compare(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    other: Annotated[Path, typer.Argument(help="The folder of another, of as many heads.")],
    fail_on: Annotated[
        str | None,
        typer.Option(help="lost-role: exit with 1 if a head has lost a role; names those lost."),
    ] = None,
    *,
    options: Framed,
) -> None:
    """Compare two runs: what heads and claims have in common, and what differs (other - run)."""
    if fail_on is not None:
        check_choice("fail-on", fail_on, _GATES)
    target = options.target()
    from inspector.api import compare as compared
    from inspector.api import lost_roles

    heads, claims = compared(run, other)
    lost = lost_roles(run, other)
    options.write(heads)
    if options.as_json:
        written = None if target is None else str(target)
        document = {"run": str(run), "other": str(other), "output": written}
        rows = {"heads": heads, "claims": claims, "lost_roles": lost}
        print(json_text({**document, **{name: records(frame) for name, frame in rows.items()}}))
    else:
        _print(run, other, heads, claims, options)
        if target is not None:
            say(f"{len(heads)} rows written to {target}")
    if fail_on is not None and len(lost):
        named = ", ".join(f"{one.layer}-{one.head} {one.role}" for one in lost.itertuples())
        note(f"inspector: {len(lost)} role{'s' * (len(lost) > 1)} lost: {named}.")
        raise typer.Exit(1)


def _print(
    run: Path, other: Path, heads: "pd.DataFrame", claims: "pd.DataFrame", options: Framed
) -> None:
    """Print what differs: in a sentence, then the heads and the claims."""
    from inspector.heads.specialization.lift import MIN_LIFT

    changed = heads[(heads["roles_lost"] > 0) | (heads["roles_gained"] > 0)]
    either = claims[(claims[["verdict", "other_verdict"]] == "supported").any(axis=1)]
    say(
        f"{len(heads)} heads, {len(changed)} of them with other roles; "
        f"{int(either['agree'].sum())} of {len(either)} claims that either supports agree."
    )
    for verdict, lift, text in (
        ("verdict", "replicated_lift", f"{run}'s on the text of {other}"),
        ("other_verdict", "other_replicated_lift", f"{other}'s on the text of {run}"),
    ):
        own = claims[claims[verdict] == "supported"]
        say(
            f"supported claims, {text}: {int((own[lift] > 0).sum())} of {len(own)} keep a lift, "
            f"{int((own[lift] >= MIN_LIFT).sum())} ten points."
        )
    whole = options.everything
    columns = options.columns or (None if whole else ",".join(_SHOWN))
    shown = chosen_columns(heads if whole else changed, columns)
    if len(shown):
        print_frame(shown, "Heads" if whole else "Heads whose roles differ", whole=whole)
    disagreeing = either[~either["agree"]]
    if len(disagreeing):
        names = ["relation", "direction", "head", "other_head", "lift", "other_lift"]
        replicated = ["replicated_lift", "other_replicated_lift"]
        names += [*replicated, "verdict", "other_verdict"]
        print_frame(disagreeing if whole else disagreeing[names], "Claims that differ", whole=whole)
