"""Of 200 random pairs of mistakes at least 95 % are named, in layers of all four kinds.

Written by hand in numpy and diagnosed as a user's would be. What the search computes of a layer
whatever was returned is computed once for all pairs; mistakes that leave a number open, whose fit
takes seconds, are paired in `test_pairs`.
"""

from functools import lru_cache

import numpy as np
import pytest
import torch
from support.implementations.hand_written import SWITCHES, attend, random_pairs
from support.tiny.layers import KINDS, make_layer

EACH, FEW, MOST_HIDDEN, LEAST_NAMED = 50, 20, 0.10, 0.95
# Rounding of float32 in another order.
NEAR = 2e-5


@pytest.fixture(scope="module")
def shared():
    """Compute every plan of a layer and an input once, however many pairs are compared with it.

    Pairs with a number to fit, which are tried last and take seconds, are left out: none of those
    that are planted here is one, so that a pair that is missed before them is missed.
    """
    from inspector.verification.diagnosis import plan_comparison, search
    from inspector.verification.diagnosis.arithmetic import ORDERS

    evaluators, built, stacked = {}, {}, {}
    ways, plans, evaluator = search._ways, search.plan_of, plan_comparison.Evaluator
    every, pairs = plan_comparison.Comparison._every, search.pairs_of

    @lru_cache(None)
    def pairs_without_numbers(*ways):
        return [pair for pair in pairs(ways) if not any(way.parameter for way in pair)]

    def fixed_pairs(ways):
        return pairs_without_numbers(*ways)

    def evaluate(layer, probe, dtype, *arithmetic):
        if arithmetic and not any(arithmetic[0] is each for each in ORDERS):
            return evaluator(layer, probe, dtype, *arithmetic)  # of a draw, which comes once
        key = (id(layer), id(probe), dtype, repr(arithmetic))
        if key not in evaluators:
            evaluators[key] = evaluator(layer, probe, dtype, *arithmetic)
        return evaluators[key]

    def plan_of(chosen, values):
        if values:
            return plans(chosen, values)
        key = tuple(id(way.changes) for way in chosen)
        if key not in built:
            built[key] = plans(chosen, values)
        return built[key]

    def every_plan(self, chosen):
        key = (id(self._exact), tuple(map(id, chosen)))
        if key not in stacked:
            stacked[key] = every(self, chosen)
        return stacked[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_comparison, "Evaluator", evaluate)
        patch.setattr(plan_comparison.Comparison, "_every", every_plan)
        patch.setattr(search, "_ways", lru_cache(None)(ways))
        patch.setattr(search, "plan_of", plan_of)
        patch.setattr(search, "pairs_of", fixed_pairs)
        yield


@pytest.fixture(scope="module")
def outcomes(shared, tools, probes):
    """Return what came of the pairs of all kinds."""
    return [
        found
        for number, kind in enumerate(KINDS)
        for found in diagnosed(tools, probes, kind, EACH, seed=100 + number)
    ]


def diagnosed(tools, probes, kind, count, seed):
    """Return, for each pair, its names, what was found, and what one of the two alone explains."""
    found, layer = [], make_layer(kind)
    inputs = probes(layer)[:2]
    applying = {m.name for m in tools.CATALOGUE if m.applies(layer) and m.parameter is None}
    for first, second, switches in random_pairs(count, applying, seed):
        outputs = [attend(layer, p.hidden, p.padding, **switches)["output"] for p in inputs]
        observations = [
            tools.Observation(probe, {"output": torch.from_numpy(output.copy())}, {})
            for probe, output in zip(inputs, outputs, strict=True)
        ]
        diagnosis = tools.diagnose(layer, observations, torch.float32)
        alone = [n for n in (first, second) if reproduces(layer, inputs, outputs, n)]
        found.append(((first, second), diagnosis, alone))
    return found


def reproduces(layer, inputs, outputs, name):
    """Return whether one mistake alone, made by hand in any of its ways, gives these numbers."""
    return any(
        all(
            np.allclose(
                attend(layer, probe.hidden, probe.padding, **switches)["output"][real],
                output[real],
                rtol=NEAR,
                atol=NEAR * np.abs(output[real]).max(),
                equal_nan=True,
            )
            for probe, output in zip(inputs, outputs, strict=True)
            for real in [probe.real.numpy()]
        )
        for switches in SWITCHES[name]
    )


def explanations(diagnosis):
    if diagnosis is None or diagnosis.explanation is None:
        return []
    return [
        frozenset(each.mistakes) for each in (diagnosis.explanation, *diagnosis.indistinguishable)
    ]


def missed_and_hidden(outcomes):
    """Return the pairs that are not named, and how many of the named are one that hides another."""
    missed, hidden = [], 0
    for pair, diagnosis, alone in outcomes:
        groups = explanations(diagnosis)
        if frozenset(pair) in groups:
            continue
        if any(frozenset((name,)) in groups for name in alone):
            hidden += 1
        else:
            missed.append((pair, str(diagnosis)))
    return missed, hidden


def test_twenty_pairs_are_named(shared, tools, probes):
    missed, hidden = missed_and_hidden(diagnosed(tools, probes, "llama", FEW, seed=200))
    assert len(missed) <= (1.0 - LEAST_NAMED) * FEW, missed
    assert hidden <= 2 * MOST_HIDDEN * FEW


@pytest.mark.full
def test_at_least_95_of_a_hundred_are_named(outcomes):
    assert len(outcomes) == EACH * len(KINDS) == 200
    missed, hidden = missed_and_hidden(outcomes)
    assert len(outcomes) - len(missed) >= LEAST_NAMED * len(outcomes), missed
    assert hidden <= MOST_HIDDEN * len(outcomes)


@pytest.mark.full
def test_no_two_pairs_of_a_kind_are_the_same_mistakes_alone(outcomes):
    """The control: hardly any pair is one and the same again, so that 200 are tried."""
    assert len({frozenset(pair) for pair, _, _ in outcomes}) > 150


@pytest.mark.full
def test_control_without_pairs_they_are_unknown(shared, tools, probes):
    layer = make_layer("bert")
    inputs = probes(layer)[:2]
    applying = {m.name for m in tools.CATALOGUE if m.applies(layer) and m.parameter is None}
    named = 0
    for first, second, switches in random_pairs(10, applying, seed=100):
        observations = [
            tools.Observation(
                probe,
                {"output": torch.from_numpy(
                    attend(layer, probe.hidden, probe.padding, **switches)["output"].copy()
                )},
                {},
            )
            for probe in inputs
        ]  # fmt: skip
        groups = explanations(tools.diagnose(layer, observations, torch.float32, pairs=False))
        named += frozenset((first, second)) in groups
    assert named == 0
