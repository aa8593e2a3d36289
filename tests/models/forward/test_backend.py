"""Our attention inside real models: the same numbers, nothing dropped silently, all restored."""

import copy
import threading
from dataclasses import replace

import pytest
import torch
from support.each import each
from support.tiny.models import FAMILIES, TEXTS
from support.tolerances import TOLERANCE

import inspector.models.forward.backend as backend
from inspector.errors import UnsupportedModelError
from inspector.models import attention_probabilities, last_hidden_state, running, watch


def assert_close(ours, theirs):
    torch.testing.assert_close(ours, theirs, **TOLERANCE[ours.dtype])


@each("reference", ["eager", "sdpa"])
@each("dtype", ["float32", "float64"])
@each("texts", [TEXTS[1:2], TEXTS], ids=["no padding", "padding"])
@each("family", FAMILIES)
def test_last_hidden_state_agrees(tiny, family, texts, dtype, reference):
    model = tiny(family, dtype)
    batch = model.encode(texts)
    real = batch.attention_mask.bool()
    assert bool(real.all()) == (len(texts) == 1)
    ours = last_hidden_state(model, batch, "inspector")
    assert ours.dtype == model.torch_dtype
    assert_close(ours[real], last_hidden_state(model, batch, reference)[real])


@each("family", FAMILIES)
def test_training_with_the_same_seed_agrees(tiny, family):
    """Dropout falls on the same weights: one mask, drawn from the same generator."""
    model = tiny(family, "float64")
    batch = model.encode(TEXTS)
    states = {}
    try:
        for implementation in ("eager", "inspector"):
            with running(model, implementation), torch.no_grad(), torch.random.fork_rng():
                torch.manual_seed(9)
                model.model.train()
                states[implementation] = model.model(**batch.inputs()).last_hidden_state
    finally:
        model.model.eval()
    real = batch.attention_mask.bool()
    assert_close(states["inspector"][real], states["eager"][real])
    assert not torch.allclose(
        states["eager"][real], last_hidden_state(model, batch, "eager")[real], atol=1e-3
    )


@each("family", FAMILIES)
def test_padding_changes_nothing(tiny, family):
    """A backend without a mask function gets no mask, and transformers does not say so."""
    model = tiny(family, "float64")
    batch = model.encode(TEXTS)
    together = last_hidden_state(model, batch, "inspector")
    for row, text in enumerate(TEXTS):
        alone = last_hidden_state(model, model.encode([text]), "inspector")[0]
        assert_close(together[row, : len(alone)], alone)


def test_control_a_backend_without_a_mask_function_is_wrong(tiny):
    """The trap itself, so that the test above is known to see it."""
    from transformers import AttentionInterface

    model = tiny("bert", "float64")
    batch = model.encode(TEXTS)
    backend.register()
    AttentionInterface.register("unmasked_test", backend.our_attention)
    try:
        wrong = last_hidden_state(model, batch, "unmasked_test")[0]
    finally:
        AttentionInterface._global_mapping.pop("unmasked_test")
    alone = last_hidden_state(model, model.encode(TEXTS[:1]), "inspector")[0]
    assert (wrong[: len(alone)] - alone).abs().max() > 1e-2


def test_an_implementation_that_is_not_there_changes_nothing(bert, padded):
    with pytest.raises(ValueError, match="nonsense"), running(bert, "nonsense"):
        raise AssertionError("never reached")
    assert bert.model.config._attn_implementation == "eager"


@each(
    ("argument", "value"),
    [
        ("position_bias", torch.zeros(1)),
        ("indices", torch.zeros(1)),
        ("head_mask", torch.zeros(3, 4)),
        ("s_aux", 1.5),
        ("softcap", 30.0),
    ],
)
@each("implementation", ["inspector", "inspector_watch"])
def test_what_would_change_the_mathematics_is_refused_by_name(
    bert, padded, implementation, argument, value
):
    with pytest.raises(UnsupportedModelError) as caught, running(bert, implementation):
        bert.model(**padded.inputs(), **{argument: value})
    assert str(caught.value) == (
        f"module (BertSelfAttention) hands its attention function {argument}, which inspector's "
        "does not read: the result would be another model's."
    )


@pytest.mark.parametrize("implementation", ["inspector", "inspector_watch"])
def test_a_bias_hidden_in_the_mask_is_added(bert, padded, implementation):
    n = padded.input_ids.shape[1]
    mask = torch.zeros(3, 1, n, n)
    mask.masked_fill_(~padded.attention_mask.bool()[:, None, None], torch.finfo(mask.dtype).min)
    mask[:, :, 0, 1] = -1.5
    inputs, calls = {**padded.inputs(), "attention_mask": mask}, []
    with running(bert, implementation, calls.append), torch.inference_mode():
        ours = bert.model(**inputs).last_hidden_state
    with running(bert, "eager"), torch.inference_mode():
        theirs = bert.model(**inputs).last_hidden_state
    real = padded.attention_mask.bool()
    assert_close(ours[real], theirs[real])
    assert (theirs - last_hidden_state(bert, padded, "eager"))[real].abs().max() > 1e-3
    for call in calls:
        assert call.bias[0, 0, 0].tolist() == [0.0, -1.5, *[0.0] * (n - 2)]
        assert torch.equal(call.mask[:, 0, 0], real)


def test_an_additive_mask_that_forbids_only_is_read(bert, padded):
    n = padded.input_ids.shape[1]
    mask = torch.zeros(3, 1, n, n)
    mask.masked_fill_(~padded.attention_mask.bool()[:, None, None], torch.finfo(mask.dtype).min)
    with running(bert, "inspector"), torch.inference_mode():
        state = bert.model(**{**padded.inputs(), "attention_mask": mask}).last_hidden_state
    assert torch.equal(state, last_hidden_state(bert, padded, "inspector"))


class _Deliberate(Exception):
    pass


def hooks_of(model):
    return [
        (name, len(module._forward_hooks), len(module._forward_pre_hooks))
        for name, module in model.model.named_modules()
    ]


class TestRestored:
    """Whatever happens inside, the model is afterwards as it was."""

    def test_the_implementation(self, bert):
        def fail():
            assert bert.model.config._attn_implementation == "inspector"
            raise _Deliberate

        with pytest.raises(_Deliberate), running(bert, "inspector"):
            fail()
        assert bert.model.config._attn_implementation == "eager"
        assert backend.observing.get() is None

    def test_everything_after_watching(self, bert, padded):
        watch(bert, padded, lambda call: None)  # transformers installs its own hooks once
        hooks, state = hooks_of(bert), torch.get_rng_state()

        def fail(call):
            torch.rand(1)
            raise _Deliberate

        for seed in (None, 5):
            with pytest.raises(_Deliberate):
                watch(bert, padded, fail, seed=seed)
            assert hooks_of(bert) == hooks
            assert bert.model.config._attn_implementation == "eager"
            assert not bert.model.training
            assert backend.observing.get() is None
            if seed is not None:
                assert torch.equal(torch.get_rng_state(), state)
            torch.set_rng_state(state)

    def test_the_generator_and_the_mode_after_training_mode(self, bert, padded):
        state = torch.get_rng_state()
        watch(bert, padded, lambda call: None, seed=5)
        assert torch.equal(torch.get_rng_state(), state)
        assert not any(module.training for module in bert.model.modules())

    def test_a_run_within_a_run(self, bert, padded):
        outer, inner = [], []
        with running(bert, "inspector", outer.append), torch.inference_mode():
            with running(bert, "inspector_watch", inner.append):
                bert.model(**padded.inputs())
            assert bert.model.config._attn_implementation == "inspector"
            bert.model(**padded.inputs())
        assert len(inner) == len(outer) == bert.n_layers
        assert bert.model.config._attn_implementation == "eager"


class TestThreads:
    def test_a_second_thread_waits_for_the_model(self, bert):
        entered = threading.Event()

        def enter():
            with running(bert, "sdpa"):
                entered.set()

        other = threading.Thread(target=enter)
        with running(bert, "inspector"):
            other.start()
            assert not entered.wait(0.2)
            assert bert.model.config._attn_implementation == "inspector"
        other.join(timeout=60)
        assert entered.is_set()
        assert bert.model.config._attn_implementation == "eager"

    def test_results_are_those_of_one_thread(self, bert, padded):
        expected = {
            "maps": attention_probabilities(bert, padded),
            "sdpa": last_hidden_state(bert, padded, "sdpa"),
        }
        wrong = []

        def work(name, compute):
            for _ in range(20):
                if not torch.equal(compute(), expected[name]):
                    wrong.append(name)

        def probabilities():
            return attention_probabilities(bert, padded)

        def state():
            return last_hidden_state(bert, padded, "sdpa")

        threads = [
            threading.Thread(target=work, args=arguments)
            for arguments in (("maps", probabilities), ("sdpa", state)) * 2
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert wrong == []

    def test_two_models_do_not_wait_for_one_another(self, bert):
        other = replace(bert, model=copy.deepcopy(bert.model), lock=threading.RLock())
        entered = threading.Event()

        def enter():
            with running(other, "sdpa"):
                entered.set()

        thread = threading.Thread(target=enter)
        with running(bert, "inspector"):
            thread.start()
            assert entered.wait(60)
            assert bert.model.config._attn_implementation == "inspector"
        thread.join(timeout=60)


def test_a_model_with_causal_layers_and_no_mask_gets_a_causal_mask():
    """transformers leaves the mask out where it thinks that `is_causal` will make it."""
    module = torch.nn.Module()
    module.is_causal = True
    heads = [torch.randn(1, 2, 3, 5, generator=torch.Generator().manual_seed(i)) for i in range(3)]
    output, probabilities = backend.our_attention(module, *heads, None)
    expected = torch.nn.functional.scaled_dot_product_attention(*heads, is_causal=True)
    assert_close(output.transpose(1, 2), expected)
    assert not probabilities.triu(1).any()


def test_a_model_left_in_training_mode_is_looked_at_without_dropout(bert):
    from inspector.models import attention_probabilities, watch

    batch = bert.encode(["the cat sat"])
    expected = attention_probabilities(bert, batch)
    seen = []
    bert.model.train()
    bert.model.get_submodule("encoder").eval()
    try:
        assert torch.equal(attention_probabilities(bert, batch), expected)
        watch(bert, batch, seen.append)
        assert bert.model.training
        assert not bert.model.get_submodule("encoder").training, "each module keeps its own mode"
    finally:
        bert.model.eval()
    assert all(call.attention.dropout == 0.0 for call in seen)
