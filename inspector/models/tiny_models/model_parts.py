"""Tiny parts of models of several kinds: what reads their texts, their images, their sounds.

Each is a model type of its own in transformers. Must not know: what is done with a configuration.
"""

from typing import Any

from inspector.models.tiny_models.input_kinds import VOCABULARY, numbers, pixels, text
from inspector.models.tiny_models.tiny_configuration import Configuration

_SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}
_TEXT_SIZES: dict[str, Any] = {
    **_SIZES,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "projection_dim": 16,
}
_DECODER_SIZES: dict[str, Any] = {
    **_TEXT_SIZES,
    "num_key_value_heads": 2,
    "head_dim": 8,
}
_EXPERT_SIZES: dict[str, Any] = {
    **_DECODER_SIZES,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
    "num_experts": 4,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "n_group": 1,
    "topk_group": 1,
    "sliding_window": 4,
}
_IMAGE_SIZES: dict[str, Any] = {
    **_SIZES,
    "image_size": 16,
    "patch_size": 4,
    "num_channels": 3,
}
_SOUND_SIZES: dict[str, Any] = {
    **_SIZES,
    "num_mel_bins": 8,
    "max_source_positions": 12,
}


def _text(name: str, class_name: str = "AutoModel", **settings: Any) -> Configuration:
    merged = {**_TEXT_SIZES, **settings}
    return Configuration(name, name, "text encoder", merged, text(), class_name)


def _decoder(name: str, class_name: str = "AutoModel", **settings: Any) -> Configuration:
    merged = {**_DECODER_SIZES, **settings}
    return Configuration(name, name, "decoder", merged, text("left"), class_name)


def _experts(name: str, class_name: str = "AutoModel", **settings: Any) -> Configuration:
    return _decoder(name, class_name, **{**_EXPERT_SIZES, **settings})


def _images(name: str, class_name: str = "AutoModel", **settings: Any) -> Configuration:
    merged = {**_IMAGE_SIZES, **settings}
    return Configuration(name, name, "vision", merged, pixels(merged["image_size"]), class_name)


def _windows(name: str, class_name: str = "AutoModel", **settings: Any) -> Configuration:
    sizes = {
        "image_size": 16,
        "patch_size": 2,
        "embed_dim": 16,
        "depths": [2, 2],
        "num_heads": [2, 4],
        "window_size": 4,
    }
    return Configuration(name, name, "vision", {**sizes, **settings}, pixels(), class_name)


def _sounds(name: str) -> Configuration:
    inputs = numbers("input_features", 2, 8, 24)
    return Configuration(name, name, "audio", _SOUND_SIZES, inputs)


PARTS = (
    _text("aimv2_text_model", "Aimv2TextModel"),
    _text("align_text_model", "AlignTextModel"),
    _text("chinese_clip_text_model", "ChineseCLIPTextModel"),
    _text("clap_text_model", "ClapTextModel"),
    _text("clipseg_text_model", "CLIPSegTextModel"),
    _text("metaclip_2_text_model", "MetaClip2TextModel"),
    _text("owlv2_text_model", "Owlv2TextModel"),
    _text("owlvit_text_model", "OwlViTTextModel"),
    _text("siglip2_text_model", "Siglip2TextModel"),
    _text("tipsv2_text_model"),
    _text("videoprism_text_model", "VideoPrismTextModel"),
    _text("xclip_text_model", "XCLIPTextModel"),
    _text("dpr"),
    _text("mra", block_per_row=2),
    _text("esmc"),
    _text("flava_text_model", "FlavaTextModel"),
    _text("groupvit_text_model", "GroupViTTextModel"),
    _decoder("emu3_text_model", "Emu3TextModel"),
    _decoder("gpt-sw3", n_embd=32, n_layer=2, n_head=4, n_positions=64),
    _decoder("hrm_text"),
    _decoder("internlm3"),
    _decoder("iquestcoder"),
    _decoder("lfm2"),
    _decoder("mllama_text_model", "MllamaTextModel"),
    _decoder("molmo2_text"),
    _decoder("muse_glimmer_text"),
    _decoder("qwen3_vl_text"),
    _experts("aria_text", moe_num_experts=4, moe_topk=2, moe_num_shared_experts=1),
    _experts("cohere2_moe"),
    _experts("exaone_moe"),
    _experts("granitemoe_swa"),
    _experts("hy_v3"),
    _experts("laguna"),
    _experts("mellum"),
    _experts("openai_privacy_filter"),
    _experts("qwen3_vl_moe_text"),
    _experts("qwen3_omni_moe_text", "Qwen3OmniMoeThinkerTextModel"),
    _images("chinese_clip_vision_model"),
    _images("clipseg_vision_model", "CLIPSegVisionModel"),
    _images("flava_image_model", "FlavaImageModel"),
    _images("git_vision_model", "GitVisionModel"),
    _images("idefics3_vision"),
    _images("janus_vision_model", "JanusVisionModel", mlp_ratio=2),
    _images("metaclip_2_vision_model", "MetaClip2VisionModel"),
    _images("owlv2_vision_model", "Owlv2VisionModel"),
    _images("owlvit_vision_model", "OwlViTVisionModel"),
    _images("pixtral", head_dim=8),
    _images("sapiens2"),
    _images("smolvlm_vision"),
    _images("tipsv2_vision_model", mlp_ratio=2),
    _images("mobilevit", neck_hidden_sizes=[8, 8, 8, 8, 8, 8, 8], hidden_sizes=[16, 16, 16],
            image_size=32, patch_size=2),
    _images(
        "pvt", image_size=16, hidden_sizes=[16, 32], num_encoder_blocks=2, depths=[1, 1],
        num_attention_heads=[2, 4], patch_sizes=[4, 2], strides=[4, 2], mlp_ratios=[2, 2],
        sequence_reduction_ratios=[2, 1],
    ),
    _windows("maskformer-swin", "MaskFormerSwinModel"),
    _windows("swin2sr", patch_size=1, image_size=8),
    _images("mobilevitv2", image_size=64, patch_size=2),
    _sounds("qwen2_audio_encoder"),
    _sounds("voxtral_encoder"),
    _decoder("rwkv", attention_hidden_size=32, context_length=64),
)  # fmt: skip
