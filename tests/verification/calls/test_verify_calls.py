"""Any model, call by call: what is reached passes, what is not is named, mistakes are seen."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from support.each import each

from inspector.models.any_model.any_model import AnyModel, load_any
from inspector.models.any_model.call_watch import (
    attention_modules,
    idle_parts,
    not_reached,
    passes,
    watch_calls,
)
from inspector.models.tiny_models import configuration
from inspector.verification.calls.call_comparison import (
    evaluate,
    exact,
    judge_call,
    real_keys,
    rows_left_out,
    terms_of,
    with_scores_spread,
)
from inspector.verification.calls.verify_calls import verify_any
from inspector.verification.controls import CALL_MISTAKES, plan_of
from inspector.verification.report import VERIFICATION_COLUMNS

# Every kind of family, and everything that one hands its attention function.
ROUTED = (
    "bert", "albert", "modernbert", "gpt2", "llama", "mistral", "gemma2", "gpt_oss", "granite_swa",
    "diffllama", "doge", "mixtral", "t5", "bart", "nllb-moe", "vit", "beit, relative bias", "swin",
    "wav2vec2", "parakeet_encoder", "whisper", "clip", "llava, text alone", "minicpm3",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _fast(one_thread):
    """All models here are tiny, but one."""


def model_of(name, dtype=torch.float32):
    return AnyModel.of(configuration(name).build().to(dtype), name)


def calls_of(name, which="padded", dtype=torch.float32):
    model, calls = model_of(name, dtype), []
    chosen = [one for one in passes(model) if one.name == which]
    watch_calls(model, chosen[0].run, lambda module, call: calls.append(call))
    return calls


@each("name", ROUTED)
def test_every_kind_of_routed_family_is_verified(name):
    report = verify_any(model_of(name))
    assert report.passed, str(report)
    assert report.route == "backend"
    assert report.reason is None
    assert report.coverage["reached"] == report.coverage["total"] > 0
    assert {control["caught"] for control in report.controls} == {True}
    assert report.frame.dtypes.astype(str).to_dict() == VERIFICATION_COLUMNS
    assert report.frame["rms_ratio"].dropna().between(0.5, 1.5).all()


@each("dtype", [torch.float64, torch.bfloat16], ids=str)
@each("name", ["bert", "llama", "gemma2", "gpt_oss", "granite_swa", "t5"])
def test_other_dtypes(name, dtype):
    report = verify_any(model_of(name, dtype))
    assert report.passed, str(report)
    if dtype == torch.float64:
        assert {control["caught"] for control in report.controls} == {True}
    else:
        assert {c["mutation"] for c in report.controls if not c["caught"]} <= {
            "scale off by 0.01 %"
        }


def test_a_decoder_is_run_after_a_cache_and_both_sides_of_an_encoder_decoder():
    report = verify_any(model_of("llama"))
    assert set(report.cases["case"]) == {"one length", "padded", "after a cache"}
    assert (report.cases["rows_left_out"] > 0).sum() > 0, "left padding leaves rows without a key"
    bart = verify_any(model_of("bart"))
    kinds = {module.split(".")[0] + module.split(".")[-1] for module in bart.frame["module"]}
    assert kinds == {"encoderself_attn", "decoderself_attn", "decoderencoder_attn"}


def test_a_module_that_is_shared_counts_once_and_one_that_calls_twice_too():
    albert, twice = verify_any(model_of("albert")), verify_any(model_of("diffllama"))
    assert albert.coverage["total"] == 1
    assert len(albert.cases) == 2 * 6 * 2  # layers × stages × inputs
    assert twice.coverage["total"] == 2
    assert len(twice.cases) == 2 * 2 * 2 * 4  # calls × layers × stages × passes


@pytest.mark.parametrize(
    ("name", "kind", "computes", "reached", "total"),
    [
        ("yoso", "YosoSelfAttention",
         "weights are how likely hashes of query and key agree, not a softmax", 0, 2),
        ("nystromformer, landmarks", "NystromformerSelfAttention",
         "scores run through landmarks and an approximate inverse", 0, 2),
        ("minimax", "MiniMaxLightningAttention",
         "keys and values are summed up as they decay, without a softmax", 1, 2),
    ],
)  # fmt: skip
def test_what_is_not_reached_is_never_passed(name, kind, computes, reached, total):
    """The third trap: zero calls, or some, look like no difference at all."""
    report = verify_any(model_of(name))
    assert not report.passed
    assert report.reason == (
        f"{kind} computes attention by mathematics of its own ({computes}), in which inspector's "
        "function has no part."
    )
    assert (report.coverage["reached"], report.coverage["total"]) == (reached, total)
    assert len(report.coverage["not_reached"]) == total - reached
    assert report.route == ("backend" if reached else "none")
    assert report.as_dict()["reason"] == report.reason
    if not reached:
        assert "nothing was compared" in report.summary()
        assert report.failures()[:2] == [report.reason, "No layer was compared."]
        assert report.reason.split(",")[0] in report._repr_html_().replace("&#x27;", "'")


def test_a_model_without_attention_is_not_verified():
    report = verify_any(model_of("fnet"))
    assert not report.passed
    assert report.reason == (
        "FNetModel has no attention module (tokens are mixed by Fourier transforms): nothing to "
        "verify."
    )


def test_a_model_that_needs_inputs_that_cannot_be_made_says_so():
    report = verify_any(model_of("lxmert"))
    assert not report.passed
    assert "did not run on the inputs that inspector can make. The model said: " in report.reason
    assert "`visual_feats` cannot be `None`" in report.reason
    given = verify_any(model_of("bert"), inputs=configuration("bert").make_inputs())
    assert given.passed
    assert set(given.cases["case"]) == {"given inputs", "after a cache"}


def test_a_model_that_fails_inside_its_own_attention_says_what_it_said():
    """That its mathematics is another is then not all that is known."""
    model = model_of("yoso")
    for layer in model.model.encoder.layer:
        layer.attention.self.query.weight = torch.nn.Parameter(torch.ones(32, 31))
    report = verify_any(model)
    assert not report.passed
    assert report.reason.startswith("YosoSelfAttention computes attention by mathematics of its")
    assert " The model said: one length: RuntimeError mat1 and mat2" in report.reason


def test_the_part_of_a_model_that_its_whole_leaves_out_is_run_by_itself():
    model = model_of("llava, text alone")
    ran = set()
    for one in passes(model):
        watch_calls(model, one.run, lambda name, call: None, ran)
    assert [name for name, _ in idle_parts(model, ran)] == ["vision_tower"]
    modules = set(verify_any(model).frame["module"])
    assert {name.split(".")[0] for name in modules} == {"vision_tower", "language_model"}


def test_a_tensor_that_ours_would_ignore_is_the_reason():
    model = model_of("llama")
    for layer in model.model.layers:
        layer.self_attn.register_forward_pre_hook(
            lambda module, args, kwargs: (args, {**kwargs, "indices": torch.zeros(1, 2)}),
            with_kwargs=True,
        )
    report = verify_any(model)
    assert not report.passed
    assert report.reason == (
        "module (LlamaAttention) hands its attention function indices, which inspector's does not "
        "read: the result would be another model's."
    )


def test_a_network_as_it_is_drawn_at_first_has_its_controls_too():
    """Weights of 0.02 attend to everything alike: a wrong scale changes next to nothing."""
    from transformers import LlamaConfig, LlamaModel

    torch.manual_seed(0)
    network = LlamaModel(
        LlamaConfig(
            hidden_size=32, num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2,
            intermediate_size=48, vocab_size=60, initializer_range=1e-4,
        )
    )  # fmt: skip
    report = verify_any(AnyModel.of(network.eval()))
    assert report.passed, str(report)
    assert {control["caught"] for control in report.controls} == {True}
    assert "scale off by 0.01 %" in report.controls_note
    assert report.controls_note.startswith("Attention is so near to uniform in this model that")


def slow_call(call):
    """Return probabilities and context of a call in plain loops over floats."""
    q, k, v = (tensor.double() for tensor in (call.query, call.key, call.value))
    n_batch, n_heads, n_query, _ = q.shape
    group = n_heads // k.shape[1]
    shape = (n_batch, n_heads, n_query, k.shape[2])
    allowed = torch.ones(shape).bool() if call.mask is None else call.mask.expand(shape)
    bias = torch.zeros(shape) if call.bias is None else call.bias.double().expand(shape)
    maps, context = torch.zeros(shape).double(), torch.zeros(*shape[:3], v.shape[-1]).double()
    for b, h, i in itertools.product(*map(range, shape[:3])):
        powers = {}
        for j in range(shape[3]):
            if allowed[b, h, i, j]:
                score = float(q[b, h, i] @ k[b, h // group, j]) * call.scaling
                if call.softcap:
                    score = call.softcap * math.tanh(score / call.softcap)
                powers[j] = math.exp(score + float(bias[b, h, i, j]))
        total = math.fsum(powers.values())
        if call.sinks is not None:
            total += math.exp(float(call.sinks.detach().expand(*shape[:3], 1)[b, h, i, 0]))
        for j, power in powers.items():
            maps[b, h, i, j] = power / total
            context[b, h, i] += power / total * v[b, h // group, j]
    return maps, context


@each("name", ["t5", "gemma2", "gpt_oss", "swin", "mistral", "doge"])
def test_the_truth_equals_plain_loops(name):
    call = calls_of(name, "one length" if name == "swin" else "padded")[-1]
    truth = evaluate(terms_of(call).to(torch.float64))
    maps, context = slow_call(call)
    torch.testing.assert_close(truth.probabilities, maps, rtol=0, atol=1e-13)
    torch.testing.assert_close(truth.output, context, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["llama", "t5", "gpt_oss", "bert"])
def test_a_call_is_judged_the_same_in_portions(monkeypatch, name):
    """Of single texts and key/value heads, with the mask, the bias and the sinks of each."""
    from inspector.verification.calls import call_comparison

    call = calls_of(name)[0]
    assert len(call.query) > 1
    assert call.key.shape[1] > 1
    # In float64, as matrices of another size may be rounded otherwise.
    whole = judge_call(call, dtype=torch.float64)
    monkeypatch.setattr(call_comparison, "_NUMBERS_AT_ONCE", 1)
    parts = judge_call(call, dtype=torch.float64)
    for stage, judgement in whole.items():
        for name, figure in vars(judgement).items():
            assert getattr(parts[stage], name) == pytest.approx(figure, rel=1e-6, abs=1e-12)


def test_a_mask_that_all_queries_share_is_read_as_one_row():
    call = calls_of("bert")[0]
    assert call.mask.shape[-2] > 1
    assert terms_of(call).mask.shape[-2] == 1
    assert torch.equal(terms_of(call).mask.expand_as(call.mask), call.mask)
    assert terms_of(calls_of("llama")[0]).mask.shape[-2] > 1


def test_rows_without_a_key_are_left_out_and_counted():
    call = calls_of("llama")[0]
    assert rows_left_out(call) == 3 + 5
    assert rows_left_out(replace(call, mask=None)) == 0
    spoiled = replace(call, probabilities=call.probabilities.clone(), context=call.context.clone())
    spoiled.probabilities[1, :, :3] = 7.0
    spoiled.context[1, :3] = 7.0
    assert all(judgement.passed for judgement in judge_call(spoiled).values())
    spoiled.context[1, 3] = 7.0
    assert not judge_call(spoiled)["context"].passed


@pytest.mark.parametrize("stage", ["probabilities", "context"])
def test_control_a_wrong_number_of_theirs_is_seen(stage):
    call = calls_of("t5")[0]
    wrong = getattr(call, stage).clone()
    wrong.view(-1)[5] += 1e-4 * wrong.abs().max()
    judged = judge_call(replace(call, **{stage: wrong}))
    assert not judged[stage].passed
    assert all(judgement.passed for name, judgement in judged.items() if name != stage)


def test_weights_that_do_not_show_the_sinks_are_not_judged():
    """Granite's own function applies its sinks to the context, and returns weights without."""
    assert set(judge_call(calls_of("granite_swa")[0])) == {"context"}
    assert set(judge_call(calls_of("gpt_oss")[0])) == {"probabilities", "context"}


APPLIES = {
    "scale omitted": {"llama", "gemma2", "gpt_oss", "bart"},
    "scale of d_model": {"llama", "gemma2", "gpt_oss", "t5", "bart"},
    "scale off by 0.01 %": {"llama", "gemma2", "gpt_oss", "t5", "bart"},
    "mask dropped": {"llama", "gemma2", "gpt_oss", "t5", "bart"},
    "mask transposed": {"llama", "gemma2", "gpt_oss", "t5", "bart"},
    "softmax over queries": {"llama", "gemma2", "gpt_oss", "t5", "bart"},
    "heads reversed": {"llama", "gemma2", "gpt_oss", "t5", "bart"},
    "key/value heads tiled, not repeated": {"llama", "gemma2", "gpt_oss"},
    "query and key swapped": {"t5", "bart"},
    "value taken from key": {"llama", "gemma2", "gpt_oss", "t5", "bart"},
    "bias ignored": {"t5"},
    "softcap ignored": {"gemma2"},
    "sinks ignored": {"gpt_oss"},
}


def test_mistakes_are_tried_where_they_are_mistakes_and_are_caught():
    tried = {mistake.name: set() for mistake in CALL_MISTAKES}
    for name in ("llama", "gemma2", "gpt_oss", "t5", "bart"):
        call = calls_of(name)[0]
        for mistake in CALL_MISTAKES:
            if mistake.applies(terms_of(call)):
                tried[mistake.name].add(name)
                judged = judge_call(call, plan_of(mistake))
                assert not all(judgement.passed for judgement in judged.values()), mistake.name
    assert tried == APPLIES


def test_longer_queries_spread_scores_that_are_alike():
    call = calls_of("llama")[0]
    assert with_scores_spread(call) is None, "they are spread already"
    near = replace(call, query=call.query * 1e-3)
    longer = with_scores_spread(near)
    assert all(judgement.passed for judgement in judge_call(longer).values())
    keys = longer.key.repeat_interleave(2, dim=1)
    assert (longer.query @ keys.mT * longer.scaling).std().item() == pytest.approx(1.0, rel=1e-3)
    assert with_scores_spread(replace(near, again=None)) is None


class TestAttentionModules:
    def test_the_innermost_that_are_called_attention(self):
        network = configuration("bert").build()
        assert list(attention_modules(network)) == [
            f"encoder.layer.{layer}.attention.self" for layer in (0, 1)
        ]

    def test_not_reached_leaves_out_what_holds_or_is_held_by_what_was(self):
        network = configuration("bert").build()
        assert not_reached(network, {"encoder.layer.0.attention"}) == [
            "encoder.layer.1.attention.self"
        ]
        assert not_reached(network, {"encoder.layer.1.attention.self.query"}) == [
            "encoder.layer.0.attention.self"
        ]


@pytest.mark.parametrize("name", ["llama", "t5", "swin", "wav2vec2", "clip"])
def test_a_folder_of_a_tiny_model_is_verified(tmp_path, name):
    configuration(name).build().save_pretrained(tmp_path)
    report = verify_any(load_any(tmp_path))
    assert report.passed, str(report)
    assert report.model == str(tmp_path)


def test_the_truth_of_a_padded_text_is_that_of_its_real_keys():
    """They alone are computed with: the others have probability 0, on whichever side they stand."""
    call = calls_of("bert")[0]
    padded = max(range(len(call.query)), key=lambda text: int((~call.mask[text]).sum()))
    one = replace(
        call,
        **{name: getattr(call, name)[padded : padded + 1] for name in ("query", "key", "value")},
        probabilities=call.probabilities[padded : padded + 1],
        context=call.context[padded : padded + 1],
        mask=call.mask[padded : padded + 1, :, :1],
    )
    n_keys = one.mask.shape[-1]
    bias = torch.linspace(-1.0, 1.0, n_keys)[None, None, None]
    masks = {"right": one.mask, "left": one.mask.flip(-1), "none": torch.zeros_like(one.mask)}
    masks["between"] = torch.arange(n_keys)[None, None, None] % 3 != 1
    for mask in masks.values():
        for added in (None, bias, torch.ones(1, 1, 1, 1)):
            terms = terms_of(replace(one, mask=mask, bias=added))
            found = exact(terms, real_keys(terms))
            whole = evaluate(terms.to(torch.float64))
            torch.testing.assert_close(found.output, whole.output, rtol=0, atol=1e-14)
            torch.testing.assert_close(found.probabilities, whole.probabilities, rtol=0, atol=1e-15)
            assert not found.probabilities[..., ~mask[0, 0, 0]].any()
