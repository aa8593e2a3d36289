"""One pass over what a corpus holds of some relations, for heads that are named beforehand.

Sentences and windows without such a relation are not read: no figure depends on them.
Must not know: claims, verdicts, UI.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from inspector.corpora import Corpus
from inspector.errors import InputError
from inspector.heads.counts import DIRECTIONS, RelationCounts, concatenate
from inspector.heads.observers import PredictedWords
from inspector.heads.specialization.inference import MIN_DOCUMENTS
from inspector.heads.specialization.ladder.words import WordTable
from inspector.heads.specialization.split import is_for_selection
from inspector.models import BatchSize, PretrainedModel, random_init_model
from inspector.models.forward.one_thread import one_thread
from inspector.models.forward.within_memory import Fitting, within_memory
from inspector.progress import Progress
from inspector.runs.profile.job import ProfileJob, ProfileSettings, ShardPlace
from inspector.runs.profile.plan import profile_job, relation_kinds, within_window
from inspector.runs.profile.profile_frames import by_reading, counts_of, unknown_pairs
from inspector.runs.profile.shard_worker import empty_scores, observed
from inspector.runs.profile.words_read import words_read
from inspector.runs.store.shards import ShardResult

_MORE_DOCUMENTS = "Give more text, or mark its documents with '# newdoc id = …'."


@dataclass(frozen=True, eq=False)
class Asked:
    """What a model, and models with random weights, do on a corpus."""

    counts: RelationCounts
    random_init_counts: tuple[RelationCounts, ...]
    table: WordTable
    unknown: dict[str, float]
    """Relation → the share of its pairs with a word that the vocabulary does not know."""


@dataclass(frozen=True, eq=False)
class Readable:
    """A corpus that a model can read, and the relations that it has."""

    model: PretrainedModel
    corpus: Corpus
    job: ProfileJob

    @classmethod
    def of(cls, model: PretrainedModel, corpus: Corpus, settings: ProfileSettings) -> "Readable":
        """Return what is to be read.

        Raises:
            InputError: If the corpus has nothing that the model can read.
        """
        corpus = within_window(model, corpus)
        job, _ = profile_job(model, corpus, replace(settings, ablation=False), None)
        return cls(model, corpus, job)

    @property
    def relations(self) -> list[str]:
        """Return the relations that the corpus has, by kind."""
        return list(relation_kinds(self.job))

    def read(
        self,
        names: Collection[str],
        progress: Progress | None = None,
        *,
        all_tested: bool = False,
    ) -> Asked:
        """Return what the model does on the pairs of some relations, from one pass.

        Args:
            names: Of relations that the corpus has.
            progress: Told how far it is.
            all_tested: Whether every document is judged on, where nothing is chosen.
        """
        sentences, windows = (read.with_any_of(names) for read in self.job.texts)
        job = replace(self.job, sentences=sentences, windows=windows)
        show = progress or (lambda what, share: None)
        read, shards = _Reader(self.model), list[ShardResult]()
        for number in range(job.n_shards):
            show(f"Reading {number + 1} of {job.n_shards}", number / job.n_shards)
            shards.append(read(ShardPlace.of([job], number)))
        (whole, own), *others = by_reading(shards, job)
        documents = sorted(set(self.job.sentences.documents))
        nothing = _nothing(documents, job, self.model)
        counts = concatenate([nothing, counts_of(own, whole, job)]) if own else nothing
        tested = [one for one in documents if all_tested or not is_for_selection(one)]
        pairs = dict(zip(counts.relations, counts.n.sum(axis=0).tolist(), strict=True))
        unknown = unknown_pairs(own, whole, job)
        n_heads = self.model.n_layers * self.model.n_heads
        return Asked(
            counts=counts,
            random_init_counts=tuple(
                concatenate([nothing, counts_of(some, reading, job)])
                for reading, some in others
                if not reading.is_ablation
            ),
            table=words_read(job, own, n_heads, tested),
            unknown={name: unknown[name] / n for name, n in pairs.items() if n},
        )


class _Reader:
    """Reads shards; holds the random model it used last."""

    def __init__(self, model: PretrainedModel) -> None:
        self.model = model
        self._random_model: tuple[int, PretrainedModel] | None = None

    def __call__(self, place: ShardPlace) -> ShardResult:
        model = self._model_of(place.reading.random_init_seed)

        def read(size: BatchSize, fitting: Fitting) -> ShardResult:
            scores = empty_scores(model, place)
            words = [PredictedWords(scores, place.read.lengths)] if place.is_own else []
            return observed(model, scores, words, place.read, size, fitting)

        with one_thread():
            return within_memory(read, place.batch_size, model.device)

    def _model_of(self, seed: int | None) -> PretrainedModel:
        if seed is None:
            return self.model
        if self._random_model is None or self._random_model[0] != seed:
            self._random_model = None  # the old one first, so that two are never held
            self._random_model = (seed, random_init_model(self.model, seed))
        return self._random_model[1]


def _nothing(documents: list[str], job: ProfileJob, model: PretrainedModel) -> RelationCounts:
    """Return counts of 0 in every document of the corpus, those that are not read with them."""
    names = tuple(sorted({*job.sentences.relations, *job.windows.relations}))
    size = (len(documents), len(names))
    heads = (len(DIRECTIONS), model.n_layers, model.n_heads)
    return RelationCounts(
        documents=tuple(documents),
        relations=names,
        offsets=(),
        correct=np.zeros((*size, *heads), dtype=np.int32),
        n=np.zeros(size, dtype=np.int32),
        offset_counts=np.zeros((*size, 0), dtype=np.int32),
    )


def note_documents(corpora: Sequence[Corpus]) -> None:
    """Log, before any model has read it, that a corpus has too few documents for any claim.

    Those of the test split are what intervals are over.
    """
    for corpus in corpora:
        documents = set(corpus.document_ids())
        tested = sum(not is_for_selection(name) for name in documents)
        if tested < MIN_DOCUMENTS and any(one.relations for one in corpus.sentences):
            logging.getLogger("inspector").warning(
                "corpus (%s) has %d document%s, %d of the test split, where intervals need "
                "%d: every claim will be underpowered. %s",
                *(corpus.name, len(documents), "s" * (len(documents) != 1), tested, MIN_DOCUMENTS),
                _MORE_DOCUMENTS,
            )


def check_documents(corpus: Corpus, what: str = "corpus") -> None:
    """Refuse a corpus of too few documents, before any model has read it.

    Raises:
        InputError: If it has fewer than 5.
    """
    n = len(set(corpus.document_ids()))
    if n < MIN_DOCUMENTS:
        raise InputError(
            f"{what} ({corpus.name}) has {n} document{'s' * (n != 1)} and must have at least "
            f"{MIN_DOCUMENTS}: intervals are over documents, and of fewer there is none. "
            f"{_MORE_DOCUMENTS}"
        )
