"""What a profile takes over what was said before it: time, and the peak memory of its process.

Short sentences with and without ablation, plain text, many layers, one long text with and without;
each in a process of its own, in the processor's time.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.fresh import DIRECT_ALLOCATION, in_fresh_process, lifetime_peak_megabytes
from benchmarks.table import Measure

if TYPE_CHECKING:
    from inspector.corpora import Corpus

APART = 1.5
_SMALL, _DEEP = (2, 8, 256), (12, 12, 768)
CASES: dict[str, dict[str, Any]] = {
    "minilm, 300 sentences": {"sentences": 300},
    "minilm, 300 sentences, with ablation": {"sentences": 300, "ablation": True},
    "minilm, 600 sentences without trees": {"sentences": 600, "plain": True},
    "decoder of 12 layers, 100 sentences without trees": {"sentences": 100, "decoder": _DEEP},
    "decoder of 2 layers, 5,000 tokens": {"tokens": 5000, "decoder": _SMALL},
    "decoder of 12 layers, 1,500 tokens": {"tokens": 1500, "decoder": _DEEP},
}


@dataclass(frozen=True)
class Settings:
    """Which of the cases."""

    cases: tuple[str, ...] = tuple(CASES)


def run(settings: Settings | None = None) -> list[Measure]:
    """Return by which factor, up or down, each estimate is wrong."""
    rows = []
    for name in (settings or Settings()).cases:
        found = in_fresh_process(ratios, DIRECT_ALLOCATION, **CASES[name])
        for what, ratio in found.items():
            off = max(ratio, 1 / ratio)
            rows.append(
                Measure(f"estimate: {name}, {what} {ratio:.2f} of it, apart", off, "×", APART)
            )
    return rows


def ratios(
    sentences: int = 0,
    tokens: int = 0,
    decoder: list[int] | None = None,
    plain: bool = False,
    ablation: bool = False,
) -> dict[str, float]:
    """Return measured over estimated seconds and megabytes, of this process."""
    import time

    import torch

    from benchmarks import long_texts
    from benchmarks.subjects import minilm
    from inspector.runs.profile import profile_corpus as running
    from inspector.runs.profile.cost_estimate import run_cost
    from inspector.runs.profile.job import ProfileSettings
    from inspector.runs.profile.plan import profile_job

    torch.set_num_threads(1)
    time.perf_counter = time.process_time  # other programs do not count
    model = long_texts.decoder(*decoder) if decoder else minilm()
    read = _corpus(sentences, tokens, plain=plain or bool(decoder))
    settings = ProfileSettings(ablation=ablation)
    cost = run_cost(model, [profile_job(model, read, settings, None)[0]])
    start = time.process_time()
    silent: Any = running
    silent.note_cost = lambda *_: None
    running.profile_corpus(model, read, settings=settings)
    seconds = time.process_time() - start
    peak = lifetime_peak_megabytes()
    return {
        "time": seconds / cost.seconds,
        "memory": peak / (cost.resident + cost.megabytes),
    }


def _corpus(sentences: int, tokens: int, *, plain: bool) -> "Corpus":
    from benchmarks import long_texts, profile
    from inspector.corpora import Corpus

    if tokens:
        return Corpus("long", [long_texts.text(tokens)], [], "0" * 64, "none")
    read = profile.corpus(sentences, spread=False)
    if not plain:
        return read
    bare = [replace(one, relations=(), source="", heads=()) for one in read.sentences]
    return replace(read, sentences=bare)
