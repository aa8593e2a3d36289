"""Whole models on our attention: the same tokens, and the model's own attention afterwards."""

import pytest
import torch
import transformers
from support.each import each

import inspector
from inspector.errors import InputError, UnsupportedModelError
from inspector.models.any_model.any_model import AnyModel
from inspector.models.any_model.random_inputs import make_inputs
from inspector.models.tiny_models import CONFIGURATIONS, configuration
from inspector.models.tiny_models.tiny_configuration import draw_weights

WRITERS = {
    "llama": "LlamaForCausalLM",
    "gpt2": "GPT2LMHeadModel",
    "gemma2": "Gemma2ForCausalLM",
    "gpt_oss": "GptOssForCausalLM",
    "mistral": "MistralForCausalLM",
    "t5": "T5ForConditionalGeneration",
    "bart": "BartForConditionalGeneration",
}


def writer(name):
    """Return a network of the family that writes, with attention far from uniform."""
    row = configuration(name)
    config = transformers.AutoConfig.for_model(row.model_type, **dict(row.settings))
    # sdpa has neither a cap nor sinks.
    config._attn_implementation = "eager" if name in ("gemma2", "gpt_oss") else "sdpa"
    torch.manual_seed(0)
    network = getattr(transformers, WRITERS[name])(config)
    draw_weights(network, 5)
    network.set_experts_implementation("eager")
    return network.eval()


def written(network, seed=0):
    inputs = make_inputs(network, padded=True, seed=seed)
    inputs = {name: value for name, value in inputs.items() if not name.startswith("decoder_")}
    with torch.no_grad():
        found = network.generate(
            **inputs, max_new_tokens=8, min_new_tokens=8, do_sample=False, use_cache=True,
            return_dict_in_generate=True, output_scores=True,
        )  # fmt: skip
    return found.sequences, torch.stack(found.scores)


@each("name", WRITERS)
def test_generate_writes_the_same_tokens(name):
    network = writer(name)
    theirs, their_scores = written(network)
    calls = []
    handle = transformers.AttentionInterface._global_mapping
    with inspector.using(network):
        assert network.config._attn_implementation == "inspector"
        real = handle["inspector"]
        handle["inspector"] = lambda *a, **k: (calls.append(1), real(*a, **k))[1]
        try:
            ours, our_scores = written(network)
        finally:
            handle["inspector"] = real
    assert torch.equal(ours, theirs)
    finite = their_scores.isfinite()
    # Seen: 5e-6 after eight tokens, on scores of order ten.
    torch.testing.assert_close(our_scores[finite], their_scores[finite], rtol=1e-4, atol=1e-4)
    assert len(calls) >= 8 * 2
    assert network.config._attn_implementation in ("eager", "sdpa")


def test_control_another_scale_writes_other_tokens(monkeypatch):
    from inspector.models.forward import backend

    network = writer("llama")
    theirs, _ = written(network)
    real = backend.scaled_dot_product_scores

    def wrong(query, key, scaling):
        return real(query, key, scaling=2.0 * scaling)

    monkeypatch.setattr(backend, "scaled_dot_product_scores", wrong)
    with inspector.using(network):
        ours, _ = written(network)
    assert not torch.equal(ours, theirs)


def test_a_loaded_model_and_any_model_are_taken_too(tiny):
    bert, llama = tiny("bert"), AnyModel.of(configuration("llama").build())
    for model in (bert, llama):
        with inspector.using(model):
            assert model.model.config._attn_implementation == "inspector"
        assert model.model.config._attn_implementation == "eager"


def test_the_models_own_attention_is_back_after_an_error():
    network = writer("t5")
    with pytest.raises(ZeroDivisionError), inspector.using(network):
        raise ZeroDivisionError
    assert network.config._attn_implementation == "sdpa"
    assert {
        module.config._attn_implementation
        for module in network.modules()
        if hasattr(module, "set_attn_implementation")
    } == {"sdpa"}


def test_training_goes_on_in_its_mode_with_the_same_gradient():
    network = configuration("llama").build().train()
    inputs = make_inputs(network, padded=False)

    def gradient():
        network.zero_grad()
        network(**inputs).last_hidden_state.square().mean().backward()
        return network.layers[0].self_attn.q_proj.weight.grad.clone()

    theirs = gradient()
    with inspector.using(network):
        assert network.training
        ours = gradient()
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    assert theirs.abs().max() > 1e-4


class TestRefused:
    def refused(self, network):
        with pytest.raises(UnsupportedModelError) as caught, inspector.using(network):
            raise AssertionError("never reached")
        return str(caught.value)

    def test_a_model_with_mathematics_of_its_own(self):
        assert self.refused(configuration("mpnet").build()) == (
            "model (MPNetModel) computes 2 of its 2 attention modules by mathematics of its own "
            "(MPNetSelfAttention in encoder.layer.0.attention.attn, "
            "encoder.layer.1.attention.attn), which inspector's attention cannot take the place "
            "of."
        )

    def test_a_model_with_such_a_part(self):
        sentence = self.refused(configuration("longt5, local").build())
        assert sentence.startswith("model (LongT5Model) computes 2 of its 6 attention modules by ")

    def test_a_model_without_attention(self):
        assert self.refused(configuration("fnet").build()) == (
            "model (FNetModel) has no attention to exchange."
        )

    def test_what_is_no_model(self):
        with pytest.raises(InputError, match=r"model \(Linear\) must be a model of"):
            inspector.using(torch.nn.Linear(2, 2)).__enter__()


# Every fifth: all of them are run by `make architectures`.
@each("row", CONFIGURATIONS[::5], ids=lambda row: row.name)
def test_what_is_let_in_gives_the_same_states(row):
    network = row.build()
    inputs = row.make_inputs()

    def state():
        torch.manual_seed(0)  # some draw what they hide
        with torch.no_grad():
            return next(value for value in network(**inputs).values() if torch.is_tensor(value))

    theirs = state()
    try:
        with inspector.using(network):
            ours = state()
    except UnsupportedModelError:
        return
    attended = inputs.get("decoder_attention_mask", inputs.get("attention_mask"))
    if attended is not None and attended.shape == theirs.shape[:2]:
        ours, theirs = ours[attended.bool()], theirs[attended.bool()]
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))
