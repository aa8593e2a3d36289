"""The command that ablates heads and writes what changes."""

from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.options import Framed, Loading, Model, Reading, check_choice, chosen_columns
from inspector.console import print_frame, progress, say
from inspector.head_names import ALL, head_list

EXAMPLE = "inspector ablate --heads 2-8,3-1 --corpus treebank.conllu -o ablation.parquet"
WAYS = ("zero", "mean", "uniform")
_SHOWN = 20
_COLUMNS = (
    *("heads", "relation", "word", "n", "effect", "matched_effect", "difference"),
    *("ci_low", "ci_high"),
)
_LOSS = ("loss_difference", "loss_ci_low", "loss_ci_high")


def ablate(
    heads: Annotated[str, typer.Option(help="Heads such as 2-8,3-1 (layer 2, head 8 …), or all.")],
    model: Model = "minilm",
    corpus: Annotated[
        list[Path] | None,
        typer.Option(help="A .conllu or .txt file, or a known name; inspector's own if none."),
    ] = None,
    how: Annotated[str, typer.Option(help="What they give instead: zero, mean, uniform.")] = "zero",
    together: Annotated[
        bool, typer.Option("--together", help="Ablate all at once, not each by itself.")
    ] = False,
    *,
    reading: Reading,
    loading: Loading,
    options: Framed,
) -> None:
    """Ablate heads; say how far states move where a relation is, and where it is not.

    For a model that was saved with its language-modelling head, what the loss is more, too.
    """
    check_choice("how", how, WAYS)
    if heads != ALL:
        head_list(heads)  # what is no head is refused before the model is loaded
    target = options.target()
    with progress() as show:
        show("Reading", 0.0)
        from inspector.api import ablate as ablate_heads

        frame = ablate_heads(
            loading.load(model),
            heads,
            reading.corpora(corpus),
            how=how,
            together=together,
            output=target,
            force=options.force,
            progress=show,
            **reading.passing,
        )
    if options.as_json:
        options.print_json(model, "ablation", frame)
        return
    largest = frame.sort_values("difference", ascending=False, kind="stable")
    largest = largest if options.everything else largest.head(_SHOWN)
    has_loss = frame["loss_n"].any()
    shown = ",".join([*_COLUMNS, *(_LOSS if has_loss else ())])
    chosen = chosen_columns(largest, options.columns or (None if options.everything else shown))
    print_frame(chosen, f"Largest differences, by {how}", whole=options.everything)
    if not has_loss:
        say(f"No loss: {model} was not saved with a language-modelling head.")
    if target is not None:
        say(f"{len(frame)} rows written to {target}")
