"""Deliberate mistakes in a single attention call: the controls of a call-by-call verification.

Each changes the terms of the call, or the way in which they are put together.
Must not know: models, the rule, how a call came to be seen.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from inspector.attention import STEPS, Attended, Steps
from inspector.attention.softmax import SoftmaxOver
from inspector.verification.calls.call_comparison import Terms, evaluate


@dataclass(frozen=True)
class CallMistake:
    """One mistake, by name."""

    name: str
    change: Callable[[Terms], Terms] = lambda terms: terms
    """What it does to the terms."""
    applies: Callable[[Terms], bool] = lambda terms: True
    """Whether it is a mistake at all in such a call."""
    steps: Steps = STEPS
    """The steps that it computes with."""

    def __call__(self, terms: Terms) -> Attended:
        """Return what the mistake makes of a call."""
        return evaluate(self.change(terms), self.steps)


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
    CallMistake("softmax over queries", steps=replace(STEPS, softmax=SoftmaxOver(-2))),
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
