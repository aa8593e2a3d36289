"""The equations of attention, written once, in plain torch.

Score functions, the softmax over the allowed keys, attention, and from them self-attention
and multi-head attention. Everything else in inspector (the backend inside a real model,
verification's reference, the Concepts page) calls what is defined here.
Must not know: anything but torch.
"""

from inspector.attention.functional import (
    Attended,
    attention,
    capped_scores,
    masked_softmax,
    repeat_key_value_heads,
)
from inspector.attention.masks import causal_mask, padding_mask
from inspector.attention.modules import Attention, MultiHeadAttention, SelfAttention
from inspector.attention.multi_head import (
    LayerWeights,
    MultiHeadStages,
    combine_heads,
    merge_heads,
    multi_head_attention,
    project_heads,
    split_heads,
)
from inspector.attention.scores import (
    AdditiveScore,
    GeneralScore,
    additive_scores,
    dot_product_scores,
    general_scores,
    scaled_dot_product_scores,
)

__all__ = [
    "dot_product_scores",
    "scaled_dot_product_scores",
    "general_scores",
    "additive_scores",
    "GeneralScore",
    "AdditiveScore",
    "padding_mask",
    "causal_mask",
    "capped_scores",
    "masked_softmax",
    "Attended",
    "attention",
    "LayerWeights",
    "MultiHeadStages",
    "split_heads",
    "merge_heads",
    "repeat_key_value_heads",
    "project_heads",
    "combine_heads",
    "multi_head_attention",
    "Attention",
    "SelfAttention",
    "MultiHeadAttention",
]
