"""Ablating every head, and importance by gradient, against what is bare: time, and peak memory.

Must not know: how a head is ablated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.fresh import peak_megabytes
from benchmarks.growth import peak_growth
from benchmarks.profile import batches, corpus
from benchmarks.subjects import minilm
from benchmarks.table import Measure
from benchmarks.timing import alternate

if TYPE_CHECKING:
    from inspector.corpora import Corpus
    from inspector.heads.observers import AnnotatedBatch

PASSES, GRADIENT, MEMORY = 40.0, 4.0, 1.1
_BATCH_SIZE = 32


@dataclass(frozen=True)
class Settings:
    """How many sentences, how often, and the two lengths whose memory is compared."""

    sentences: int = 500
    gradient_sentences: int = 96
    gradient_repeats: int = 2
    memory: tuple[int, int] = (100, 500)


def run(settings: Settings | None = None) -> list[Measure]:
    """Return the ratios, each with its bound where it has one."""
    chosen = settings or Settings()
    return [*_ablation(chosen), *_importance(chosen), *_memory(chosen)]


def _ablation(chosen: Settings) -> list[Measure]:
    """Measure batch by batch, a pass before and one after, so that a busy machine slows both."""
    read = corpus(chosen.sentences)
    made = batches(read, _BATCH_SIZE)
    every_head_ablated(read, made[:1], (0,))
    seconds = dict.fromkeys(("before", "ablation", "after"), 0.0)
    for batch in made:
        one = [batch]
        ways: dict[str, Callable[[], None]] = {
            "before": partial(forward, one),
            "ablation": partial(every_head_ablated, read, one),
            "after": partial(forward, one),
        }
        times = alternate(ways, 1, warm_ups=0)
        for name in seconds:
            seconds[name] += times.median(name)
    plain = (seconds["before"] + seconds["after"]) / 2
    what = f"ablation: {read.name}, {chosen.sentences} sentences"
    ablated = f"{what}, each of minilm's 72 heads ablated, in passes"
    return [
        Measure(f"{what}, an eager pass", plain, "s"),
        Measure(ablated, seconds["ablation"] / plain, "×", PASSES),
    ]


def _importance(chosen: Settings) -> list[Measure]:
    read = corpus(chosen.gradient_sentences)
    made = batches(read, _BATCH_SIZE)
    times = alternate(
        {
            "backward": lambda: forward_and_backward(made),
            "importance": lambda: importance(made),
        },
        chosen.gradient_repeats,
        warm_ups=0,
    )
    what = f"ablation: {chosen.gradient_sentences} sentences, importance over"
    ratio = times.ratio("importance", "backward")
    return [Measure(f"{what} a forward and backward pass", ratio, "×", GRADIENT)]


def _memory(chosen: Settings) -> list[Measure]:
    what = "ablation: peak memory of ablating a layer's heads"
    return peak_growth(what, peak_of_ablation, chosen.memory, MEMORY, among=chosen.memory)


def peak_of_ablation(sentences: int, among: tuple[int, int]) -> float:
    """Return the peak memory of ablating each head of the last layer but one, in MB.

    Of this process, beyond the loaded model, the texts, which are made into batches before, and
    what the libraries keep of a first batch. The batches of the fewer sentences come again and
    again, so that both lengths have the same largest one: sorted anew, five copies of the longest
    sentence would stand in one batch. Documents are the same too: sums are kept for each of them.
    """
    import torch

    torch.set_num_threads(1)
    read = corpus(min(among))
    made = batches(read, _BATCH_SIZE) * (sentences // min(among))
    layers = (minilm().n_layers - 2,)
    every_head_ablated(read, made[-1:], layers)
    return peak_megabytes(partial(every_head_ablated, read, made, layers))


def forward(made: "list[AnnotatedBatch]") -> None:
    """Run the model as it was loaded."""
    import torch

    from inspector.models import running

    with running(minilm(), "eager"), torch.inference_mode():
        for batch in made:
            minilm().model(**batch.words.batch.inputs())


def every_head_ablated(
    read: "Corpus", made: "list[AnnotatedBatch]", layers: tuple[int, ...] | None = None
) -> None:
    """Ablate each head of some layers (all) by itself, sums included."""
    from inspector.heads.ablation import StateChangeSums, ablate_each

    model = minilm()
    documents = list(dict.fromkeys(read.document_ids()))
    names = sorted({label for _, label in read.relation_counts()})
    chosen = range(model.n_layers) if layers is None else layers
    heads = [(layer, head) for layer in chosen for head in range(model.n_heads)]
    ablate_each(model, made, StateChangeSums(documents, names, [(head,) for head in heads]))


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
    from inspector.heads.ablation import head_importance

    head_importance(minilm(), [batch.words for batch in made])
