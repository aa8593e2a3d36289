"""Tiny decoders with experts, and with low-rank queries, keys and values.

Must not know: what is done with a configuration.
"""

from typing import Any

from inspector.models.tiny_models.input_kinds import VOCABULARY, text
from inspector.models.tiny_models.tiny_configuration import Configuration

_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
_LOCAL_EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
_ROUTED_EXPERTS = {
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "moe_intermediate_size": 16,
    "first_k_dense_replace": 1,
    "n_group": 1,
    "topk_group": 1,
}
_LOW_RANK = {
    "num_key_value_heads": 4,
    "kv_lora_rank": 8,
    "q_lora_rank": 16,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 4,
    "v_head_dim": 8,
}
_LOCAL_AND_GLOBAL = ["sliding_attention", "full_attention"]


def _row(name: str, **settings: Any) -> Configuration:
    return Configuration(name, name.split(",")[0], "decoder", {**_SIZES, **settings}, text("left"))


MIXTURES = (
    _row("mixtral", **_LOCAL_EXPERTS),
    _row("qwen2_moe", **_EXPERTS, shared_expert_intermediate_size=16),
    _row("qwen3_moe", **_EXPERTS, head_dim=8),
    _row("granitemoe", **_LOCAL_EXPERTS, attention_multiplier=0.3),
    _row(
        "granitemoeshared", **_LOCAL_EXPERTS, attention_multiplier=0.3, shared_intermediate_size=16
    ),
    _row("olmoe", num_experts=4, num_experts_per_tok=2),
    _row("flex_olmo", num_experts=4, num_experts_per_tok=2),
    _row("gpt_oss", **_LOCAL_EXPERTS, head_dim=8, sliding_window=4, layer_types=_LOCAL_AND_GLOBAL),
    _row("deepseek_v2", **_LOW_RANK, **_ROUTED_EXPERTS),
    _row("deepseek_v3", **_LOW_RANK, **_ROUTED_EXPERTS),
    _row("phimoe", **_LOCAL_EXPERTS),
    _row(
        "ernie4_5_moe",
        moe_num_experts=4,
        moe_k=2,
        moe_intermediate_size=16,
        moe_num_shared_experts=1,
    ),
    _row("hunyuan_v1_moe", num_experts=4, moe_topk=2, head_dim=8),
    _row("glm4_moe", **_ROUTED_EXPERTS, head_dim=8),
    _row("dots1", **_ROUTED_EXPERTS, head_dim=8),
    _row("solar_open", **_ROUTED_EXPERTS, head_dim=8),
    _row(
        "minimax",
        **_LOCAL_EXPERTS,
        head_dim=8,
        layer_types=["linear_attention", "full_attention"],
        block_size=4,
    ),
    _row("minimax_m2", **_LOCAL_EXPERTS, head_dim=8),
    _row(
        "afmoe",
        num_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=16,
        num_shared_experts=1,
        head_dim=8,
        sliding_window=4,
        layer_types=_LOCAL_AND_GLOBAL,
    ),
    _row(
        "mimo_v2_flash",
        **_ROUTED_EXPERTS,
        head_dim=8,
        v_head_dim=6,
        sliding_window=4,
        layer_types=_LOCAL_AND_GLOBAL,
    ),
    _row(
        "llama4_text",
        **_LOCAL_EXPERTS,
        head_dim=8,
        intermediate_size_mlp=32,
        attention_chunk_size=4,
    ),
    _row("jetmoe", **_LOCAL_EXPERTS, kv_channels=8),
    _row(
        "qwen3_next",
        **_EXPERTS,
        shared_expert_intermediate_size=16,
        head_dim=8,
        layer_types=["linear_attention", "full_attention"],
        linear_key_head_dim=8,
        linear_value_head_dim=8,
        linear_num_key_heads=2,
        linear_num_value_heads=4,
    ),
    Configuration(
        "dbrx",
        "dbrx",
        "decoder",
        {
            "d_model": 32,
            "n_heads": 4,
            "n_layers": 2,
            "max_seq_len": 64,
            "vocab_size": VOCABULARY,
            "pad_token_id": 0,
            "attn_config": {"kv_n_heads": 2, "clip_qkv": 8.0, "rope_theta": 10000.0},
            "ffn_config": {
                "hidden_size": 32,
                "ffn_hidden_size": 32,
                "moe_num_experts": 4,
                "moe_top_k": 2,
            },
        },
        text("left"),
    ),
)
