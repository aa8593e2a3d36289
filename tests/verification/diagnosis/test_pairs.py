"""Two mistakes made together are named, both of them."""

import pytest
import torch
from support.implementations.hand_written import SWITCHES, random_pairs
from support.tiny.layers import make_layer


# Many more are tried by benchmarks/diagnosis.py.
@pytest.mark.full
@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama", "t5"])
def test_most_pairs_are_named(tools, observe, kind):
    layer = make_layer(kind)
    applying = {mistake.name for mistake in tools.CATALOGUE if mistake.applies(layer)}
    named, missed = 0, []
    pairs = random_pairs(3, applying)
    for first, second, switches in pairs:
        found = tools.diagnose(layer, observe(layer, **switches), torch.float32)
        groups = [] if found is None or found.explanation is None else [
            frozenset(each.mistakes) for each in (found.explanation, *found.indistinguishable)
        ]  # fmt: skip
        # One of two may hide the other: then the one that is seen is the answer.
        if frozenset((first, second)) in groups or any(len(group) == 1 for group in groups):
            named += 1
        else:
            missed.append((first, second, str(found)))
    assert named >= len(pairs), missed


def test_both_are_mended(tools, observe):
    layer = make_layer("bert")
    switches = {**SWITCHES["scale omitted"][0], **SWITCHES["output bias omitted"][0]}
    found = tools.diagnose(layer, observe(layer, **switches), torch.float32)
    assert found.mistakes == ("scale omitted", "output bias omitted")
    assert found.fix == (
        "Multiply Q Kᵀ by weights.scaling, as a rule 1/√d_head. Add b_O after the product with W_O."
    )
    assert found.equation == "S = Q Kᵀ · scaling; O = C W_Oᵀ + b_O = Σ_h C_h W_O,hᵀ + b_O"
    assert str(found).startswith("scale omitted and output bias omitted. Multiply Q Kᵀ by")


def test_without_pairs_two_together_are_unknown(tools, observe):
    layer = make_layer("bert")
    switches = {**SWITCHES["scale omitted"][0], **SWITCHES["output bias omitted"][0]}
    found = tools.diagnose(layer, observe(layer, **switches), torch.float32, pairs=False)
    assert (found.verdict, found.mistakes) == ("unknown", ())
    assert str(found).startswith(
        "No known mistake reproduces these numbers; two together were not looked for."
    )


def test_the_scaled_query_may_be_taken_for_the_value(tools, observe):
    """The value has the scale, too: nothing but the scale in W_Q itself reproduces that."""
    layer = make_layer("gpt2")
    switches = {**SWITCHES["W_Q scaled and b_Q not"][0], **SWITCHES["value taken from query"][0]}
    found = tools.diagnose(layer, observe(layer, **switches), torch.float32)
    assert set(found.mistakes) == {"W_Q scaled and b_Q not", "value taken from query"}


@pytest.mark.parametrize("stages", [("output",), ("context", "output"), ("scores", "output")])
def test_plans_held_against_the_input_at_once_are_as_far_as_each_alone(tools, observe, stages):
    """Those that leave most queries without a key are infinitely far in both."""
    layer = make_layer("bert")
    observation = observe(layer, stages=stages, **SWITCHES["mask inverted"][0])[0]
    comparison = tools.Comparison(layer, observation, torch.float32)
    search = tools.search.Search(layer, [comparison])
    plans = [tools.search.plan_of((way,), ()) for way in search.ways if way.parameter is None]
    at_once = comparison.distances(plans)
    alone = [comparison.distance(plan) for plan in plans]
    assert at_once == pytest.approx(alone, rel=1e-12)
    assert min(at_once) < 1e-5 < 0.1 < max(at_once)


def test_a_number_of_a_pair_is_refined_as_long_as_that_brings_it_nearer(tools):
    """What explains everything is found as exactly; what explains nothing is left sooner."""
    from inspector.verification.diagnosis.fitting import fit

    def calls(residuals, **settings):
        asked = []
        found = fit(lambda v: (asked.append(v), residuals(v[0]))[1], [[1.2]], **settings)
        return found[0], len(asked)

    def row(*numbers):
        return torch.tensor(numbers, dtype=torch.float64)

    def right(x):
        return row(x**3 - 8.0, 0.1 * (x - 2.0))

    def hopeless(x):
        return row(x**2 - 2.0, 1.4 - x, 0.3)

    for one in (right, hopeless):
        alone, in_pair = calls(one), calls(one, promising=100.0)
        assert in_pair[0] == pytest.approx(alone[0], abs=1e-9 if one is right else 1e-2)
        assert (in_pair[1] < alone[1]) == (one is hopeless)
    assert calls(right, promising=100.0)[0] == pytest.approx(2.0, abs=1e-12)
    assert calls(right, promising=1.0)[0] == 1.2, "not near enough to begin with"
