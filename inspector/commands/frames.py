"""The commands that compute one frame of a model: importance, robustness, composition, rollout."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inspector.commands.options import Framed, Loading, Model, Reading, chosen_columns
from inspector.console import in_terminal, print_frame, progress, say

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from inspector.models import PretrainedModel
    from inspector.progress import Progress

IMPORTANCE = "inspector importance minilm --corpus treebank.conllu -o importance.csv"
ROBUSTNESS = "inspector robustness minilm --corpus treebank.conllu"
COMPOSITION = "inspector composition minilm -o composition.csv"
ROLLOUT = 'inspector rollout --text "The cat sat."'
_SHOWN = 20

CorpusFiles = Annotated[
    list[Path] | None,
    typer.Option("--corpus", help="A .conllu or .txt file, or a known name; inspector's own if "
                 "none. Several are kept apart."),
]  # fmt: skip


def importance(
    model: Model = "minilm",
    corpus: CorpusFiles = None,
    check: Annotated[
        bool, typer.Option(help="Ablate each head as well; as long as some forty passes.")
    ] = False,
    *,
    reading: Reading,
    loading: Loading,
    options: Framed,
) -> None:
    """Compute how much each head matters, by one backward pass."""

    def frame_of(ready: "PretrainedModel", show: "Progress") -> "pd.DataFrame":
        from inspector.api import head_importance

        return head_importance(
            ready, reading.corpora(corpus), check=check, progress=show, **reading.passing
        )

    _hand_over("importance", (model, loading), frame_of, options, "importance")


def robustness(
    model: Model = "minilm",
    corpus: CorpusFiles = None,
    *,
    reading: Reading,
    loading: Loading,
    options: Framed,
) -> None:
    """Compute how far states move when only some heads of each layer are kept."""

    def frame_of(ready: "PretrainedModel", show: "Progress") -> "pd.DataFrame":
        from inspector.api import robustness as robustness_of

        return robustness_of(ready, reading.corpora(corpus), progress=show, **reading.passing)

    _hand_over("robustness", (model, loading), frame_of, options)


def composition(model: Model = "minilm", *, loading: Loading, options: Framed) -> None:
    """Compute how much each head reads of what each earlier one writes, by the weights."""

    def frame_of(ready: "PretrainedModel", show: "Progress") -> "pd.DataFrame":
        from inspector.api import composition as composition_of

        return composition_of(ready)

    _hand_over("composition", (model, loading), frame_of, options, "excess")


def rollout(
    text: Annotated[str, typer.Option(help="What the model reads.")],
    model: Model = "minilm",
    residual: Annotated[float, typer.Option(help="The residual connection's share.")] = 0.5,
    *,
    loading: Loading,
    options: Framed,
) -> None:
    """Compute attention rollout: what of each token arrives where, after each layer."""

    def frame_of(ready: "PretrainedModel", show: "Progress") -> "pd.DataFrame":
        from inspector.api import rollout as rollout_of

        return rollout_of(ready, text, residual=residual)

    _hand_over("rollout", (model, loading), frame_of, options, "rollout")


def _hand_over(
    name: str,
    asked: tuple[str, Loading],
    frame_of: "Callable[[PretrainedModel, Progress], pd.DataFrame]",
    options: Framed,
    largest: str | None = None,
) -> None:
    """Compute a frame, then write or print it; in a terminal the largest rows of a long one."""
    options.target()
    model, loading = asked
    with progress() as show:
        show("Loading", 0.0)
        frame = frame_of(loading.load(model), show)
    options.write(frame)
    if options.as_json:
        options.print_json(model, name, frame)
    elif options.output is not None:
        say(f"{len(frame)} rows written to {options.output}")
    else:
        shown = frame
        if largest is not None and not options.everything and in_terminal():
            shown = frame.sort_values(largest, ascending=False, kind="stable").head(_SHOWN)
        of = "" if len(shown) == len(frame) else f", the {len(shown)} largest of {len(frame)} rows"
        shown = chosen_columns(shown, options.columns)
        print_frame(shown, f"{name} of {model}{of}", alone=True, whole=options.everything)
