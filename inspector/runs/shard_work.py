"""What one shard of a profile computes: a model, or a random twin of it, over some sentences.

A result depends on model, sentences and settings alone: batches are cut inside the shard and
torch runs on one thread. Must not know: folders, frames, UI.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from inspector.corpora import Labels, Sentence
from inspector.heads.observers import (
    Behaviour,
    HeadDistances,
    NormBehaviour,
    RelationScores,
    annotated_batches,
    observe,
)
from inspector.models import PretrainedModel, load, random_twin, word_batches
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

    @property
    def n_shards_each(self) -> int:
        """Return how many shards the sentences make."""
        return -(-len(self.sentences) // self.settings.shard_size)

    @property
    def n_models(self) -> int:
        """Return the model and its twins; without relations twins have nothing to say."""
        return 1 + (len(self.settings.twin_seeds) if self.relations else 0)

    @property
    def n_shards(self) -> int:
        """Return the shards of the model and of its twins."""
        return self.n_models * self.n_shards_each

    def load(self) -> PretrainedModel:
        """Return the model."""
        return load(self.model, revision=self.revision, dtype=self.dtype, device=self.device)


class ProfileWorker:
    """Computes shards; holds the model and the twin it used last."""

    def __init__(self, job: ProfileJob, model: PretrainedModel | None = None) -> None:
        """Load the model, unless it is given."""
        self.job = job
        self.model = model or job.load()
        self._twin: tuple[int, PretrainedModel] | None = None

    def __call__(self, shard_id: int) -> ShardResult:
        """Return what the observers kept of one shard."""
        number, place = divmod(shard_id, self.job.n_shards_each)
        size = self.job.settings.shard_size
        span = slice(place * size, (place + 1) * size)
        sentences, documents = self.job.sentences[span], self.job.documents[span]
        with _one_thread():
            if number == 0:
                return self._observe(self.model, sentences, documents, whole=True)
            twin = self._random_twin(self.job.settings.twin_seeds[number - 1])
            return self._observe(twin, sentences, documents, whole=False)

    def _random_twin(self, seed: int) -> PretrainedModel:
        if self._twin is None or self._twin[0] != seed:
            self._twin = None  # the old one first, so that two are never held
            self._twin = (seed, random_twin(self.model, seed))
        return self._twin[1]

    def _observe(
        self,
        model: PretrainedModel,
        sentences: tuple[Sentence, ...],
        documents: tuple[str, ...],
        *,
        whole: bool,
    ) -> ShardResult:
        names = list(self.job.relations)
        known = list(dict.fromkeys(documents))
        scores = RelationScores(model.n_layers, model.n_heads, known, names)
        kept = [scores, *(self._describers(model) if whole else [])]
        made = word_batches(
            model, [sentence.words for sentence in sentences], self.job.settings.batch_size
        )
        batches = annotated_batches(
            made.batches,
            sentences,
            [known.index(document) for document in documents],
            {name: place for place, name in enumerate(names)},
        )
        observe(model, batches, kept)
        arrays: dict[str, np.ndarray] = {"too_long": np.array(len(made.too_long))}
        for observer in kept:
            arrays |= observer.state()
        return ShardResult(arrays, {"documents": known})

    def _describers(
        self, model: PretrainedModel
    ) -> list[Behaviour | NormBehaviour | HeadDistances]:
        found: list[Behaviour | NormBehaviour | HeadDistances] = [
            Behaviour(model.n_layers, model.n_heads, model.max_pieces),
            NormBehaviour(model),
        ]
        if self.job.settings.distances:
            found.append(HeadDistances(model.n_layers, model.n_heads))
        return found


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread: how many there are decides in which order numbers are added."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
