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
    repeat_key_value_heads,
)
from inspector.attention.layer_weights import HeadWeights, LayerWeights
from inspector.attention.masks import causal_mask, padding_mask, window_mask
from inspector.attention.modules import Attention, MultiHeadAttention, SelfAttention
from inspector.attention.multi_head import (
    MultiHeadStages,
    attend_heads,
    combine_heads,
    multi_head_attention,
    project_heads,
)
from inspector.attention.scores import (
    AdditiveScore,
    GeneralScore,
    additive_scores,
    dot_product_scores,
    general_scores,
    scaled_dot_product_scores,
)
from inspector.attention.softmax import masked_softmax
from inspector.attention.steps import STEPS, Steps, merge_heads, split_heads

__all__ = [
    "dot_product_scores",
    "scaled_dot_product_scores",
    "general_scores",
    "additive_scores",
    "GeneralScore",
    "AdditiveScore",
    "padding_mask",
    "causal_mask",
    "window_mask",
    "capped_scores",
    "masked_softmax",
    "Attended",
    "attention",
    "HeadWeights",
    "LayerWeights",
    "MultiHeadStages",
    "split_heads",
    "merge_heads",
    "repeat_key_value_heads",
    "Steps",
    "STEPS",
    "project_heads",
    "attend_heads",
    "combine_heads",
    "multi_head_attention",
    "Attention",
    "SelfAttention",
    "MultiHeadAttention",
]
