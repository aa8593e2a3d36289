"""Attention in windows and blocks: each window is a text of its own, whose keys are few.

Each reader cuts queries, keys and values as the family does; the softmax and the sums are ours.
Must not know: how a module is watched.
"""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from inspector.attention import split_heads
from inspector.models.custom_attention.observed_forward import (
    Calls,
    Reader,
    Seen,
    called,
    without_cache,
)
from inspector.models.custom_attention.softmax_watch import Product

# LongT5 writes −10¹⁰ where a query may not look.
_FORBIDDEN = -1e9


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


WINDOW_READERS: dict[str, Reader] = {
    "LongformerSelfAttention": Reader(_sliding),
    "LEDEncoderSelfAttention": Reader(_sliding),
    "LongT5LocalAttention": Reader(_blocks, watched=True),
    "LongT5TransientGlobalAttention": Reader(_blocks, watched=True),
    "PegasusXGlobalLocalAttention": Reader(_blocks_and_globals, watched=True),
}
"""Class of a module → how it is read."""
