"""Boolean masks: which query may look at which key. True means allowed.

A mask has any shape that broadcasts to (batch…, query, key); masks are joined with `&`.
"""

import torch
from jaxtyping import Bool, Int
from torch import Tensor


def padding_mask(
    attended: Int[Tensor, "batch token"] | Bool[Tensor, "batch token"],
) -> Bool[Tensor, "batch 1 token"]:
    """Return a mask that lets every query of a text see that text's real tokens only.

    Where a tokenizer's `attention_mask` is 1, or True, stands a real token.

    Example:
        >>> padding_mask(torch.tensor([[1, 1, 0]]))
        tensor([[[ True,  True, False]]])
    """
    return attended.to(torch.bool).unsqueeze(-2)


def causal_mask(
    n_query: int, n_key: int | None = None, device: torch.device | None = None
) -> Bool[Tensor, "query key"]:
    """Return a mask that lets each query see itself and what stands before it.

    Args:
        n_query: Number of queries.
        n_key: Number of keys, `n_query` where not given. With more keys than queries the
            queries are the last of the sequence, as when keys are cached.
        device: Where the mask is made.

    Raises:
        ValueError: If there are fewer keys than queries.

    Example:
        >>> causal_mask(2, 3)
        tensor([[ True,  True, False],
                [ True,  True,  True]])
    """
    keys = n_query if n_key is None else n_key
    if keys < n_query:
        raise ValueError(
            f"n_key ({keys}) must be at least n_query ({n_query}): "
            "the queries are the last tokens of the sequence that the keys cover."
        )
    allowed = torch.ones(n_query, keys, dtype=torch.bool, device=device)
    return allowed.tril(keys - n_query)


def window_mask(
    window: int, n_query: int, n_key: int | None = None, device: torch.device | None = None
) -> Bool[Tensor, "query key"]:
    """Return a mask that lets each query see what is nearer than `window`, on either side.

    Args:
        window: Query i sees key j where |i − j| < window.
        n_query: Number of queries.
        n_key: As in `causal_mask`.
        device: Where the mask is made.

    Raises:
        ValueError: If there are fewer keys than queries.

    Example:
        >>> window_mask(2, 3)
        tensor([[ True,  True, False],
                [ True,  True,  True],
                [False,  True,  True]])
    """
    not_behind = causal_mask(n_query, n_key, device)
    offset = not_behind.shape[1] - n_query
    near = torch.ones_like(not_behind)
    return near.tril(offset + window - 1).triu(offset - window + 1)


def check_mask(mask: Tensor, shape: torch.Size) -> None:
    """Refuse what would be read as another mask than was meant.

    Raises:
        ValueError: If the mask is not boolean, or does not broadcast to the shape.
    """
    if mask.dtype != torch.bool:
        raise ValueError(
            f"mask has dtype {mask.dtype}, expected torch.bool: True where the query may look at "
            "the key. A tokenizer's attention_mask becomes one by padding_mask()."
        )
    check_broadcasts("mask", mask, shape)


def check_broadcasts(
    name: str, tensor: Tensor, shape: torch.Size, axes: str = "(…, query, key)"
) -> None:
    """Refuse a tensor that does not broadcast to a shape, or would widen it.

    Raises:
        ValueError: If it does not.
    """
    sizes = zip(reversed(tensor.shape), reversed(shape), strict=False)
    if tensor.ndim > len(shape) or any(size not in (1, full) for size, full in sizes):
        raise ValueError(
            f"{name} has shape {tuple(tensor.shape)}, which does not broadcast to {axes} = "
            f"{tuple(shape)}."
        )
