"""The command that writes the weight statistics."""

from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.options import (
    All,
    Columns,
    Debug,
    Device,
    Dtype,
    Force,
    Json,
    Model,
    Revision,
    chosen_columns,
    frame_target,
)
from inspector.console import note, print_frame, progress, say
from inspector.output import write_atomically
from inspector.records import FRAME_WRITERS, json_text, records

EXAMPLE = "inspector weights minilm -o weights.parquet"


Vocabulary = Annotated[
    bool,
    typer.Option(
        "--vocabulary", help="OV and QK circuits in the vocabulary instead, of a language model."
    ),
]


def weights(
    model: Model = "minilm",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A .csv, .parquet or .json file."),
    ] = None,
    vocabulary: Vocabulary = False,
    columns: Columns = None,
    everything: All = False,
    dtype: Dtype = "float32",
    device: Device = "cpu",
    revision: Revision = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compute the weight statistics, a row per layer and head."""
    target = frame_target(output, force=force)
    with progress() as show:
        from inspector.api import weight_statistics
        from inspector.heads.weights.vocabulary_circuits import vocabulary_circuits
        from inspector.models import load
        from inspector.models.any_model.any_model import load_for_weights

        show("Loading", 0.0)
        asked = {"dtype": dtype, "device": device, "revision": revision}
        if vocabulary:
            frame = vocabulary_circuits(load(model, **asked))
        else:
            frame = weight_statistics(load_for_weights(model, **asked))
    if target is not None:
        write_atomically(target, FRAME_WRITERS[target.suffix.lower()](frame), force=force)
    if as_json:
        written = None if target is None else str(target)
        print(json_text({"model": model, "output": written, "weights": records(frame)}))
    elif target is not None:
        say(f"{len(frame)} rows written to {target}")
    else:
        shown = chosen_columns(frame, columns)
        print_frame(shown, f"Weight statistics of {model}", alone=True, whole=everything)
    if frame.attrs.get("before_rotation") and not as_json:
        note("W_Q and W_K are taken before the model rotates or norms queries and keys.")
    if frame.attrs.get("not_seen") and not as_json:
        note("Whether queries and keys are rotated or normed before they meet was not seen of all.")
    for module, reason in frame.attrs.get("left_out", {}).items():
        note(f"{module} is left out: {reason}.")
