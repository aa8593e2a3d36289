"""Modules of their own classes that compute plain attention: where each has its queries and keys.

One row for each class: the names and the layout of its projections, where its mask is, what is
odd about it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

from torch import Tensor

from inspector.attention import split_heads
from inspector.models.calls.call_arguments import split_mask
from inspector.models.custom_attention.observed_forward import (
    Calls,
    Readers,
    Seen,
    called,
    without_cache,
)

READERS = Readers()
_BERT = ("query", "key", "value")
_BART = ("q_proj", "k_proj", "v_proj")
# What a module that attends to another text is given of it, and that text's mask.
_OTHERS = ("encoder_hidden_states", "key_value_states")
_OTHER_MASK = "encoder_attention_mask"


def _plain(
    *classes: str,
    names: Sequence[str] = _BERT,
    output: str | None = None,
    layout: Literal["separate", "features first", "concatenated"] = "separate",
    mask: Callable[[Seen, Tensor, int], Tensor | None] | None = None,
    scaling: Callable[[Any, Tensor], float] | None = None,
    only: Callable[[Seen], bool] = lambda seen: True,
    watched: bool = False,
) -> None:
    """Note modules of softmax(Q Kᵀ · scaling) V, keys of another text included.

    Args:
        classes: As `Readers` has them.
        names: Of the linear layers for queries, keys and values, or of the one for all.
        output: As in `Reader`.
        layout: How they hold their heads: feature by feature after the tokens; before them, as
            convolutions do; or queries, keys and values one after the other in one.
        mask: What says where each query may look; the argument `attention_mask` where not given.
        scaling: Of the scores; 1/√d_head where not given.
        only: When this is the mathematics.
        watched: Whether the softmax is watched: the module returns no probabilities, or none of a
            single head, or adds to the context before W_O.
    """

    @READERS.of(*classes, output=output, watched=watched)
    def read(seen: Seen) -> Calls:
        if not only(seen) or not set(names) <= set(seen.made):  # from a cache, else
            return None
        made = [seen.made[name] for name in names]
        if layout == "concatenated":
            made = list(made[0].chunk(3, dim=-1))
        elif layout == "features first":
            made = [part.mT for part in made]
        query, key, value = (split_heads(part, seen.n_heads) for part in made)
        allowed = None
        if any(seen.arguments.get(name) is not None for name in _OTHERS):
            seen = without_cache(seen)
            allowed = seen.arguments.get(_OTHER_MASK)
        if mask is not None:
            allowed = mask(seen, query, seen.weights.shape[-1])
        factor = None if scaling is None else scaling(seen.module, query)
        product = 0 if watched else None
        return called(
            seen, query, key, value, term="plain", scaling=factor, mask=allowed, product=product
        )


def _causal(seen: Seen, query: Tensor, n_key: int) -> Tensor:
    """Return the module's own table of what stands before, and what padding leaves of it."""
    before: Tensor = seen.module.bias[:, :, n_key - query.shape[2] : n_key, :n_key].bool()
    allowed, _ = split_mask(seen.module, query.dtype, seen.arguments["attention_mask"])
    return before if allowed is None else before & allowed


def _ones(seen: Seen, query: Tensor, n_key: int) -> Tensor:
    """Return XLM's mask: 1 where a query may look, the same for all queries or each its own."""
    mask = seen.arguments["mask"] != 0
    four: Tensor = mask[:, None] if mask.ndim == 3 else mask[:, None, None]
    return four


def _ones_or_added(seen: Seen, query: Tensor, n_key: int) -> Tensor | None:
    """Return CANINE's mask: of three axes, it holds 1 where a query may look."""
    mask: Tensor | None = seen.arguments["attention_mask"]
    return mask[:, None] > 0 if mask is not None and mask.ndim == 3 else mask


def _whether_scaled(module: Any, query: Tensor) -> float:
    return query.shape[-1] ** -0.5 if module.scale else 1.0


def _by_layer(module: Any, query: Tensor) -> float:
    scaling = query.shape[-1] ** -0.5 if module.scale_attn_weights else 1.0
    return scaling / (module.layer_idx + 1) if module.scale_attn_by_inverse_layer_idx else scaling


def _without(argument: str) -> Callable[[Seen], bool]:
    """Return what says whether a module was given no such argument."""
    return lambda seen: seen.arguments.get(argument) is None


_plain(
    "BigBirdSelfAttention", "RemBertSelfAttention", "MegatronBertSelfAttention",
    "TapasSelfAttention", "GitSelfAttention", "VisualBertSelfAttention", "ViltSelfAttention",
    "BigBirdPegasusSelfAttention", "BlipTextSelfAttention", "LxmertAttention", "FlavaSelfAttention",
    "PvtEfficientSelfAttention", "GLPNEfficientSelfAttention",
)  # fmt: skip
_plain("PvtV2SelfAttention", output="proj")
_plain("CanineSelfAttention", mask=_ones_or_added)
_plain("LukeSelfAttention", only=_without("entity_hidden_states"))
_plain("MobileViTSelfAttention", "ConvBertSelfAttention", watched=True)
_plain("IBertSelfAttention", watched=True, only=lambda seen: not seen.module.quant_mode)
# Where it looks at all tokens, not at landmarks in their place.
_plain(
    "NystromformerSelfAttention",
    watched=True,
    only=lambda seen: bool(seen.module.num_landmarks == seen.module.seq_len),
)
_plain("SqueezeBertSelfAttention", watched=True, layout="features first")
_plain(
    "XGLMAttention", "LEDDecoderAttention", "TrOCRAttention", "GroupViTAttention",
    names=_BART, output="out_proj",
)  # fmt: skip
_plain("MvpAttention", names=_BART, output="out_proj", only=_without("attn_prompt"))
_plain(
    "ProphetNetAttention",
    names=("query_proj", "key_proj", "value_proj"),
    output="out_proj",
    watched=True,
)
_plain(
    "modeling_xlm.MultiHeadAttention", "modeling_flaubert.MultiHeadAttention",
    names=("q_lin", "k_lin", "v_lin"), output="out_lin", mask=_ones,
)  # fmt: skip
_plain("TimesformerSelfAttention", names=["qkv"], layout="concatenated")
_plain("BlipAttention", names=["qkv"], output="projection", layout="concatenated")
_plain(
    "modeling_openai.Attention",
    names=["c_attn"], output="c_proj", layout="concatenated", mask=_causal, scaling=_whether_scaled,
)  # fmt: skip
_plain(
    "ImageGPTAttention",
    names=["c_attn"], output="c_proj", layout="concatenated", mask=_causal, scaling=_by_layer,
    only=lambda seen: not seen.module.is_cross_attention,
)  # fmt: skip


@READERS.of("modeling_fsmt.Attention", output="out_proj")
def _tokens_first(seen: Seen) -> Calls:
    """FSMT's attention: plain, on texts laid out token by text, with two masks."""
    if "k_proj" not in seen.made:
        return None
    made = {name: part.transpose(0, 1) for name, part in seen.made.items()}
    if seen.module.encoder_decoder_attention:
        seen = without_cache(seen)
    query, key, value = (split_heads(made[name], seen.n_heads) for name in _BART)
    padding = seen.arguments["key_padding_mask"]
    causal, bias = split_mask(seen.module, query.dtype, seen.arguments["attn_mask"])
    allowed = None if padding is None or padding.ndim == 0 else ~padding[:, None, None].bool()
    if causal is not None:
        allowed = causal if allowed is None else causal & allowed
    seen = replace(seen, made=made, context=seen.context.transpose(0, 1))
    return called(seen, query, key, value, term="plain", mask=allowed, bias=bias)
