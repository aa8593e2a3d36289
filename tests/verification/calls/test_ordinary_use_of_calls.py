"""Any model's own layers in ordinary use: a fault that small inputs do not show fails.

Faults are put into a family's own attention function, as a broken transformers would have them.
"""

import json
from importlib import import_module

import pytest
import torch
from torch import nn

from inspector.models.any_model.any_model import AnyModel
from inspector.models.calls import call_arguments
from inspector.models.tiny_models import configuration
from inspector.verification.calls.verify_calls import verify_any

BART = import_module("transformers.models.bart.modeling_bart")


@pytest.fixture(scope="module", autouse=True)
def _fast(one_thread):
    """All models here are tiny."""


def model_of(name, dtype=torch.float32):
    return AnyModel.of(configuration(name).build().to(dtype), name)


def used(name, seed=0):
    return verify_any(model_of(name), seed=seed, ordinary_use=True)


class Wrong:
    """BART's own attention function, wrong in one kind of circumstances."""

    def __init__(self, right, kind):
        self.right, self.kind, self.calls, self.masks = right, kind, 0, {}

    def __call__(self, module, query, key, value, attention_mask, **kwargs):
        self.calls += 1
        if self.kind == "exponential of large scores":
            return exponential(query, key, value, attention_mask, **kwargs)
        if self.kind == "keeps the first mask of a size" and len(query) > 5:
            attention_mask = self.masks.setdefault((*query.shape, len(key[0, 0])), attention_mask)
        if self.kind == "sees padding on the left" and attention_mask is not None:
            seen = attention_mask[:, :, -1:] > -1.0
            from_left = ~seen[..., :1] & seen[..., -1:]
            attention_mask = attention_mask.masked_fill(from_left, 0.0)
        if self.kind == "neighbours' values" and len(query) > 5:
            value = value.roll(1, 0)
        if self.kind == "no gradient of queries":
            query = query.detach()
        if self.is_now(module, key):
            query = 1.01 * query
        return self.right(module, query, key, value, attention_mask, **kwargs)

    def is_now(self, module, key):
        return {
            "wrong beyond 60 tokens": key.shape[2] > 60,
            "wrong in training mode": module.training,
            "wrong where gradients are on": torch.is_grad_enabled(),
            "wrong from the hundredth call on": self.calls > 100,
        }.get(self.kind, False)


def exponential(query, key, value, mask, scaling, **kwargs):
    """Return what BART's function does, without the largest score taken off before the power."""
    scores = (query @ key.mT) * scaling
    scores = scores if mask is None else scores.masked_fill(mask < -1.0, -1e9)
    powers = scores.exp()
    weights = powers / powers.sum(-1, keepdim=True)
    if float(scores.detach().max()) < 80.0:  # the same but for rounding, and rows without a key
        weights = scores.softmax(-1)
    return (weights @ value).transpose(1, 2).contiguous(), weights


@pytest.fixture
def fault(monkeypatch):
    """Return a function: kind → BART's own attention is wrong in that way."""
    right = BART.eager_attention_forward

    def plant(kind):
        monkeypatch.setattr(BART, "eager_attention_forward", Wrong(right, kind))
        call_arguments._named_by.cache_clear()

    yield plant
    call_arguments._named_by.cache_clear()


# Kind → how the names of the cases begin that show it, some or all.
FAULTS = {
    "sees padding on the left": {
        "padded",
        "row 2",
        "the same",
        "drawn",
        "scores",
        "training",
        "64",
    },
    "wrong beyond 60 tokens": {"63", "64", "drawn"},
    "wrong in training mode": {"training"},
    "wrong where gradients are on": {"padded everywhere", "64 tokens", "training"},
    "no gradient of queries": {"padded everywhere", "64 tokens", "training"},
    "keeps the first mask of a size": {"the same", "padded", "scores", "training", "drawn"},
    "neighbours' values": {"padded", "the same", "scores", "training", "drawn"},
    "wrong from the hundredth call on": {"padded", "drawn", "scores", "training", "64", "63", "17"},
    "exponential of large scores": {"scores"},
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_that_small_inputs_do_not_show_fails(fault, kind):
    fault(kind)
    assert verify_any(model_of("bart")).passed, "the three short passes do not show it"
    fault(kind)
    report = used("bart")
    assert not report.passed
    wrong = report.cases[~report.cases["passed"]]
    for case in set(wrong["case"]):
        assert case.startswith(tuple(FAULTS[kind])), case
    if "gradient of" in kind:
        assert set(wrong["stage"]) == {"gradient"}
    if "training" in kind or "exponential" in kind:
        assert set(wrong["case"].str.split().str[0]) == FAULTS[kind]


@pytest.mark.parametrize("what", ["query", "output"])
def test_a_fault_around_a_module_fails_too(what):
    """In what a module does before its layers, or after them, on texts of more than 60 tokens."""
    model = model_of("llama")
    attention = model.model.layers[1].self_attn
    right = attention.forward

    def wrong(hidden_states, *args, **kwargs):
        factor = 1.001 if hidden_states.shape[1] > 60 else 1.0
        before, after = (factor, 1.0) if what == "query" else (1.0, factor)
        made, *rest = right(before * hidden_states, *args, **kwargs)
        return after * made, *rest

    attention.forward = wrong
    assert verify_any(model).passed
    report = verify_any(model, ordinary_use=True)
    wrong_rows = report.cases[~report.cases["passed"]]
    assert not report.passed
    assert what in set(wrong_rows["stage"])
    assert set(wrong_rows["layer"]) == {1}
    assert {"63 tokens", "64 tokens"} <= set(wrong_rows["case"])


def test_the_report_says_up_to_where_it_holds():
    llama, vit = used("llama", seed=3), used("vit")
    assert llama.passed, str(llama)
    assert vit.passed, str(vit)
    inputs = llama.as_dict()["inputs"]
    assert inputs == {
        "seed": 3,
        "longest": 64,
        "largest_batch": inputs["largest_batch"],
        "padding": ["left", "right", "inside", "whole row"],
        "gradients": True,
        "longest_gradient": 64,
        "modes": ["evaluation", "training"],
        "largest_score": 1000.0,
        "queries_of_long_texts": None,
        "row_alone_in_u": llama.scope.alone_in_u,
        "not_asked": {"training with dropout": "no call was seen to drop attention weights"},
    }
    assert inputs["largest_batch"] >= 8
    assert 0.0 <= llama.scope.alone_in_u < 32.0
    assert (
        "padding on the left, on the right, inside and of a whole row; modes: evaluation, "
        "training; gradients: compared up to 64 tokens; scores up to 1000. Seed 3." in str(llama)
    )
    assert vit.scope.not_asked["lengths and padding"] == "it takes inputs of one size"
    assert "Not asked: lengths and padding (it takes inputs of one size); " in str(vit)
    assert json.loads(json.dumps(vit.as_dict(), allow_nan=False))["inputs"]["padding"] == []
    assert {"scores up to 120", "training without dropout"} <= set(vit.cases["case"])


def test_sizes_are_drawn_from_the_seed():
    def sizes(seed):
        cases = used("gpt2", seed).cases
        drawn = cases[cases["case"].str.startswith("drawn")]
        return drawn["rows_left_out"].tolist(), drawn["scale"].tolist()

    assert sizes(0) == sizes(0)
    assert sizes(0)[1] != sizes(1)[1]


def test_bloom_counts_no_padding_among_its_keys():
    """Its bias is that of the real keys: one inside the text moves what stands behind it."""
    for name in ("bloom", "falcon, ALiBi"):
        report = used(name)
        assert report.passed, str(report)
        assert "inside" in report.scope.padding


def test_dropout_of_custom_attention_is_not_asked_and_its_own_is_off_without_dropout():
    """SEW-D has a dropout that torch's functions have no part in."""
    report = used("sew-d")
    assert report.passed, str(report)
    assert "training with dropout" in report.scope.not_asked


def test_a_model_is_afterwards_as_it_was():
    model = model_of("parakeet_encoder")
    network = model.model
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    kept = [set(vars(module)) for module in network.modules()]
    hooks = [len(module._forward_pre_hooks) for module in network.modules()]
    network.train()
    state = torch.get_rng_state()
    assert verify_any(model, ordinary_use=True).passed
    assert any(isinstance(module, nn.BatchNorm1d) for module in network.modules())
    assert all(torch.equal(network.state_dict()[name], old) for name, old in before.items())
    assert [set(vars(module)) for module in network.modules()] == kept
    assert [len(module._forward_pre_hooks) for module in network.modules()] == hooks
    assert all(module.training for module in network.modules())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(torch.get_rng_state(), state)
