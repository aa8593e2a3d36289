"""A whole corpus with heads ablated: from sentences to the sums that frames are made of."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from inspector.corpora import Corpus
from inspector.corpora.annotation.document_windows import corpus_windows
from inspector.corpora.text_set import TextSet
from inspector.errors import InputError
from inspector.head_names import Heads
from inspector.heads.ablation.ablate_heads import ablate_each, ablate_together, mean_outputs
from inspector.heads.ablation.importance import head_importance
from inspector.heads.ablation.pruning_curve import (
    SEEDS,
    ablated_sets,
    keep_counts,
    robustness_frame,
)
from inspector.heads.ablation.state_change import StateChangeSums
from inspector.heads.ablation.word_loss import LossSums
from inspector.heads.enough_words import check_some_read
from inspector.heads.observers.batch import AnnotatedBatch, batches_of
from inspector.models import BatchSize, PretrainedModel, token_counts, word_batches
from inspector.models.forward.head_ablation import Head, check_ablation, check_heads
from inspector.models.forward.within_memory import Fitting, within_memory
from inspector.models.loading.language_head import language_head
from inspector.progress import Progress

BATCH_SIZE, WINDOW_BATCH_SIZE, WINDOW_TOKENS = BatchSize(32), 2, 512


def corpus_batches(
    model: PretrainedModel, corpus: Corpus, batch_size: BatchSize = BATCH_SIZE
) -> tuple[list[AnnotatedBatch], list[str], list[str]]:
    """Return a corpus as annotated batches, with its documents and its relations' names, sorted.

    Sentences by themselves, then windows of many sentences for the relations that go from one to
    another. What is longer than the model takes is left out.

    Raises:
        InputError: If no sentence is left.
    """
    _check_read(model, corpus)
    surfaces = [sentence.surface for sentence in corpus.sentences]
    lengths, n_special = token_counts(model, surfaces, going_on=True)
    limit = min(model.max_tokens, WINDOW_TOKENS) - n_special
    texts = corpus_windows(corpus, lengths, limit).texts
    sentences = TextSet.of(corpus.sentences, corpus.document_ids())
    windows = TextSet.of(texts, [text.document or "" for text in texts], is_windows=True)
    documents = sorted({*sentences.documents, *windows.documents})
    names = sorted({*sentences.asked, *windows.asked})
    made: list[AnnotatedBatch] = []
    for read, size in (
        (sentences, batch_size),
        (windows, batch_size._replace(texts=min(batch_size.texts, WINDOW_BATCH_SIZE))),
    ):
        if read.texts:
            made += batches_of(model, read, documents, names, size)[1]
    return made, documents, names


def ablation_over(
    model: PretrainedModel,
    heads: Heads,
    corpus: Corpus,
    *,
    how: str = "zero",
    together: bool = False,
    loss: bool = True,
    batch_size: BatchSize = BATCH_SIZE,
    progress: Progress | None = None,
) -> StateChangeSums:
    """Return the state change over a corpus without each of some heads, or without all of them.

    Args:
        model: Whose heads.
        heads: Which are ablated.
        corpus: What is read.
        how: 'zero', 'mean' (over this corpus) or 'uniform'.
        together: Whether all are ablated at once, not each by itself.
        loss: Whether the loss is measured too, where the model has a language-modelling head. A
            masked model reads each text seven times more for it.
        batch_size: How much is read at once.
        progress: Told how far it is.

    Raises:
        InputError: If there is no such head or way, or no sentence.
        DeviceMemoryError: If there is no memory for it, in smaller batches either.
    """
    chosen, way = check_heads(model, heads), check_ablation(how)
    show = progress or (lambda what, share: None)
    variants: list[tuple[Head, ...]] = [chosen] if together else [(head,) for head in chosen]
    known = model if loss else None

    def compute(size: BatchSize, fitting: Fitting) -> StateChangeSums:
        batches, documents, names = corpus_batches(model, corpus, size)
        means = None
        if way == "mean":
            show("Means of all heads", 0.0)
            means = mean_outputs(model, (batch.words for batch in fitting.each(batches)))
        sums = _sums(known, documents, names, variants)
        step = _step(batches, fitting, show)
        if together:
            ablate_together(model, batches, sums, way, means, step)
        else:
            ablate_each(model, batches, sums, way, means, step, batch_tokens=size.tokens)
        return sums

    return within_memory(compute, batch_size, model.device)


def importance_over(
    model: PretrainedModel,
    corpus: Corpus,
    *,
    check: bool = True,
    seed: int = 0,
    batch_size: BatchSize = BATCH_SIZE,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the importance frame of all heads over a corpus.

    Args:
        model: Whose heads.
        corpus: What is read.
        check: Whether each head is ablated too: `ablation_effect` and the rank correlation.
        seed: Of the random directions.
        batch_size: How much is read at once.
        progress: Told how far it is.

    Raises:
        InputError: If the corpus has no sentence that the model can take.
        DeviceMemoryError: If there is no memory for it, in smaller batches either.
    """
    ablation = None
    if check:
        ablation = ablation_over(
            model, every_head(model), corpus, loss=False, batch_size=batch_size, progress=progress
        )
    _check_read(model, corpus)
    surfaces = [sentence.surface for sentence in corpus.sentences]

    def compute(size: BatchSize, fitting: Fitting) -> pd.DataFrame:
        made = word_batches(model, surfaces, size).batches
        fitting.start(made)
        return head_importance(model, made, ablation=ablation, seed=seed, step=fitting.step)

    return within_memory(compute, batch_size, model.device)


def robustness_over(
    model: PretrainedModel,
    corpus: Corpus,
    *,
    kept: Sequence[int] | None = None,
    seeds: Sequence[int] = SEEDS,
    seed: int = 0,
    batch_size: BatchSize = BATCH_SIZE,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the robustness frame over a corpus.

    Args:
        model: Whose heads.
        corpus: What is read.
        kept: Heads that are kept in each layer; some from 1 to all but one where not given.
        seeds: Of the random orders.
        seed: Of the intervals, and of the importance by which heads are ordered.
        batch_size: How much is read at once.
        progress: Told how far it is.

    Raises:
        InputError: If a number of heads cannot be kept, or there is no sentence.
        DeviceMemoryError: If there is no memory for it, in smaller batches either.
    """
    counts = keep_counts(model.n_heads) if kept is None else tuple(sorted(set(kept)))
    if not counts:
        raise InputError("kept ([]) must hold at least one number, or be left out.")
    for count in counts:
        if not 0 <= count < model.n_heads:
            raise InputError(
                f"kept ({count}) must be from 0 to {model.n_heads - 1}: with all "
                f"{model.n_heads} heads of a layer nothing changes."
            )
    show = progress or (lambda what, share: None)
    show("Importance", 0.0)
    importance = importance_over(model, corpus, check=False, seed=seed, batch_size=batch_size)
    sets = ablated_sets(importance, counts, seeds)
    texts = replace(corpus, sentences=[replace(one, relations=()) for one in corpus.sentences])

    def compute(size: BatchSize, fitting: Fitting) -> StateChangeSums:
        batches, documents, names = corpus_batches(model, texts, size)
        sums = _sums(model, documents, names, list(sets.values()))
        ablate_together(model, batches, sums, step=_step(batches, fitting, show))
        return sums

    sums = within_memory(compute, batch_size, model.device)
    return robustness_frame(sums, list(sets), model.n_heads, seed)


def _step(
    batches: Sequence[AnnotatedBatch], fitting: Fitting, show: Progress
) -> Callable[[], None]:
    """Return what is called after each batch: it counts the batch, and shows the share of all."""
    tokens = [batch.words.batch.input_ids.numel() for batch in batches]
    fitting.start([batch.words for batch in batches])

    def step() -> None:
        fitting.step()
        done = fitting.n_read
        show(f"Batches {done} of {len(batches)}", sum(tokens[:done]) / sum(tokens))

    return step


def every_head(model: PretrainedModel) -> list[Head]:
    """Return all heads of a model, layer by layer."""
    return [(layer, head) for layer in range(model.n_layers) for head in range(model.n_heads)]


def _sums(
    model: PretrainedModel | None,
    documents: list[str],
    names: list[str],
    variants: list[tuple[Head, ...]],
) -> StateChangeSums:
    """Return sums with nothing in them; with those of the loss if a model is given that has one."""
    head = None if model is None else language_head(model)
    losses = None if head is None else LossSums(head, documents, names, variants)
    return StateChangeSums(documents, names, variants, losses)


def _check_read(model: PretrainedModel, corpus: Corpus) -> None:
    """Refuse a corpus of which the model can read no sentence."""
    counted = token_counts(model, [sentence.surface for sentence in corpus.sentences])
    check_some_read(model, corpus.name, *counted)
