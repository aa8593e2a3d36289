"""What one shard of a profile computes: a model, or a random one, over some sentences.

A result depends on model, sentences and settings alone: batches are cut inside the shard and
torch runs on one thread.
"""

from collections.abc import Sequence
from dataclasses import astuple
from functools import partial

import numpy as np

from inspector.corpora.text_set import TextSet
from inspector.heads.observers import (
    AcrossScores,
    Behaviour,
    HeadDistances,
    NormBehaviour,
    Observer,
    PredictedWords,
    ProbeMasses,
    RelationScores,
    observe,
)
from inspector.heads.observers.batch import batches_of
from inspector.models import BatchSize, PretrainedModel, random_init_model
from inspector.models.forward.one_thread import one_thread
from inspector.models.forward.within_memory import Fitting, within_memory
from inspector.models.loading.language_head import LanguageHead, language_head
from inspector.runs.profile.ablation_worker import ablation_shard
from inspector.runs.profile.job import ProfileJob as ProfileJob
from inspector.runs.profile.job import ProfileSettings as ProfileSettings
from inspector.runs.profile.job import ShardPlace
from inspector.runs.profile.job import profile_settings as profile_settings
from inspector.runs.store.shards import ShardResult

_RESUME = ", and run the command again with --resume; finished shards are kept"


class ProfileWorker:
    """Computes shards; holds the model and the random one it used last."""

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
        self._random_model: tuple[int, PretrainedModel] | None = None
        self._head: LanguageHead | None = None

    def __call__(self, shard_id: int) -> ShardResult:
        """Return what the observers kept of one shard.

        Raises:
            DeviceMemoryError: If the device has no memory for it, in smaller batches either.
        """
        return self.compute(ShardPlace.of(self.jobs, shard_id))

    def compute(self, place: ShardPlace) -> ShardResult:
        """Return what the observers kept of some texts; smaller batches where memory runs out."""
        with one_thread():
            compute, device = partial(self._read, place), self.model.device
            return within_memory(compute, place.batch_size, device, _RESUME)

    def _read(self, place: ShardPlace, size: BatchSize, fitting: Fitting) -> ShardResult:
        if place.reading.is_ablation:
            if place.job.has_loss and self._head is None:
                self._head = language_head(self.model)
            names = place.job.asked_names
            return ablation_shard(self.model, place.read, names, size, self._head, fitting)
        model = self.model
        if place.reading.random_init_seed is not None:
            model = self.random_init_model(place.reading.random_init_seed)
        scores = empty_scores(model, place)
        describers = _describers(model, scores, place) if place.is_own else []
        if place.has_probes:
            describers.append(ProbeMasses(model, place.job.probe_names))
        return observed(model, scores, describers, place.read, size, fitting)

    def random_init_model(self, seed: int) -> PretrainedModel:
        """Return the model with random weights of a seed."""
        if self._random_model is None or self._random_model[0] != seed:
            self._random_model = None  # the old one first, so that two are never held
            self._random_model = (seed, random_init_model(self.model, seed))
        return self._random_model[1]


def empty_scores(model: PretrainedModel, place: ShardPlace) -> RelationScores:
    """Return the observer of a shard's relations, which has seen nothing yet."""
    kind = AcrossScores if place.read.is_windows else RelationScores
    return kind(model.n_layers, model.n_heads, place.documents, list(place.read.relations))


def _describers(
    model: PretrainedModel, scores: RelationScores, place: ShardPlace
) -> list[Observer]:
    # First: what the scores have of a layer is what it keeps.
    found: list[Observer] = [PredictedWords(scores, place.read.lengths)]
    if place.is_whole:
        found += [Behaviour(model.n_layers, model.n_heads, model.max_tokens), NormBehaviour(model)]
        if place.job.settings.distances:
            found.append(HeadDistances(model.n_layers, model.n_heads))
    return found


def observed(
    model: PretrainedModel,
    scores: RelationScores,
    others: Sequence[Observer],
    read: TextSet,
    batch_size: BatchSize,
    fitting: Fitting,
) -> ShardResult:
    """Return what the observers kept of one pass over texts."""
    kept: list[Observer] = [scores, *others]
    made, batches = batches_of(model, read, scores.documents, scores.names, batch_size)
    observe(model, fitting.each(batches), kept)
    arrays: dict[str, np.ndarray] = {
        "too_long": np.array(len(made.too_long)),
        "without_tokens": np.array(len(made.without_tokens)),
        "vocabulary": np.array(astuple(made.vocabulary)),
    }
    for observer in kept:
        arrays |= observer.state()
    return ShardResult(arrays, {"documents": scores.documents})
