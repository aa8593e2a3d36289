"""What mistakes do to a layer's weights: the changes that mutations and the catalogue share.

Each is a function from `LayerWeights` to `LayerWeights` with one thing wrong.
Must not know: which mistake is made of it, models, the rule.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from inspector.attention import LayerWeights

Change = Callable[[LayerWeights], LayerWeights]
Applies = Callable[[LayerWeights], bool]
Order = Callable[[Tensor, int], Tensor]
"""(rows, number of heads) → the rows in another order."""


def scale_by(factor: Callable[[LayerWeights], float]) -> Change:
    """Return a change of the factor on the scores."""
    return lambda weights: replace(weights, scaling=factor(weights))


def without(bias: str) -> Change:
    """Return a change that leaves a bias out: 'b_Q', 'b_K', 'b_V' or 'b_O'."""

    def drop(weights: LayerWeights) -> LayerWeights:
        zero: dict[str, Any] = {bias: torch.zeros_like(getattr(weights, bias))}
        return replace(weights, **zero)

    return drop


def has(bias: str) -> Applies:
    """Return whether a layer has a bias at all."""
    return lambda weights: getattr(weights, bias) is not None


def reorder_heads(order: Order) -> Change:
    """Return a change of which rows of W_Q, W_K, W_V belong to which head; W_O stays."""

    def change(weights: LayerWeights) -> LayerWeights:
        n_groups = {"Q": weights.n_heads, "K": weights.n_kv_heads, "V": weights.n_kv_heads}
        reordered: dict[str, Any] = {
            f"{kind}_{letter}": order(tensor, n_heads)
            for letter, n_heads in n_groups.items()
            for kind in "Wb"
            if (tensor := getattr(weights, f"{kind}_{letter}")) is not None
        }
        return replace(weights, **reordered)

    return change


def reversed_rows(tensor: Tensor, n_heads: int) -> Tensor:
    """Return the rows with the last head first."""
    return torch.unflatten(tensor, 0, (n_heads, -1)).flip(0).flatten(0, 1)


def rotated_rows(steps: int) -> Order:
    """Return an order in which head h has the rows of head h − steps."""
    return lambda tensor, n_heads: (
        torch.unflatten(tensor, 0, (n_heads, -1)).roll(steps, 0).flatten(0, 1)
    )


def interleaved_rows(tensor: Tensor, n_heads: int) -> Tensor:
    """Return the rows as if the head index ran fastest."""
    return torch.unflatten(tensor, 0, (-1, n_heads)).transpose(0, 1).flatten(0, 1)


def transposed(letters: str) -> Change:
    """Return a change that transposes matrices, such as 'O' or 'QKVO'; they must be square."""

    def turn(weights: LayerWeights) -> LayerWeights:
        turned: dict[str, Any] = {f"W_{c}": getattr(weights, f"W_{c}").T for c in letters}
        return replace(weights, **turned)

    return turn


def are_square(letters: str) -> Applies:
    """Return whether matrices are square, so that their transposes fit."""

    def square(weights: LayerWeights) -> bool:
        shapes = [getattr(weights, f"W_{letter}").shape for letter in letters]
        return all(rows == columns for rows, columns in shapes)

    return square


def swap_query_and_key(weights: LayerWeights) -> LayerWeights:
    """Return the weights with W_Q as W_K and the other way round."""
    return replace(weights, W_Q=weights.W_K, b_Q=weights.b_K, W_K=weights.W_Q, b_K=weights.b_Q)


def value_from_key(weights: LayerWeights) -> LayerWeights:
    """Return the weights with W_K in the place of W_V."""
    return replace(weights, W_V=weights.W_K, b_V=weights.b_K)


def many_heads(weights: LayerWeights) -> bool:
    """Return whether there is more than one head."""
    return weights.n_heads > 1


def many_wide_heads(weights: LayerWeights) -> bool:
    """Return whether taking every n-th row differs from taking them in order."""
    return weights.n_heads > 1 and weights.d_head > 1


def no_groups(weights: LayerWeights) -> bool:
    """Return whether each query head has key and value of its own."""
    return weights.n_heads == weights.n_kv_heads
