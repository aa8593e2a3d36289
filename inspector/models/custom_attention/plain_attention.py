"""Modules of their own classes that compute plain attention: where each has its queries and keys.

One row for each class: the names and the layout of its projections, where its mask is, what is
odd about it. Must not know: how a module is watched.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from torch import Tensor

from inspector.attention import split_heads
from inspector.models.calls.call_arguments import split_mask
from inspector.models.custom_attention.observed_forward import (
    Calls,
    Reader,
    Seen,
    called,
    without_cache,
)

Layout = Literal["separate", "features first", "concatenated"]
_BERT = ("query", "key", "value")
_BART = ("q_proj", "k_proj", "v_proj")
# What a module that attends to another text is given of it, and that text's mask.
_OTHERS = ("encoder_hidden_states", "key_value_states")
_OTHER_MASK = "encoder_attention_mask"


def plain(
    *names: str,
    layout: Layout = "separate",
    mask: Callable[[Seen, Tensor, int], Tensor | None] | None = None,
    scaling: Callable[[Any, Tensor], float] | None = None,
    only: Callable[[Any], bool] = lambda module: True,
    watched: bool = False,
) -> Callable[[Seen], Calls]:
    """Return a reader of softmax(Q Kᵀ · scaling) V, keys of another text included.

    Args:
        names: Of the linear layers for queries, keys and values, or of the one for all.
        layout: How they hold their heads: feature by feature after the tokens; before them, as
            convolutions do; or queries, keys and values one after the other in one.
        mask: What says where each query may look; the argument `attention_mask` where not given.
        scaling: Of the scores; 1/√d_head where not given.
        only: In which of such modules this is the mathematics.
        watched: Whether the softmax was watched, for want of what it returns.
    """

    def read(seen: Seen) -> Calls:
        if not only(seen.module) or not set(names) <= set(seen.made):  # from a cache, else
            return None
        query, key, value = (split_heads(part, seen.n_heads) for part in _parts(seen, names))
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

    def _parts(seen: Seen, names: tuple[str, ...]) -> tuple[Tensor, ...]:
        made = tuple(seen.made[name] for name in names)
        if layout == "concatenated":
            return made[0].chunk(3, dim=-1)
        return tuple(part.mT for part in made) if layout == "features first" else made

    return read


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


def _whole(module: Any) -> bool:
    """Return whether a Nyströmformer looks at all tokens, not at landmarks in their place."""
    return bool(module.num_landmarks == module.seq_len)


def _own_heads(module: Any) -> bool:
    return not module.is_cross_attention


_AS_BERT = Reader(plain(*_BERT))
_AS_BART = Reader(plain(*_BART), "out_proj")
_FUSED = plain("qkv", layout="concatenated")
_AS_XLM = Reader(plain("q_lin", "k_lin", "v_lin", mask=_ones), "out_lin")

PLAIN_READERS: dict[str, Reader] = {
    "BigBirdPegasusSelfAttention": _AS_BERT,
    "BlipTextSelfAttention": _AS_BERT,
    "LxmertAttention": _AS_BERT,
    "FlavaSelfAttention": _AS_BERT,
    "PvtEfficientSelfAttention": _AS_BERT,
    "GLPNEfficientSelfAttention": _AS_BERT,
    "PvtV2SelfAttention": Reader(plain(*_BERT), "proj"),
    "CanineSelfAttention": Reader(plain(*_BERT, mask=_ones_or_added)),
    "XGLMAttention": _AS_BART,
    "LEDDecoderAttention": _AS_BART,
    "TrOCRAttention": _AS_BART,
    "GroupViTAttention": _AS_BART,
    "modeling_fsmt.Attention": Reader(_tokens_first, "out_proj"),
    "modeling_xlm.MultiHeadAttention": _AS_XLM,
    "modeling_flaubert.MultiHeadAttention": _AS_XLM,
    "TimesformerSelfAttention": Reader(_FUSED),
    "BlipAttention": Reader(_FUSED, "projection"),
    "modeling_openai.Attention": Reader(
        plain("c_attn", layout="concatenated", mask=_causal, scaling=_whether_scaled), "c_proj"
    ),
    "ImageGPTAttention": Reader(
        plain("c_attn", layout="concatenated", mask=_causal, scaling=_by_layer, only=_own_heads),
        "c_proj",
    ),
    # These return no probabilities, or none of a single head, or add to the context before W_O.
    "ProphetNetAttention": Reader(
        plain("query_proj", "key_proj", "value_proj", watched=True), "out_proj", watched=True
    ),
    "SqueezeBertSelfAttention": Reader(
        plain(*_BERT, layout="features first", watched=True), watched=True
    ),
    "IBertSelfAttention": Reader(
        plain(*_BERT, watched=True, only=lambda module: not module.quant_mode), watched=True
    ),
    "MobileViTSelfAttention": Reader(plain(*_BERT, watched=True), watched=True),
    "ConvBertSelfAttention": Reader(plain(*_BERT, watched=True), watched=True),
    "NystromformerSelfAttention": Reader(plain(*_BERT, watched=True, only=_whole), watched=True),
}
"""Class of a module, after its file where two share a name → how it is read."""
