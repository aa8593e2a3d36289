"""Time and memory of a profile, told before it starts; what cannot fit is refused.

Time by a sample of what each of its readings reads, memory by what is held at once.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from inspector.errors import InputError
from inspector.heads.observers.long_estimate import long_seconds, long_texts, peak_bytes
from inspector.models import PretrainedModel
from inspector.models.forward.one_thread import one_thread
from inspector.models.forward.sentence_batches import MOST_TOKENS
from inspector.runs.profile.job import ProfileJob, Reading, ShardPlace
from inspector.runs.profile.shard_worker import ProfileWorker
from inspector.verification.implementation.sandbox.process_tree import free_bytes, resident_bytes

_WORTH = 2e12
"""Operations of a run, about a minute of a core, from which its time is told."""
_TOKENS_A_WORD = 1.4
_SAMPLED = (1 / 6, 1 / 2, 5 / 6)
"""Where, of all words sorted by the length of their text, texts are tried."""
_TRIED, _TRIED_WITHOUT_HEADS, _OF = 16, 3, 32
"""Texts that are tried at each of these: of so many read without heads one."""
_FRAMES = 0.25
"""Intervals and the ladder, of the time of reading."""
_LONG_RANDOM, _LONG_WITHOUT_HEAD = 0.6, 0.25
"""What a random model, and the model without a head, take of a long text's own reading."""
_SURELY = 1.5
"""By how much an estimate may be wrong."""
_KEPT = 6
"""Tensors of a token's width that are kept of each layer, to go on from there without a head."""
_WITH_RELATIONS, _A_PREDICTION = 120e6, 72
"""Bytes of intervals and ladder, and for each word and head."""


@dataclass(frozen=True)
class Cost:
    """What a run takes."""

    seconds: float
    megabytes: float
    """At the peak, beside what the process has."""
    resident: float
    """What it has, in MB; 0 where the system does not tell."""
    lengths: tuple[int, ...] = ()
    """Tokens of the texts that are read row by row."""

    def __str__(self) -> str:
        """Return it as a sentence."""
        time_ = f"{self.seconds:.0f} s" if self.seconds < 120 else f"{self.seconds / 60:.0f} min"
        n = len(self.lengths)
        long = f" ({n} long text{'s' * (n != 1)}, of up to {max(self.lengths)} tokens)" if n else ""
        where = "in all" if self.resident else "beside the model"
        return (
            f"the run{long} takes about {time_}, and {self.resident + self.megabytes:.0f} MB of "
            f"memory {where}"
        )


def note_cost(model: PretrainedModel, jobs: Sequence[ProfileJob], workers: int = 1) -> None:
    """Log what a run takes that is long, or reads long texts.

    Raises:
        InputError: If it needs more memory than there is.
    """
    long = [long_texts(model, job.sentences.texts) for job in jobs]
    needed, free = needed_bytes(model, jobs, long), free_bytes()
    longest = max((n for found in long for n in found.values()), default=0)
    if free is not None and needed > free * (1 if longest else _SURELY):
        what, less = f"run ({model.name})", "less text"
        if longest:
            what, less = f"text ({longest} tokens)", "shorter texts"
        raise InputError(
            f"{what} needs about {needed / 1e9:.1f} GB of memory beside the model, and "
            f"{free / 1e9:.1f} GB are free: give {less}, or more memory."
        )
    if longest or sum(_operations(model, job) for job in jobs) >= _WORTH:
        logging.getLogger("inspector").warning("%s", run_cost(model, jobs, workers, long))


def run_cost(
    model: PretrainedModel,
    jobs: Sequence[ProfileJob],
    workers: int = 1,
    long: Sequence[dict[int, int]] | None = None,
) -> Cost:
    """Return what a run takes, as a sample of it does.

    Args:
        model: What reads.
        jobs: What is read.
        workers: Processes.
        long: Of each job the long texts, place → tokens; found if not given.
    """
    found = [long_texts(model, job.sentences.texts) for job in jobs] if long is None else long
    needed, resident = needed_bytes(model, jobs, found), resident_bytes()
    with one_thread():
        seconds = sum(_seconds(model, job, some) for job, some in zip(jobs, found, strict=True))
    lengths = tuple(n for some in found for n in some.values())
    return Cost(seconds / workers, needed / 1e6, resident / 1e6, lengths)


def needed_bytes(
    model: PretrainedModel, jobs: Sequence[ProfileJob], long: Sequence[dict[int, int]]
) -> int:
    """Return what a run takes at the peak, in bytes, beside the loaded model."""
    longest = max((n for found in long for n in found.values()), default=MOST_TOKENS // 4)
    needed = float(peak_bytes(model, longest))
    without = [
        found.get(place, MOST_TOKENS)
        for job, found in zip(jobs, long, strict=True)
        for place in job.ablation_sentences
    ]
    of_layer = max(model.torch_dtype.itemsize, 4) * max(without, default=0) * model.d_model
    needed += _KEPT * of_layer * model.n_layers
    for job in jobs:
        if any(reading.random_init_seed is not None for reading in job.readings):
            needed += sum(weight.nbytes for weight in model.model.parameters())
            words = sum(job.sentences.lengths) + sum(job.windows.lengths)
            needed += _WITH_RELATIONS + _A_PREDICTION * words * model.n_layers * model.n_heads
            break
    return int(needed)


def _operations(model: PretrainedModel, job: ProfileJob) -> float:
    """Return about how much is computed, of the layers alone."""
    of_token = 2 * 12 * model.d_model**2 * model.n_layers
    heads = model.n_layers * model.n_heads
    words = sum(
        _words(job, reading) * (heads / 2 if reading.is_ablation else 1) for reading in job.readings
    )
    return of_token * words * _TOKENS_A_WORD


def _words(job: ProfileJob, reading: Reading, without: Sequence[int] = ()) -> int:
    lengths, windows, left_out = job.sentences.lengths, job.windows.lengths, set(without)
    of_sentences = sum(lengths[place] for place in reading.texts[0] if place not in left_out)
    return of_sentences + sum(windows[place] for place in reading.texts[1])


def _seconds(model: PretrainedModel, job: ProfileJob, long: dict[int, int]) -> float:
    """Return how long a job takes: what is sampled of each reading, in proportion."""
    worker = ProfileWorker(job, model)
    total, made = 0.0, 0.0
    random_rate: float | None = None
    of_long: dict[int, float] = {}
    if long:
        longest = max(long, key=long.__getitem__)
        each = long_seconds(model, job.sentences.texts[longest], list(long.values()))
        of_long = dict(zip(long, each, strict=True))
    for reading in job.readings:
        short = [place for place in reading.texts[0] if place not in long]
        total += sum(
            of_long[place] * _share(model, reading) for place in reading.texts[0] if place in long
        )
        if not short:
            continue
        words = _words(job, reading, tuple(long))
        if reading.random_init_seed is not None and random_rate is not None:
            total += made + random_rate * words
            continue
        made = _made(worker, reading)
        rate = _rate(worker, job, reading, short)
        if reading.random_init_seed is not None:
            random_rate = rate
        total += made + rate * words
    has_relations = any(one.relations for one in job.texts)
    return total * (1 + _FRAMES * has_relations)


def _share(model: PretrainedModel, reading: Reading) -> float:
    """Return what a reading of a long text takes of the model's own."""
    if reading.is_ablation:
        return _LONG_WITHOUT_HEAD * model.n_layers * model.n_heads
    return 1.0 if reading.random_init_seed is None else _LONG_RANDOM


def _made(worker: ProfileWorker, reading: Reading) -> float:
    """Return how long it takes to make the random model that reads."""
    start = time.perf_counter()
    if reading.random_init_seed is not None:
        worker.random_init_model(reading.random_init_seed)
    return time.perf_counter() - start


def _rate(worker: ProfileWorker, job: ProfileJob, reading: Reading, short: Sequence[int]) -> float:
    """Return the seconds of a word, on a few of the texts, after a first of its kind."""
    lengths = job.sentences.lengths
    order = sorted(short, key=lambda place: (lengths[place], place))
    ends = list(accumulate(lengths[place] for place in order))
    at_once = _TRIED
    if reading.is_ablation:
        at_once = max(1, min(_TRIED_WITHOUT_HEADS, len(short) // _OF))
    chosen: list[int] = []
    for share in _SAMPLED:
        middle = next(number for number, end in enumerate(ends) if end >= share * ends[-1])
        start = max(0, min(middle - at_once // 2, len(order) - at_once))
        chosen += order[start : start + at_once]
    read = job.sentences.at(sorted(set(chosen)))
    place = ShardPlace(job, reading, read)
    worker.compute(replace(place, read=read.at([0])))
    start_time = time.perf_counter()
    worker.compute(place)
    return (time.perf_counter() - start_time) / sum(read.lengths)
