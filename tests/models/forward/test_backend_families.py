"""Our attention inside families that add something to it, and the four silent traps.

Each trap is a way in which transformers lets a wrong attention run without a word.
"""

from threading import RLock
from types import SimpleNamespace

import pytest
import torch
from support.each import each
from support.tolerances import FLOAT32

from inspector.errors import UnsupportedModelError
from inspector.models import running
from inspector.models.calls.call_arguments import (
    causal_unless_masked,
    eager_function,
    read_arguments,
    split_mask,
)
from inspector.models.forward.backend import our_attention, register
from inspector.models.tiny_models import configuration

OURS, WATCH = "inspector", "inspector_watch"


def built(name, dtype=torch.float32):
    return SimpleNamespace(model=configuration(name).build().to(dtype), lock=RLock())


def run(model, inputs, implementation, observer=None):
    """Return the last state of each real token, and nothing of padding."""
    dtype = next(model.model.parameters()).dtype
    inputs = {
        name: tensor.to(dtype) if tensor.is_floating_point() else tensor
        for name, tensor in inputs.items()
    }
    with running(model, implementation, observer), torch.no_grad():
        state = model.model(**inputs).last_hidden_state
    attended = inputs.get("decoder_attention_mask", inputs.get("attention_mask"))
    if attended is None or attended.shape != state.shape[:2]:  # features that were shortened
        return state
    return state[attended.bool()]


def rows(call):
    """Return the contexts of the queries that may look at a key."""
    if call.mask is None:
        return call.context
    return call.context[call.mask.any(dim=-1).any(dim=1).expand(call.context.shape[:2])]


# What each hands its attention function beside queries, keys and values.
FAMILIES = {
    "t5": {"mask", "bias"},
    "gemma2": {"mask", "softcap"},
    "gpt_oss": {"mask", "sinks"},
    "granite_swa": {"mask", "sinks"},
    "mimo_v2_flash": {"mask", "sinks"},
    "llama": {"mask"},
    "mistral": {"mask"},
    "diffllama": {"mask"},
    "doge": {"mask", "bias"},
    "bart": {"mask"},
    "beit, relative bias": {"bias"},
    "swin": {"bias"},
    "wav2vec2-conformer": {"mask"},
    "parakeet_encoder": {"bias"},
    "vit": set(),
    "git": set(),
    "bigbird_pegasus": {"mask"},
    "nllb-moe": {"mask"},
}


@each("name", FAMILIES)
def test_a_whole_model_is_the_same_with_our_attention(name):
    model, inputs = built(name), configuration(name).make_inputs()
    calls, watched_calls = [], []
    theirs = run(model, inputs, "eager")
    ours = run(model, inputs, OURS, calls.append)
    torch.testing.assert_close(ours, theirs, **FLOAT32)
    assert torch.equal(run(model, inputs, WATCH, watched_calls.append), theirs)
    assert len(calls) == len(watched_calls) > 0
    for call, seen in zip(calls, watched_calls, strict=True):
        torch.testing.assert_close(rows(call), rows(seen), **FLOAT32)
    found = {
        term
        for term in ("mask", "bias", "softcap", "sinks")
        for call in watched_calls
        if getattr(call, term) is not None
    }
    assert found == FAMILIES[name]


@each(
    ("name", "term"),
    [("t5", "position_bias"), ("gemma2", "softcap"), ("gpt_oss", "s_aux"), ("llama", "mask")],
)
def test_control_a_term_that_is_left_out_shows(name, term):
    """The same comparison, with a backend that ignores one thing."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask

    def ignoring(module, query, key, value, attention_mask, **kwargs):
        kwargs.pop(term, None)
        mask = None if term == "mask" else attention_mask
        return our_attention(module, query, key, value, mask, **{"is_causal": False, **kwargs})

    model, inputs = built(name), configuration(name).make_inputs()
    theirs = run(model, inputs, "eager")
    AttentionInterface.register("ignoring_test", ignoring)
    AttentionMaskInterface.register("ignoring_test", eager_mask)
    try:
        ours = run(model, inputs, "ignoring_test")
    finally:
        AttentionInterface._global_mapping.pop("ignoring_test")
        AttentionMaskInterface._global_mapping.pop("ignoring_test")
    assert (ours - theirs).abs().max() > 1e-2


@each("name", ["llama", "mistral", "gemma2"])
def test_left_padding_changes_nothing(name):
    model, inputs = built(name, torch.float64), configuration(name).make_inputs()
    together = run(model, inputs, OURS)
    alone = []
    for ids, attended in zip(inputs["input_ids"], inputs["attention_mask"], strict=True):
        assert attended[-1] == 1
        alone.append(run(model, {"input_ids": ids[None, attended.bool()]}, OURS).flatten(0, 1))
    assert not inputs["attention_mask"].all()
    torch.testing.assert_close(together, torch.cat(alone), **FLOAT32)


def test_a_row_without_a_key_stays_finite_in_float64():
    """eager makes it NaN there: its mask's least number is -inf in the float32 of its softmax."""
    model, inputs = built("llama", torch.float64), configuration("llama").make_inputs()
    watched_calls = []
    watched = run(model, inputs, WATCH, watched_calls.append)
    ours = run(model, inputs, OURS)
    assert watched.isfinite().all()
    assert ours.isfinite().all()
    assert run(model, inputs, "eager").isnan().any()
    assert all(call.softmax_dtype == torch.float32 for call in watched_calls)


class TestTraps:
    def test_a_causal_mask_is_made_without_padding(self):
        """sdpa's mask function leaves it out, and counts on a kernel to make it."""
        inputs = {"input_ids": torch.tensor([[7, 11, 13, 17, 19]])}
        model = built("llama", torch.float64)
        whole, start = (
            run(model, {"input_ids": ids}, OURS)
            for ids in (inputs["input_ids"], inputs["input_ids"][:, :3])
        )
        # Through RMSNorm, which rounds to float32.
        torch.testing.assert_close(whole[:, :3], start, **FLOAT32)

    def test_control_with_sdpas_mask_function_later_tokens_are_seen(self):
        from transformers import AttentionInterface
        from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

        def unaware(module, query, key, value, attention_mask, **kwargs):
            return our_attention(
                module, query, key, value, attention_mask, **{**kwargs, "is_causal": False}
            )

        model, ids = built("llama"), torch.tensor([[7, 11, 13, 17, 19]])
        AttentionInterface.register("unaware_test", unaware)
        AttentionMaskInterface.register("unaware_test", sdpa_mask)
        try:
            whole, start = (
                run(model, {"input_ids": part}, "unaware_test") for part in (ids, ids[:, :3])
            )
        finally:
            AttentionInterface._global_mapping.pop("unaware_test")
            AttentionMaskInterface._global_mapping.pop("unaware_test")
        assert (whole[:, :3] - start).abs().max() > 1e-2

    def test_a_model_with_its_own_mathematics_never_calls(self):
        """It takes the name of the backend, and goes on as before."""
        model, inputs = built("mpnet"), configuration("mpnet").make_inputs()
        calls = []
        ours = run(model, inputs, OURS, calls.append)
        assert torch.equal(ours, run(model, inputs, "eager"))
        assert calls == []

    @each("implementation", [OURS, WATCH])
    @each("name", ["indices", "block_indices"])
    def test_keys_chosen_by_index_are_refused_by_name(self, implementation, name):
        """Some families hand over which keys count, where the backend is not one they know."""
        model = built("llama")
        attention = model.model.layers[0].self_attn
        handle = attention.register_forward_pre_hook(
            lambda module, args, kwargs: (args, {**kwargs, name: torch.zeros(1, 2)}),
            with_kwargs=True,
        )
        with pytest.raises(UnsupportedModelError) as caught:
            run(model, {"input_ids": torch.tensor([[7, 11]])}, implementation)
        handle.remove()
        assert str(caught.value) == (
            f"module (LlamaAttention) hands its attention function {name}, which inspector's "
            "does not read: the result would be another model's."
        )


class TestMasks:
    MODULE = torch.nn.Identity()

    def split(self, mask, dtype=torch.float32):
        return split_mask(self.MODULE, dtype, mask)

    def test_none_forbids_and_adds_nothing(self):
        assert self.split(None) == (None, None)

    @each("shape", [(3, 4), (2, 3, 4), (2, 1, 3, 4), (1, 5, 3, 4)])
    def test_every_number_of_axes(self, shape):
        mask = torch.rand(shape, generator=torch.Generator().manual_seed(0)) < 0.5
        allowed, bias = self.split(mask)
        assert allowed.ndim == 4
        assert torch.equal(allowed.reshape(shape), mask)
        assert bias is None

    @each("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
    @each("least", ["-inf", "min", "min and more"])
    def test_the_least_number_forbids(self, dtype, least):
        number = float("-inf") if least == "-inf" else torch.finfo(dtype).min
        mask = torch.zeros(1, 1, 2, 3, dtype=dtype)
        mask[..., 1] = number
        if least == "min and more":
            mask[..., 1] += 3.0
        allowed, bias = self.split(mask, dtype)
        assert allowed[0, 0].tolist() == [[True, False, True]] * 2
        assert bias is None

    def test_a_mask_of_padding_takes_one_row_of_memory_and_a_causal_one_all(self):
        padding = torch.zeros(2, 1, 5, 5)
        padding[1, ..., 3:] = float("-inf")
        causal = torch.full((5, 5), float("-inf")).triu(1).expand(2, 1, 5, 5)
        for mask, numbers in ((padding, 2 * 5), (causal, 2 * 5 * 5), (padding + causal, 2 * 5 * 5)):
            allowed, _ = self.split(mask)
            assert torch.equal(allowed, mask == 0)
            assert allowed.untyped_storage().nbytes() == numbers

    def test_the_least_number_of_a_narrower_dtype_forbids_too(self):
        mask = torch.full((1, 1, 1, 2), torch.finfo(torch.float32).min, dtype=torch.float64)
        assert not self.split(mask, torch.float64)[0].any()

    def test_what_is_merely_small_is_added(self):
        """Swin forbids with -100, others with -10000: scores can make up for it."""
        mask = torch.tensor([[0.0, -100.0], [-1e4, torch.finfo(torch.float32).min]])
        allowed, bias = self.split(mask[None, None])
        assert allowed[0, 0].tolist() == [[True, True], [True, False]]
        assert bias[0, 0].tolist() == [[0.0, -100.0], [-1e4, 0.0]]

    def test_a_bias_alone_forbids_nothing(self):
        bias = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
        allowed, found = self.split(bias, torch.float64)
        assert allowed is None
        assert torch.equal(found, bias.double())

    def test_what_is_not_a_number_stays_one(self):
        allowed, bias = self.split(torch.tensor([[[[0.0, float("nan")]]]]))
        assert allowed is None
        assert bias.isnan().any()

    def test_whole_numbers_are_refused(self):
        with pytest.raises(UnsupportedModelError) as caught:
            self.split(torch.ones(1, 1, 2, 2, dtype=torch.long))
        assert str(caught.value) == (
            "module (Identity) has a mask of dtype torch.int64: only a boolean one, or one that "
            "is added to the scores, says what is meant."
        )

    def test_a_position_bias_and_a_bias_in_the_mask_add_up(self):
        attention = built("t5").model.encoder.block[0].layer[0].SelfAttention
        query, mask = torch.zeros(1, 4, 2, 8), torch.tensor([[[[0.5, -1e38], [0.0, 0.0]]]])
        terms = read_arguments(
            attention, query, query, mask, {"position_bias": torch.ones(1, 4, 2, 2)}
        )
        assert terms.bias[0, 3].tolist() == [[1.5, 1.0], [1.0, 1.0]]
        assert terms.mask[0, 0].tolist() == [[True, False], [True, True]]

    @each(
        ("own", "given", "causal"),
        [(True, None, True), (False, None, False), (True, False, False), (False, True, True)],
    )
    def test_a_layer_says_itself_whether_it_is_causal(self, own, given, causal):
        module = torch.nn.Module()
        module.is_causal = own
        heads = torch.zeros(1, 1, 3, 2)
        mask = causal_unless_masked(module, heads, heads, None, given)
        assert (mask is not None) is causal
        assert causal_unless_masked(module, heads[:, :, :1], heads, None, given) is None


class TestTheirFunction:
    def test_is_the_one_that_the_class_names(self):
        from transformers.models.llama4 import modeling_llama4 as llama4
        from transformers.models.timesfm import modeling_timesfm as timesfm

        vision = object.__new__(llama4.Llama4VisionAttention)
        assert eager_function(vision) is llama4.vision_eager_attention_forward
        text = object.__new__(llama4.Llama4TextAttention)
        assert eager_function(text) is llama4.eager_attention_forward
        simple = object.__new__(timesfm.TimesFmAttention)
        assert eager_function(simple) is timesfm.simple_eager_attention_forward

    def test_a_class_without_one_is_refused(self):
        with pytest.raises(UnsupportedModelError) as caught:
            eager_function(torch.nn.Linear(1, 1))
        assert str(caught.value) == (
            "module (Linear) has no eager_attention_forward beside it: "
            "its own attention cannot be watched."
        )


def test_parts_with_attention_of_their_own_choice_are_restored():
    """A model's parts have configurations of their own, which may differ."""
    model = built("clip")
    model.model.set_attn_implementation({"text_config": "sdpa", "vision_config": "eager"})

    def chosen():
        configs = (
            model.model.config,
            model.model.text_model.config,
            model.model.vision_model.config,
        )
        return [config._attn_implementation for config in configs]

    before = chosen()
    assert len(set(before)) == 2
    with running(model, OURS):
        assert chosen() == [OURS] * 3
    assert chosen() == before
    register()
