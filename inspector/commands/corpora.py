"""The command that lists known corpora, and fetches one."""

from dataclasses import asdict
from typing import Annotated

import typer

from inspector.commands.options import Printing
from inspector.console import say
from inspector.errors import InputError
from inspector.records import json_text

EXAMPLE = "inspector corpora fetch en_ewt-ud-dev"


def corpora(
    action: Annotated[str, typer.Argument(help="list, or fetch.")] = "list",
    name: Annotated[str | None, typer.Argument(help="Of the corpus that is fetched.")] = None,
    *,
    options: Printing,
) -> None:
    """List the corpora that can be named instead of a file, or fetch one into the cache."""
    from inspector.corpora import fetch_corpus, named_corpora

    if action not in ("list", "fetch"):
        raise InputError(f"action ({action}) must be one of these. Available: list, fetch.")
    if action == "fetch":
        if name is None:
            raise InputError(
                f"name must be given, to be fetched. Available: {', '.join(named_corpora())}."
            )
        path = fetch_corpus(name)
        if options.as_json:
            print(json_text({"name": name, "file": str(path)}))
        else:
            say(f"{name} is in {path}")
        return
    if name is not None:
        raise InputError(f"name ({name}) must be left out: list shows all of them.")
    known = named_corpora()
    if options.as_json:
        print(json_text({"corpora": [asdict(one) for one in known.values()]}))
        return
    for one in known.values():
        say(f"{one.name}: {one.title}, {one.bytes / 1e6:.1f} MB. Licence: {one.licence}")
    say("default, used where no corpus is given, ships with inspector.")
