"""Families with mathematics of their own, whose score term ours has: proved around hooks."""

from dataclasses import replace

import pytest
import torch

from inspector.models import own_readers
from inspector.models.anything import AnyModel, load_any
from inspector.models.families import configuration
from inspector.models.own_maths import watch_own_maths
from inspector.models.shadow import passes, watch_calls
from inspector.verification.shadow import verify_any
from inspector.verification.shadow_call import judge_call

TERMS = {
    "mpnet": "relative bias",
    "deberta-v2": "disentangled",
    "deberta-v2, shared": "disentangled",
    "bloom": "ALiBi",
    "mpt": "ALiBi",
    "falcon": "rotary",
    "falcon, grouped": "rotary",
    "falcon, multi-head": "rotary",
    "falcon, ALiBi": "ALiBi",
    "gptj": "rotary",
    "roformer": "rotary",
    "gpt_neo": "unscaled",
    "big_bird": "plain",
    "rembert": "plain",
    "megatron-bert": "plain",
    "luke": "plain",
    "mvp": "plain",
    "tapas": "plain",
    "visual_bert": "plain",
    "data2vec-vision": "relative bias",
}


@pytest.fixture(scope="module", autouse=True)
def _fast(one_thread):
    """All models here are tiny."""


def model_of(name, dtype=torch.float32):
    return AnyModel.of(configuration(name).build().to(dtype), name)


def calls_of(name):
    model, calls = model_of(name), []
    for one in passes(model):
        watch_calls(model, one.run, lambda module, call: calls.append(call))
    return calls


@pytest.mark.parametrize("name", TERMS)
def test_a_family_is_verified_by_its_own_score_term(name):
    report = verify_any(model_of(name))
    assert report.passed, str(report)
    assert report.route == "own score term"
    assert report.coverage["reached"] == report.coverage["total"] > 0
    assert {control["caught"] for control in report.controls} == {True}
    assert {call.own_term for call in calls_of(name)} == {TERMS[name]}


def test_a_model_with_both_kinds_of_parts():
    report = verify_any(model_of("git"))
    assert report.passed, str(report)
    assert report.route == "backend and own score term"


@pytest.mark.parametrize("name", ["bloom", "falcon, ALiBi", "mpnet", "data2vec-vision"])
def test_control_without_its_bias_it_is_not(name):
    for call in calls_of(name):
        judged = judge_call(replace(call, bias=None))
        assert not all(judgement.passed for judgement in judged.values())


@pytest.mark.parametrize(
    ("name", "function", "mistake"),
    [
        ("bloom", "alibi_bias", lambda n_heads, n: 2 * REAL["alibi_bias"](n_heads, n)),
        ("gptj", "rotated_pairs", lambda x, cos, sin: REAL["rotated_pairs"](x, cos, -sin)),
        ("roformer", "rotated_pairs", lambda x, cos, sin: x),
        (
            "deberta-v2",
            "disentangled_bias",
            lambda q, k, c, p, places, s: REAL["disentangled_bias"](q, k, c, p, places.T, s),
        ),
        (
            "deberta-v2",
            "disentangled_bias",
            lambda q, k, c, p, places, s: REAL["disentangled_bias"](q, k, c, None, places, s),
        ),
    ],
)
def test_control_a_wrong_score_term_is_refused(monkeypatch, name, function, mistake):
    monkeypatch.setattr(own_readers, function, mistake)
    report = verify_any(model_of(name))
    assert not report.passed
    assert not report.frame["passed"].any()


REAL = {
    name: getattr(own_readers, name)
    for name in ("alibi_bias", "rotated_pairs", "disentangled_bias")
}


def test_two_classes_of_one_name_are_told_apart():
    """DeBERTa's first version has the class of its second, and other mathematics."""
    report = verify_any(model_of("deberta"))
    assert report.route == "none"
    assert not report.passed


def test_the_hooks_are_taken_off():
    network = configuration("bloom").build()

    def hooks():
        return sum(
            len(module._forward_hooks) + len(module._forward_pre_hooks)
            for module in network.modules()
        )

    before = hooks()
    with watch_own_maths(network, lambda call: None):
        assert hooks() > before
    assert hooks() == before


@pytest.mark.parametrize("name", ["bloom", "deberta-v2", "mpnet"])
def test_watching_changes_no_result(name):
    network = configuration(name).build()
    inputs = configuration(name).make_inputs()
    with torch.no_grad():
        before = network(**inputs).last_hidden_state
        with watch_own_maths(network, lambda call: None):
            watched = network(**inputs).last_hidden_state
    assert torch.equal(before, watched)


@pytest.mark.parametrize("name", ["deberta-v2", "mpnet", "bloom"])
def test_a_folder_of_a_tiny_model_is_verified(tmp_path, name):
    configuration(name).build().save_pretrained(tmp_path)
    report = verify_any(load_any(tmp_path))
    assert report.passed, str(report)
    assert report.route == "own score term"


@pytest.mark.parametrize("name", ["deberta-v2", "mpnet", "bloom"])
def test_a_network_as_it_is_drawn_at_first(name):
    import transformers

    row = configuration(name)
    config = transformers.AutoConfig.for_model(row.model_type, **dict(row.settings))
    torch.manual_seed(0)
    report = verify_any(AnyModel.of(transformers.AutoModel.from_config(config).eval(), name))
    assert report.passed, str(report)
