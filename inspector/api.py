"""The public functions, each a short way through the rooms.

What `import inspector` offers by name; the command line and the dashboard call the same.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, overload

import pandas as pd

from inspector.arguments import checked
from inspector.corpora import Corpus, Sentence
from inspector.corpora.annotation.annotated_corpus import Given, read_annotated
from inspector.corpora.formats.memory_texts import text_pairs
from inspector.head_names import Heads, chosen_numbers
from inspector.heads import weight_statistics as _weight_statistics
from inspector.heads.ablation import ablation_frame, ablation_over
from inspector.heads.ablation.composition import composition as _composition
from inspector.heads.ablation.corpus_pass import importance_over, robustness_over
from inspector.heads.ablation.rollout import rollout_frame
from inspector.models import DEFAULT_MODEL, BatchSize, attention_probabilities, load
from inspector.models.any_model.any_model import AnyModel, load_for_weights
from inspector.models.any_model.call_watch import using
from inspector.models.forward.head_ablation import check_heads
from inspector.models.forward.sentence_batches import vocabulary_of
from inspector.models.forward.text_maps import text_maps
from inspector.models.loading.load_model import ModelOrName, loaded
from inspector.models.tokenizing.sentence_tokens import as_text
from inspector.output import check_output, write_atomically
from inspector.progress import Progress, shown
from inspector.records import FRAME_WRITERS
from inspector.runs.check.checking import check
from inspector.runs.profile.job import profile_settings
from inspector.runs.profile.profiling import profile, replicate
from inspector.runs.profile.reporting import (
    compare,
    lost_roles,
    match_heads,
    report,
    trainer_callback,
)
from inspector.runs.run import open_run
from inspector.verification import ImplementationReport
from inspector.verification import verify_implementation as _verify_implementation
from inspector.verification.verify_model import verify
from inspector.views.maps import AttentionMaps

__all__ = [
    "check",
    "compare",
    "lost_roles",
    "match_heads",
    "replicate",
    "report",
    "trainer_callback",
    "attend",
    "ablate",
    "head_importance",
    "robustness",
    "composition",
    "rollout",
    "load",
    "open_run",
    "profile",
    "using",
    "verify",
    "verify_implementation",
    "weight_statistics",
]


@checked
def verify_implementation(
    build: Callable[..., Any] | str,
    model: ModelOrName = DEFAULT_MODEL,
    *,
    layers: Sequence[int] | None = None,
    dtype: str | None = None,
    timeout: float | None = None,
    memory: int | None = None,
    seed: int | None = None,
    progress: Progress | bool | None = None,
) -> ImplementationReport:
    """Return whether a user's own attention computes what a model's does; if not, its mistake.

    `build(weights)` gets one layer's `inspector.attention.LayerWeights` and returns a function of
    (hidden_states[batch, token, d_model], padding_mask[batch, token] or None; True is a real
    token) that returns the output after W_O, or a mapping with any of the stages query … output.

    Args:
        build: A function, or FILE.py:NAME, which runs in a process of its own.
        model: A loaded model, or what `inspector.load` takes.
        layers: Which layers; all where not given.
        dtype: As `inspector.load` takes it; the model's own, or float32, where not given.
        timeout: Seconds that a call may take, in a process of its own.
        memory: Bytes that it may take there; half of what is free if not given.
        seed: Of the inputs that are drawn anew in each run; reported, drawn where not given.
        progress: As `inspector.profile` takes it.

    Raises:
        InputError: If the implementation raises, returns what is no result, changes what it gets,
            takes too long or too much memory; if the model was loaded in another dtype.
        ModelError: If the model cannot be loaded, or a layer is not described by its weights.

    Example:
        >>> from inspector.attention import multi_head_attention, padding_mask
        >>> def build(weights):
        ...     def layer(x, padding):
        ...         mask = None if padding is None else padding_mask(padding)
        ...         return multi_head_attention(x, x, weights, mask=mask).output
        ...     return layer
        >>> verify_implementation(build, "minilm", layers=[0]).passed
        True
    """
    ready = loaded(model, dtype)
    settings: dict[str, Any] = {"timeout": timeout, "memory": memory, "seed": seed}
    with shown(progress) as show:
        return _verify_implementation(build, ready, layers=layers, progress=show, **settings)


@checked
def weight_statistics(model: ModelOrName | AnyModel = DEFAULT_MODEL) -> pd.DataFrame:
    """Return a row of weight statistics for each layer × head.

    Columns: `inspector.heads.weight_statistics`. Of any other model each module is a layer.

    Args:
        model: A loaded model, or a name, such as that of a folder.

    Raises:
        ModelError: If the model cannot be loaded, or none of its weights can be proved.

    Example:
        >>> weight_statistics("minilm")["layer"].nunique()
        6
    """
    return _weight_statistics(load_for_weights(model))


@overload
def attend(
    model: ModelOrName,
    text: str | Sentence,
    text_pair: str | None = None,
    *,
    words: bool = False,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    tokenizer: Any = None,
) -> AttentionMaps: ...


@overload
def attend(
    model: ModelOrName,
    text: Iterable[Any],
    text_pair: Iterable[str] | None = None,
    *,
    words: bool = False,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    tokenizer: Any = None,
) -> list[AttentionMaps]: ...


@checked
def attend(
    model: ModelOrName,
    text: Any,
    text_pair: Any = None,
    *,
    words: bool = False,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    tokenizer: Any = None,
) -> AttentionMaps | list[AttentionMaps]:
    """Return every head's attention probabilities on one text, or of a list on each.

    Computed by our attention running inside the model; `.probabilities` is (layer, head, query,
    key), `maps[2, 8]` a head's, `.tokens` says what the axes are, `.vocabulary` how much of the
    text is unknown to it. What a text gets in a list is what it gets alone.

    Args:
        model: A loaded model, or what `inspector.load` takes.
        text: What is read: a text, or a sentence of a corpus; or several, such as a list of texts,
            of lists of words, a Series, or a corpus.
        text_pair: A second text, for models that read pairs; of several as many.
        words: Whether tokens are merged to words: attention to a word is the sum over its tokens,
            from a word the mean. A token of no word, such as [CLS], stands by itself.
        layers: The layers that are kept; all where not given.
        heads: The heads of each that are kept; all where not given.
        tokenizer: Of a model in memory, as `inspector.load` takes it.

    Raises:
        InputError: If a text is no string, empty, too long, or not valid Unicode; if there is no
            such layer or head.
        ModelError: If the model cannot be loaded.

    Example:
        >>> attend("minilm", "The cat sat.").probabilities.shape
        (6, 12, 6, 6)
        >>> [maps.tokens[1:-1] for maps in attend("minilm", ["Hi.", "unaffable"], words=True)]
        [['Hi', '.'], ['unaffable']]
    """
    pairs, several = text_pairs(text, text_pair)
    ready = loaded(model) if tokenizer is None else load(model, tokenizer)
    kept = (
        chosen_numbers("layers", layers, range(ready.n_layers)),
        chosen_numbers("heads", heads, range(ready.n_heads)),
    )
    found = text_maps(ready, pairs, layers=kept[0], heads=kept[1], words=words)
    made = [
        AttentionMaps(
            probabilities=one.probabilities,
            tokens=one.tokens,
            text=as_text(pair[0]),
            text_pair=None if pair[1] is None else as_text(pair[1]),
            model=ready.name,
            sentence_b_start=one.pair_start,
            vocabulary=vocabulary_of(ready, [each for each in pair if each is not None]),
            layers=tuple(kept[0]),
            heads=tuple(kept[1]),
            unit="words" if words else "tokens",
        )
        for one, pair in zip(found, pairs, strict=True)
    ]
    return made if several else made[0]


@checked
def ablate(
    model: ModelOrName,
    heads: Heads,
    corpus: Given = None,
    *,
    how: str = "zero",
    together: bool = False,
    output: str | Path | None = None,
    force: bool = False,
    seed: int = 0,
    batch_tokens: int | None = None,
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """Return what ablating heads changes at the words of each relation, and at words like them.

    The columns are those of `inspector.heads.ablation.ABLATION_COLUMNS`, explained in
    `inspector.heads.ablation.ablation_frame`. No weight is touched; the model is always restored.

    Args:
        model: A loaded model, or what `inspector.load` takes.
        heads: '2-8' or (2, 8), layer 2 and head 8, from 0; several of these; or 'all'.
        corpus: As `profile` takes it; several are kept apart by the last column, `corpus`.
        how: What an ablated head gives: 'zero' nothing, 'mean' what it gives on average over the
            corpus, 'uniform' the mean of all values.
        together: Whether all heads are ablated at once, not each by itself.
        output: A file that gets the frame: .csv, .parquet or .json.
        force: Replace a file that exists.
        seed: Of the intervals and tests.
        batch_tokens: As `inspector.profile` takes it.
        progress: As `inspector.profile` takes it.

    Raises:
        InputError: If there is no such head, or way, or the corpus cannot be used.
        ModelError: If the model cannot be loaded.
        OutputError: If the file cannot be written.

    Example:
        >>> frame = ablate("minilm", ["2-8", "3-1"], "The cat sat on the mat.", how="mean")
        >>> frame["heads"].tolist()
        ['2-8', '3-1']
    """
    target = None
    if output is not None:
        target = check_output(output, suffixes=list(FRAME_WRITERS), force=force)
    settings: dict[str, Any] = {"how": how, "together": together} | _batch_size(batch_tokens)
    ready = loaded(model)
    chosen = check_heads(ready, heads)

    with shown(progress) as show:

        def frame_of(one: Corpus) -> pd.DataFrame:
            sums = ablation_over(ready, chosen, one, progress=show, **settings)
            return ablation_frame(sums, how, seed)

        frame = for_each(read_annotated(corpus), frame_of)
    if target is not None:
        write_atomically(target, FRAME_WRITERS[target.suffix.lower()](frame), force=force)
    return frame


@checked
def head_importance(
    model: ModelOrName = DEFAULT_MODEL,
    corpus: Given = None,
    *,
    check: bool = True,
    seed: int = 0,
    batch_tokens: int | None = None,
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """Return how much each head matters, by one backward pass.

    The columns are those of `inspector.heads.ablation.IMPORTANCE_COLUMNS`, explained in
    `inspector.heads.ablation.head_importance`; attrs['rank_correlation'] says how well the order
    agrees with that of true ablation.

    Args:
        model: A loaded model, or what `inspector.load` takes.
        corpus: As `inspector.profile` takes it; several are kept apart by the last column.
        check: Whether each head is ablated as well, for `ablation_effect`: as long as some forty
            passes.
        seed: Of the random directions.
        batch_tokens: As `inspector.profile` takes it.
        progress: As `inspector.profile` takes it.

    Raises:
        InputError: If the corpus cannot be used.
        ModelError: If the model cannot be loaded.

    Example:
        >>> frame = head_importance("minilm", "The cat sat on the mat.", check=False)
        >>> len(frame), bool((frame["importance"] > 0).all())
        (72, True)
    """
    settings: dict[str, Any] = {"seed": seed} | _batch_size(batch_tokens)
    ready = loaded(model)
    with shown(progress) as show:
        return for_each(
            read_annotated(corpus),
            lambda one: importance_over(ready, one, check=check, progress=show, **settings),
        )


@checked
def robustness(
    model: ModelOrName = DEFAULT_MODEL,
    corpus: Given = None,
    *,
    kept: Sequence[int] | None = None,
    seed: int = 0,
    batch_tokens: int | None = None,
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """Return how far states move, and the loss, when only some heads of each layer are kept.

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
        batch_tokens: As `inspector.profile` takes it.
        progress: As `inspector.profile` takes it.

    Raises:
        InputError: If a number of heads cannot be kept, or the corpus cannot be used.
        ModelError: If the model cannot be loaded.

    Example:
        >>> frame = robustness("minilm", "The cat sat.", kept=[11])
        >>> frame["order"].value_counts().to_dict()
        {'random': 10, 'importance': 2}
    """
    settings: dict[str, Any] = {"seed": seed} | _batch_size(batch_tokens)
    ready = loaded(model)
    with shown(progress) as show:
        return for_each(
            read_annotated(corpus),
            lambda one: robustness_over(ready, one, kept=kept, progress=show, **settings),
        )


@checked
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


def _batch_size(tokens: int | None) -> dict[str, BatchSize]:
    return {"batch_size": profile_settings(batch_tokens=tokens).batch}


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
