"""Mistakes of the mask: which keys it hides, and how it hides them.

Must not know: how a mistake is found.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inspector.attention import LayerWeights, window_mask
from inspector.attention.softmax import Softmax
from inspector.attention.steps import own_order
from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.layer import Layer
from inspector.verification.diagnosis.mistake import Mistake, Parameter, several, single

_RULE = "Padding is True for a real token: hide the keys where it is False"


def no_padding(padding: Tensor, n_tokens: int) -> Tensor | None:
    """Return None: nothing is hidden."""
    return None


def inverted_padding(padding: Tensor, n_tokens: int) -> Tensor | None:
    """Return a mask that shows the padding and hides the rest."""
    return (~padding)[:, None, None, :].expand(-1, -1, n_tokens, -1)


def transposed_padding(padding: Tensor, n_tokens: int) -> Tensor | None:
    """Return a mask that hides queries, not keys."""
    return padding[:, None, :, None].expand(-1, -1, -1, n_tokens)


@dataclass(frozen=True)
class Causality:
    """An order that is imposed on a layer, whatever its own is."""

    diagonal: int = 0
    """Query i sees key j where j ≤ i + diagonal."""
    later: bool = False
    """Whether it sees what stands behind it instead."""

    def __call__(
        self, weights: LayerWeights, n_query: int, n_key: int, device: torch.device
    ) -> Tensor | None:
        """Return where queries may look by their order alone: (query, key)."""
        allowed = torch.ones(n_query, n_key, dtype=torch.bool, device=device)
        allowed = allowed.triu(self.diagonal) if self.later else allowed.tril(self.diagonal)
        if weights.window is None:
            return allowed
        return allowed & window_mask(weights.window, n_query, n_key, device)


def any_order(
    weights: LayerWeights, n_query: int, n_key: int, device: torch.device
) -> Tensor | None:
    """Return the layer's order as if it were not causal."""
    return own_order(replace(weights, causal=False), n_query, n_key, device)


def multiply(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
    """Return the probabilities of scores that are 0, not −∞, where a key is not allowed."""
    return softmax(scores if allowed is None else scores * allowed)


def mask_afterwards(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
    """Return probabilities set to 0 where a key is not allowed; the rest does not sum to 1."""
    probabilities = softmax(scores)
    return probabilities if allowed is None else probabilities * allowed


@dataclass(frozen=True)
class AddAfterwards:
    """The additive mask, added to the probabilities."""

    number: float

    def __call__(self, scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
        """Return the probabilities with the number added where a key is not allowed."""
        probabilities = softmax(scores)
        return probabilities if allowed is None else probabilities + self.number * ~allowed


@dataclass(frozen=True)
class AddBefore:
    """The additive mask with a number of its own."""

    number: float

    def __call__(self, scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
        """Return the softmax of scores to which the number is added where a key is hidden."""
        return softmax(scores if allowed is None else scores + self.number * ~allowed)


def _causal(layer: Layer) -> bool:
    return layer.weights.causal


def _not_causal(layer: Layer) -> bool:
    return not layer.weights.causal


MASKING = (
    Mistake(
        "mask ignored",
        f"Apply the padding mask. {_RULE}.",
        equations.MASK,
        single(padding=no_padding),
    ),
    Mistake("mask inverted", f"{_RULE}.", equations.MASK, single(padding=inverted_padding)),
    Mistake(
        "mask transposed",
        "Put the padding mask on the axis of the keys: (batch, 1, 1, key).",
        equations.MASK,
        single(padding=transposed_padding),
    ),
    Mistake(
        "mask applied after softmax",
        "Hide keys before the softmax, so that the others sum to 1.",
        equations.MASK,
        single(masking=mask_afterwards),
    ),
    Mistake(
        "mask added after softmax",
        "Add the mask to the scores, before the softmax, not to the probabilities.",
        equations.MASK,
        parameter=Parameter(
            (-1.0, -1e4),
            lambda number: {"masking": AddAfterwards(number)},
            lambda number, layer: f"{number:.6g} is added",
        ),
    ),
    Mistake(
        "mask multiplied instead of added",
        "Set hidden scores to −∞: a score of 0 still gets its share of the softmax.",
        equations.MASK,
        single(masking=multiply),
    ),
    Mistake(
        "mask of too small a negative",
        "Fill with −∞, or the dtype's smallest number.",
        equations.MASK,
        parameter=Parameter(
            tuple(-0.5 * 1.6**k for k in range(10)),
            lambda number: {"masking": AddBefore(number)},
            lambda number, layer: f"{number:.6g} is added",
        ),
    ),
    Mistake(
        "causal mask added",
        "Let every query see the tokens behind it, too: this layer is not causal.",
        equations.MASK,
        single(order=Causality()),
        _not_causal,
    ),
    Mistake(
        "causal mask omitted",
        "Hide the tokens behind the query: this layer is causal.",
        equations.MASK,
        single(order=any_order),
        _causal,
    ),
    Mistake(
        "causal mask off by one",
        "Query i sees the keys j ≤ i: itself, and nothing behind it.",
        equations.MASK,
        several({"order": Causality(1)}, {"order": Causality(-1)}),
        _causal,
    ),
    Mistake(
        "causal mask transposed",
        "Query i sees the keys j ≤ i, not those behind it.",
        equations.MASK,
        single(order=Causality(later=True)),
        _causal,
    ),
)
