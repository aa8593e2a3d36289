"""Tiny encoders of texts: BERT and its kin, and those with an attention of their own.

Must not know: what is done with a configuration.
"""

from typing import Any

from inspector.models.tiny_models.input_kinds import VOCABULARY, boxes, joined, text
from inspector.models.tiny_models.tiny_configuration import Configuration, MakeInputs

_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
}
_XLM_SIZES = {
    "vocab_size": VOCABULARY,
    "emb_dim": 32,
    "n_layers": 2,
    "n_heads": 4,
    "max_position_embeddings": 64,
    "pad_token_id": 2,
    "pad_index": 2,
}


def _row(name: str, *, inputs: MakeInputs | None = None, **settings: Any) -> Configuration:
    merged = {**_SIZES, **settings}
    made = inputs or text(pad_id=merged["pad_token_id"])
    return Configuration(name, name.split(",")[0], "text encoder", merged, made)


def _bare(name: str, *, pad_id: int = 0, **settings: Any) -> Configuration:
    """Return a row of a family that names its sizes otherwise."""
    return Configuration(name, name.split(",")[0], "text encoder", settings, text(pad_id=pad_id))


def _funnel(name: str, **settings: Any) -> Configuration:
    sizes = {
        "vocab_size": VOCABULARY,
        "block_sizes": [1, 1],
        "block_repeats": [1, 1],
        "num_decoder_layers": 1,
        "d_model": 32,
        "n_head": 4,
        "d_head": 8,
        "d_inner": 48,
    }
    return Configuration(
        name, "funnel", "text encoder", {**sizes, **settings}, text(), "FunnelModel"
    )


TEXT_ENCODERS = (
    # Through transformers' attention interface.
    _row("bert"),
    _row("bert, decoder", is_decoder=True),
    _row("roberta", pad_token_id=1),
    _row("xlm-roberta", pad_token_id=1),
    _row("xlm-roberta-xl", pad_token_id=1),
    _row("camembert", pad_token_id=1),
    _row("electra", embedding_size=16),
    _bare(
        "distilbert",
        vocab_size=VOCABULARY,
        dim=32,
        n_layers=2,
        n_heads=4,
        hidden_dim=48,
        max_position_embeddings=64,
    ),
    _row("albert", embedding_size=16),
    _row(
        "mobilebert",
        embedding_size=16,
        intra_bottleneck_size=16,
        num_feedforward_networks=2,
    ),
    _row("ernie"),
    _row("esm", pad_token_id=1, mask_token_id=4),
    _row("esm, rotary", pad_token_id=1, mask_token_id=4, position_embedding_type="rotary"),
    _row("data2vec-text", pad_token_id=1),
    _row("layoutlm", inputs=joined(text(), boxes(9)), max_2d_position_embeddings=64),
    _row("splinter"),
    _row("nomic_bert"),
    _row("eurobert", num_key_value_heads=2),
    _row(
        "modernbert",
        local_attention=6,
        bos_token_id=1,
        eos_token_id=2,
        cls_token_id=1,
        sep_token_id=2,
    ),
    _row("bert-generation"),
    _row("roberta-prelayernorm", pad_token_id=1),
    _row("roc_bert", enable_pronunciation=False, enable_shape=False),
    _row("xmod", pad_token_id=1, default_language="en_XX"),
    _row("jina_embeddings_v3", pad_token_id=1),
    _row("gte", pad_token_id=1),
    _row("markuplm", max_depth=4, xpath_unit_hidden_size=4),
    _row(
        "ultrabert",
        num_key_value_heads=2,
        sliding_window=4,
        prediction_head_size=16,
    ),
    # With an attention of their own.
    _row("mpnet", pad_token_id=1),
    _row("deberta", relative_attention=True, pos_att_type=["c2p", "p2c"], max_relative_positions=8),
    _row(
        "deberta-v2",
        relative_attention=True,
        pos_att_type=["c2p", "p2c"],
        position_buckets=4,
        max_relative_positions=8,
        share_att_key=False,
    ),
    _row(
        "deberta-v2, shared",
        relative_attention=True,
        pos_att_type=["c2p", "p2c"],
        position_buckets=4,
        share_att_key=True,
        norm_rel_ebd="layer_norm",
    ),
    _row("rembert", input_embedding_size=16, output_embedding_size=16),
    _row("megatron-bert"),
    _row("big_bird", attention_type="original_full"),
    _row("luke", pad_token_id=1, entity_vocab_size=20, entity_emb_size=16),
    _row("roformer"),
    _row(
        "lilt",
        pad_token_id=1,
        hidden_size=48,
        inputs=joined(text(pad_id=1), boxes(9)),
        max_2d_position_embeddings=64,
        channel_shrink_ratio=2,
    ),
    _row("bros", inputs=joined(text(), boxes(9, coordinates=8)), hidden_size=64, dim_bbox=8),
    _row("squeezebert", embedding_size=32),
    _row("ibert", pad_token_id=1),
    _row("convbert", pad_token_id=1, embedding_size=32),
    _row(
        "nystromformer",
        pad_token_id=1,
        segment_means_seq_len=9,
        num_landmarks=9,
        conv_kernel_size=5,
    ),
    _row(
        "nystromformer, landmarks",
        pad_token_id=1,
        segment_means_seq_len=9,
        num_landmarks=3,
        conv_kernel_size=5,
    ),
    _row("longformer", pad_token_id=1, attention_window=4),
    _row("canine", num_hash_buckets=32, local_transformer_stride=8, downsampling_rate=4),
    _row("tapas"),
    _row("yoso", pad_token_id=1),
    _bare("flaubert", pad_id=2, **_XLM_SIZES),
    _bare("xlm", pad_id=2, **_XLM_SIZES),
    _bare(
        "xlnet",
        vocab_size=VOCABULARY,
        d_model=32,
        n_layer=2,
        n_head=4,
        d_inner=48,
        pad_token_id=0,
    ),
    _funnel("funnel"),
    _funnel("funnel, factorized", attention_type="factorized"),
    _row("fnet"),
)
