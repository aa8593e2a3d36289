"""A profile: one pass over a corpus, from the model to the frames of a run.

Shards are computed or found, added up in their order, and turned into frames.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from inspector.corpora import Corpus
from inspector.corpora.formats.line_reader import unique_names
from inspector.errors import InputError
from inspector.heads.observers import packed_counts
from inspector.heads.specialization.replication import with_replicates
from inspector.models import PretrainedModel
from inspector.progress import Progress
from inspector.runs.engines.engine import HERE, Engine, Worker, compute
from inspector.runs.profile.cost_estimate import note_cost
from inspector.runs.profile.plan import profile_job, within_window
from inspector.runs.profile.profile_frames import profile_frames
from inspector.runs.profile.reading import note_documents
from inspector.runs.profile.replicating import replication_frame, with_selectivity_rules
from inspector.runs.profile.shard_check import shard_fits
from inspector.runs.profile.shard_worker import (
    ProfileJob,
    ProfileSettings,
    ProfileWorker,
)
from inspector.runs.profile.versions import versions
from inspector.runs.run import Run
from inspector.runs.run_frames import EVERY_FRAME
from inspector.runs.store.folder_checks import RunTarget
from inspector.runs.store.manifest import Manifest
from inspector.runs.store.run_folder import RunFolder

_SETTINGS = (
    *("labels", "distances", "random_init_seeds", "random_init_sentences", "seed", "coreference"),
    *("batch_tokens", "window_tokens", "window_shard_size", "window_batch_size"),
    *("ablation", "ablation_sentences", "ablation_windows"),
)

_SHARDS = 0.9
"""Share of the time of a profile that its shards take; then the claims are tested."""


def profile_corpus(
    model: PretrainedModel,
    corpus: Corpus | Sequence[Corpus],
    target: RunTarget | None = None,
    *,
    settings: ProfileSettings | None = None,
    revision: str | None = None,
    engine: Engine = HERE,
    replicate: Sequence[Corpus] = (),
    progress: Progress | None = None,
) -> Run:
    """Return what every head does on a corpus, from one pass over it.

    Args:
        model: Whose heads.
        corpus: What is read; or several, each profiled by itself, which the last column of every
            frame, `corpus`, keeps apart.
        target: Where the run is kept; nowhere if not given.
        settings: The standard ones if not given.
        revision: Of a hub id, so that worker processes load the same files.
        engine: Where shards are computed, and by how many.
        replicate: Other text, each of enough documents, on which the claims are scored again.
        progress: Told how far it is.

    Raises:
        InputError: If a corpus has no sentence, or a run was started with other settings.
        OutputError: If the folder cannot be used.
    """
    corpora = [corpus] if isinstance(corpus, Corpus) else list(corpus)
    corpora = [within_window(model, one) for one in corpora]
    if not corpora:
        raise InputError("corpus ([]) must be at least one: give a corpus to read.")
    made = [profile_job(model, one, settings or ProfileSettings(), revision) for one in corpora]
    jobs = [job for job, _ in made]
    manifest = _manifest(model, corpora, jobs, replicate)
    note_documents(corpora)
    note_cost(model, jobs, engine.workers)
    show = progress or (lambda what, share: None)
    with ExitStack() as stack:
        if target is None:
            target = RunTarget(Path(stack.enter_context(TemporaryDirectory())) / "run")
        run = stack.enter_context(RunFolder.create(target, manifest, frames=EVERY_FRAME))
        make_worker, engine = _make_worker(model, jobs, engine)
        shards = compute(
            run,
            range(manifest.n_shards),
            make_worker,
            engine,
            lambda what, share: show(what, share * _SHARDS),
            costs=[cost for job in jobs for cost in job.costs(model.n_layers * model.n_heads)],
            fits=shard_fits(model, jobs),
            packed=lambda shard: replace(shard, arrays=packed_counts(shard.arrays)),
        )
        parts: list[dict[str, pd.DataFrame]] = []
        for one, (job, windows) in zip(corpora, made, strict=True):
            share = _SHARDS + (1 - _SHARDS) * len(parts) / len(made)
            show("Claims", share)
            own, shards = shards[: job.n_shards], shards[job.n_shards :]
            parts.append(profile_frames(model, one, job, windows, own))
            if replicate:
                told = partial(_at, show, share)
                parts[-1] |= _on_other_text(model, parts[-1], replicate, job.settings, told)
        named = unique_names(corpus.name for corpus in corpora)
        frames = parts[0] if len(parts) == 1 else _side_by_side(parts, named)
        run_kept = _kept(run, Run(manifest, frames))
        show("Claims", 1.0)
        return run_kept


def _at(show: Progress, share: float, what: str, _: float) -> None:
    """Tell what is being done at a share that stays."""
    show(what, share)


def _kept(folder: RunFolder, made: Run) -> Run:
    """Return a run, of which every frame is written."""
    for name, frame in made.frames.items():
        folder.write_frame(name, frame)
    folder.finish(vocabulary=asdict(made.vocabulary))
    return made


def _make_worker(
    model: PretrainedModel, jobs: Sequence[ProfileJob], engine: Engine
) -> tuple[Callable[[], Worker], Engine]:
    """Return what makes a worker, and the engine with the GPUs that it is to give it."""
    if engine.name == "ray" and model.device.type == "cuda":
        # An actor of Ray sees no other than its own, whatever its number.
        ours = [replace(job, device="cuda") for job in jobs]
        return partial(ProfileWorker, ours), replace(engine, gpus=max(engine.gpus, 1))
    return partial(ProfileWorker, jobs, model if engine.here else None), engine


def _on_other_text(
    model: PretrainedModel,
    frames: Mapping[str, pd.DataFrame],
    others: Sequence[Corpus],
    settings: ProfileSettings,
    progress: Progress,
) -> dict[str, pd.DataFrame]:
    """Return the frame `replication`, and the claims with what it says of them."""
    claims = frames["claims"]
    ruled = with_selectivity_rules(claims, frames["controls"])
    again = replication_frame(ruled, model, others, settings, progress)
    return {"replication": again, "claims": with_replicates(claims, again)}


def _side_by_side(
    parts: Sequence[dict[str, pd.DataFrame]], names: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Return frames of several corpora as one each, the corpus in the last column."""
    return {
        name: pd.concat(
            [
                part[name].assign(corpus=of)
                for part, of in zip(parts, names, strict=True)
                if name in part
            ],
            ignore_index=True,
        ).astype({"corpus": "str"})
        for name in dict.fromkeys(name for part in parts for name in part)
    }


def _manifest(
    model: PretrainedModel,
    corpora: Sequence[Corpus],
    jobs: Sequence[ProfileJob],
    others: Sequence[Corpus],
) -> Manifest:
    plain = asdict(jobs[0].settings)
    hashes = [corpus.sha256 for corpus in corpora]
    return Manifest(
        model=model.name,
        model_files=model.file_hashes,
        corpus=", ".join(unique_names(corpus.name for corpus in corpora)),
        corpus_sha256=hashes[0] if len(hashes) == 1 else _joined(hashes),
        settings={
            **{name: plain[name] for name in _SETTINGS},
            "dtype": model.dtype,
            "device": model.device.type,
            **({"long": plain["long"]} if plain["long"] != "skip" else {}),
            **({"probes": True} if any(job.probe_names for job in jobs) else {}),
            **({"replicate": [one.sha256 for one in others]} if others else {}),
            "annotation": ", ".join(dict.fromkeys(corpus.annotation for corpus in corpora)),
        },
        versions=versions(),
        shard_size=jobs[0].settings.shard_size,
        batch_size=jobs[0].settings.batch_size,
        n_shards=sum(job.n_shards for job in jobs),
    )


def _joined(hashes: Sequence[str]) -> str:
    return sha256("\n".join(hashes).encode()).hexdigest()
