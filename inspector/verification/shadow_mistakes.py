"""Deliberate mistakes in a single attention call: the controls of a verification in shadow.

Each changes the terms of the call, or the way in which they are put together.
Must not know: models, the rule, how a call came to be seen.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inspector.attention import (
    Attended,
    capped_scores,
    masked_softmax,
    repeat_key_value_heads,
    scaled_dot_product_scores,
)
from inspector.verification.shadow_call import Terms, evaluate


@dataclass(frozen=True)
class CallMistake:
    """One mistake, by name."""

    name: str
    change: Callable[[Terms], Terms] = lambda terms: terms
    """What it does to the terms."""
    applies: Callable[[Terms], bool] = lambda terms: True
    """Whether it is a mistake at all in such a call."""
    over_queries: bool = False
    """Whether the softmax runs over the queries."""

    def __call__(self, terms: Terms) -> Attended:
        """Return what the mistake makes of a call."""
        changed = self.change(terms)
        return _softmax_over_queries(changed) if self.over_queries else evaluate(changed)


def _softmax_over_queries(terms: Terms) -> Attended:
    n_heads = terms.query.shape[1]
    keys = repeat_key_value_heads(terms.key, n_heads)
    scores = scaled_dot_product_scores(terms.query, keys, terms.scaling)
    if terms.softcap is not None:
        scores = capped_scores(scores, terms.softcap)
    if terms.bias is not None:
        scores = scores + terms.bias
    if terms.mask is not None:
        scores = scores.masked_fill(~terms.mask, torch.finfo(scores.dtype).min)
    probabilities = masked_softmax(scores.transpose(-1, -2)).transpose(-1, -2)
    values = repeat_key_value_heads(terms.value, n_heads)
    return Attended(torch.matmul(probabilities, values), probabilities)


def _scaled(factor: Callable[[Terms], float]) -> Callable[[Terms], Terms]:
    return lambda terms: replace(terms, scaling=factor(terms))


def _transposed(terms: Terms) -> Terms:
    mask = terms.mask
    if mask is not None:
        mask = mask.expand(*mask.shape[:2], terms.query.shape[2], -1).transpose(-1, -2)
    return replace(terms, mask=mask)


def _forbids(terms: Terms) -> bool:
    return terms.mask is not None and not bool(terms.mask.all())


def _can_transpose(terms: Terms) -> bool:
    square = terms.query.shape[2] == terms.key.shape[2]
    if not (square and _forbids(terms)):
        return False
    turned = _transposed(terms).mask
    if turned is None or terms.mask is None:
        return False
    return not bool((turned == terms.mask).all())


def _tiled(heads: Tensor, n_heads: int) -> Tensor:
    return heads.repeat(1, n_heads // heads.shape[1], 1, 1)


def _grouped(terms: Terms) -> bool:
    return 1 < terms.key.shape[1] < terms.query.shape[1]


def _matters(tensor: Tensor | None) -> bool:
    """Return whether a bias changes anything: what is the same for all keys does not."""
    return tensor is not None and not bool((tensor == tensor[..., :1]).all())


CALL_MISTAKES: tuple[CallMistake, ...] = (
    CallMistake("scale omitted", _scaled(lambda terms: 1.0), lambda terms: terms.scaling != 1.0),
    CallMistake(
        "scale of d_model",
        _scaled(lambda terms: terms.scaling * terms.query.shape[1] ** -0.5),
        lambda terms: terms.query.shape[1] > 1,
    ),
    CallMistake("scale off by 0.01 %", _scaled(lambda terms: 1.0001 * terms.scaling)),
    CallMistake("mask dropped", lambda terms: replace(terms, mask=None), _forbids),
    CallMistake("mask transposed", _transposed, _can_transpose),
    CallMistake("softmax over queries", over_queries=True),
    CallMistake(
        "heads reversed",
        lambda terms: replace(terms, query=terms.query.flip(1)),
        lambda terms: terms.query.shape[1] > 1,
    ),
    CallMistake(
        "key/value heads tiled, not repeated",
        lambda terms: replace(
            terms,
            key=_tiled(terms.key, terms.query.shape[1]),
            value=_tiled(terms.value, terms.query.shape[1]),
        ),
        _grouped,
    ),
    CallMistake(
        "query and key swapped",
        lambda terms: replace(terms, query=terms.key, key=terms.query),
        lambda terms: terms.query.shape == terms.key.shape,
    ),
    CallMistake(
        "value taken from key",
        lambda terms: replace(terms, value=terms.key),
        lambda terms: terms.value.shape == terms.key.shape,
    ),
    CallMistake(
        "bias ignored", lambda terms: replace(terms, bias=None), lambda terms: _matters(terms.bias)
    ),
    CallMistake(
        "softcap ignored",
        lambda terms: replace(terms, softcap=None),
        lambda terms: terms.softcap is not None,
    ),
    CallMistake(
        "sinks ignored",
        lambda terms: replace(terms, sinks=None),
        lambda terms: terms.sinks is not None,
    ),
)
