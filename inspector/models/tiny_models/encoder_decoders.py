"""Tiny encoder-decoders: texts in, texts out.

Must not know: what is done with a configuration.
"""

from typing import Any

from inspector.models.tiny_models.input_kinds import VOCABULARY, sequences
from inspector.models.tiny_models.tiny_configuration import Configuration

_T5_SIZES = {
    "vocab_size": VOCABULARY,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 4,
    "pad_token_id": 0,
    "decoder_start_token_id": 0,
}
_BART_SIZES = {
    "vocab_size": VOCABULARY,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": 64,
    "pad_token_id": 1,
    "decoder_start_token_id": 2,
}
_GEMMA_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "sliding_window": 4,
    "query_pre_attn_scalar": 8,
    "attn_logit_softcapping": 2.0,
    "layer_types": ["sliding_attention", "full_attention"],
}


def _t5(name: str, **settings: Any) -> Configuration:
    merged = {**_T5_SIZES, **settings}
    return Configuration(name, name.split(",")[0], "encoder-decoder", merged, sequences())


def _bart(name: str, **settings: Any) -> Configuration:
    merged = {**_BART_SIZES, **settings}
    inputs = sequences(merged["pad_token_id"])
    return Configuration(name, name.split(",")[0], "encoder-decoder", merged, inputs)


ENCODER_DECODERS = (
    _t5("t5"),
    _t5("t5, gated", feed_forward_proj="gated-gelu"),
    _t5("mt5"),
    _t5("umt5"),
    _t5("longt5, local", local_radius=3, encoder_attention_type="local"),
    _t5(
        "longt5, transient global",
        local_radius=3,
        global_block_size=4,
        encoder_attention_type="transient-global",
    ),
    _t5(
        "switch_transformers",
        num_decoder_layers=2,
        num_sparse_encoder_layers=1,
        num_sparse_decoder_layers=1,
        num_experts=4,
    ),
    _bart("bart"),
    _bart("mbart"),
    _bart("pegasus", pad_token_id=0),
    _bart("marian", pad_token_id=0),
    _bart("m2m_100"),
    _bart(
        "nllb-moe", num_experts=4, expert_capacity=64, encoder_sparse_step=2, decoder_sparse_step=2
    ),
    _bart("blenderbot", pad_token_id=0),
    _bart("blenderbot-small", pad_token_id=0),
    _bart("plbart"),
    _bart("bigbird_pegasus", attention_type="original_full", pad_token_id=0),
    _bart("pegasus_x", pad_token_id=0, num_global_tokens=4, block_size=4),
    _bart(
        "led",
        attention_window=4,
        max_encoder_position_embeddings=64,
        max_decoder_position_embeddings=64,
    ),
    _bart("mvp"),
    _bart("fsmt", src_vocab_size=VOCABULARY, tgt_vocab_size=VOCABULARY),
    Configuration(
        "t5gemma",
        "t5gemma",
        "encoder-decoder",
        {"encoder": _GEMMA_SIZES, "decoder": _GEMMA_SIZES, "vocab_size": VOCABULARY},
        sequences(),
    ),
    Configuration(
        "prophetnet",
        "prophetnet",
        "encoder-decoder",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 32,
            "num_encoder_layers": 2,
            "num_decoder_layers": 2,
            "num_encoder_attention_heads": 4,
            "num_decoder_attention_heads": 4,
            "encoder_ffn_dim": 48,
            "decoder_ffn_dim": 48,
            "max_position_embeddings": 64,
        },
        sequences(),
    ),
)
