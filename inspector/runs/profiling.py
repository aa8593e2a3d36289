"""A profile: one pass over a corpus, from the model to the frames of a run.

Shards are computed or found, added up in their order, and turned into frames.
Must not know: UI; how an observer or a claim computes.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from inspector.corpora import Corpus
from inspector.errors import InputError
from inspector.heads.claims import relation_claims
from inspector.heads.counts import RelationCounts, concatenate
from inspector.heads.observers import (
    Behaviour,
    HeadDistances,
    NormBehaviour,
    behaviour_frame,
    counts_from_state,
)
from inspector.heads.power import documents_needed
from inspector.heads.relations import relation_accuracies
from inspector.heads.roles import head_roles
from inspector.heads.support import supported_heads
from inspector.models import PretrainedModel
from inspector.runs.computation import Progress, compute
from inspector.runs.engine import Worker
from inspector.runs.folder import RunFolder
from inspector.runs.manifest import Manifest
from inspector.runs.shard_work import ProfileJob, ProfileSettings, ProfileWorker
from inspector.runs.shards import ShardResult

FRAMES = ("behaviour", "relations", "claims", "roles", "power", "totals", "skipped")
"""The frames of every run; `distances` is there where it was asked for."""
TOTALS_COLUMNS: dict[str, str] = {"what": "str", "count": "int64"}
SKIPPED_COLUMNS: dict[str, str] = {
    "file": "str",
    "line": "int64",
    "sentence": "str",
    "reason": "str",
}
_VERSIONED = ("inspector", "torch", "transformers", "numpy", "tokenizers")


@dataclass(frozen=True, repr=False)
class Run:
    """The frames of a profile, and what they were computed from."""

    manifest: Manifest
    frames: dict[str, pd.DataFrame]

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """Return a run that stands in a folder.

        Raises:
            OutputError: If there is none, or it is not complete.
        """
        folder = RunFolder.open(path)
        names = [*FRAMES, *(name for name in folder.frames if name not in FRAMES)]
        return cls(folder.manifest, {name: folder.read_frame(name) for name in names})

    @property
    def behaviour(self) -> pd.DataFrame:
        """Return where each head looks: a row per layer × head."""
        return self.frames["behaviour"]

    @property
    def relations(self) -> pd.DataFrame:
        """Return how often each head is right: a row per layer × head × relation × direction."""
        return self.frames["relations"]

    @property
    def claims(self) -> pd.DataFrame:
        """Return what may be said of relations: a row per relation × direction."""
        return self.frames["claims"]

    @property
    def roles(self) -> pd.DataFrame:
        """Return what heads may be called, and why."""
        return self.frames["roles"]

    @property
    def power(self) -> pd.DataFrame:
        """Return how many documents each relation would need."""
        return self.frames["power"]

    @property
    def totals(self) -> pd.DataFrame:
        """Return how much was read, and how much was left out and why."""
        return self.frames["totals"]

    def summary(self) -> str:
        """Return what was found in a sentence."""
        counted = dict(zip(self.totals["what"], self.totals["count"], strict=True))
        supported = self.claims[self.claims["verdict"] == "supported"]
        named = sorted(set(supported["relation"]))
        return (
            f"{self.manifest.model} on {self.manifest.corpus}: {counted['sentences']} sentences, "
            f"{counted['words']} words; {len(supported)} of {len(self.claims)} claims supported"
            f"{', of ' + ', '.join(named) if named else ''}; {len(self.roles)} roles."
        )

    def __repr__(self) -> str:
        """Return the summary: the frames are shown by their own names."""
        return f"<Run: {self.summary()}>"


def profile_corpus(
    model: PretrainedModel,
    corpus: Corpus,
    folder: str | Path | None = None,
    *,
    settings: ProfileSettings | None = None,
    revision: str | None = None,
    workers: int = 1,
    resume: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Return what every head does on a corpus, from one pass over it.

    Args:
        model: Whose heads.
        corpus: What is read.
        folder: Where the run is kept; nowhere if not given.
        settings: The standard ones if not given.
        revision: Of a hub id, so that worker processes load the same files.
        workers: Processes; the result is the same for any number.
        resume: Go on with the run that stands in the folder.
        force: Replace it.
        progress: Told how far it is.

    Raises:
        InputError: If the corpus has no sentence, or a run was started with other settings.
        OutputError: If the folder cannot be used.
    """
    chosen = settings or ProfileSettings()
    if not corpus.sentences:
        raise InputError(f"corpus ({corpus.name}) has no sentence: give one that has some.")
    job = ProfileJob(
        model=model.name,
        revision=revision,
        dtype=model.dtype,
        device=str(model.device),
        sentences=tuple(corpus.sentences),
        documents=tuple(corpus.document_ids()),
        relations=tuple(sorted({label for _, label in corpus.relation_counts()})),
        settings=chosen,
    )
    manifest = _manifest(model, corpus, job)
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(TemporaryDirectory())) / "run"
        run = stack.enter_context(RunFolder.create(place, manifest, resume=resume, force=force))
        make_worker: Callable[[], Worker] = partial(ProfileWorker, job)
        if workers == 1:
            make_worker = partial(ProfileWorker, job, model)
        shards = compute(run, range(job.n_shards), make_worker, workers, progress)
        frames = _frames(model, corpus, job, shards)
        for name, frame in frames.items():
            run.write_frame(name, frame)
        run.finish()
    return Run(manifest, frames)


def _manifest(model: PretrainedModel, corpus: Corpus, job: ProfileJob) -> Manifest:
    plain = asdict(job.settings)
    return Manifest(
        model=model.name,
        model_files=model.file_hashes,
        corpus=corpus.name,
        corpus_sha256=corpus.sha256,
        settings={
            **{name: plain[name] for name in ("labels", "distances", "twin_seeds", "seed")},
            "dtype": model.dtype,
            "device": model.device.type,
            "annotation": corpus.annotation,
        },
        versions={name: version(name) for name in _VERSIONED},
        shard_size=job.settings.shard_size,
        batch_size=job.settings.batch_size,
        n_shards=job.n_shards,
    )


def _frames(
    model: PretrainedModel, corpus: Corpus, job: ProfileJob, shards: Sequence[ShardResult]
) -> dict[str, pd.DataFrame]:
    each = job.n_shards_each
    own = shards[:each]
    counts = _counts(own, job)
    twins = [
        _counts(shards[number * each : (number + 1) * each], job)
        for number in range(1, job.n_models)
    ]
    behaviour, norms = (
        Behaviour(model.n_layers, model.n_heads, model.max_pieces),
        NormBehaviour(model),
    )
    for shard in own:
        behaviour.add_state(shard.arrays)
        norms.add_state(shard.arrays)
    frame = behaviour_frame(behaviour, norms)
    claims = relation_claims(counts, twins, job.settings.seed)
    supported = supported_heads(counts, twins, job.settings.seed)
    frames = {
        "behaviour": frame,
        "relations": relation_accuracies(counts),
        "claims": claims,
        "roles": head_roles(frame, claims, supported),
        "power": documents_needed(counts),
        "totals": _totals(corpus, own, behaviour),
        "skipped": _skipped(corpus),
    }
    if job.settings.distances:
        distances = HeadDistances(model.n_layers, model.n_heads)
        for shard in own:
            distances.add_state(shard.arrays)
        frames["distances"] = distances.frame()
    return frames


def _counts(shards: Sequence[ShardResult], job: ProfileJob) -> RelationCounts:
    return concatenate(
        [
            counts_from_state(shard.arrays, shard.labels["documents"], list(job.relations))
            for shard in shards
        ]
    )


def _totals(corpus: Corpus, shards: Sequence[ShardResult], behaviour: Behaviour) -> pd.DataFrame:
    counted = {
        "sentences": len(corpus.sentences),
        "words": corpus.n_words,
        "documents": len(set(corpus.document_ids())),
        "queries": int(behaviour.counts[0]),
        "sentences skipped as malformed": len(corpus.skipped),
        "sentences longer than the model takes": sum(
            int(shard.arrays["too_long"]) for shard in shards
        ),
        "relations with a word that has no piece": sum(
            int(shard.arrays["relations.left_out"][0]) for shard in shards
        ),
    }
    return pd.DataFrame(counted.items(), columns=list(TOTALS_COLUMNS)).astype(TOTALS_COLUMNS)


def _skipped(corpus: Corpus) -> pd.DataFrame:
    rows = [(one.file, one.line, one.sentence or "", one.reason) for one in corpus.skipped]
    return pd.DataFrame(rows, columns=list(SKIPPED_COLUMNS)).astype(SKIPPED_COLUMNS)
