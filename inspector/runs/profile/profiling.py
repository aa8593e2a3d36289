"""A profile by the public functions: run one, and open one that stands in a folder."""

from collections.abc import Sequence
from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from inspector.arguments import checked
from inspector.corpora import Corpus, Labels
from inspector.corpora.annotation.annotated_corpus import Given, read_annotated
from inspector.errors import InputError
from inspector.models import DEFAULT_MODEL
from inspector.models.loading.load_model import ModelOrName, loaded
from inspector.progress import Progress, shown
from inspector.runs.battery import check_probes, with_battery
from inspector.runs.engines.engine import Engine
from inspector.runs.profile.job import Long, ProfileSettings, profile_settings
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.replicating import (
    other_texts,
    replication_frame,
    with_selectivity_rules,
)
from inspector.runs.run import Run
from inspector.runs.store.folder_checks import RunTarget


@checked
def profile(
    model: ModelOrName = DEFAULT_MODEL,
    corpus: Given = None,
    output: str | Path | None = None,
    *,
    annotations: str | Path | Sequence[str | Path] = (),
    labels: Labels | None = None,
    strict: bool = False,
    parse: bool = False,
    distances: bool | None = None,
    ablation: bool | None = None,
    cause: bool | None = None,
    ablation_sentences: int | None = None,
    seed: int | None = None,
    batch_size: int | None = None,
    batch_tokens: int | None = None,
    long: Long | None = None,
    settings: ProfileSettings | None = None,
    dtype: str | None = None,
    device: str | None = None,
    revision: str | None = None,
    workers: int = 1,
    engine: str = "local",
    resume: bool = False,
    force: bool = False,
    replicate: Given | Sequence[Given] = (),
    probes: str | None = None,
    progress: Progress | bool | None = None,
) -> Run:
    """Return what every head does on a corpus, from one pass: behaviour, relations, claims, roles.

    Args:
        model: A loaded model, or what `inspector.load` takes.
        corpus: A file (.conllu, .txt, GAP, WinoBias, Winogender), the name of a known corpus, or
            what stands in memory: a text, a list of texts or of lists of words, a DataFrame or
            Dataset with a column `text` or `words`, conllu's TokenLists, spaCy's Docs, a Corpus;
            inspector's own treebank and probes where it is not given. Of several files each is
            profiled by itself, and kept apart by the last column of every frame, `corpus`. What
            has no trees gets behaviour alone.
        annotations: A file of further annotation (roles, names, relations of your own), or several;
            each is added to the corpora that it belongs to.
        output: A folder that keeps the run; it is not kept where none is given.
        labels: 'universal' relation labels (nsubj), or 'full' ones (nsubj:pass as well).
        strict: Whether the first malformed sentence ends the reading.
        parse: Whether plain text is given spaCy's trees (silver).
        distances: Whether all heads are compared with each other too.
        ablation: Whether heads are ablated as well, so that the claims say in their column `needed`
            whether the model needs the head; they are where not given.
        cause: Former name of `ablation`; not both.
        ablation_sentences: Sentences that are read without each head, at most, and a window for
            every 16 of them; a quarter as many of a masked language model, which reads each
            seven times for its loss.
        seed: Of the bootstrap and of the sign flips.
        batch_size: Sentences in a batch, at most.
        batch_tokens: Tokens of several texts in a batch, at most; less memory, and slower.
        long: What is done with a text that is longer than the model takes: 'skip' leaves it out and
            counts it, 'windows' reads it in windows that overlap by half.
        settings: All that changes the figures, in one object; no such keyword beside it.
        dtype: 'float32', 'float64' or 'bfloat16'; the model's own, or float32, where not given.
        device: On which the model is loaded, the CPU where not given.
        revision: Branch, tag or commit of a hub id.
        workers: Processes; the result is the same for any number.
        engine: Where they run: 'local', on this machine; or 'ray', on the cluster that RAY_ADDRESS
            names, of a network you trust, or on one that is started here and ended afterwards.
        resume: Go on with the run that stands in the folder.
        force: Replace the run that stands in the folder.
        probes: 'decoder' adds the decoder battery (`inspector.probes`) to each corpus; it stands
            alone where no corpus is given. Without either, a decoder reads it beside inspector's
            own corpus.
        replicate: Other text, of at least 5 documents each, on which the claims are scored again as
            they stand: frame `replication`, column `replicates`.
        progress: Called with what is being done and the share that is done; True for a bar, which
            notebooks and terminals have where nothing is given; False for none.

    Raises:
        InputError: If the corpus cannot be used, a run was started with other settings, a setting
            is given twice, no such engine is there, or a loaded model is on another device.
        ModelError: If the model cannot be loaded.
        OutputError: If the folder cannot be used.
        WorkerError: If a part of the work ends every process it is given to.

    Example:
        >>> run = profile("minilm", "The cat sat on the mat.", ablation=False)
        >>> len(run.behaviour), run.behaviour["queries"].unique().tolist()
        (72, [7])
    """
    if cause is not None:
        if ablation is not None:
            raise InputError(
                f"cause ({cause}) is the former name of ablation ({ablation}), which is given too: "
                "leave it out."
            )
        ablation = cause
    chosen = profile_settings(
        settings,
        labels=labels,
        distances=distances,
        ablation=ablation,
        ablation_sentences=ablation_sentences,
        seed=seed,
        batch_size=batch_size,
        batch_tokens=batch_tokens,
        long=long,
    )
    computed = Engine(engine, workers)
    target = RunTarget(output or "", resume=resume, force=force)
    if output is not None:
        target.check()
    others = other_texts(replicate, chosen.labels)
    check_probes(probes)
    read: list[Corpus] = []
    if corpus is not None or probes is None:
        read = read_annotated(corpus, annotations, labels=chosen.labels, strict=strict, parse=parse)
    ready = loaded(model, dtype=dtype, device=device, revision=revision)
    if probes is not None or (corpus is None and ready.architecture.kind == "decoder"):
        read = with_battery(ready, read)
    if ready.folder is None and not computed.here:
        raise InputError(
            f"workers ({workers}, {engine}) must be 1, on this machine, for a model in memory: "
            "other processes cannot see it. Save it (save_pretrained) and give the folder."
        )
    with shown(progress) as show:
        return profile_corpus(
            corpus=read,
            model=ready,
            target=None if output is None else target,
            settings=chosen,
            revision=revision,
            engine=computed,
            replicate=others,
            progress=show,
        )


@checked
def replicate(
    run: Run | str | PathLike[str],
    corpus: Given | Sequence[Given],
    *,
    model: ModelOrName | None = None,
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """Return how a run's claims do on other text: the frame `replication`, a row for each.

    Heads, offsets, positions and rules of word class stay as they are; nothing is chosen again.

    Args:
        run: A profile, or the folder of one.
        corpus: Other text, as `inspector.profile` takes it; or several, each by itself.
        model: Of the run, where its name does not lead to it.
        progress: Called with what is being done and the share that is done; True for a bar, which
            notebooks and terminals have where nothing is given; False for none.

    Raises:
        InputError: If a corpus cannot be used or has fewer than 5 documents, or the model is
            another one.
        ModelError: If the model cannot be loaded.
        OutputError: If a folder holds no complete run.

    Example:
        >>> run = profile("minilm", "en_ewt-ud-dev")  # doctest: +SKIP
        >>> replicate(run, "en_gum-ud-dev")["kept"].sum()  # doctest: +SKIP
    """
    made = run if isinstance(run, Run) else Run.open(run)
    settings = _settings_of(made)
    others = other_texts(corpus, settings.labels)
    ready = loaded(made.manifest.model if model is None else model)
    if ready.file_hashes != made.manifest.model_files:
        raise InputError(
            f"model ({ready.name}) has other files than the run's {made.manifest.model}: give "
            "that one as model=…."
        )
    several = "corpus" in made.claims
    groups = made.claims.groupby("corpus", sort=False) if several else [("", made.claims)]
    parts = []
    with shown(progress) as show:
        for name, claims in groups:
            controls = made.frames["controls"]
            if several:
                controls = controls[controls["corpus"] == name]
            ruled = with_selectivity_rules(claims, controls)
            frame = replication_frame(ruled, ready, others, settings, show)
            parts.append(frame.assign(corpus=name) if several else frame)
    return pd.concat(parts, ignore_index=True)


def _settings_of(run: Run) -> ProfileSettings:
    """Return the settings of a run that its manifest keeps."""
    names = {one.name for one in fields(ProfileSettings)}
    kept: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in run.manifest.settings.items()
        if name in names
    }
    return ProfileSettings(**kept)
