"""Verification in shadow, and whole models on our attention: what they cost beside eager.

Whole forward passes of minilm on the same batches, alternated.
Must not know: how a call is judged.
"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.backend import Shape, forward
from benchmarks.subjects import batch, minilm
from benchmarks.table import Measure
from benchmarks.timing import alternate

SHADOW_RATIO, USING_RATIO = 2.0, 1.15
EAGER, SHADOW, USING = "eager", "shadow", "using"


@dataclass(frozen=True)
class Settings:
    """Which batches, all padded to different lengths."""

    shapes: tuple[Shape, ...] = (Shape(16, 40, 15),)


def run(settings: Settings | None = None) -> list[Measure]:
    """Return the time of a pass in shadow, and of one on our attention, over eager's."""
    chosen = settings or Settings()
    return [measure for shape in chosen.shapes for measure in _times(shape)]


def _times(shape: Shape) -> list[Measure]:
    ways = {
        EAGER: forward(EAGER, shape.texts, shape.pieces, padded=True),
        SHADOW: in_shadow(shape),
        USING: on_ours(shape),
    }
    times = alternate(ways, shape.repeats, warm_ups=2)
    what = f"shadow: minilm, {shape.texts}×{shape.pieces} padded"
    return [
        Measure(f"{what}, eager's time", times.median(EAGER), "s"),
        Measure(
            f"{what}, a verified pass over eager's", times.ratio(SHADOW, EAGER), "×", SHADOW_RATIO
        ),
        Measure(f"{what}, using ours over eager's", times.ratio(USING, EAGER), "×", USING_RATIO),
    ]


def in_shadow(shape: Shape) -> Callable[[], None]:
    """Return one pass in which every call is judged, ready to be called."""
    from inspector.models.anything import AnyModel
    from inspector.models.shadow import watch_calls
    from inspector.verification.shadow_call import judge_call

    model = AnyModel.of(minilm().model, "minilm")
    inputs = batch(shape.texts, shape.pieces, padded=True)

    def call() -> None:
        judged = []
        watch_calls(
            model,
            lambda: model.model(**inputs),
            lambda name, call: judged.append(judge_call(call)),
        )
        if not judged or not all(j.passed for stages in judged for j in stages.values()):
            raise RuntimeError("minilm was not verified: there is nothing to measure.")

    return call


def on_ours(shape: Shape) -> Callable[[], None]:
    """Return one pass on our attention, ready to be called."""
    import torch

    import inspector

    model, inputs = minilm(), batch(shape.texts, shape.pieces, padded=True)

    def call() -> None:
        with inspector.using(model), torch.inference_mode():
            model.model(**inputs)

    return call
