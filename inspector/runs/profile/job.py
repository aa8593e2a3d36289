"""What a profile is asked for: its settings, all that a worker needs, and what each shard is of.

Must not know: how a shard is computed, folders, frames, UI.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_args

from inspector.arguments import is_whole, refused
from inspector.corpora import Labels, Sentence
from inspector.errors import InputError
from inspector.heads.specialization.split import MIN_RANDOM_MODELS
from inspector.models import PretrainedModel, load
from inspector.runs.profile.ablation_worker import (
    SENTENCES_A_SHARD,
    SENTENCES_A_WINDOW,
    STANDARD_SENTENCES,
    WINDOWS_A_SHARD,
    asked_names,
    check_ablation_sentences,
)
from inspector.runs.profile.versions import check_same

_AT_LEAST_ONE = (
    *("shard_size", "batch_size", "window_tokens", "window_shard_size", "window_batch_size"),
)


@dataclass(frozen=True)
class ProfileSettings:
    """What changes the figures of a profile, besides model and corpus."""

    labels: Labels = "universal"
    """'universal' or 'full' relation labels."""
    distances: bool = False
    """Whether all heads are compared with each other too."""
    random_init_seeds: tuple[int, ...] = (1, 2, 3)
    """Seeds of the randomly initialised models."""
    shard_size: int = 128
    """Consecutive sentences in a shard."""
    batch_size: int = 32
    """Sentences in a batch, at most."""
    seed: int = 0
    """Of the bootstrap and of the sign flips."""
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
    ablation_windows: int = 8
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
        if self.labels not in get_args(Labels):
            raise refused("labels", self.labels, f"one of {', '.join(get_args(Labels))}")
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
    ablation_sentences: tuple[int, ...] = ()
    """Places of the sentences that are read without each head."""
    ablation_windows: tuple[int, ...] = ()
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
        """Return the model and the random ones; without relations these have nothing to say."""
        asked = self.relations or self.window_relations
        return 1 + (len(self.settings.random_init_seeds) if asked else 0)

    @property
    def n_ablation_shards(self) -> int:
        """Return how many shards are read without each head: of sentences, then of windows."""
        of_sentences = -(-len(self.ablation_sentences) // SENTENCES_A_SHARD)
        return of_sentences - (-len(self.ablation_windows) // WINDOWS_A_SHARD)

    @property
    def n_shards(self) -> int:
        """Return the shards of the model and the random ones, and those without each head."""
        return self.n_models * self.n_shards_each + self.n_ablation_shards

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


@dataclass(frozen=True)
class ShardPlace:
    """What one shard is of: some sentences or windows, and who reads them."""

    job: ProfileJob
    random_init_seed: int | None
    """Seed of the randomly initialised model that reads; None for the model itself."""
    is_ablation: bool
    """Whether they are read without each head."""
    across: bool
    """Whether they are windows."""
    sentences: tuple[Sentence, ...]
    document_of_each: tuple[str, ...]

    @classmethod
    def of(cls, jobs: Sequence[ProfileJob], shard_id: int) -> "ShardPlace":
        """Return what a shard is of.

        Args:
            jobs: Whose shards are numbered one after the other: the model's sentences and windows,
                then each random model's, then what is read without each head.
            shard_id: Its number.
        """
        left, job = shard_id, jobs[0]
        for job in jobs:
            if left < job.n_shards:
                break
            left -= job.n_shards
        number, place = divmod(left, job.n_shards_each)
        is_ablation = number >= job.n_models
        kinds: tuple[Sequence[int], Sequence[int]]
        if is_ablation:
            place = left - job.n_models * job.n_shards_each
            kinds = (job.ablation_sentences, job.ablation_windows)
            sizes = (SENTENCES_A_SHARD, WINDOWS_A_SHARD)
        else:
            kinds = (range(len(job.sentences)), range(len(job.windows)))
            sizes = (job.settings.shard_size, job.settings.window_shard_size)
        of_sentences = -(-len(kinds[0]) // sizes[0])
        across = place >= of_sentences
        start = (place - of_sentences if across else place) * sizes[across]
        chosen = kinds[across][start : start + sizes[across]]
        windows = job.windows
        return cls(
            job=job,
            random_init_seed=None
            if is_ablation or not number
            else job.settings.random_init_seeds[number - 1],
            is_ablation=is_ablation,
            across=across,
            sentences=tuple((windows if across else job.sentences)[i] for i in chosen),
            document_of_each=tuple(
                (windows[i].document or "") if across else job.documents[i] for i in chosen
            ),
        )

    @property
    def documents(self) -> list[str]:
        """Return the documents, in order, each once."""
        return list(dict.fromkeys(self.document_of_each))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the relations that are scored."""
        return self.job.window_relations if self.across else self.job.relations

    @property
    def is_whole(self) -> bool:
        """Whether it is seen where the model looks as well, not only what it finds."""
        return not (self.is_ablation or self.across) and self.random_init_seed is None
