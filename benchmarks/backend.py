"""Our attention inside minilm against transformers' own eager and sdpa: time and peak memory.

Whole forward passes on the same batches, alternated; memory in a fresh process for each.
Must not know: what an attention backend computes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.fresh import DIRECT_ALLOCATION, in_fresh_process, peak_megabytes
from benchmarks.subjects import batch, minilm
from benchmarks.table import Measure
from benchmarks.timing import alternate

TIME_RATIO = 1.15
# No more than eager, to what one can tell: the same process run twice differs by 0.2 MB.
MEGABYTES_MORE = 0.5
OURS, EAGER, SDPA = "inspector", "eager", "sdpa"
_IMPLEMENTATIONS = (EAGER, OURS, SDPA)


@dataclass(frozen=True)
class Shape:
    """One batch, and how often it is run."""

    texts: int
    tokens: int
    repeats: int


@dataclass(frozen=True)
class Settings:
    """Which batches; each is run full (False), and padded to different lengths (True)."""

    shapes: tuple[Shape, ...] = (Shape(16, 40, 11), Shape(8, 512, 3))
    padded: tuple[bool, ...] = (False, True)
    memory_repeats: int = 1


def run(settings: Settings | None = None) -> list[Measure]:
    """Return ratios of time and of peak memory to eager, for ours (bounded) and sdpa (not)."""
    chosen = settings or Settings()
    batches = [(shape, padded) for shape in chosen.shapes for padded in chosen.padded]
    peaks = _peaks(batches, chosen.memory_repeats)
    return [
        measure
        for number, (shape, padded) in enumerate(batches)
        for measure in (
            *_times(shape, padded),
            *_memory(shape, padded, {name: found[number] for name, found in peaks.items()}),
        )
    ]


def forward(implementation: str, texts: int, tokens: int, padded: bool) -> Callable[[], None]:
    """Return one forward pass of minilm, ready to be called."""
    import torch

    from inspector.models import running

    model, inputs = minilm(), batch(texts, tokens, padded)

    def call() -> None:
        with running(model, implementation), torch.inference_mode():
            model.model(**inputs)

    return call


def peaks_of_forward(
    implementation: str, batches: list[tuple[int, int, bool]], threads: int
) -> list[float]:
    """Return the peak memory of passes beyond the loaded model, in MB, of this process.

    What the libraries keep once and for all is made by a pass over two tokens before.

    Args:
        implementation: Which attention.
        batches: Texts, tokens, and whether they are padded; the small ones first.
        threads: Of torch.
    """
    import torch

    torch.set_num_threads(threads)
    for padded in (False, True):
        forward(implementation, 2, 2, padded)()
    return [peak_megabytes(forward(implementation, *given)) for given in batches]


def _times(shape: Shape, padded: bool) -> list[Measure]:
    times = alternate(
        {name: forward(name, shape.texts, shape.tokens, padded) for name in _IMPLEMENTATIONS},
        shape.repeats,
        warm_ups=1,
    )
    what = _what(shape, padded)
    return [
        Measure(f"{what}, eager's time", times.median(EAGER), "s"),
        Measure(f"{what}, our time over eager's", times.ratio(OURS, EAGER), "×", TIME_RATIO),
        Measure(f"{what}, sdpa's time over eager's", times.ratio(SDPA, EAGER), "×"),
    ]


def _peaks(batches: list[tuple[Shape, bool]], repeats: int) -> dict[str, list[float]]:
    """Return implementation → median peak of each batch, each implementation in new processes."""
    import torch

    given = {
        "batches": [(shape.texts, shape.tokens, padded) for shape, padded in batches],
        "threads": torch.get_num_threads(),
    }
    peaks = {}
    for name in _IMPLEMENTATIONS:
        found = [
            in_fresh_process(peaks_of_forward, DIRECT_ALLOCATION, implementation=name, **given)
            for _ in range(repeats)
        ]
        peaks[name] = [median(of_batch) for of_batch in zip(*found, strict=True)]
    return peaks


def _memory(shape: Shape, padded: bool, live: dict[str, float]) -> list[Measure]:
    what = _what(shape, padded)
    more = live[OURS] - live[EAGER]
    return [
        Measure(f"{what}, eager's peak memory", live[EAGER], "MB"),
        Measure(f"{what}, our peak memory beyond eager's", more, "MB", MEGABYTES_MORE),
        Measure(f"{what}, our peak memory over eager's", live[OURS] / live[EAGER], "×"),
        Measure(f"{what}, sdpa's peak memory over eager's", live[SDPA] / live[EAGER], "×"),
    ]


def _what(shape: Shape, padded: bool) -> str:
    return f"backend: minilm, {shape.texts}×{shape.tokens}{' padded' if padded else ''}"
