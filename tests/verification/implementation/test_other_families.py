"""Implementations of causal layers, with rotary angles and shared keys, against real models."""

import pytest
import torch

SIZES = {
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 96},
    "llama": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 48,
        "max_position_embeddings": 96,
    },
}


@pytest.fixture(scope="module", params=SIZES)
def causal_model(request, tmp_path_factory):
    """Return a tiny random decoder, loaded."""
    from support.tiny.models import draw_weights, tiny_tokenizer
    from transformers import AutoConfig, AutoModel

    from inspector.models import load

    tokenizer = tiny_tokenizer("bert")
    special = {f"{name}_token_id": 0 for name in ("bos", "eos", "pad")}
    config = AutoConfig.for_model(
        request.param, vocab_size=len(tokenizer), **special, **SIZES[request.param]
    )
    folder = tmp_path_factory.mktemp(request.param)
    model = AutoModel.from_config(config)
    draw_weights(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return load(str(folder))


def decoder(weights, *, tiled=False, causal=True):
    w = weights

    def layer(hidden, padding):
        linear, n = torch.nn.functional.linear, hidden.shape[1]
        q, k, v = (
            linear(hidden, getattr(w, f"W_{c}"), getattr(w, f"b_{c}"))
            .unflatten(-1, (heads, -1))
            .transpose(1, 2)
            for c, heads in (("Q", w.n_heads), ("K", w.n_kv_heads), ("V", w.n_kv_heads))
        )
        if w.rotary_cos is not None:
            cos, sin = w.rotary_cos[:n], w.rotary_sin[:n]
            q, k = (
                x * cos + torch.cat([-x.chunk(2, -1)[1], x.chunk(2, -1)[0]], -1) * sin
                for x in (q, k)
            )
        repeats = w.n_heads // w.n_kv_heads
        share = (lambda x: x.repeat(1, repeats, 1, 1)) if tiled else (
            lambda x: x.repeat_interleave(repeats, 1)
        )  # fmt: skip
        scores = q @ share(k).transpose(-1, -2) * w.scaling
        if padding is not None:
            scores = scores.masked_fill(~padding[:, None, None], -1e9)
        if causal:
            scores = scores.masked_fill(torch.ones(n, n).triu(1).bool(), -1e9)
        context = (scores.softmax(-1) @ share(v)).transpose(1, 2).flatten(-2)
        return linear(context, w.W_O, w.b_O)

    return layer


def test_right_ones_pass_and_wrong_ones_are_named(causal_model):
    from inspector.verification import verify_implementation

    assert verify_implementation(decoder, causal_model).passed
    wrong = verify_implementation(
        lambda weights: decoder(weights, causal=False), causal_model, layers=[1], pairs=False
    )
    assert wrong.diagnosis.mistakes == ("causal mask omitted",)
    if causal_model.n_kv_heads < causal_model.n_heads:
        wrong = verify_implementation(
            lambda weights: decoder(weights, tiled=True), causal_model, layers=[1], pairs=False
        )
        assert wrong.diagnosis.mistakes == ("key and value groups tiled instead of repeated",)
