"""The command that ablates heads and writes what changes."""

from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.options import (
    All,
    Annotations,
    BatchTokens,
    Columns,
    Debug,
    Device,
    Dtype,
    Force,
    Json,
    Labels,
    Model,
    Revision,
    Roles,
    Seed,
    annotated,
    check_choice,
    chosen_columns,
    frame_target,
)
from inspector.console import print_frame, progress, say
from inspector.head_names import ALL, head_list
from inspector.records import json_text, records

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
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A .csv, .parquet or .json file.")
    ] = None,
    roles: Roles = None,
    annotate: Annotations = None,
    labels: Labels = "universal",
    seed: Seed = 0,
    batch_tokens: BatchTokens = None,
    columns: Columns = None,
    everything: All = False,
    dtype: Dtype = "float32",
    device: Device = "cpu",
    revision: Revision = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Ablate heads; say how far states move where a relation is, and where it is not.

    For a model that was saved with its language-modelling head, what the loss is more, too.
    """
    check_choice("how", how, WAYS)
    if heads != ALL:
        head_list(heads)  # what is no head is refused before the model is loaded
    target = frame_target(output, force=force)
    with progress() as show:
        show("Reading", 0.0)
        from inspector.api import ablate as ablate_heads
        from inspector.api import load

        loaded = load(model, dtype=dtype, device=device, revision=revision)
        frame = ablate_heads(
            loaded,
            heads,
            annotated(corpus, [*(roles or ()), *(annotate or ())], labels),
            how=how,
            together=together,
            output=target,
            force=force,
            seed=seed,
            batch_tokens=batch_tokens,
            progress=show,
        )
    if as_json:
        written = None if target is None else str(target)
        print(json_text({"model": model, "output": written, "ablation": records(frame)}))
        return
    largest = frame.sort_values("difference", ascending=False, kind="stable")
    largest = largest if everything else largest.head(_SHOWN)
    has_loss = frame["loss_n"].any()
    shown = ",".join([*_COLUMNS, *(_LOSS if has_loss else ())])
    chosen = chosen_columns(largest, columns or (None if everything else shown))
    print_frame(chosen, f"Largest differences, by {how}", whole=everything)
    if not has_loss:
        say(f"No loss: {model} was not saved with a language-modelling head.")
    if target is not None:
        say(f"{len(frame)} rows written to {target}")
