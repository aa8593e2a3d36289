"""Tiny readers of sound, as samples or as features.

Must not know: what is done with a configuration.
"""

from typing import Any

from inspector.models.tiny_models.input_kinds import VOCABULARY, ids, joined, numbers, samples
from inspector.models.tiny_models.tiny_configuration import Configuration, MakeInputs

_CONVOLUTIONS: dict[str, Any] = {
    "conv_dim": [16, 16],
    "conv_stride": [4, 2],
    "conv_kernel": [8, 3],
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "vocab_size": 32,
    "apply_spec_augment": False,
    "layerdrop": 0.0,
}
_SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}
_BOTH: dict[str, Any] = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "vocab_size": VOCABULARY,
    "pad_token_id": 1,
    "bos_token_id": 3,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
}


def _waves(name: str, **settings: Any) -> Configuration:
    """Return a row of a family that reads padded samples."""
    merged = {**_SIZES, **_CONVOLUTIONS, **settings}
    return _bare(name, samples(160, lengths=(160, 100)), **merged)


def _bare(
    name: str, inputs: MakeInputs, *, class_name: str = "AutoModel", **settings: Any
) -> Configuration:
    return Configuration(name, name.split(",")[0], "audio", settings, inputs, class_name)


AUDIO = (
    _waves("wav2vec2", feat_extract_norm="layer", do_stable_layer_norm=True),
    _waves("wav2vec2, post-norm"),
    _waves("hubert"),
    _waves("data2vec-audio", conv_pos_kernel_size=3, num_conv_pos_embeddings=2),
    _waves("unispeech"),
    _waves("unispeech-sat"),
    _waves("sew"),
    _waves("wav2vec2-conformer", position_embeddings_type="rotary", conv_depthwise_kernel_size=3),
    # With a mask it warns: PyTorch's own attention is given two kinds of masks.
    _bare("wavlm", samples(160), **_SIZES, **_CONVOLUTIONS),
    _waves("sew-d", max_position_embeddings=64, position_buckets=8),
    _bare(
        "wav2vec2-bert",
        numbers("input_features", 2, 9, 16),
        **_SIZES,
        feature_projection_input_dim=16,
        vocab_size=32,
        layerdrop=0.0,
        apply_spec_augment=False,
        position_embeddings_type="rotary",
        conv_depthwise_kernel_size=3,
    ),
    _bare(
        "audio-spectrogram-transformer",
        numbers("input_values", 2, 16, 8),
        **_SIZES,
        patch_size=4,
        frequency_stride=4,
        time_stride=4,
        max_length=16,
        num_mel_bins=8,
    ),
    _bare(
        "parakeet_encoder",
        numbers("input_features", 2, 32, 8),
        **_SIZES,
        num_mel_bins=8,
        subsampling_factor=4,
        subsampling_conv_channels=8,
        conv_kernel_size=3,
        layerdrop=0.0,
        max_position_embeddings=64,
    ),
    _bare(
        "lasr_encoder",
        numbers("input_features", 2, 32, 8),
        **_SIZES,
        num_mel_bins=8,
        subsampling_conv_channels=8,
        conv_kernel_size=3,
        layerdrop=0.0,
        max_position_embeddings=64,
    ),
    Configuration(
        "whisper",
        "whisper",
        "audio",
        {**_BOTH, "num_mel_bins": 8, "max_source_positions": 12, "max_target_positions": 16},
        joined(numbers("input_features", 3, 8, 24), ids("decoder_input_ids", 7)),
    ),
    Configuration(
        "speech_to_text",
        "speech_to_text",
        "audio",
        {
            **_BOTH,
            "input_feat_per_channel": 8,
            "conv_channels": 16,
            "max_source_positions": 64,
            "max_target_positions": 16,
        },
        joined(numbers("input_features", 3, 24, 8), ids("decoder_input_ids", 7)),
    ),
    Configuration(
        "moonshine",
        "moonshine",
        "audio",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 32,
            "intermediate_size": 48,
            "encoder_num_hidden_layers": 2,
            "decoder_num_hidden_layers": 2,
            "encoder_num_attention_heads": 4,
            "decoder_num_attention_heads": 4,
            "max_position_embeddings": 64,
            "pad_token_id": 0,
        },
        joined(samples(2000, lengths=(2000, 1500, 1500)), ids("decoder_input_ids", 7)),
    ),
)
