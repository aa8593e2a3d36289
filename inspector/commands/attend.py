"""The command that writes one text's attention as a page."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.options import (
    Debug,
    Device,
    Dtype,
    Force,
    Json,
    Model,
    Revision,
    check_choice,
    numbers,
)
from inspector.console import progress, say
from inspector.output import check_output
from inspector.records import json_text

EXAMPLE = 'inspector attend --text "The cat sat." -o cat.html'


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
    heads: Annotated[
        str | None, typer.Option(help="Heads to show, such as 0,8; all if not given.")
    ] = None,
    words: Annotated[bool, typer.Option("--words", help="Merge tokens to words.")] = False,
    dtype: Dtype = "float32",
    device: Device = "cpu",
    revision: Revision = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write one text's attention as a page that opens in any browser, offline."""
    check_choice("view", view, ("head", "model"))
    chosen = None if layers is None else numbers("layers", layers)
    chosen_heads = None if heads is None else numbers("heads", heads)
    target = check_output(output, suffixes=[".html"], force=force)
    with progress() as show:
        from inspector.api import attend as look
        from inspector.api import load
        from inspector.models import check_text

        check_text(text)
        show("Loading", 0.0)
        loaded = load(model, dtype=dtype, device=device, revision=revision)
        show("Attention", 0.7)
        maps = look(loaded, text, pair, words=words, layers=chosen, heads=chosen_heads)
        page = maps.head_view() if view == "head" else maps.model_view()
    page.save(target, force=force)
    if as_json:
        document = {
            "model": model,
            "output": str(target),
            "view": view,
            "tokens": maps.tokens,
            "vocabulary": asdict(maps.vocabulary),
        }
        print(json_text(document))
    else:
        say(f"{view} view of {len(maps.tokens)} {maps.unit} written to {target}")
        say(str(maps.vocabulary))
