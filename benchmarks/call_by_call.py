"""Call-by-call verification, and whole models on our attention: what they cost beside eager.

Whole forward passes of minilm on the same batches, alternated; memory in a fresh process for each.
Must not know: how a call is judged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.backend import Shape, forward
from benchmarks.fresh import DIRECT_ALLOCATION, in_fresh_process, peak_megabytes
from benchmarks.subjects import batch, minilm
from benchmarks.table import Measure
from benchmarks.timing import alternate

CALL_BY_CALL_RATIO, USING_RATIO = 2.0, 1.15
EAGER, WATCH, USING = "eager", "watched", "using"
_FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Settings:
    """Which batches, all padded to different lengths."""

    shapes: tuple[Shape, ...] = (Shape(16, 40, 9), Shape(2, 256, 9))


def run(settings: Settings | None = None) -> list[Measure]:
    """Return time and peak memory of a watched pass, and time on our attention, over eager's."""
    chosen = settings or Settings()
    return [measure for shape in chosen.shapes for measure in (*_times(shape), *_memory(shape))]


def _times(shape: Shape) -> list[Measure]:
    ways = {
        EAGER: forward(EAGER, shape.texts, shape.tokens, padded=True),
        WATCH: call_by_call(shape.texts, shape.tokens),
        USING: on_ours(shape),
    }
    times = alternate(ways, shape.repeats)
    what = _what(shape)
    return [
        Measure(f"{what}, eager's time", times.median(EAGER), "s"),
        Measure(
            f"{what}, a verified pass over eager's",
            times.ratio(WATCH, EAGER),
            "×",
            CALL_BY_CALL_RATIO,
        ),
        Measure(f"{what}, using ours over eager's", times.ratio(USING, EAGER), "×", USING_RATIO),
    ]


def _memory(shape: Shape) -> list[Measure]:
    """Measure what a verified pass holds beyond eager's peak: at most one layer's maps."""
    import torch

    eager, watched = (
        in_fresh_process(
            peak_of_pass,
            DIRECT_ALLOCATION,
            way=way,
            texts=shape.texts,
            tokens=shape.tokens,
            threads=torch.get_num_threads(),
        )
        for way in (EAGER, WATCH)
    )
    maps = shape.texts * minilm().n_heads * shape.tokens**2 * _FLOAT32_BYTES / 1e6
    what = _what(shape)
    return [
        Measure(f"{what}, eager's peak memory", eager, "MB"),
        Measure(
            f"{what}, a verified pass beyond that (one layer's maps)", watched - eager, "MB", maps
        ),
    ]


def peak_of_pass(way: str, texts: int, tokens: int, threads: int) -> float:
    """Return the peak memory of one pass beyond the loaded model, in MB, of this process.

    What the libraries keep once and for all is made by a pass over two tokens before.
    """
    import torch

    torch.set_num_threads(threads)
    made = call_by_call if way == WATCH else _eager
    made(2, 2)()
    return peak_megabytes(made(texts, tokens))


def _eager(texts: int, tokens: int) -> Callable[[], None]:
    return forward(EAGER, texts, tokens, padded=True)


def call_by_call(texts: int, tokens: int) -> Callable[[], None]:
    """Return one pass in which every call and its projections are judged, ready to be called.

    Where the weights are is proved in the first pass, and not again.
    """
    from inspector.models.any_model.any_model import AnyModel
    from inspector.models.any_model.call_watch import watch_calls
    from inspector.models.weight_checks.projection_calls import Projections
    from inspector.verification.calls.call_comparison import judge_call
    from inspector.verification.calls.projection_comparison import judge_projections

    model = AnyModel.of(minilm().model, "minilm")
    inputs = batch(texts, tokens, padded=True)
    projections = Projections(model.model)
    n_stages = 6 * minilm().n_layers

    def call() -> None:
        judged: list[Any] = []
        watch_calls(
            model,
            lambda: model.model(**inputs),
            lambda name, call: judged.extend(judge_call(call).values()),
            projections=(
                projections,
                lambda name, projected: judged.extend(judge_projections(projected).values()),
            ),
        )
        if len(judged) != n_stages or not all(judgement.passed for judgement in judged):
            raise RuntimeError("minilm was not verified: there is nothing to measure.")

    return call


def on_ours(shape: Shape) -> Callable[[], None]:
    """Return one pass on our attention, ready to be called."""
    import torch

    import inspector

    model, inputs = minilm(), batch(shape.texts, shape.tokens, padded=True)

    def call() -> None:
        with inspector.using(model), torch.inference_mode():
            model.model(**inputs)

    return call


def _what(shape: Shape) -> str:
    return f"call by call: minilm, {shape.texts}×{shape.tokens} padded"
