"""`inspector profile` of a treebank from file to run folder: time, where it goes, peak memory.

In bare forward passes: transformers' sdpa on one thread, the same sentences in batches of 32 sorted
by length. Time is the processor's, so that other programs don't count; start-up (imports, loading
the model) is left out. Must not know: how anything is computed.
"""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from benchmarks.fresh import in_fresh_process, lifetime_peak_megabytes
from benchmarks.profile import ewt
from benchmarks.table import Measure

PASSES, PASSES_WITH_ABLATION, MEMORY = 3.0, 10.0, 1.10
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Threads that wait for each other would count as the processor's time."""
_TICK = 0.005
PARTS = {
    "heads/observers/model_pass.py": "model",
    "heads/observers": "observers",
    "heads/ablation": "ablation",
    "runs/profile/ablation_worker.py": "ablation",
    "heads": "inference",
    "runs/profile/profile_frames.py": "inference",
    "corpora": "reading",
    "models/tokenizing": "tokenizing",
    "models/forward/sentence_batches.py": "tokenizing",
    "runs/profile/plan.py": "reading",
    "models": "model",
    "attention": "model",
    "runs/store": "writing",
    "output.py": "writing",
    "records.py": "writing",
}
"""Begin of a file's path in the package → the part that its time is of; the first that fits."""


@dataclass(frozen=True)
class Settings:
    """How many sentences, those whose peak memory theirs is compared with, and what is run."""

    sentences: int = 2001
    few: int = 300
    ablation: bool = True
    repeats: int = 3
    """Of the run without ablation."""


def run(settings: Settings | None = None) -> list[Measure]:
    """Return the cost of the command in bare passes, its parts, and its peak memory."""
    chosen = settings or Settings()
    # What else a machine does moves one run by a tenth: the median of three counts.
    plain = sorted(
        (
            in_fresh_process(costs, ONE_THREAD, sentences=chosen.sentences, ablation=False)
            for _ in range(chosen.repeats)
        ),
        key=lambda one: one["whole"] / one["bare"],
    )[chosen.repeats // 2]
    few = in_fresh_process(costs, ONE_THREAD, sentences=chosen.few, ablation=False)
    what = f"whole profile: {plain['corpus']}, {chosen.sentences} sentences"
    rows = [
        Measure(f"{what}, a bare sdpa pass", plain["bare"], "s"),
        Measure(
            f"{what}, --no-ablation over the bare pass",
            plain["whole"] / plain["bare"], "×", PASSES,
        ),
        *_shares(f"{what}, --no-ablation", plain),
        Measure(f"{what}, --no-ablation, peak memory of the process", plain["peak"], "MB"),
        Measure(
            f"{what} and {chosen.few}: peak memory, ratio",
            plain["peak"] / few["peak"], "×", MEMORY,
        ),
    ]  # fmt: skip
    if chosen.ablation:
        full = in_fresh_process(costs, ONE_THREAD, sentences=chosen.sentences, ablation=True)
        ratio = full["whole"] / full["bare"]
        rows += [
            Measure(f"{what}, with ablation over the bare pass", ratio, "×", PASSES_WITH_ABLATION),
            *_shares(f"{what}, with ablation", full),
        ]
    return rows


def _shares(what: str, found: dict[str, Any]) -> list[Measure]:
    return [
        Measure(f"{what}, share of {part}", share)
        for part, share in sorted(found["shares"].items(), key=lambda item: -item[1])
    ]


def costs(sentences: int, ablation: bool) -> dict[str, Any]:
    """Return what a profile costs this process: seconds, shares of its parts, peak memory in MB."""
    import torch

    import inspector
    from benchmarks.subjects import minilm
    from inspector.corpora import read_corpus

    torch.set_num_threads(1)
    model = minilm()
    with TemporaryDirectory() as place:
        path = _treebank(sentences, Path(place))
        with _sampled() as samples:
            start = time.process_time()
            inspector.profile(model, path, Path(place) / "run", ablation=ablation)
            whole = time.process_time() - start
        peak = lifetime_peak_megabytes()
        read = read_corpus(path)
    total = max(sum(samples.values()), 1)
    return {
        "corpus": read.name,
        "whole": whole,
        "bare": _bare_seconds([sentence.surface for sentence in read.sentences]),
        "peak": peak,
        "shares": {part: count / total for part, count in samples.items()},
    }


def _treebank(sentences: int, folder: Path) -> Path:
    """Return a file of the first sentences of EWT's dev set, or of inspector's own treebank."""
    from inspector.corpora.default import sample_files

    known = ewt() if ewt().exists() else sample_files()[0]
    blocks = known.read_text(encoding="utf-8").strip().split("\n\n")
    while len(blocks) < sentences:
        blocks += blocks[: sentences - len(blocks)]
    path = folder / known.name
    path.write_text("\n\n".join([*blocks[:sentences], ""]), encoding="utf-8")
    return path


def _bare_seconds(surfaces: list[Any]) -> float:
    """Return the median of three bare passes."""
    import torch

    from benchmarks.subjects import minilm
    from inspector.models import running

    model = minilm()
    texts = [surface.text for surface in surfaces]
    ids = sorted(model.tokenizer(texts)["input_ids"], key=len)
    batches = [
        model.tokenizer.pad({"input_ids": ids[start : start + 32]}, return_tensors="pt")
        for start in range(0, len(ids), 32)
    ]
    seconds = []
    with running(model, "sdpa"), torch.inference_mode():
        for _ in range(3):
            start = time.process_time()
            for batch in batches:
                model.model(**batch)
            seconds.append(time.process_time() - start)
    return sorted(seconds)[1]


@contextmanager
def _sampled() -> Iterator[Counter[str]]:
    """Count, every 5 ms of the processor's time, which part of the package is at work."""
    import inspector

    root = str(Path(inspector.__file__).parent) + "/"
    counted: Counter[str] = Counter()

    def tick(number: int, frame: FrameType | None) -> None:
        while frame is not None and not frame.f_code.co_filename.startswith(root):
            frame = frame.f_back
        path = frame.f_code.co_filename.removeprefix(root) if frame else ""
        counted[next((PARTS[start] for start in PARTS if path.startswith(start)), "other")] += 1

    before = signal.signal(signal.SIGPROF, tick)
    signal.setitimer(signal.ITIMER_PROF, _TICK, _TICK)
    try:
        yield counted
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
