"""Tiny readers of texts and images together, and the parts of such models that read texts.

Must not know: what is done with a configuration.
"""

from typing import Any

from inspector.models.tiny_models.input_kinds import VOCABULARY, joined, numbers, pixels, text
from inspector.models.tiny_models.tiny_configuration import Configuration, MakeInputs

_BERT_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
}
_TEXT = {
    **_BERT_SIZES,
    "projection_dim": 16,
    "eos_token_id": 98,
    "bos_token_id": 1,
    "pad_token_id": 0,
}
_VISION = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "image_size": 16,
    "patch_size": 4,
    "projection_dim": 16,
}
_LLAMA = {**_BERT_SIZES, "model_type": "llama", "num_key_value_heads": 2, "pad_token_id": 0}


def _pair(name: str, **settings: Any) -> Configuration:
    """Return a row of a family that has a part for texts and one for images."""
    merged = {"text_config": _TEXT, "vision_config": _VISION, "projection_dim": 16, **settings}
    return _bare(name, joined(text(), pixels(batch=3)), **merged)


def _bare(name: str, inputs: MakeInputs, **settings: Any) -> Configuration:
    return Configuration(name, name.split(",")[0], "text and vision", settings, inputs)


def _text(name: str, **settings: Any) -> Configuration:
    return Configuration(name, name, "text encoder", {**_TEXT, **settings}, text())


MIXED = (
    _pair("clip"),
    _pair("chinese_clip"),
    _pair("siglip"),
    _pair("metaclip_2"),
    _pair("aimv2"),
    _pair("owlvit"),
    _pair(
        "clipseg",
        extract_layers=[0, 1],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    ),
    _pair("altclip"),
    _text("clip_text_model"),
    Configuration(
        "siglip_text_model", "siglip_text_model", "text encoder", _TEXT, text(), "SiglipTextModel"
    ),
    _bare(
        "vilt",
        joined(text(), pixels(batch=3)),
        **{**_BERT_SIZES, "image_size": 16, "patch_size": 4, "max_image_length": -1},
    ),
    _bare(
        "visual_bert",
        joined(text(), numbers("visual_embeds", 3, 4, 16)),
        **_BERT_SIZES,
        visual_embedding_dim=16,
    ),
    _bare(
        "lxmert",
        joined(text(), numbers("visual_feats", 3, 4, 16), numbers("visual_pos", 3, 4, 4)),
        **{**_BERT_SIZES, "l_layers": 1, "x_layers": 1, "r_layers": 1, "visual_feat_dim": 16},
    ),
    _bare(
        "git",
        joined(text(), pixels(batch=3)),
        **{
            **_BERT_SIZES,
            "vision_config": _VISION,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
    ),
    _bare(
        "llava, text alone",
        text("left"),
        text_config=_LLAMA,
        vision_config={**_VISION, "model_type": "clip_vision_model"},
        image_token_index=4,
    ),
)
