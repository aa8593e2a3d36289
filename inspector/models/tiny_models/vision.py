"""Tiny readers of images and videos.

Must not know: what is done with a configuration.
"""

from typing import Any

from inspector.models.tiny_models.input_kinds import ids, numbers, pixels
from inspector.models.tiny_models.tiny_configuration import Configuration, MakeInputs

_SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "image_size": 16,
    "patch_size": 4,
    "num_channels": 3,
}
_SWIN_SIZES: dict[str, Any] = {
    "image_size": 16,
    "patch_size": 2,
    "embed_dim": 16,
    "depths": [2, 2],
    "num_heads": [2, 4],
    "window_size": 4,
}
_PYRAMID_SIZES: dict[str, Any] = {
    "num_encoder_blocks": 2,
    "depths": [1, 1],
    "hidden_sizes": [16, 32],
    "num_attention_heads": [2, 4],
    "patch_sizes": [3, 3],
    "strides": [2, 2],
}


def _row(
    name: str, *, inputs: MakeInputs | None = None, class_name: str = "AutoModel", **settings: Any
) -> Configuration:
    return _bare(name, inputs=inputs, class_name=class_name, **{**_SIZES, **settings})


def _bare(
    name: str, *, inputs: MakeInputs | None = None, class_name: str = "AutoModel", **settings: Any
) -> Configuration:
    return Configuration(
        name, name.split(",")[0], "vision", settings, inputs or pixels(), class_name
    )


VISION = (
    _row("vit"),
    _row("deit"),
    _row("beit"),
    _row("beit, relative bias", use_relative_position_bias=True),
    _row("beit, shared relative bias", use_shared_relative_position_bias=True),
    _row("dinov2", mlp_ratio=2),
    _row("dinov2_with_registers", mlp_ratio=2),
    _row("dinov3_vit", num_register_tokens=2),
    _row("ijepa"),
    _row("vit_mae", mask_ratio=0.0),
    _row("vit_msn"),
    _row("pixio", mlp_ratio=2, n_cls_tokens=2),
    _row("yolos", image_size=[16, 16], num_detection_tokens=3),
    _row("videomae", num_frames=2, inputs=numbers("pixel_values", 2, 2, 3, 16, 16)),
    _row(
        "vivit",
        num_frames=2,
        tubelet_size=[2, 4, 4],
        inputs=numbers("pixel_values", 2, 2, 3, 16, 16),
    ),
    _row("timesformer", num_frames=2, inputs=numbers("pixel_values", 2, 2, 3, 16, 16)),
    _row("clip_vision_model"),
    _row("siglip_vision_model"),
    _row("aimv2_vision_model"),
    _row("mlcd_vision_model", hidden_size=64),
    _row("blip_vision_model", class_name="BlipVisionModel"),
    _row("blip_2_vision_model", class_name="Blip2VisionModel"),
    _row("dpt", backbone_out_indices=[0, 1, 1, 1], neck_hidden_sizes=[8, 8, 8, 8]),
    _bare("swin", **_SWIN_SIZES),
    _bare("donut-swin", **_SWIN_SIZES),
    _bare("swinv2", **_SWIN_SIZES),
    _bare("segformer", **_PYRAMID_SIZES, sr_ratios=[2, 1], mlp_ratios=[2, 2]),
    _bare("glpn", **_PYRAMID_SIZES, sr_ratios=[2, 1], mlp_ratios=[2, 2]),
    _bare(
        "pvt_v2",
        **{**_PYRAMID_SIZES, "num_encoder_blocks": 2},
        image_size=16,
        sr_ratios=[2, 1],
        mlp_ratios=[2, 2],
    ),
    _row("data2vec-vision", use_relative_position_bias=True, out_indices=[0, 1, 1, 1]),
    _bare(
        "hiera",
        embed_dim=8,
        image_size=[32, 32],
        patch_size=[3, 3],
        patch_stride=[2, 2],
        patch_padding=[1, 1],
        depths=[1, 1],
        num_heads=[1, 2],
        num_query_pool=1,
        query_stride=[2, 2],
        masked_unit_size=[4, 4],
        masked_unit_attention=[True, False],
        inputs=pixels(32),
    ),
    _bare(
        "vjepa2",
        patch_size=4,
        crop_size=16,
        frames_per_clip=2,
        tubelet_size=2,
        hidden_size=32,
        num_attention_heads=4,
        num_hidden_layers=2,
        mlp_ratio=2.0,
        pred_hidden_size=32,
        pred_num_attention_heads=4,
        pred_num_hidden_layers=1,
        num_pooler_layers=1,
        inputs=numbers("pixel_values_videos", 2, 2, 3, 16, 16),
    ),
    _bare(
        "imagegpt",
        vocab_size=99,
        n_positions=64,
        n_embd=32,
        n_layer=2,
        n_head=4,
        inputs=ids("input_ids", 9),
    ),
    _bare(
        "vitdet",
        **{key: value for key, value in _SIZES.items() if key != "intermediate_size"},
        pretrain_image_size=16,
        mlp_ratio=2,
    ),
    _bare(
        "vitdet, relative places",
        **{key: value for key, value in _SIZES.items() if key != "intermediate_size"},
        pretrain_image_size=16,
        mlp_ratio=2,
        use_relative_position_embeddings=True,
        window_block_indices=[0],
        window_size=2,
    ),
)
