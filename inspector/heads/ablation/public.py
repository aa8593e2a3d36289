"""What is asked of cause by name or object: importance, robustness, composition, rollout.

`inspector` offers these as they stand here. Must not know: files that are written, engines.
"""

from collections.abc import Callable, Sequence
from os import PathLike

import pandas as pd

from inspector.arguments import checked
from inspector.corpora import Corpus
from inspector.corpora.annotation.annotated_corpus import Given, read_annotated
from inspector.errors import InputError
from inspector.heads.ablation.composition import composition as _composition
from inspector.heads.ablation.corpus_pass import Progress, importance_over, robustness_over
from inspector.heads.ablation.rollout import rollout_frame
from inspector.models import DEFAULT_MODEL, PretrainedModel, attention_probabilities, load

ModelOrName = PretrainedModel | str | PathLike[str]
"""A loaded model, or what `inspector.load` takes: an alias, a folder, a hub id."""
Corpora = Given | Sequence[Given] | None


@checked
def head_importance(
    model: ModelOrName = DEFAULT_MODEL,
    corpus: Corpora = None,
    *,
    check: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return how much each head matters, by one backward pass.

    The columns are those of `inspector.heads.ablation.IMPORTANCE_COLUMNS`, explained in
    `inspector.heads.ablation.head_importance`; attrs['rank_correlation'] says how well the order
    agrees with that of true ablation.

    Args:
        model: A loaded model, or what `inspector.load` takes.
        corpus: As `inspector.profile` takes it; several are kept apart by the last column.
        check: Whether each head is silenced as well, for `ablation_effect`: as long as some forty
            passes.
        seed: Of the random directions.
        progress: Called with what is being done and the share that is done.

    Raises:
        InputError: If the corpus cannot be used.
        ModelError: If the model cannot be loaded.
    """
    ready = loaded(model)
    return for_each(
        read_annotated(corpus),
        lambda one: importance_over(ready, one, check=check, seed=seed, progress=progress),
    )


@checked
def robustness(
    model: ModelOrName = DEFAULT_MODEL,
    corpus: Corpora = None,
    *,
    kept: Sequence[int] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return how far states drift, and the loss, when only some heads of each layer are kept.

    By order of importance and by five random orders; the loss is there for a model that was saved
    with its language-modelling head. The columns are those of
    `inspector.heads.ablation.ROBUSTNESS_COLUMNS`, explained in
    `inspector.heads.ablation.robustness_frame`.

    Args:
        model: A loaded model, or what `inspector.load` takes.
        corpus: As `inspector.profile` takes it; several are kept apart by the last column.
        kept: How many heads of each layer are kept, in turn; some from 1 to all but one if not
            given.
        seed: Of the intervals, and of the importance.
        progress: Called with what is being done and the share that is done.

    Raises:
        InputError: If a number of heads cannot be kept, or the corpus cannot be used.
        ModelError: If the model cannot be loaded.
    """
    ready = loaded(model)
    return for_each(
        read_annotated(corpus),
        lambda one: robustness_over(ready, one, kept=kept, seed=seed, progress=progress),
    )


def composition(model: ModelOrName = DEFAULT_MODEL) -> pd.DataFrame:
    """Return how much each head reads of what each earlier one writes, by the weights.

    The columns are those of `inspector.heads.ablation.COMPOSITION_COLUMNS`, explained in
    `inspector.heads.ablation.composition`.

    Args:
        model: A loaded model, or what `inspector.load` takes.

    Raises:
        ModelError: If the model cannot be loaded.

    Example:
        >>> composition("minilm").shape
        (6480, 8)
    """
    return _composition(loaded(model))


@checked
def rollout(model: ModelOrName, text: str, *, residual: float = 0.5) -> pd.DataFrame:
    """Return attention rollout of one text: what of each input arrives where, after each layer.

    The columns are those of `inspector.heads.ablation.ROLLOUT_COLUMNS`, explained in
    `inspector.heads.ablation.rollout_frame`.

    Args:
        model: A loaded model, or what `inspector.load` takes.
        text: What is read.
        residual: The residual connection's share, from 0 to 1.

    Raises:
        InputError: If the text cannot be read, or residual is no share.
        ModelError: If the model cannot be loaded.

    Example:
        >>> frame = rollout("minilm", "The cat sat.")
        >>> frame.groupby(["layer", "query"])["rollout"].sum().round(6).unique().tolist()
        [1.0]
    """
    ready = loaded(model)
    batch = ready.encode([text])
    maps = attention_probabilities(ready, batch)[:, 0].double().cpu().numpy()
    return rollout_frame(maps, batch.tokens[0], residual)


def for_each(read: Sequence[Corpus], frame_of: Callable[[Corpus], pd.DataFrame]) -> pd.DataFrame:
    """Return the frames of corpora as one; of several the last column, `corpus`, says which.

    Args:
        read: At least one corpus.
        frame_of: What makes a frame of one.
    """
    frames = [frame_of(one) for one in read]
    if len(frames) == 1:
        return frames[0]
    named = [frame.assign(corpus=one.name) for frame, one in zip(frames, read, strict=True)]
    return pd.concat(named, ignore_index=True)


def loaded(model: ModelOrName, dtype: str | None = None) -> PretrainedModel:
    """Return a model, loaded where it is given by name: in a dtype, or in float32.

    Raises:
        InputError: If it was loaded in another dtype.
        ModelError: If it cannot be loaded.
    """
    if not isinstance(model, PretrainedModel):
        return load(model, dtype=dtype or "float32")
    if dtype not in (None, model.dtype):
        raise InputError(
            f"dtype ({dtype}) must be that of the model ({model.dtype}): load it in {dtype}, or "
            "give its name."
        )
    return model
