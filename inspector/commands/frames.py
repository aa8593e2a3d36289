"""The commands that compute one frame of a model: importance, robustness, composition, rollout."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    chosen_columns,
    frame_target,
)
from inspector.console import in_terminal, print_frame, progress, say
from inspector.output import write_atomically
from inspector.records import FRAME_WRITERS, json_text, records

if TYPE_CHECKING:
    import pandas as pd

    from inspector.models import PretrainedModel
    from inspector.progress import Progress

IMPORTANCE = "inspector importance minilm --corpus treebank.conllu -o importance.csv"
ROBUSTNESS = "inspector robustness minilm --corpus treebank.conllu"
COMPOSITION = "inspector composition minilm -o composition.csv"
ROLLOUT = 'inspector rollout --text "The cat sat."'
_SHOWN = 20

Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="A .csv, .parquet or .json file.")
]
CorpusFiles = Annotated[
    list[Path] | None,
    typer.Option("--corpus", help="A .conllu or .txt file, or a known name; inspector's own if "
                 "none. Several are kept apart."),
]  # fmt: skip


def importance(
    model: Model = "minilm",
    corpus: CorpusFiles = None,
    roles: Roles = None,
    annotate: Annotations = None,
    labels: Labels = "universal",
    check: Annotated[
        bool, typer.Option(help="Ablate each head as well; as long as some forty passes.")
    ] = False,
    seed: Seed = 0,
    batch_tokens: BatchTokens = None,
    output: Output = None,
    columns: Columns = None,
    everything: All = False,
    dtype: Dtype = "float32",
    device: Device = "cpu",
    revision: Revision = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compute how much each head matters, by one backward pass."""

    def frame_of(ready: "PretrainedModel", show: "Progress") -> "pd.DataFrame":
        from inspector.api import head_importance

        return head_importance(
            ready,
            annotated(corpus, [*(roles or ()), *(annotate or ())], labels),
            check=check,
            seed=seed,
            batch_tokens=batch_tokens,
            progress=show,
        )

    frame = _computed(model, frame_of, output, (dtype, device, revision), force=force)
    _hand_over(
        frame,
        model,
        (columns, everything),
        "importance",
        output,
        as_json=as_json,
        largest="importance",
    )


def robustness(
    model: Model = "minilm",
    corpus: CorpusFiles = None,
    roles: Roles = None,
    annotate: Annotations = None,
    labels: Labels = "universal",
    seed: Seed = 0,
    batch_tokens: BatchTokens = None,
    output: Output = None,
    columns: Columns = None,
    everything: All = False,
    dtype: Dtype = "float32",
    device: Device = "cpu",
    revision: Revision = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compute how far states move when only some heads of each layer are kept."""

    def frame_of(ready: "PretrainedModel", show: "Progress") -> "pd.DataFrame":
        from inspector.api import robustness as robustness_of

        return robustness_of(
            ready,
            annotated(corpus, [*(roles or ()), *(annotate or ())], labels),
            seed=seed,
            batch_tokens=batch_tokens,
            progress=show,
        )

    frame = _computed(model, frame_of, output, (dtype, device, revision), force=force)
    _hand_over(frame, model, (columns, everything), "robustness", output, as_json=as_json)


def composition(
    model: Model = "minilm",
    output: Output = None,
    columns: Columns = None,
    everything: All = False,
    dtype: Dtype = "float32",
    device: Device = "cpu",
    revision: Revision = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compute how much each head reads of what each earlier one writes, by the weights."""

    def frame_of(ready: "PretrainedModel", show: "Progress") -> "pd.DataFrame":
        from inspector.api import composition as composition_of

        return composition_of(ready)

    frame = _computed(model, frame_of, output, (dtype, device, revision), force=force)
    _hand_over(
        frame,
        model,
        (columns, everything),
        "composition",
        output,
        as_json=as_json,
        largest=str(frame.columns[-1]),
    )


def rollout(
    text: Annotated[str, typer.Option(help="What the model reads.")],
    model: Model = "minilm",
    residual: Annotated[float, typer.Option(help="The residual connection's share.")] = 0.5,
    output: Output = None,
    columns: Columns = None,
    everything: All = False,
    dtype: Dtype = "float32",
    device: Device = "cpu",
    revision: Revision = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compute attention rollout: what of each token arrives where, after each layer."""

    def frame_of(ready: "PretrainedModel", show: "Progress") -> "pd.DataFrame":
        from inspector.api import rollout as rollout_of

        return rollout_of(ready, text, residual=residual)

    frame = _computed(model, frame_of, output, (dtype, device, revision), force=force)
    _hand_over(
        frame, model, (columns, everything), "rollout", output, as_json=as_json, largest="rollout"
    )


def _computed(
    model: str,
    frame_of: "Callable[[PretrainedModel, Progress], pd.DataFrame]",
    output: Path | None,
    loading: tuple[str, str, str | None],
    *,
    force: bool,
) -> "pd.DataFrame":
    """Return the frame of a model, written where it is to be."""
    target = frame_target(output, force=force)
    with progress() as show:
        show("Loading", 0.0)
        from inspector.api import load

        dtype, device, revision = loading
        ready = load(model, dtype=dtype, device=device, revision=revision)
        frame = frame_of(ready, show)
    if target is not None:
        write_atomically(target, FRAME_WRITERS[target.suffix.lower()](frame), force=force)
    return frame


def _hand_over(
    frame: "pd.DataFrame",
    model: str,
    asked: tuple[str | None, bool],
    name: str,
    output: Path | None,
    *,
    as_json: bool,
    largest: str | None = None,
) -> None:
    """Print a frame, or where it was written; in a terminal the largest rows of a long one."""
    if as_json:
        written = None if output is None else str(output)
        print(json_text({"model": model, "output": written, name: records(frame)}))
    elif output is not None:
        say(f"{len(frame)} rows written to {output}")
    else:
        columns, everything = asked
        shown = frame
        if largest is not None and not everything and in_terminal():
            shown = frame.sort_values(largest, ascending=False, kind="stable").head(_SHOWN)
        of = "" if len(shown) == len(frame) else f", the {len(shown)} largest of {len(frame)} rows"
        shown = chosen_columns(shown, columns)
        print_frame(shown, f"{name} of {model}{of}", alone=True, whole=everything)
