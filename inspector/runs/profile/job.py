"""What a profile is asked for: its settings, all that a worker needs, and what each shard is of.

Texts are read by the model, by each random model, and by the model without each head.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal, get_args

from inspector.arguments import is_whole, refused
from inspector.corpora import Labels
from inspector.corpora.battery.text import KINDS as OF_BATTERY
from inspector.corpora.text_set import TextSet
from inspector.errors import InputError
from inspector.heads.specialization.split import MIN_RANDOM_MODELS, is_for_selection
from inspector.models import BatchSize, PretrainedModel, load
from inspector.models.forward.sentence_batches import MOST_TOKENS
from inspector.runs.profile.ablation_worker import (
    SENTENCES_A_SHARD,
    SENTENCES_A_WINDOW,
    STANDARD_SENTENCES,
    WINDOWS_A_SHARD,
    check_ablation_sentences,
)
from inspector.runs.profile.versions import check_same
from inspector.runs.random_sample import LEAST_SENTENCES, LEAST_WINDOWS, sample_of

_HEADS_A_READING = 9
"""Heads without which a text is read in the time that the profile itself takes to read it."""
_AT_LEAST_ONE = (
    *(
        "shard_size",
        "batch_size",
        "batch_tokens",
        "window_tokens",
        "window_shard_size",
        "window_batch_size",
    ),
    "random_init_sentences",
)


Long = Literal["skip", "windows"]
"""What is done with texts that are longer than the model takes."""


@dataclass(frozen=True)
class ProfileSettings:
    """What changes the figures of a profile, besides model and corpus.

    Example:
        >>> ProfileSettings(labels="full", distances=True).batch_size
        32
    """

    labels: Labels = "universal"
    """'universal' or 'full' relation labels."""
    distances: bool = False
    """Whether all heads are compared with each other too."""
    random_init_seeds: tuple[int, ...] = (1, 2, 3)
    """Seeds of the randomly initialised models."""
    random_init_sentences: int = 384
    """Sentences that each of these reads, at most: together they read a corpus once, or 128 each
    where that is more."""
    shard_size: int = 512
    """Consecutive sentences in a shard."""
    batch_size: int = 32
    """Sentences in a batch, at most."""
    batch_tokens: int = MOST_TOKENS
    """Tokens of several texts in a batch, at most, padding among them; a longer text is read
    alone."""
    seed: int = 0
    """Of the bootstrap and of the sign flips."""
    long: Long = "skip"
    """What is done with a text that is longer than the model takes: 'skip' leaves it out, counted;
    'windows' reads it in windows that overlap."""
    coreference: bool = True
    """Whether mentions are followed from sentence to sentence, where a treebank marks them."""
    window_tokens: int = 512
    """Tokens in a window of sentences that are read together, at most; fewer where the model takes
    fewer."""
    window_shard_size: int = 16
    """Consecutive windows in a shard."""
    window_batch_size: int = 2
    """Windows in a batch, at most."""
    ablation: bool = True
    """Whether each head is ablated as well, to see if the model needs those that are claimed."""
    ablation_sentences: int = STANDARD_SENTENCES
    """Sentences that are read without each head, at most."""
    ablation_windows: int = STANDARD_SENTENCES // SENTENCES_A_WINDOW
    """Windows that are read without each head, at most."""

    def __post_init__(self) -> None:
        """Refuse a setting that is none.

        Raises:
            InputError: If it is of another type than the standard one, or too small.
        """
        for one in fields(self):
            given = getattr(self, one.name)
            if isinstance(one.default, bool) and not isinstance(given, bool):
                raise refused(one.name, given, "True or False")
            if type(one.default) is int:
                least = int(one.name in _AT_LEAST_ONE)
                if not is_whole(given) or given < least:
                    raise refused(one.name, given, f"a whole number, at least {least}")
        for name, known in (("labels", get_args(Labels)), ("long", get_args(Long))):
            if getattr(self, name) not in known:
                raise refused(name, getattr(self, name), f"one of {', '.join(known)}")
        if not isinstance(self.random_init_seeds, tuple) or not all(
            map(is_whole, self.random_init_seeds)
        ):
            raise refused(
                "random_init_seeds", self.random_init_seeds, "whole numbers, such as (1, 2, 3)"
            )
        if 0 < len(set(self.random_init_seeds)) < MIN_RANDOM_MODELS:
            raise InputError(
                f"random_init_seeds ({self.random_init_seeds}) must be none or at least "
                f"{MIN_RANDOM_MODELS} different ones: the best of fewer models says little of what "
                "random weights can do."
            )

    @property
    def batch(self) -> BatchSize:
        """Return how many sentences and tokens are read together, at most."""
        return BatchSize(self.batch_size, self.batch_tokens)


def profile_settings(settings: ProfileSettings | None = None, **given: Any) -> ProfileSettings:
    """Return the settings, or the standard ones but for what is given by name.

    Args:
        settings: All of them.
        given: Settings by name, None for the standard one; each stands in one place alone.

    Raises:
        InputError: If both are given, settings are none, or one may not be.

    Example:
        >>> profile_settings(ablation=False, seed=None).ablation
        False
    """
    if settings is not None and not isinstance(settings, ProfileSettings):
        raise refused("settings", settings, "inspector's ProfileSettings, or be left out")
    asked = {name: value for name, value in given.items() if value is not None}
    if settings is None:
        made = ProfileSettings(**asked)
        if "ablation_sentences" not in asked:
            return made
        number = check_ablation_sentences(made.ablation_sentences, ablation=made.ablation)
        return replace(made, ablation_windows=-(-number // SENTENCES_A_WINDOW))
    for name, value in asked.items():
        raise InputError(
            f"{name} ({value}) and settings are both given, and a setting stands in one place: "
            f"put it into the settings, ProfileSettings({name}={value!r}, ...)."
        )
    return settings


@dataclass(frozen=True)
class ProfileJob:
    """Everything that a worker needs to compute any shard of a profile."""

    model: str
    revision: str | None
    dtype: str
    device: str
    sentences: TextSet
    settings: ProfileSettings
    windows: TextSet = field(default_factory=lambda: TextSet(is_windows=True))
    ablation_sentences: tuple[int, ...] = ()
    """Places of the sentences that are read without each head."""
    ablation_windows: tuple[int, ...] = ()
    """Places of the windows that are."""
    has_loss: bool = False
    """Whether the model has a language-modelling head: its loss is measured there too."""
    identity: dict[str, str] = field(default_factory=dict)
    """The model's files and the versions that every worker must have; not asked where empty."""

    @property
    def texts(self) -> tuple[TextSet, TextSet]:
        """Return the sentences, and the windows."""
        return self.sentences, self.windows

    @property
    def n_sentences(self) -> int:
        """Return how many sentences are read by themselves."""
        return len(self.sentences.texts)

    @property
    def n_windows(self) -> int:
        """Return how many windows there are."""
        return len(self.windows.texts)

    @cached_property
    def readings(self) -> "list[Reading]":
        """Return who reads what: the model, each random one, the model without each head."""
        settings = self.settings
        sizes = (settings.shard_size, settings.window_shard_size)
        all_of_it = (range(self.n_sentences), range(self.n_windows))
        # Without relations random models have nothing to say.
        seeds = settings.random_init_seeds if any(one.relations for one in self.texts) else ()
        of_ablation = (self.ablation_sentences, self.ablation_windows)
        return [
            Reading(all_of_it, sizes),
            *(
                Reading(self._sample(number), sizes, random_init_seed=seed)
                for number, seed in enumerate(seeds)
            ),
            Reading(of_ablation, (SENTENCES_A_SHARD, WINDOWS_A_SHARD), is_ablation=True),
        ]

    def _sample(self, number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the places of the sentences and windows that one of the random models reads."""
        of = len(self.settings.random_init_seeds)
        most = self.settings.random_init_sentences
        return (
            sample_of(number, of, self.n_sentences, LEAST_SENTENCES, most),
            sample_of(number, of, self.n_windows, LEAST_WINDOWS, -(-most // SENTENCES_A_WINDOW)),
        )

    @cached_property
    def first_of_split(self) -> dict[bool, str]:
        """Return the first document of the selection split (True) and of the test split (False).

        It stands for all of the split where no more is asked than what all have together.
        """
        found: dict[bool, str] = {}
        for document in dict.fromkeys(self.sentences.documents + self.windows.documents):
            found.setdefault(is_for_selection(document), document)
        return found

    @property
    def n_shards(self) -> int:
        """Return the shards of all readings."""
        return sum(reading.n_shards for reading in self.readings)

    def costs(self, n_heads: int) -> list[float]:
        """Return about how long each shard takes, in words that are read once.

        Args:
            n_heads: Of the whole model; without each of them texts are read again, in part.
        """
        found = []
        for reading in self.readings:
            times = max(n_heads / _HEADS_A_READING, 1.0) if reading.is_ablation else 1.0
            for lengths, places, size in zip(
                (self.sentences.lengths, self.windows.lengths),
                reading.texts,
                reading.shard_sizes,
                strict=True,
            ):
                words = [lengths[place] for place in places]
                found += [times * sum(words[at : at + size]) for at in range(0, len(words), size)]
        return found

    @cached_property
    def probe_names(self) -> list[str]:
        """Return the probes of the decoder battery that the sentences ask, and their controls."""
        return sorted(
            {
                relation.label
                for sentence in self.sentences.texts
                for relation in sentence.relations
                if relation.kind in OF_BATTERY
            }
        )

    @property
    def asked_names(self) -> list[str]:
        """Return the relations about which it is asked whether a head is needed."""
        return sorted({*self.sentences.asked, *self.windows.asked})

    def load(self) -> PretrainedModel:
        """Return the model.

        Raises:
            ModelError: If it, or a package, is another one here than where the run was begun.
        """
        model = load(self.model, revision=self.revision, dtype=self.dtype, device=self.device)
        if self.identity:
            check_same(self.identity, model)
        return model


@dataclass(frozen=True)
class Reading:
    """Which texts are read by whom, shard by shard: the sentences, then the windows."""

    texts: tuple[Sequence[int], Sequence[int]]
    """Places of the sentences, and of the windows."""
    shard_sizes: tuple[int, int]
    """Sentences, and windows, in a shard."""
    random_init_seed: int | None = None
    """Seed of the randomly initialised model that reads; None for the model itself."""
    is_ablation: bool = False
    """Whether they are read without each head."""

    @property
    def n_sentence_shards(self) -> int:
        """Return how many shards the sentences make."""
        return -(-len(self.texts[0]) // self.shard_sizes[0])

    @property
    def n_shards(self) -> int:
        """Return how many shards the sentences and then the windows make."""
        return self.n_sentence_shards - (-len(self.texts[1]) // self.shard_sizes[1])


@dataclass(frozen=True)
class ShardPlace:
    """What one shard is of: some sentences or windows, and who reads them."""

    job: ProfileJob
    reading: Reading
    read: TextSet
    """The texts, and the document of each; of what a random model reads, the first of its split."""

    @classmethod
    def of(cls, jobs: Sequence[ProfileJob], shard_id: int) -> "ShardPlace":
        """Return what a shard is of.

        Args:
            jobs: Whose shards are numbered one after the other, reading by reading.
            shard_id: Its number.
        """
        job, reading, left = _located(jobs, shard_id)
        kind = int(left >= reading.n_sentence_shards)  # of windows
        size = reading.shard_sizes[kind]
        start = (left - kind * reading.n_sentence_shards) * size
        read = job.texts[kind].at(reading.texts[kind][start : start + size])
        if reading.random_init_seed is not None:
            of_split = job.first_of_split
            documents = tuple(of_split[is_for_selection(name)] for name in read.documents)
            read = replace(read, documents=documents)
        return cls(job, reading, read)

    @property
    def documents(self) -> list[str]:
        """Return the documents, in order, each once."""
        return list(dict.fromkeys(self.read.documents))

    @property
    def batch_size(self) -> BatchSize:
        """Return how much is read together, at most."""
        settings = self.job.settings
        if not self.read.is_windows:
            return settings.batch
        texts = 1 if self.reading.is_ablation else settings.window_batch_size
        return settings.batch._replace(texts=texts)

    @property
    def is_own(self) -> bool:
        """Whether the model reads as it is: the words that its heads predict are kept."""
        return not self.reading.is_ablation and self.reading.random_init_seed is None

    @property
    def has_probes(self) -> bool:
        """Whether the attention that the decoder battery's scores are means of is kept."""
        job = self.job
        return not (self.reading.is_ablation or self.read.is_windows) and bool(job.probe_names)

    @property
    def is_whole(self) -> bool:
        """Whether it is seen where the model looks as well, not only what it finds."""
        return self.is_own and not self.read.is_windows


def _located(jobs: Sequence[ProfileJob], shard_id: int) -> tuple[ProfileJob, Reading, int]:
    """Return the job and the reading that a shard is of, and its number in that reading."""
    left = shard_id
    for job in jobs:
        for reading in job.readings:
            if left < reading.n_shards:
                return job, reading, left
            left -= reading.n_shards
    raise ValueError(f"shard ({shard_id}) must be one of {shard_id - left}, from 0.")
