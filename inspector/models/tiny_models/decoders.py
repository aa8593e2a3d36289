"""Tiny decoders of texts, without experts.

Must not know: what is done with a configuration.
"""

from typing import Any

from inspector.models.tiny_models.input_kinds import VOCABULARY, text
from inspector.models.tiny_models.tiny_configuration import Configuration

# Llama's names, with two key/value heads for four query heads.
_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_GPT_SIZES = {
    "vocab_size": VOCABULARY,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 64,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_LOCAL_AND_GLOBAL = ["sliding_attention", "full_attention"]


def _row(name: str, **settings: Any) -> Configuration:
    return _bare(name, **{**_SIZES, **settings})


def _gpt(name: str, **settings: Any) -> Configuration:
    return _bare(name, **{**_GPT_SIZES, **settings})


def _bare(name: str, **settings: Any) -> Configuration:
    return Configuration(name, name.split(",")[0], "decoder", settings, text("left"))


DECODERS = (
    _gpt("gpt2"),
    _gpt("gpt2, scaled by layer", scale_attn_by_inverse_layer_idx=True),
    _gpt("gpt_bigcode"),
    _gpt("gpt_bigcode, multi-head", multi_query=False),
    _row("gpt_neox", attention_bias=True),
    _row("gpt_neox_japanese", intermediate_multiple_size=2),
    _row("opt", ffn_dim=48),
    _row("biogpt"),
    _gpt("ctrl", dff=48),
    _row("llama"),
    _row("llama, biases", attention_bias=True, mlp_bias=True, num_key_value_heads=4),
    _row("mistral", sliding_window=4),
    _row("qwen2", use_sliding_window=True, sliding_window=4, max_window_layers=1),
    _row("qwen3", head_dim=8),
    _row("gemma", head_dim=16, num_key_value_heads=1),
    _row(
        "gemma2",
        head_dim=8,
        sliding_window=4,
        layer_types=_LOCAL_AND_GLOBAL,
        query_pre_attn_scalar=8,
        attn_logit_softcapping=2.0,
    ),
    _row(
        "gemma3_text",
        head_dim=8,
        sliding_window=4,
        layer_types=_LOCAL_AND_GLOBAL,
        query_pre_attn_scalar=8,
    ),
    _row(
        "vaultgemma",
        head_dim=8,
        sliding_window=4,
        layer_types=_LOCAL_AND_GLOBAL,
        query_pre_attn_scalar=8,
        attn_logit_softcapping=2.0,
    ),
    _row("phi"),
    _row("phi, normed", qk_layernorm=True),
    _row("phi3", original_max_position_embeddings=64),
    _row("olmo", clip_qkv=8.0),
    _row("olmo2"),
    _row("olmo3", sliding_window=4, layer_types=_LOCAL_AND_GLOBAL),
    _row("granite", attention_multiplier=0.3),
    _row("granite_swa", attention_multiplier=0.3, sliding_window=4),
    _row("cohere"),
    _row("cohere2", sliding_window=4, layer_types=_LOCAL_AND_GLOBAL),
    _row("stablelm"),
    _row("starcoder2", sliding_window=4),
    _row("persimmon"),
    _row("nemotron"),
    _row("glm", head_dim=8),
    _row("glm4", head_dim=8),
    _row("exaone4", sliding_window=4, layer_types=_LOCAL_AND_GLOBAL),
    _row("helium", head_dim=8),
    _row("smollm3", no_rope_layers=[1, 0]),
    _row("ernie4_5", head_dim=8),
    _row("ministral", head_dim=8, sliding_window=4, layer_types=_LOCAL_AND_GLOBAL),
    _row(
        "ministral3",
        head_dim=8,
        rope_parameters={
            "rope_type": "default",
            "rope_theta": 10000.0,
            "llama_4_scaling_beta": 0.1,
            "original_max_position_embeddings": 4,
        },
    ),
    _row("arcee", head_dim=8),
    _row("apertus"),
    _row("seed_oss", head_dim=8),
    _row("hunyuan_v1_dense", head_dim=8),
    _row("hyperclovax", attention_multiplier=0.3),
    _row("jais2"),
    _row("nanochat"),
    _row("diffllama", num_key_value_heads=4),
    _row("doge"),
    _row("modernbert-decoder", local_attention=6, cls_token_id=1, sep_token_id=2),
    _row("bitnet"),
    _row("cwm", head_dim=8, sliding_window=4, layer_types=_LOCAL_AND_GLOBAL),
    _row(
        "minicpm3",
        num_key_value_heads=4,
        kv_lora_rank=8,
        q_lora_rank=16,
        qk_nope_head_dim=8,
        qk_rope_head_dim=4,
        v_head_dim=8,
    ),
    # With an attention of their own.
    _bare(
        "gpt_neo",
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_layers=2,
        num_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
        attention_types=[[["global", "local"], 1]],
        window_size=4,
    ),
    _gpt("gptj", rotary_dim=4),
    _gpt("codegen", rotary_dim=4),
    _bare("bloom", vocab_size=VOCABULARY, hidden_size=32, n_layer=2, n_head=4),
    _row("falcon", bias=True, ffn_hidden_size=48),
    _row(
        "falcon, multi-head", multi_query=False, parallel_attn=False, bias=True, ffn_hidden_size=48
    ),
    _row(
        "falcon, grouped",
        new_decoder_architecture=True,
        num_kv_heads=2,
        bias=True,
        ffn_hidden_size=48,
    ),
    _row("falcon, ALiBi", multi_query=False, alibi=True, bias=True, ffn_hidden_size=48),
    _bare(
        "mpt",
        vocab_size=VOCABULARY,
        d_model=32,
        n_heads=4,
        n_layers=2,
        expansion_ratio=2,
        max_seq_len=64,
    ),
    _bare(
        "xglm",
        vocab_size=VOCABULARY,
        d_model=32,
        num_layers=2,
        attention_heads=4,
        ffn_dim=48,
        max_position_embeddings=64,
        pad_token_id=0,
    ),
    _gpt("openai-gpt"),
)
