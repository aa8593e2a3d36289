"""What one shard of a profile computes: a model, or a random one, over some sentences.

A result depends on model, sentences and settings alone: batches are cut inside the shard and
torch runs on one thread.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple

import numpy as np
import torch

from inspector.corpora import Sentence
from inspector.heads.observers import (
    AcrossScores,
    Behaviour,
    HeadDistances,
    NormBehaviour,
    Observer,
    PredictedWords,
    RelationScores,
    annotated_batches,
    observe,
)
from inspector.models import PretrainedModel, random_init_model, word_batches
from inspector.models.loading.language_head import LanguageHead, language_head
from inspector.runs.profile.ablation_worker import ablation_shard
from inspector.runs.profile.job import ProfileJob as ProfileJob
from inspector.runs.profile.job import ProfileSettings as ProfileSettings
from inspector.runs.profile.job import ShardPlace
from inspector.runs.profile.job import profile_settings as profile_settings
from inspector.runs.store.shards import ShardResult


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
        """Return what the observers kept of one shard."""
        place = ShardPlace.of(self.jobs, shard_id)
        settings = place.job.settings
        with one_thread():
            if place.reading.is_ablation:
                if place.job.has_loss and self._head is None:
                    self._head = language_head(self.model)
                return ablation_shard(
                    self.model,
                    place.sentences,
                    place.document_of_each,
                    place.job.asked_names,
                    1 if place.across else settings.batch_size,
                    across=place.across,
                    head=self._head,
                )
            model = self.model
            if place.reading.random_init_seed is not None:
                model = self._random_init_model(place.reading.random_init_seed)
            scores = _scores(model, place)
            return observed(
                model,
                scores,
                _describers(model, settings, scores, place) if place.is_own else [],
                place.sentences,
                place.document_of_each,
                settings.window_batch_size if place.across else settings.batch_size,
            )

    def _random_init_model(self, seed: int) -> PretrainedModel:
        if self._random_model is None or self._random_model[0] != seed:
            self._random_model = None  # the old one first, so that two are never held
            self._random_model = (seed, random_init_model(self.model, seed))
        return self._random_model[1]


def _scores(model: PretrainedModel, place: ShardPlace) -> RelationScores:
    kind = AcrossScores if place.across else RelationScores
    return kind(model.n_layers, model.n_heads, place.documents, list(place.names))


def _describers(
    model: PretrainedModel, settings: ProfileSettings, scores: RelationScores, place: ShardPlace
) -> list[Observer]:
    # First: what the scores have of a layer is what it keeps.
    found: list[Observer] = [PredictedWords(scores, place.lengths)]
    if place.is_whole:
        found += [Behaviour(model.n_layers, model.n_heads, model.max_tokens), NormBehaviour(model)]
        if settings.distances:
            found.append(HeadDistances(model.n_layers, model.n_heads))
    return found


def observed(
    model: PretrainedModel,
    scores: RelationScores,
    others: Sequence[Observer],
    sentences: tuple[Sentence, ...],
    documents: tuple[str, ...],
    batch_size: int,
) -> ShardResult:
    """Return what the observers kept of one pass over sentences."""
    kept: list[Observer] = [scores, *others]
    made = word_batches(model, [sentence.surface for sentence in sentences], batch_size)
    batches = annotated_batches(
        made.batches,
        sentences,
        [scores.documents.index(document) for document in documents],
        {name: place for place, name in enumerate(scores.names)},
        across=isinstance(scores, AcrossScores),
    )
    observe(model, batches, kept)
    arrays: dict[str, np.ndarray] = {
        "too_long": np.array(len(made.too_long)),
        "without_tokens": np.array(len(made.without_tokens)),
        "vocabulary": np.array(astuple(made.vocabulary)),
    }
    for observer in kept:
        arrays |= observer.state()
    return ShardResult(arrays, {"documents": scores.documents})


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: how many there are decides in which order numbers are added."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
