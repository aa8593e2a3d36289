"""The largest of each row and of each column of attention, the first of equals."""

from jaxtyping import Bool, Float, Int
from torch import Tensor

_PART = 64
_FEWEST_PARTS = 8


def first_largest(
    rows: Float[Tensor, "*row key"],
) -> tuple[Float[Tensor, "*row"], Int[Tensor, "*row"]]:
    """Return what `max` over the keys returns, of long rows twice as fast.

    Without a place a maximum is several times as fast as with one: so part by part, then a place
    in the best part alone.

    Example:
        >>> import torch
        >>> first_largest(torch.tensor([[0.1, 0.4, 0.4]]))
        (tensor([0.4000]), tensor([1]))
    """
    n_parts = rows.shape[-1] // _PART
    if n_parts < _FEWEST_PARTS:
        found = rows.max(-1)
        return found.values, found.indices
    parts = rows[..., : n_parts * _PART].unflatten(-1, (n_parts, _PART))
    best = parts.amax(-1).argmax(-1, keepdim=True)
    own = parts.gather(-2, best.unsqueeze(-1).expand(*best.shape, _PART)).squeeze(-2).max(-1)
    values, places = own.values, own.indices + best.squeeze(-1) * _PART
    if rows.shape[-1] % _PART:
        rest = rows[..., n_parts * _PART :].max(-1)
        is_larger = rest.values > values
        values = rest.values.where(is_larger, values)
        places = (rest.indices + n_parts * _PART).where(is_larger, places)
    return values, places


def first_of_columns(
    rows: Float[Tensor, "head row key"],
    columns: Int[Tensor, " column"],
    more_than: Float[Tensor, "head column"],
) -> tuple[Bool[Tensor, "head column"], Float[Tensor, " better"], Int[Tensor, " better"]]:
    """Return which columns hold more than they are said to; of these the largest, and its row.

    Example:
        >>> import torch
        >>> rows, known = torch.tensor([[[0.1, 0.4], [0.2, 0.4]]]), torch.tensor([[0.0, 0.9]])
        >>> first_of_columns(rows, torch.tensor([0, 1]), known)
        (tensor([[ True, False]]), tensor([0.2000]), tensor([1]))
    """
    better = rows.amax(-2)[:, columns] > more_than
    head, column = better.nonzero(as_tuple=True)
    found = rows[head, :, columns[column]].max(-1)
    return better, found.values, found.indices
