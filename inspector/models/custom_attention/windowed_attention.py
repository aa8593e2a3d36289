"""Attention in windows and blocks, of images and of long texts, in classes of their own.

A window is a text of its own, whose keys are few. Each reader cuts queries, keys and values as the
family does and says what biases its scores; the softmax and the sums are ours.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad

from inspector.attention import split_heads
from inspector.models.custom_attention.observed_forward import (
    Calls,
    Product,
    Readers,
    Seen,
    called,
    without_cache,
)

READERS = Readers()
_LARGEST_SCALE = 100.0
_LARGEST_BIAS = 16.0
# LongT5 writes −10¹⁰ where a query may not look.
_FORBIDDEN = -1e9


def _by_window(mask: Tensor | None, batch: int) -> Tensor | None:
    """Return what is added to the scores in each window of each image, windows within images."""
    return None if mask is None else mask.repeat(batch // len(mask), 1, 1)[:, None]


def _of_pairs(table: Tensor, index: Tensor) -> Tensor:
    """Return (1, head, query, key) of a table (place, head) and the place of each pair."""
    return table[index].permute(2, 0, 1)[None]


@READERS.of("DonutSwinSelfAttention", "MaskFormerSwinSelfAttention")
def _swin(seen: Seen) -> Calls:
    module = seen.module
    query, key, value = seen.heads("query", "key", "value")
    bias = _of_pairs(module.relative_position_bias_table, module.relative_position_index)
    mask = _by_window(seen.arguments["attention_mask"], len(query))
    return called(seen, query, key, value, term="relative bias", bias=bias, mask=mask)


@READERS.of("Swinv2SelfAttention", "Swin2SRSelfAttention")
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


@READERS.of("VitDetAttention", watched=True)
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


@READERS.of("HieraMaskUnitAttention", watched=True)
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


@READERS.of("activation.MultiheadAttention", watched=True)
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


@READERS.of("Aimv2AttentionPoolingHead", watched=True)
def _pooled(seen: Seen) -> Calls:
    """AIMv2's head: one learned query looks at all tokens."""
    key, value = seen.heads("k_proj", "v_proj")
    query = split_heads(seen.module.cls_token.expand(len(key), -1, -1), seen.n_heads)
    return called(seen, query, key, value, term="plain", product=0)


@READERS.of("LongformerSelfAttention", "LEDEncoderSelfAttention")
def _sliding(seen: Seen) -> Calls:
    """Longformer's window: each query looks at the tokens around it, itself in the middle.

    Where some tokens look at all others, its mathematics is another.

    Source: Beltagy et al. (2020), arXiv:2004.05150, sec. 3.1.
    """
    given, reach = seen.arguments, seen.module.one_sided_attn_window_size
    if given["is_global_attn"]:
        return None
    # It divides its queries by √d_head where they stand, after they were seen.
    query, key, value = (
        seen.made[name].transpose(0, 1).unflatten(-1, (seen.n_heads, -1))
        for name in ("query", "key", "value")
    )
    hidden = given["attention_mask"] != 0
    allowed = pad(~hidden, (reach, reach)).unfold(1, 2 * reach + 1, 1) & ~hidden[..., None]
    around = [
        pad(part, (0, 0, 0, 0, reach, reach)).unfold(1, 2 * reach + 1, 1).mT.flatten(0, 1)
        for part in (key, value)
    ]
    seen = replace(seen, context=seen.context.flatten(0, 1)[:, None])
    mask = allowed.flatten(0, 1)[:, None, None]
    query = query.flatten(0, 1)[:, :, None]
    return called(seen, query, *around, term="sliding window", scaling=1.0, mask=mask)


@READERS.of("LongT5LocalAttention", "LongT5TransientGlobalAttention", watched=True)
def _blocks(seen: Seen) -> Calls:
    """LongT5's blocks, of which each looks at the one before, itself and the next.

    Besides, where the encoder is of that kind, at a summary of each of some larger blocks.

    Source: Guo et al. (2022), arXiv:2112.07916, sec. 3.1.
    """
    size = seen.module.block_len
    query, key, value = (_cut(seen.made[name], size) for name in ("q", "k", "v"))
    key, value = (_with_neighbours(part) for part in (key, value))
    if "k" in seen.again:
        key, value = (
            torch.cat((part, seen.again[name][:, None].expand(-1, part.shape[1], -1, -1)), 2)
            for part, name in ((key, "k"), (value, "v"))
        )
    batch, n_blocks = query.shape[:2]
    query, key, value = (
        split_heads(part.flatten(0, 1), seen.n_heads) for part in (query, key, value)
    )
    bias = seen.returned[1]  # it hands its bias on, the mask in it
    bias = bias.expand(batch, n_blocks, *bias.shape[2:]).flatten(0, 1)
    allowed = bias > _FORBIDDEN
    return called(
        seen, query, key, value, term="blocks", scaling=1.0, bias=bias.masked_fill(~allowed, 0.0),
        mask=allowed, product=0,
    )  # fmt: skip


def _cut(features: Tensor, size: int) -> Tensor:
    """Return (batch, block, token, features), zeros at the end."""
    blocks: Tensor = pad(features, (0, 0, 0, -features.shape[1] % size)).unflatten(1, (-1, size))
    return blocks


def _with_neighbours(blocks: Tensor) -> Tensor:
    n_blocks = blocks.shape[1]
    framed = pad(blocks, (0, 0, 0, 0, 1, 1))
    return torch.cat([framed[:, start : start + n_blocks] for start in range(3)], dim=2)


@READERS.of("PegasusXGlobalLocalAttention", watched=True)
def _blocks_and_globals(seen: Seen) -> Calls:
    """PEGASUS-X: blocks look at themselves and at global tokens; those at everything.

    Source: Phang et al. (2022), arXiv:2208.04347, sec. 3.1.
    """
    seen, size = without_cache(seen), seen.module.block_size
    names = ("q_proj", "k_proj", "v_proj")
    local = [split_heads(seen.made[name], seen.n_heads) for name in names]
    wide = [split_heads(seen.again[name], seen.n_heads) for name in names]
    every = [torch.cat((w, part), dim=2) for w, part in zip(wide, local, strict=True)]
    mask = pad(seen.arguments["attention_mask"], (wide[0].shape[2], 0))
    calls = [called(seen, wide[0], *every[1:], term="blocks", mask=mask[:, None, None], product=0)]
    shape = local[0].unflatten(2, (-1, size)).shape  # batch head block token d_head
    query, key, value = (
        part.unflatten(2, (-1, size)).transpose(1, 2).flatten(0, 1) for part in local
    )
    key, value = (
        torch.cat((w[:, None].expand(-1, shape[2], -1, -1, -1).flatten(0, 1), part), dim=2)
        for w, part in ((wide[1], key), (wide[2], value))
    )
    blocked = seen.arguments["attention_mask"].unflatten(1, (-1, size)).flatten(0, 1)
    # Probabilities of the global tokens and of the block are multiplied apart.
    summed = torch.stack([product.context.reshape(shape) for product in seen.products[1:]]).sum(0)
    both = Product(seen.returned[2]["local"].transpose(1, 2), summed.transpose(1, 2))
    seen = replace(seen, products=[both])
    mask = pad(blocked, (wide[0].shape[2], 0))[:, None, None]
    return [*calls, called(seen, query, key, value, term="blocks", mask=mask, product=0)]
