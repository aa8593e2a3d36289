"""The command that writes one text's attention as a page."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.options import Loading, Model, Writing, check_choice, numbers
from inspector.console import progress, say
from inspector.errors import InputError
from inspector.output import check_output, write_atomically
from inspector.records import FRAME_WRITERS, json_text

EXAMPLE = 'inspector attend --text "The cat sat." -o cat.html'


def attend(
    text: Annotated[str, typer.Option(help="What the model reads.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="An .html file, which needs no network; a frame with --top."
        ),
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
    top: Annotated[
        int | None,
        typer.Option(
            help="Write a frame of the keys that each token looks at most, of texts of any length."
        ),
    ] = None,
    generate: Annotated[
        int | None,
        typer.Option(help="Tokens that a decoder writes after the text, to see where it looks."),
    ] = None,
    *,
    loading: Loading,
    options: Writing,
) -> None:
    """Write one text's attention as a page that opens in any browser, offline."""
    check_choice("view", view, ("head", "model"))
    chosen = None if layers is None else numbers("layers", layers)
    chosen_heads = None if heads is None else numbers("heads", heads)
    if top is not None or generate is not None:
        if pair is not None or words:
            raise InputError("pair and words (--top) must be left out: tokens of one text it is.")
        how = (text, 10 if top is None else top, generate, chosen, chosen_heads)
        _top(how, output, model, loading, options)
        return
    target = check_output(output, suffixes=[".html"], force=options.force)
    with progress() as show:
        from inspector.api import attend as look
        from inspector.models import check_text

        check_text(text)
        show("Loading", 0.0)
        loaded = loading.load(model)
        show("Attention", 0.7)
        maps = look(loaded, text, pair, words=words, layers=chosen, heads=chosen_heads)
        page = maps.head_view() if view == "head" else maps.model_view()
    page.save(target, force=options.force)
    if options.as_json:
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


def _top(
    how: tuple[str, int, int | None, list[int] | None, list[int] | None],
    output: Path,
    model: str,
    loading: Loading,
    options: Writing,
) -> None:
    """Write where each token looks most, of a text or of what a decoder writes after it."""
    text, top, generate, layers, heads = how
    target = check_output(output, suffixes=list(FRAME_WRITERS), force=options.force)
    with progress() as show:
        from inspector.models import check_text
        from inspector.views.top_attention import attend_generation, attend_top

        check_text(text)
        show("Loading", 0.0)
        loaded = loading.load(model)
        show("Attention", 0.7)
        written, check = None, None
        if generate is None:
            frame = attend_top(loaded, text, top=top, layers=layers, heads=heads)
        else:
            made = attend_generation(loaded, text, generate, top=top, layers=layers, heads=heads)
            written, frame, check = made.text, made.frame, made.check
    write_atomically(target, FRAME_WRITERS[target.suffix.lower()](frame), force=options.force)
    if options.as_json:
        cache = None if check is None else vars(check)
        said = {"model": model, "output": str(target), "written": written, "cache": cache}
        print(json_text(said))
        return
    if check is not None:
        say(f"written: {written}")
        say(
            f"With a cache, weights differ from one pass by at most {check.difference:.1g}, states "
            f"by {check.of_states:.1g}; with a wrong token in it by {check.control:.1g}."
        )
    say(f"{len(frame)} rows written to {target}")
