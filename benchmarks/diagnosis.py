"""The search for a mistake in one layer: how long it takes, and how many pairs it names.

Must not know: how a mistake is found.
"""

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.subjects import minilm
from benchmarks.table import Measure

if TYPE_CHECKING:
    from inspector.verification.diagnosis import Layer, Observation, Plan

SINGLES_SECONDS, PAIRS_SECONDS, PAIRS_NAMED = 10.0, 60.0, 0.95


@dataclass(frozen=True)
class Settings:
    """Which layer of the model, and how many pairs are planted in a random layer."""

    layer: int = 2
    pairs: int = 40
    seed: int = 1


def run(settings: Settings | None = None) -> list[Measure]:
    """Return the seconds of a search that finds nothing, the longest there is, and pairs named."""
    chosen = settings or Settings()
    layer, observations = _unknown(chosen.layer)
    rows = []
    for what, bound, pairs in (
        ("all single mistakes", SINGLES_SECONDS, False),
        ("all pairs, too", PAIRS_SECONDS, True),
    ):
        seconds = _seconds(layer, observations, pairs)
        rows.append(Measure(f"diagnosis: minilm, one layer, {what}", seconds, "s", at_most=bound))
    named = pairs_named(chosen.pairs, chosen.seed)
    what = f"diagnosis: {chosen.pairs} random pairs in a random layer, named"
    return [*rows, Measure(what, named, at_least=PAIRS_NAMED)]


def _unknown(number: int) -> "tuple[Layer, list[Observation]]":
    """Return a real layer, and what an unknown mistake makes of its inputs."""
    from inspector.verification.diagnosis import Observation
    from inspector.verification.implementation.layer_inputs import tried_layers

    tried = tried_layers(minilm(), [number])[0]
    inputs = sorted(tried.inputs, key=lambda each: not each[0].name.startswith("random"))
    right = observe(tried.layer, [probe for probe, _ in inputs], None)
    unknown = [
        Observation(each.probe, {"output": each.stages["output"].sigmoid()}, {}) for each in right
    ]
    return tried.layer, unknown


def _seconds(layer: "Layer", observations: "list[Observation]", pairs: bool) -> float:
    import torch

    from inspector.verification.diagnosis import diagnose

    start = time.process_time()
    found = diagnose(layer, observations, torch.float32, pairs=pairs)
    seconds = time.process_time() - start
    if found is None or found.mistakes:
        raise RuntimeError(f"a mistake that nobody knows was taken for {found}")
    return seconds


def observe(
    layer: "Layer", probes: "list[Any]", plan: "Plan | None", stages: tuple[str, ...] = ("output",)
) -> "list[Observation]":
    """Return what somebody who follows a plan returns, in float32, added one by one."""
    import torch

    from inspector.verification.diagnosis import REFERENCE, Evaluator, Observation
    from inspector.verification.diagnosis.arithmetic import ONE_BY_ONE

    made = []
    for probe in probes:
        computed = Evaluator(layer, probe, torch.float32, ONE_BY_ONE)(plan or REFERENCE)
        made.append(Observation(probe, {name: getattr(computed, name) for name in stages}, {}))
    return made


def pairs_named(count: int, seed: int) -> float:
    """Return the share of random pairs of mistakes that are named, both.

    A pair of which one hides the other, so that one alone gives the same numbers, does not count.
    """
    import torch

    from inspector.verification.diagnosis import REFERENCE, Comparison, diagnose
    from inspector.verification.diagnosis.search import Search, pairs_of, plan_of
    from inspector.verification.implementation.layer_inputs import random_probes

    layer, drawn = _random_layer(seed), random.Random(seed)
    probes = random_probes(layer, 1.0)
    search = Search(
        layer, [Comparison(layer, o, torch.float32) for o in observe(layer, probes, None)]
    )
    pairs = [
        pair
        for pair in pairs_of(search.ways)
        if not any(way.mistake.harmless or way.parameter for way in pair)
    ]
    named = tried = 0
    while tried < count:
        pair = drawn.choice(pairs)
        observations = observe(layer, probes, plan_of(pair, ()))
        found = diagnose(layer, observations, torch.float32)
        groups = (
            [set(each.mistakes) for each in (found.explanation, *found.indistinguishable)]
            if found is not None and found.explanation is not None
            else []
        )
        if found is None or any(len(group) == 1 for group in groups):
            continue
        tried += 1
        named += {way.mistake.name for way in pair} in groups
    assert search.follows(REFERENCE), "the control: without a mistake it is right"
    return named / count


def _random_layer(seed: int) -> "Layer":
    import torch

    from inspector.attention import LayerWeights
    from inspector.verification.diagnosis import Layer

    generator = torch.Generator().manual_seed(seed)
    n_heads, d_head, d_model = 4, 8, 32

    def draw(*shape: int) -> "torch.Tensor":
        return torch.randn(*shape, generator=generator)

    steep = 1.5 * d_model**-0.5
    tensors: dict[str, Any] = {
        **{f"W_{letter}": steep * draw(d_model, d_model) for letter in "QKVO"},
        **{f"b_{letter}": 0.3 * draw(d_model) for letter in "QKVO"},
    }
    weights = LayerWeights(**tensors, n_heads=n_heads, n_kv_heads=n_heads, scaling=d_head**-0.5)
    return Layer(weights)
