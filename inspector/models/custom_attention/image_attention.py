"""Attention of image models in classes of their own: windows, places in the plane, pooling heads.

Each reader says what biases its scores; the softmax and the sums are ours.
Must not know: how a module is watched.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import normalize

from inspector.attention import split_heads
from inspector.models.custom_attention.observed_forward import Calls, Reader, Seen, called
from inspector.models.custom_attention.softmax_watch import Product

_LARGEST_SCALE = 100.0
_LARGEST_BIAS = 16.0


def _by_window(mask: Tensor | None, batch: int) -> Tensor | None:
    """Return what is added to the scores in each window of each image, windows within images."""
    return None if mask is None else mask.repeat(batch // len(mask), 1, 1)[:, None]


def _of_pairs(table: Tensor, index: Tensor) -> Tensor:
    """Return (1, head, query, key) of a table (place, head) and the place of each pair."""
    return table[index].permute(2, 0, 1)[None]


def _swin(seen: Seen) -> Calls:
    module = seen.module
    query, key, value = seen.heads("query", "key", "value")
    bias = _of_pairs(module.relative_position_bias_table, module.relative_position_index)
    mask = _by_window(seen.arguments["attention_mask"], len(query))
    return called(seen, query, key, value, term="relative bias", bias=bias, mask=mask)


def _swin_v2(seen: Seen) -> Calls:
    """Scores are cosines, scaled by each head's own factor; the mask is added twice.

    Source: Liu et al. (2022), arXiv:2111.09883, eq. 2 and sec. 3.3.
    """
    module = seen.module
    query, key, value = seen.heads("query", "key", "value")
    scale = module.logit_scale.clamp(max=math.log(_LARGEST_SCALE)).exp()
    table = seen.made["continuous_position_bias_mlp"].reshape(-1, seen.n_heads)
    bias = _LARGEST_BIAS * _of_pairs(table, module.relative_position_index).sigmoid()
    mask = _by_window(seen.arguments["attention_mask"], len(query))
    return called(
        seen, normalize(query, dim=-1) * scale, normalize(key, dim=-1), value, term="cosine",
        scaling=1.0, bias=bias, mask=None if mask is None else 2.0 * mask,
    )  # fmt: skip


def _vit_det(seen: Seen) -> Calls:
    """A query's product with the distance in height, and with that in width, is added.

    Source: Li et al. (2022), arXiv:2112.01526, sec. 4.1.
    """
    module, fused = seen.module, seen.made["qkv"]
    height, width = fused.shape[1:3]
    query, key, value = (split_heads(p, seen.n_heads) for p in fused.flatten(1, 2).chunk(3, -1))
    bias = None
    if module.use_relative_position_embeddings:
        tables = module.rel_pos_h, module.rel_pos_w
        if tuple(len(table) for table in tables) != (2 * height - 1, 2 * width - 1):
            return None  # it stretches its tables
        grid = query.unflatten(2, (height, width))
        rows = torch.einsum("bhyxd,yzd->bhyxz", grid, _by_distance(tables[0], height))
        columns = torch.einsum("bhyxd,xzd->bhyxz", grid, _by_distance(tables[1], width))
        bias = (rows[..., :, None] + columns[..., None, :]).flatten(4).flatten(2, 3)
    term = "plain" if bias is None else "relative bias"
    return called(seen, query, key, value, term=term, bias=bias, product=0)


def _by_distance(table: Tensor, size: int) -> Tensor:
    """Return (from, to, d_head) of a table by distance, the longest negative one first."""
    places = torch.arange(size, device=table.device)
    return table[places[:, None] - places + size - 1]


def _hiera(seen: Seen) -> Calls:
    """Each mask unit is a text of its own; queries may be the largest of several."""
    module, fused = seen.module, seen.made["qkv"]
    batch, n_tokens, _ = fused.shape
    stride = module.query_stride
    unit = stride * module.window_size if module.use_mask_unit_attn else n_tokens
    parts = fused.reshape(batch, unit, -1, 3, module.num_heads, module.head_dim)
    query, key, value = parts.permute(3, 0, 2, 4, 1, 5).flatten(1, 2)
    if stride > 1:
        query = query.unflatten(2, (stride, -1)).amax(dim=2)
    product, n_units = seen.products[0], fused.shape[1] // unit
    heads = (batch, module.num_heads, n_units)

    def units_first(tensor: Tensor) -> Tensor:
        return tensor.reshape(*heads, *tensor.shape[-2:]).transpose(1, 2)

    seen = replace(
        seen, products=[Product(units_first(product.probabilities), units_first(product.context))]
    )
    return called(seen, query, key, value, term="plain", product=0)


def _multi_head(seen: Seen) -> Calls:
    """PyTorch's own module, where keys and values are as wide as queries."""
    module, given = seen.module, seen.arguments
    if module.in_proj_weight is None or module.bias_k is not None or module.add_zero_attn:
        return None
    inputs = [given[name] for name in ("query", "key", "value")]
    if inputs[0].ndim != 3:
        return None
    biases = [None] * 3 if module.in_proj_bias is None else module.in_proj_bias.chunk(3)
    query, key, value = (
        split_heads(
            torch.nn.functional.linear(
                x if module.batch_first else x.transpose(0, 1), weight, bias
            ),
            seen.n_heads,
        )
        for x, weight, bias in zip(inputs, module.in_proj_weight.chunk(3), biases, strict=True)
    )
    added = [
        mask
        for mask in (
            _added(given["key_padding_mask"], query, 1),
            _added(given["attn_mask"], query, query.shape[2]),
        )
        if mask is not None
    ]
    mask = None if not added else sum(added[1:], added[0])
    return called(seen, query, key, value, term="plain", mask=mask, product=0)


def _added(mask: Tensor | None, query: Tensor, n_query: int) -> Tensor | None:
    """Return PyTorch's mask, True where a query may not look, as what is added to the scores."""
    if mask is None:
        return None
    if mask.dtype == torch.bool:
        mask = query.new_zeros(mask.shape).masked_fill(mask, float("-inf"))
    by_head = mask.reshape(len(query), -1, *mask.shape[1:]) if mask.ndim == 3 else None
    return mask.reshape(-1, 1, n_query, mask.shape[-1]) if by_head is None else by_head


def _pooled(seen: Seen) -> Calls:
    """AIMv2's head: one learned query looks at all tokens."""
    key, value = seen.heads("k_proj", "v_proj")
    query = split_heads(seen.module.cls_token.expand(len(key), -1, -1), seen.n_heads)
    return called(seen, query, key, value, term="plain", product=0)


IMAGE_READERS: dict[str, Reader] = {
    "DonutSwinSelfAttention": Reader(_swin),
    "MaskFormerSwinSelfAttention": Reader(_swin),
    "Swinv2SelfAttention": Reader(_swin_v2),
    "Swin2SRSelfAttention": Reader(_swin_v2),
    "VitDetAttention": Reader(_vit_det, watched=True),
    "HieraMaskUnitAttention": Reader(_hiera, watched=True),
    "activation.MultiheadAttention": Reader(_multi_head, watched=True),
    "Aimv2AttentionPoolingHead": Reader(_pooled, watched=True),
}
"""Class of a module, after its file where two share a name → how it is read."""
