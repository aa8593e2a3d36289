"""Query, key, value and output call by call, where a module's own numbers prove its weights."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from support.each import each

from inspector.models.any_model.any_model import AnyModel
from inspector.models.any_model.call_watch import passes, watch_calls
from inspector.models.tiny_models import configuration
from inspector.models.weight_checks.projection_calls import Projections
from inspector.verification import STAGES
from inspector.verification.calls.call_controls import CallControls
from inspector.verification.calls.projection_comparison import TOKENS_AT_MOST, judge_projections
from inspector.verification.calls.verify_calls import verify_any
from inspector.verification.controls import PROJECTION_MISTAKES, plan_of
from inspector.verification.diagnosis import Layer

FOUR = ("query", "key", "value", "output")
# Separate and fused matrices in every order, Linear and Conv1D, queries scaled, rotated and
# normed, shared key/value heads, windows of pixels, encoder and cross-attention, own mathematics.
PROVED = (
    "bert", "albert", "modernbert", "gpt2", "gpt_bigcode", "gpt_neox", "llama", "olmo2", "phi3",
    "opt", "t5", "bart", "whisper", "swin", "clip", "bloom", "mpt", "gptj", "roformer",
    "deberta-v2", "mpnet",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _fast(one_thread):
    """All models here are tiny."""


def model_of(name, dtype=torch.float32):
    return AnyModel.of(configuration(name).build().to(dtype), name)


def projected_calls(model, which="padded"):
    """Return (module, what was seen) of one pass, after one in which the weights are proved."""
    projections, seen = Projections(model.model), []
    by_name = {one.name: one for one in passes(model)}
    for name in dict.fromkeys(("one length", which)):
        seen.clear()
        watch_calls(
            model,
            by_name[name].run,
            lambda module, call: None,
            projections=(projections, lambda module, projected: seen.append((module, projected))),
        )
    return seen


@each("name", PROVED)
def test_all_six_stages_are_judged(name):
    report = verify_any(model_of(name))
    assert report.passed, str(report)
    assert report.not_from_weights == {}
    stages = report.frame.groupby("module")["stage"].apply(tuple)
    assert set(stages) == {STAGES}
    assert len(stages) == report.coverage["total"]
    caught = {control["mutation"]: control["caught"] for control in report.controls}
    assert caught["W_O transposed"] is True
    assert set(caught.values()) == {True}


def test_the_figures_equal_numpy_on_the_layers_own_weights():
    model = model_of("bert")
    module, projected = projected_calls(model)[1]
    assert module == "encoder.layer.1.attention.self"
    block = model.model.encoder.layer[1].attention
    layers = dict(
        zip(
            FOUR,
            (block.self.query, block.self.key, block.self.value, block.output.dense),
            strict=True,
        )
    )
    judged = judge_projections(projected)
    for side, layer in layers.items():
        x = projected.given[side].double().numpy()
        truth = np.zeros((*x.shape[:2], layer.out_features))
        weight, bias = (p.detach().double().numpy() for p in (layer.weight, layer.bias))
        for text, token, row in np.ndindex(*truth.shape):
            truth[text, token, row] = math.fsum(x[text, token] * weight[row]) + bias[row]
        theirs = projected.made[side].flatten(2).double().numpy()
        error = theirs - truth
        found = judged[side]
        assert found.reference_rms_error == pytest.approx(math.sqrt((error**2).mean()), rel=1e-6)
        assert found.reference_max_error == pytest.approx(np.abs(error).max(), rel=1e-6)
        assert found.scale == np.abs(theirs).max()
        assert found.max_abs_error <= 4 * 2.0**-24 * found.scale


def test_heads_are_held_against_those_of_the_call_where_nothing_stands_between():
    for name, query, key in (("bert", True, True), ("llama", False, False), ("opt", False, True)):
        _, projected = projected_calls(model_of(name))[0]
        for side, of_call in (("query", query), ("key", key), ("value", True)):
            heads = getattr(projected.call, side).transpose(1, 2)
            made = projected.made[side].reshape(heads.shape)
            assert torch.equal(made, heads) is of_call, (name, side)


def test_keys_of_cross_attention_are_of_what_the_encoder_read():
    model = model_of("bart")
    states = model.model.encoder(**model.make_inputs(padded=False)).last_hidden_state
    first = {m: p for m, p in projected_calls(model, "one length") if m.endswith("encoder_attn")}
    for projected in first.values():
        assert torch.equal(projected.given["key"], states)
        assert not torch.equal(projected.given["query"], states)
    # What was cached is not computed again.
    later = {m: p for m, p in projected_calls(model, "after a cache") if "encoder_attn" in m}
    assert [set(p.made) for p in later.values()][-1] == {"query", "output"}


def test_after_a_cache_the_new_token_alone_is_compared():
    for module, projected in projected_calls(model_of("gpt2"), "after a cache")[-2:]:
        assert projected.given["key"].shape[1] == 1 < projected.call.key.shape[2], module
        assert set(judge_projections(projected)) == set(FOUR)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("deepseek_v3", "the table of layouts has none for it"),
        ("diffllama", "the table of layouts has none for it"),
        (
            "xlnet",
            "what projects there is no layer by itself, Linear or Conv1D, that could be watched",
        ),
    ],
)
def test_a_module_whose_weights_are_not_proved_is_named_and_keeps_two_stages(name, reason):
    report = verify_any(model_of(name))
    assert report.passed, str(report)
    assert set(report.frame["stage"]) == {"probabilities", "context"}
    assert set(report.not_from_weights) == set(report.frame["module"])
    assert set(report.not_from_weights.values()) == {reason}
    assert report.as_dict()["not_from_weights"] == report.not_from_weights
    assert "Query, key, value and output are not judged in 2 of 2 modules" in str(report)


@pytest.mark.parametrize("name", ["bert", "llama", "t5"])
def test_in_other_dtypes(name):
    exact = verify_any(model_of(name, torch.float64))
    assert exact.passed, str(exact)
    assert set(exact.frame["stage"]) == set(STAGES)
    half = verify_any(model_of(name, torch.bfloat16))
    assert half.passed, str(half)
    assert set(half.frame["stage"]) == {"probabilities", "context"}
    assert set(half.not_from_weights.values()) == {
        "half precision rounds too much to prove where its weights are"
    }


@pytest.mark.parametrize("side", FOUR)
def test_control_a_layer_that_computes_something_else_is_seen(side):
    """Near enough to pass the proof of where the weights are, not to pass the rule."""
    model = model_of("bert")
    block = model.model.encoder.layer[1].attention
    layer = block.output.dense if side == "output" else getattr(block.self, side)
    layer.register_forward_hook(lambda module, args, output: output * (1 + 2e-5))
    report = verify_any(model)
    failed = report.frame[~report.frame["passed"]]
    assert list(zip(failed["layer"], failed["stage"], strict=True)) == [(1, side)]
    assert not report.passed


def test_control_each_mistake_with_the_weights_is_caught():
    _, projected = projected_calls(model_of("bert"))[0]
    for side, mistake in PROJECTION_MISTAKES:
        assert mistake.applies(Layer(projected.weights))
        judged = judge_projections(projected, plan_of(mistake))
        refused = {stage for stage, judgement in judged.items() if not judgement.passed}
        assert refused == {side}, mistake.name
    assert all(judgement.passed for judgement in judge_projections(projected).values())
    assert {mistake.name for _, mistake in PROJECTION_MISTAKES} == {
        "W_Q transposed", "W_K transposed", "W_V transposed", "W_O transposed",
        "query bias dropped", "key bias dropped", "value bias dropped", "output bias dropped",
    }  # fmt: skip


def test_what_changes_nothing_is_no_mistake():
    """A bias of zeros, one that rounding hides, a matrix that is its own transpose."""
    _, projected = projected_calls(model_of("bert"))[0]
    weights = projected.weights
    hidden = replace(
        weights,
        b_Q=torch.zeros_like(weights.b_Q),
        b_K=1e-12 * weights.b_K,
        W_V=weights.W_V + weights.W_V.T,
    )
    made = {
        side: torch.nn.functional.linear(projected.given[side], matrix, bias)
        for side, matrix, bias in (
            ("query", hidden.W_Q, hidden.b_Q),
            ("key", hidden.W_K, hidden.b_K),
            ("value", hidden.W_V, hidden.b_V),
            ("output", hidden.W_O, hidden.b_O),
        )
    }
    controls = CallControls()
    controls.try_projections(3, replace(projected, weights=hidden, made=made))
    tried = {control["mutation"]: control for control in controls.finish()[0]}
    assert set(tried) == {
        "W_Q transposed", "W_K transposed", "W_O transposed", "value bias dropped",
        "output bias dropped",
    }  # fmt: skip
    assert {control["caught"] for control in tried.values()} == {True}
    assert {control["layer"] for control in tried.values()} == {3}
    assert tried["value bias dropped"]["stage"] == "value"


def test_many_tokens_are_compared_in_part_spread_evenly():
    _, projected = projected_calls(model_of("bert"), "one length")[0]
    times = 1 + 3 * TOKENS_AT_MOST // projected.given["query"].shape[1]

    def longer(tensors):
        return {
            side: tensor.repeat(1, times, *[1] * (tensor.ndim - 2))
            for side, tensor in tensors.items()
        }

    long = replace(projected, given=longer(projected.given), made=longer(projected.made))
    assert all(judgement.passed for judgement in judge_projections(long).values())
    n_texts, n_tokens = long.given["query"].shape[:2]
    n = n_texts * n_tokens
    assert n > TOKENS_AT_MOST
    compared = set()
    for place in range(n):
        wrong = long.made["query"].clone()
        wrong[place // n_tokens, place % n_tokens] += 1.0
        judged = judge_projections(
            replace(long, made={**long.made, "query": wrong}), sides=["query"]
        )
        if not judged["query"].passed:
            compared.add(place)
    assert compared == {i * n // TOKENS_AT_MOST for i in range(TOKENS_AT_MOST)}


def test_queries_without_a_key_are_left_out_of_the_output_alone():
    _, projected = projected_calls(model_of("llama"))[0]
    for side, passed in (("output", True), ("query", False)):
        wrong = projected.made[side].clone()
        wrong[1, 0] = 7.0  # padding, on the left
        spoiled = replace(projected, made={**projected.made, side: wrong})
        assert judge_projections(spoiled)[side].passed is passed


def test_the_hooks_are_taken_off_and_nothing_is_kept():
    model = model_of("bert")

    def hooks():
        return sum(
            len(module._forward_hooks) + len(module._forward_pre_hooks)
            for module in model.model.modules()
        )

    before, projections = hooks(), Projections(model.model)
    with projections.watched(lambda module, projected: None):
        assert hooks() == before + 2 * 6
        model.model(**model.make_inputs(padded=False))
        assert set(projections._watch.shown) == {
            f"encoder.layer.{layer}.attention.self" for layer in (0, 1)
        }, "no call was told of"
    assert hooks() == before
    assert not projections._watch.shown
    watch_calls(
        model,
        lambda: model.model(**model.make_inputs(padded=False)),
        lambda module, call: None,
        projections=(projections, lambda module, projected: None),
    )
    assert {entry.proved for entry in projections.entries.values()} == {True}
