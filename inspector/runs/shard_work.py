"""What one shard of a profile computes: a model, or a random twin of it, over some sentences.

A result depends on model, sentences and settings alone: batches are cut inside the shard and
torch runs on one thread. Must not know: folders, frames, UI.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch

from inspector.corpora import Labels, Sentence
from inspector.errors import InputError
from inspector.heads.observers import (
    AcrossScores,
    Behaviour,
    HeadDistances,
    NormBehaviour,
    RelationScores,
    annotated_batches,
    observe,
)
from inspector.models import PretrainedModel, load, random_twin, word_batches
from inspector.runs.cause_work import (
    SENTENCES_A_SHARD,
    WINDOWS_A_SHARD,
    asked_names,
    cause_shard,
)
from inspector.runs.identity import check_same
from inspector.runs.shards import ShardResult


@dataclass(frozen=True)
class ProfileSettings:
    """What changes the figures of a profile, besides model and corpus."""

    labels: Labels = "universal"
    """'universal' or 'full' relation labels."""
    distances: bool = False
    """Whether all heads are compared with each other too."""
    twin_seeds: tuple[int, ...] = (1, 2, 3)
    """Seeds of the twins with random weights."""
    shard_size: int = 128
    """Consecutive sentences in a shard."""
    batch_size: int = 32
    """Sentences in a batch, at most."""
    seed: int = 0
    """Of the bootstrap and of the sign flips."""
    coreference: bool = True
    """Whether mentions are followed from sentence to sentence, where a treebank marks them."""
    window_pieces: int = 512
    """Pieces in a window of sentences that are read together, at most; fewer where the model takes
    fewer."""
    window_shard_size: int = 16
    """Consecutive windows in a shard."""
    window_batch_size: int = 2
    """Windows in a batch, at most."""
    cause: bool = True
    """Whether each head is silenced as well, to see if the model needs those that are claimed."""
    cause_sentences: int = 128
    """Sentences that are read without each head, at most."""
    cause_windows: int = 8
    """Windows that are read without each head, at most."""


def profile_settings(settings: ProfileSettings | None, cause: bool | None) -> ProfileSettings:
    """Return the settings given, or the standard ones, with heads silenced or not.

    Raises:
        InputError: If both are given.

    Example:
        >>> profile_settings(None, False).cause
        False
    """
    if settings is None:
        return ProfileSettings() if cause is None else ProfileSettings(cause=cause)
    if cause is not None:
        raise InputError(
            f"cause ({cause}) and settings are both given, and a setting stands in one place: put "
            f"it into the settings, ProfileSettings(cause={cause}, ...)."
        )
    return settings


@dataclass(frozen=True)
class ProfileJob:
    """Everything that a worker needs to compute any shard of a profile."""

    model: str
    revision: str | None
    dtype: str
    device: str
    sentences: tuple[Sentence, ...]
    documents: tuple[str, ...]
    """The document of each sentence."""
    relations: tuple[str, ...]
    """Names of the relations that are scored, sorted."""
    settings: ProfileSettings
    windows: tuple[Sentence, ...] = ()
    """Sentences that are read together, as one each, with the relations that are scored there."""
    window_relations: tuple[str, ...] = ()
    """Names of the relations that are scored in windows, sorted."""
    cause_sentences: tuple[int, ...] = ()
    """Places of the sentences that are read without each head."""
    cause_windows: tuple[int, ...] = ()
    """Places of the windows that are."""
    identity: dict[str, str] = field(default_factory=dict)
    """The model's files and the versions that every worker must have; not asked where empty."""

    @property
    def n_sentence_shards(self) -> int:
        """Return how many shards the sentences make."""
        return -(-len(self.sentences) // self.settings.shard_size)

    @property
    def n_shards_each(self) -> int:
        """Return how many shards a model's sentences and then its windows make."""
        return self.n_sentence_shards - (-len(self.windows) // self.settings.window_shard_size)

    @property
    def n_models(self) -> int:
        """Return the model and its twins; without relations twins have nothing to say."""
        asked = self.relations or self.window_relations
        return 1 + (len(self.settings.twin_seeds) if asked else 0)

    @property
    def n_cause_shards(self) -> int:
        """Return how many shards are read without each head: of sentences, then of windows."""
        of_sentences = -(-len(self.cause_sentences) // SENTENCES_A_SHARD)
        return of_sentences - (-len(self.cause_windows) // WINDOWS_A_SHARD)

    @property
    def n_shards(self) -> int:
        """Return the shards of the model and of its twins, and those without each head."""
        return self.n_models * self.n_shards_each + self.n_cause_shards

    @property
    def asked_names(self) -> list[str]:
        """Return the relations about which it is asked whether a head is needed."""
        return asked_names(self.relations, self.window_relations)

    def load(self) -> PretrainedModel:
        """Return the model.

        Raises:
            ModelError: If it, or a package, is another one here than where the run was begun.
        """
        model = load(self.model, revision=self.revision, dtype=self.dtype, device=self.device)
        if self.identity:
            check_same(self.identity, model)
        return model


class ProfileWorker:
    """Computes shards; holds the model and the twin it used last."""

    def __init__(
        self, job: ProfileJob | Sequence[ProfileJob], model: PretrainedModel | None = None
    ) -> None:
        """Load the model, unless it is given.

        Args:
            job: What is computed; or several jobs of one model, one for each corpus, whose shards
                are numbered one after the other.
            model: The model.
        """
        self.jobs = [job] if isinstance(job, ProfileJob) else list(job)
        self.model = model or self.jobs[0].load()
        self._twin: tuple[int, PretrainedModel] | None = None

    def __call__(self, shard_id: int) -> ShardResult:
        """Return what the observers kept of one shard."""
        left, job = shard_id, self.jobs[0]
        for job in self.jobs:
            if left < job.n_shards:
                break
            left -= job.n_shards
        number, place = divmod(left, job.n_shards_each)
        with _one_thread():
            model = self.model
            if number >= job.n_models:
                return _without_heads(job, model, left - job.n_models * job.n_shards_each)
            if number:
                model = self._random_twin(job.settings.twin_seeds[number - 1])
            if place >= job.n_sentence_shards:
                return _across(job, model, place - job.n_sentence_shards)
            return _sentences(job, model, place, whole=number == 0)

    def _random_twin(self, seed: int) -> PretrainedModel:
        if self._twin is None or self._twin[0] != seed:
            self._twin = None  # the old one first, so that two are never held
            self._twin = (seed, random_twin(self.model, seed))
        return self._twin[1]


def _sentences(job: ProfileJob, model: PretrainedModel, place: int, *, whole: bool) -> ShardResult:
    """Return what is kept of one shard of sentences; of the whole, where they look as well."""
    settings = job.settings
    span = slice(place * settings.shard_size, (place + 1) * settings.shard_size)
    known = list(dict.fromkeys(job.documents[span]))
    return _observed(
        model,
        RelationScores(model.n_layers, model.n_heads, known, list(job.relations)),
        _describers(model, settings) if whole else [],
        job.sentences[span],
        job.documents[span],
        settings.batch_size,
    )


def _across(job: ProfileJob, model: PretrainedModel, place: int) -> ShardResult:
    """Return what is kept of one shard of windows."""
    size = job.settings.window_shard_size
    windows = job.windows[place * size : (place + 1) * size]
    documents = tuple(window.document or "" for window in windows)
    known, names = list(dict.fromkeys(documents)), list(job.window_relations)
    scores = AcrossScores(model.n_layers, model.n_heads, known, names)
    return _observed(model, scores, [], windows, documents, job.settings.window_batch_size)


def _without_heads(job: ProfileJob, model: PretrainedModel, place: int) -> ShardResult:
    """Return what is kept of one shard that is read without each head."""
    of_sentences = -(-len(job.cause_sentences) // SENTENCES_A_SHARD)
    across = place >= of_sentences
    if across:
        start = (place - of_sentences) * WINDOWS_A_SHARD
        windows = [job.windows[i] for i in job.cause_windows[start : start + WINDOWS_A_SHARD]]
        documents = [window.document or "" for window in windows]
        return cause_shard(model, windows, documents, job.asked_names, 1, across=True)
    start = place * SENTENCES_A_SHARD
    places = job.cause_sentences[start : start + SENTENCES_A_SHARD]
    return cause_shard(
        model,
        [job.sentences[i] for i in places],
        [job.documents[i] for i in places],
        job.asked_names,
        job.settings.batch_size,
        across=False,
    )


def _describers(
    model: PretrainedModel, settings: ProfileSettings
) -> list[Behaviour | NormBehaviour | HeadDistances]:
    found: list[Behaviour | NormBehaviour | HeadDistances] = [
        Behaviour(model.n_layers, model.n_heads, model.max_pieces),
        NormBehaviour(model),
    ]
    if settings.distances:
        found.append(HeadDistances(model.n_layers, model.n_heads))
    return found


def _observed(
    model: PretrainedModel,
    scores: RelationScores,
    others: Sequence[Behaviour | HeadDistances],
    sentences: tuple[Sentence, ...],
    documents: tuple[str, ...],
    batch_size: int,
) -> ShardResult:
    """Return what the observers kept of one pass over sentences."""
    kept = [scores, *others]
    made = word_batches(model, [sentence.words for sentence in sentences], batch_size)
    batches = annotated_batches(
        made.batches,
        sentences,
        [scores.documents.index(document) for document in documents],
        {name: place for place, name in enumerate(scores.names)},
        across=isinstance(scores, AcrossScores),
    )
    observe(model, batches, kept)
    arrays: dict[str, np.ndarray] = {"too_long": np.array(len(made.too_long))}
    for observer in kept:
        arrays |= observer.state()
    return ShardResult(arrays, {"documents": scores.documents})


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread: how many there are decides in which order numbers are added."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
