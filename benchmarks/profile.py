"""One pass of the observers over a treebank against a bare forward pass: time, and peak memory.

EWT's dev set where INSPECTOR_DATA (or ../shared/data) has it, else inspector's own corpus. Batches
are made once and are the same for all; the time of making them is measured apart.
Must not know: what an observer computes.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.fresh import peak_megabytes
from benchmarks.growth import peak_growth
from benchmarks.script import script
from benchmarks.subjects import minilm
from benchmarks.table import Measure
from benchmarks.timing import alternate

if TYPE_CHECKING:
    from inspector.corpora import Corpus
    from inspector.heads.observers import AnnotatedBatch, Observer

MAIN, ALL, PASSES_MORE, OVERHEAD, MEMORY, SCRIPT = 1.25, 1.6, 2.0, 0.15, 1.05, 1.0
_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_EWT = Path("ud-english-ewt") / "en_ewt-ud-dev.conllu"


@dataclass(frozen=True)
class Settings:
    """How much of the corpus, how often, and the two lengths whose memory is compared."""

    sentences: int = 640
    repeats: int = 3
    distance_sentences: int = 128
    distance_repeats: int = 2
    around_repeats: int = 1
    memory: tuple[int, int] = (500, 5000)
    batch_size: int = 32


def run(settings: Settings | None = None) -> list[Measure]:
    """Return the ratios that the README promises of a profile."""
    chosen = settings or Settings()
    return [*_times(chosen), *_distances(chosen), *_around(chosen), *_memory(chosen)]


def ewt() -> Path:
    """Return where EWT's dev set would be."""
    return Path(os.environ.get("INSPECTOR_DATA", _DATA)) / _EWT


def corpus(sentences: int, spread: bool = True) -> "Corpus":
    """Return sentences of EWT's dev set, or of inspector's own corpus, repeated if need be.

    Args:
        sentences: How many.
        spread: Whether they are taken from all of the corpus, not from its begin.
    """
    from inspector.corpora import default_corpus, read_corpus

    read = read_corpus(ewt()) if ewt().exists() else default_corpus()
    step = max(len(read.sentences) // sentences, 1) if spread else 1
    taken = read.sentences[::step][:sentences]
    while len(taken) < sentences:
        taken += taken[: sentences - len(taken)]
    return replace(read, sentences=taken)


def batches(read: "Corpus", size: int) -> "list[AnnotatedBatch]":
    """Return the corpus as annotated batches, cut in shards as a run cuts them."""
    from inspector.heads.observers import annotated_batches
    from inspector.models import word_batches

    names = {name: place for place, name in enumerate(_names(read))}
    documents = read.document_ids()
    known = {document: place for place, document in enumerate(dict.fromkeys(documents))}
    made: list[AnnotatedBatch] = []
    for start in range(0, len(read.sentences), 128):
        part = read.sentences[start : start + 128]
        cut = word_batches(minilm(), [sentence.words for sentence in part], size)
        places = [known[document] for document in documents[start : start + 128]]
        made += annotated_batches(cut.batches, part, places, names)
    return made


def sorted_batches(read: "Corpus", size: int) -> "list[AnnotatedBatch]":
    """Return the corpus in batches of one size, sorted by length over all of it."""
    from inspector.heads.observers import annotated_batches
    from inspector.models import BatchSize, word_batches

    words = [sentence.words for sentence in read.sentences]
    cut = word_batches(minilm(), words, BatchSize(size, 10**9), batch_cost=10**9)
    return annotated_batches(cut.batches, read.sentences, [0] * len(words), {})


def bare(made: "list[AnnotatedBatch]") -> None:
    """Run the model over the batches with transformers' sdpa and look at nothing."""
    import torch

    from inspector.models import running

    model = minilm()
    with running(model, "sdpa"), torch.inference_mode():
        for batch in made:
            model.model(**batch.words.batch.inputs())


def observed(read: "Corpus", size: int, kinds: tuple[str, ...]) -> None:
    """Run the model over the batches with observers, new ones and new batches each time."""
    from inspector.heads.observers import observe

    observe(minilm(), _fresh(read, size), observers(read, kinds))


def _times(chosen: Settings) -> list[Measure]:
    read = corpus(chosen.sentences)
    made, size = batches(read, chosen.batch_size), chosen.batch_size
    main, every = ("behaviour", "relations"), ("behaviour", "norms", "relations")
    ways: dict[str, Callable[[], object]] = {
        "bare": partial(bare, made),
        "sorted": partial(bare, sorted_batches(read, size)),
        "main": partial(observed, read, size, main),
        "every": partial(observed, read, size, every),
        "script": partial(script, made, _names(read)),
    }
    _prepared(read, size)
    bare(made[:1])  # a whole round to warm up would be longer than all that it could even out
    times = alternate(ways, chosen.repeats, warm_ups=0)
    what = f"profile: {read.name}, {chosen.sentences} sentences"
    return [
        Measure(f"{what}, a bare sdpa pass", times.median("bare"), "s"),
        Measure(
            f"{what}, behaviour and relations over the bare pass",
            times.ratio("main", "bare"), "×", MAIN,
        ),
        Measure(
            f"{what}, over a bare pass in batches sorted by length",
            times.ratio("main", "sorted"), "×", MAIN,
        ),
        Measure(f"{what}, by norm too", times.ratio("every", "bare"), "×", ALL),
        Measure(f"{what}, a numpy script over the bare pass", times.ratio("script", "bare"), "×"),
        Measure(
            f"{what}, behaviour and relations over the script",
            times.ratio("main", "script"), "×", SCRIPT,
        ),
    ]  # fmt: skip


def _distances(chosen: Settings) -> list[Measure]:
    read = corpus(chosen.distance_sentences)
    made, size = batches(read, chosen.batch_size), chosen.batch_size
    every = ("behaviour", "norms", "relations")
    _prepared(read, size)
    times = alternate(
        {
            "bare": partial(bare, made),
            "without": partial(observed, read, size, every),
            "with": partial(observed, read, size, (*every, "distances")),
        },
        chosen.distance_repeats,
    )
    more = times.ratio("with", "bare") - times.ratio("without", "bare")
    what = f"profile: {read.name}, {chosen.distance_sentences} sentences, distances of all heads"
    return [Measure(f"{what}, bare passes more", more, "×", PASSES_MORE)]


def _around(chosen: Settings) -> list[Measure]:
    """Measure the parts of a run beside the pass: reading, tokenizing, writing."""
    from inspector.runs import RunTarget
    from inspector.runs.profile.profile_corpus import profile_corpus
    from inspector.runs.profile.shard_worker import ProfileSettings

    shares = []
    for _ in range(chosen.around_repeats):
        start = time.perf_counter()
        read = corpus(chosen.sentences)
        batches(read, chosen.batch_size)
        around = time.perf_counter() - start
        with TemporaryDirectory() as place:
            start = time.perf_counter()
            folder = Path(place) / "run"
            profile_corpus(
                minilm(), read, RunTarget(folder), settings=ProfileSettings(ablation=False)
            )
            whole = time.perf_counter() - start + around
            start = time.perf_counter()
            for number, path in enumerate(p for p in folder.rglob("*") if p.is_file()):
                with (Path(place) / str(number)).open("wb") as file:
                    file.write(path.read_bytes())
                    os.fsync(file.fileno())
            shares.append((around + time.perf_counter() - start) / whole)
    what = f"profile: {chosen.sentences} sentences, three random models, a run kept in a folder"
    share = median(shares)
    return [Measure(f"{what}, share of reading, tokenizing, writing", share, "", OVERHEAD)]


def _memory(chosen: Settings) -> list[Measure]:
    what = "profile: peak memory beyond the loaded model"
    return peak_growth(what, peak_of_pass, chosen.memory, MEMORY, size=chosen.batch_size)


def peak_of_pass(sentences: int, size: int) -> float:
    """Return the peak memory of shards computed one after the other, in MB, of this process.

    The corpus itself is read before, and 500 sentences are computed. The same 500 come again and
    again, so that both lengths have the same longest batch.
    """
    import torch

    from inspector.corpora.text_set import TextSet
    from inspector.runs.profile.shard_worker import ProfileJob, ProfileSettings, ProfileWorker

    torch.set_num_threads(1)
    read = corpus(500)
    taken = (read.sentences * (sentences // len(read.sentences) + 1))[:sentences]
    job = ProfileJob(
        model="minilm",
        revision=None,
        dtype="float32",
        device="cpu",
        sentences=TextSet.of(taken, replace(read, sentences=taken).document_ids()),
        settings=ProfileSettings(batch_size=size, shard_size=125, ablation=False),
    )
    worker = ProfileWorker(job, minilm())

    def shards(number: int) -> None:
        for shard_id in range(number):
            worker(shard_id)

    # What is made once, and kept: the plan of all shards, what libraries keep of each shape.
    shards(len(read.sentences) // job.settings.shard_size)
    return peak_megabytes(lambda: shards(job.readings[0].n_shards))


def observers(read: "Corpus", kinds: tuple[str, ...]) -> "list[Any]":
    """Return new observers of these kinds, for this corpus."""
    from inspector.heads.observers import Behaviour, HeadDistances, NormBehaviour, RelationScores

    model = minilm()
    shape = (model.n_layers, model.n_heads)
    documents = list(dict.fromkeys(read.document_ids()))
    known: dict[str, Callable[[], Observer]] = {
        "behaviour": lambda: Behaviour(*shape, model.max_tokens),
        "norms": lambda: NormBehaviour(model),
        "relations": lambda: RelationScores(*shape, documents, _names(read)),
        "distances": lambda: HeadDistances(*shape),
    }
    return [known[kind]() for kind in kinds]


def _names(read: "Corpus") -> list[str]:
    return sorted({label for _, label in read.relation_counts()})


_made: dict[int, "list[AnnotatedBatch]"] = {}


def _prepared(read: "Corpus", size: int) -> None:
    _made[id(read)] = batches(read, size)


def _fresh(read: "Corpus", size: int) -> "list[AnnotatedBatch]":
    """Return the batches with nothing computed yet: what they cache is the observers' time."""
    return [replace(batch) for batch in _made[id(read)]]
