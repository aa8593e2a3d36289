"""All kinds of relations over GUM's dev set, windows included, against bare forward passes.

The same texts on both sides: sentences for what one tree holds, windows for coreference.
Inspector's own treebank and probes where INSPECTOR_DATA (or ../shared/data) has no GUM.
Must not know: how a relation is scored.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.subjects import minilm
from benchmarks.table import Measure
from benchmarks.timing import alternate

if TYPE_CHECKING:
    from inspector.corpora import Corpus
    from inspector.models import WordBatch
    from inspector.runs.profile.job import ProfileJob, Reading

MEANING = 1.6
_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_GUM = Path("ud-english-gum") / "en_gum-ud-dev.conllu"


@dataclass(frozen=True)
class Settings:
    """How many documents, and how often."""

    documents: int = 8
    repeats: int = 5


def run(settings: Settings | None = None) -> list[Measure]:
    """Return the price of all relation kinds in bare forward passes."""
    from inspector.runs.profile.plan import profile_job
    from inspector.runs.profile.shard_worker import ProfileSettings, ProfileWorker

    chosen = settings or Settings()
    read = corpus(chosen.documents)
    job, _ = profile_job(minilm(), read, ProfileSettings(ablation=False), None)
    whole, reading, *_ = job.readings
    batches = texts(job, reading)
    worker = ProfileWorker(job, minilm())

    def scored() -> None:
        # A random model's shards hold the relations alone; its weights cost what the model's do.
        for shard in range(reading.n_shards):
            worker(whole.n_shards + shard)

    scored()  # draws the random weights
    ways = {"bare": lambda: bare(batches), "scored": scored}
    times = alternate(ways, chosen.repeats, warm_ups=0)
    what = f"meaning: {read.name}, {chosen.documents} documents, {len(reading.texts[1])} windows"
    ratio = times.ratio("scored", "bare")
    return [
        Measure(f"{what}, bare sdpa passes", times.median("bare"), "s"),
        Measure(f"{what}, all relation kinds, tokenizing included", ratio, "×", MEANING),
    ]


def corpus(documents: int) -> "Corpus":
    """Return the first documents of GUM's dev set, or of inspector's own corpus, all annotated."""
    from inspector.corpora import annotate, default_corpus, read_corpus

    path = Path(os.environ.get("INSPECTOR_DATA", _DATA)) / _GUM
    read = annotate(read_corpus(path)) if path.exists() else default_corpus()
    kept = set(list(dict.fromkeys(read.document_ids()))[:documents])
    taken = [
        sentence
        for sentence, document in zip(read.sentences, read.document_ids(), strict=True)
        if document in kept
    ]
    return replace(read, sentences=taken)


def texts(job: "ProfileJob", reading: "Reading") -> "list[WordBatch]":
    """Return what is read as batches: sentences, then windows."""
    from inspector.models import word_batches

    made: list[WordBatch] = []
    sizes = (job.settings.batch_size, job.settings.window_batch_size)
    for of, places, size, shard in zip(
        job.texts, reading.texts, sizes, reading.shard_sizes, strict=True
    ):
        for start in range(0, len(places), shard):
            part = [of.texts[place] for place in places[start : start + shard]]
            made += word_batches(minilm(), [one.surface for one in part], size).batches
    return made


def bare(made: "list[WordBatch]") -> None:
    """Run the model over the batches with transformers' sdpa and look at nothing."""
    import torch

    from inspector.models import running

    model = minilm()
    with running(model, "sdpa"), torch.inference_mode():
        for batch in made:
            model.model(**batch.batch.inputs())
