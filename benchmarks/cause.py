"""Silencing every head, and importance by gradient, against what is bare.

Must not know: how a head is silenced.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.profile import batches, corpus
from benchmarks.subjects import minilm
from benchmarks.table import Measure
from benchmarks.timing import alternate

if TYPE_CHECKING:
    from inspector.heads.observers import AnnotatedBatch

PASSES, GRADIENT = 40.0, 4.0


@dataclass(frozen=True)
class Settings:
    """How many sentences, how often."""

    sentences: int = 500
    repeats: int = 3


def run(settings: Settings | None = None) -> list[Measure]:
    """Return the ratios that issue 4 asks for."""
    chosen = settings or Settings()
    read = corpus(chosen.sentences)
    made = batches(read, 32)
    documents = list(dict.fromkeys(read.document_ids()))
    names = sorted({label for _, label in read.relation_counts()})
    times = alternate(
        {
            "forward": lambda: forward(made),
            "ablation": lambda: every_head_silenced(made, documents, names),
            "backward": lambda: forward_and_backward(made),
            "importance": lambda: importance(made),
        },
        chosen.repeats,
        warm_ups=0,
    )
    what = f"cause: {read.name}, {chosen.sentences} sentences"
    return [
        Measure(f"{what}, an eager pass", times.median("forward"), "s"),
        Measure(
            f"{what}, each of minilm's 72 heads silenced, in passes",
            times.ratio("ablation", "forward"), "×", PASSES,
        ),
        Measure(
            f"{what}, importance over a forward and backward pass",
            times.ratio("importance", "backward"), "×", GRADIENT,
        ),
    ]  # fmt: skip


def forward(made: "list[AnnotatedBatch]") -> None:
    """Run the model as it was loaded."""
    import torch

    from inspector.models import running

    with running(minilm(), "eager"), torch.inference_mode():
        for batch in made:
            minilm().model(**batch.words.batch.inputs())


def every_head_silenced(
    made: "list[AnnotatedBatch]", documents: list[str], names: list[str]
) -> None:
    """Silence each head by itself, drift and its sums included."""
    from inspector.heads.cause import DriftSums, silence_each

    model = minilm()
    heads = [(layer, head) for layer in range(model.n_layers) for head in range(model.n_heads)]
    silence_each(model, made, DriftSums(documents, names, [(head,) for head in heads]))


def forward_and_backward(made: "list[AnnotatedBatch]") -> None:
    """Run the model forward and backward, as training does."""
    from inspector.models import running

    with running(minilm(), "eager"):
        for batch in made:
            state = minilm().model(**batch.words.batch.inputs()).last_hidden_state
            state.square().mean().backward()
            minilm().model.zero_grad()


def importance(made: "list[AnnotatedBatch]") -> None:
    """Take the gradient to every head's gate."""
    from inspector.heads.cause import head_importance

    head_importance(minilm(), [batch.words for batch in made])
