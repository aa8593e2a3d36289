"""Families with mathematics of their own, whose score term ours has: proved around hooks."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from support.each import each
from torch.utils._python_dispatch import _len_torch_dispatch_stack

from inspector.models.any_model.any_model import AnyModel, load_any
from inspector.models.any_model.call_watch import passes, watch_calls
from inspector.models.custom_attention import hooks, text_attention
from inspector.models.custom_attention.hooks import watch_own_maths
from inspector.models.tiny_models import configuration
from inspector.verification.calls.call_comparison import judge_call
from inspector.verification.calls.verify_calls import verify_any

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
    "deberta": "disentangled",
    "sew-d": "disentangled",
    "codegen": "rotary",
    "gpt_neox_japanese": "rotary",
    "xglm": "plain",
    "openai-gpt": "plain",
    "imagegpt": "plain",
    "timesformer": "plain",
    "blip_vision_model": "plain",
    "glpn": "plain",
    "pvt_v2": "plain",
    "xlm": "plain",
    "flaubert": "plain",
    "fsmt": "plain",
    "canine": "plain",
    "squeezebert": "plain",
    "ibert": "plain",
    "convbert": "plain",
    "nystromformer": "plain",
    "hiera": "plain",
    "vitdet": "plain",
    "vitdet, relative places": "relative bias",
    "donut-swin": "relative bias",
    "swinv2": "cosine",
    "bros": "relative bias",
    "lilt": "two streams",
    "wavlm": "gated relative bias",
    "xlnet": "relative keys",
    "funnel": "relative keys",
    "funnel, factorized": "relative keys",
    "longformer": "sliding window",
    "flava_text_model": "plain",
    "groupvit_text_model": "plain",
    "mobilevit": "plain",
    "pvt": "plain",
    "maskformer-swin": "relative bias",
    "swin2sr": "cosine",
}
# Parts of these have mathematics of their own, other parts not, or another.
MIXED = {
    "git": {"plain"},
    "bigbird_pegasus": {"plain"},
    "siglip": {"plain"},
    "aimv2": {"plain"},
    "longt5, local": {"blocks"},
    "longt5, transient global": {"blocks"},
    "pegasus_x": {"blocks"},
}
TWO_TERMS = {"led": {"plain", "sliding window"}, "prophetnet": {"plain", "n-grams"}}


# PyTorch's own attention is given a mask of padding and a bias of another dtype by WavLM.
pytestmark = pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")


@pytest.fixture(scope="module", autouse=True)
def _fast(one_thread):
    """All models here are tiny."""


def model_of(name, dtype=torch.float32):
    return AnyModel.of(configuration(name).build().to(dtype), name)


@cache
def calls_of(name):
    model, calls = model_of(name), []
    for one in passes(model):
        watch_calls(model, one.run, lambda module, call: calls.append(call))
    return calls


@each("name", TERMS)
def test_a_family_is_verified_by_its_own_score_term(name):
    report = verify_any(model_of(name))
    assert report.passed, str(report)
    assert report.route == "custom score term"
    assert report.coverage["reached"] == report.coverage["total"] > 0
    assert {control["caught"] for control in report.controls} == {True}
    assert {call.own_term for call in calls_of(name)} == {TERMS[name]}


@each("name", [*MIXED, *TWO_TERMS])
def test_a_model_with_several_kinds_of_parts(name):
    report = verify_any(model_of(name))
    assert report.passed, str(report)
    mixed = name in MIXED
    assert report.route == ("backend and custom score term" if mixed else "custom score term")
    assert report.coverage["reached"] == report.coverage["total"] > 0
    terms = {call.own_term for call in calls_of(name)} - {None}
    assert terms == (MIXED if mixed else TWO_TERMS)[name]


BIASED = [
    "bloom", "falcon, ALiBi", "mpnet", "data2vec-vision", "vitdet, relative places", "donut-swin",
    "swinv2", "bros", "lilt", "wavlm", "xlnet", "funnel", "funnel, factorized", "deberta",
    "sew-d", "prophetnet",
]  # fmt: skip


@each("name", BIASED)
def test_control_without_its_bias_it_is_not(name):
    biased = [call for call in calls_of(name) if call.bias is not None]
    assert biased
    for call in biased:
        assert_refused(replace(call, bias=None))
        assert_refused(replace(call, bias=1.01 * call.bias))


@each("name", [*TERMS, *MIXED, *TWO_TERMS])
def test_control_other_queries_keys_and_values_are_refused(name):
    """A reader that took the wrong tensors, or none at all, could not pass."""
    calls = [call for call in calls_of(name) if call.own_term is not None and seen_by(call) > 1]
    assert calls
    for call in calls:
        assert_refused(replace(call, scaling=1.02 * call.scaling))
        assert_refused(replace(call, key=call.key.roll(1, dims=-1)))
        assert_refused(replace(call, value=call.value.roll(1, dims=-1)))
        if call.query.shape[1] > 1:
            assert_refused(replace(call, query=call.query.roll(1, dims=1)))


def seen_by(call):
    """Return the most keys that any query sees: from one alone nothing about scores follows."""
    shape = call.probabilities.shape
    return shape[-1] if call.mask is None else int(call.mask.expand(shape).sum(-1).max())


def assert_refused(call):
    assert not all(judgement.passed for judgement in judge_call(call).values())


@pytest.mark.parametrize("name", ["xglm", "wavlm", "siglip_vision_model"])
def test_what_a_reader_refuses_is_not_passed(monkeypatch, name):
    module = {"xglm": "XGLMAttention", "wavlm": "WavLMAttention"}.get(name)
    module = module or "activation.MultiheadAttention"
    real = hooks.READERS[module]
    monkeypatch.setitem(hooks.READERS, module, replace(real, read=lambda seen: None))
    report = verify_any(model_of(name))
    assert not report.passed
    assert report.coverage["reached"] < report.coverage["total"]
    assert module.rsplit(".", 1)[-1] in report.reason


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
    monkeypatch.setattr(text_attention, function, mistake)
    report = verify_any(model_of(name))
    assert not report.passed
    of_scores = report.frame["stage"].isin(["probabilities", "context"])
    assert not report.frame["passed"][of_scores].any()
    assert report.frame["passed"][~of_scores].all()


REAL = {
    name: getattr(text_attention, name)
    for name in ("alibi_bias", "rotated_pairs", "disentangled_bias")
}


@pytest.mark.parametrize("name", ["deberta", "deberta-v2", "sew-d"])
def test_classes_of_one_name_are_told_apart(name):
    """All three versions of DeBERTa's attention have one name, and each its own mathematics."""
    modules = [m for m in configuration(name).build().modules() if "Disentangled" in repr(type(m))]
    readers = {hooks.reader_of(module) for module in modules}
    assert len(readers) == 1
    others = {"deberta", "deberta-v2", "sew-d"} - {name}
    files = {f"modeling_{other.replace('-', '_')}" for other in others}
    keys = {f"{file}.DisentangledSelfAttention" for file in files}
    assert not {id(hooks.READERS[key]) for key in keys} & {id(r) for r in readers}


def test_classes_of_another_library_are_not_read():
    class XGLMAttention(torch.nn.Module):
        pass

    assert hooks.reader_of(XGLMAttention()) is None


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


@pytest.mark.parametrize("name", ["bloom", "deberta-v2", "mpnet", "squeezebert", "hiera"])
def test_watching_changes_no_result(name):
    network = configuration(name).build()
    inputs = configuration(name).make_inputs()
    with torch.no_grad():
        before = network(**inputs).last_hidden_state
        with watch_own_maths(network, lambda call: None):
            watched = network(**inputs).last_hidden_state
    assert torch.equal(before, watched)


def test_a_forward_that_fails_leaves_nothing_watched():
    network = configuration("squeezebert").build()
    fast = torch.backends.mha.get_fastpath_enabled()
    with watch_own_maths(network, pytest.fail), pytest.raises(RuntimeError, match="size"):
        network.encoder.layers[0].attention(torch.ones(1, 32, 4), torch.ones(1, 1, 1, 3), False)
    assert torch.backends.mha.get_fastpath_enabled() is fast
    assert _len_torch_dispatch_stack() == 0


@pytest.mark.parametrize("name", ["deberta-v2", "mpnet", "bloom"])
def test_a_folder_of_a_tiny_model_is_verified(tmp_path, name):
    configuration(name).build().save_pretrained(tmp_path)
    report = verify_any(load_any(tmp_path))
    assert report.passed, str(report)
    assert report.route == "custom score term"


@pytest.mark.parametrize("name", ["deberta-v2", "mpnet", "bloom"])
def test_a_network_as_it_is_drawn_at_first(name):
    import transformers

    row = configuration(name)
    config = transformers.AutoConfig.for_model(row.model_type, **dict(row.settings))
    torch.manual_seed(0)
    report = verify_any(AnyModel.of(transformers.AutoModel.from_config(config).eval(), name))
    assert report.passed, str(report)
