"""The command that writes the weight statistics."""

from typing import Annotated

import typer

from inspector.commands.options import Framed, Loading, Model, chosen_columns
from inspector.console import note, print_frame, progress, say

EXAMPLE = "inspector weights minilm -o weights.parquet"

Vocabulary = Annotated[
    bool,
    typer.Option(
        "--vocabulary", help="OV and QK circuits in the vocabulary instead, of a language model."
    ),
]


def weights(
    model: Model = "minilm", vocabulary: Vocabulary = False, *, loading: Loading, options: Framed
) -> None:
    """Compute the weight statistics, a row per layer and head."""
    options.target()
    with progress() as show:
        from inspector.api import weight_statistics
        from inspector.heads.weights.vocabulary_circuits import vocabulary_circuits
        from inspector.models.any_model.any_model import load_for_weights

        show("Loading", 0.0)
        if vocabulary:
            frame = vocabulary_circuits(loading.load(model))
        else:
            frame = weight_statistics(load_for_weights(model, **loading.keywords))
    options.write(frame)
    if options.as_json:
        options.print_json(model, "weights", frame)
    elif options.output is not None:
        say(f"{len(frame)} rows written to {options.output}")
    else:
        shown = chosen_columns(frame, options.columns)
        print_frame(shown, f"Weight statistics of {model}", alone=True, whole=options.everything)
    if frame.attrs.get("before_rotation") and not options.as_json:
        note("W_Q and W_K are taken before the model rotates or norms queries and keys.")
    if frame.attrs.get("not_seen") and not options.as_json:
        note("Whether queries and keys are rotated or normed before they meet was not seen of all.")
    for module, reason in frame.attrs.get("left_out", {}).items():
        note(f"{module} is left out: {reason}.")
