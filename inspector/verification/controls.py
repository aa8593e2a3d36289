"""Controls: deliberate mistakes, tried on the real model, and whether the rule saw them.

A verification that does not notice one of them proves nothing. Those that a layer's weights show
are mistakes of the catalogue; an attention call shows fewer, and what is put together in it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

import torch

from inspector.attention.softmax import SoftmaxOver
from inspector.models.weight_layouts.layout import SIDES
from inspector.verification.diagnosis.catalogue import known, times_factor
from inspector.verification.diagnosis.evaluation import REFERENCE, Plan
from inspector.verification.diagnosis.layer import Mistake, bind
from inspector.verification.diagnosis.wrong_steps import WRONG_STEPS
from inspector.verification.judge import Judgement

LETTERS: dict[str, str] = dict(zip(SIDES, "QKVO", strict=True))
_HALF_TYPES = (torch.bfloat16, torch.float16)
# How a mistake is judged: with its plan, in a dtype, that of the model where there is none.
Judge = Callable[[Plan, torch.dtype | None], dict[str, Judgement]]


class Control(TypedDict):
    """What became of one deliberate mistake."""

    mutation: str
    caught: bool | None
    """None where the mistake is smaller than what the dtype rounds away."""
    layer: int | None
    """The first layer where it was noticed."""
    stage: str | None
    """The first stage there."""
    reason: str | None
    """Why it was not caught, where it was not."""


def plan_of(mistake: Mistake) -> Plan:
    """Return the plan with a control in it: the first of its ways, which is that of any layer."""
    return REFERENCE.changed(mistake.ways(None)[0])


@dataclass
class Controls:
    """What became of mistakes so far. One that was caught is not tried again."""

    below_rounding: str
    """The reason of one that changes nothing, even computed exactly."""
    accepted: str
    """The reason of one that was not noticed."""
    of_all: bool = False
    """Whether one must change nothing in any call, not only in one, to be below rounding."""
    _tried: set[str] = field(default_factory=set)
    _caught: dict[str, tuple[int, str]] = field(default_factory=dict)
    _hidden: set[str] = field(default_factory=set)
    _moving: set[str] = field(default_factory=set)

    def try_on(
        self,
        layer: int,
        mistakes: Iterable[Mistake],
        judge: Judge,
        dtype: torch.dtype,
        *,
        moving: bool = False,
    ) -> list[Mistake]:
        """Try what was not caught yet; return what still is not.

        Args:
            layer: The number of the module.
            mistakes: Those that can be made there.
            judge: Judges a plan there.
            dtype: In which the model computes there.
            moving: Whether only what changes anything, computed exactly, is a mistake at all.
        """
        left = []
        for mistake in mistakes:
            name = mistake.name
            if name in self._caught:
                continue
            stage = _refused(judge(plan_of(mistake), None))
            if stage is not None:
                self._caught[name] = layer, stage
            elif moving or dtype in _HALF_TYPES:
                moves = _refused(judge(plan_of(mistake), torch.float64)) is not None
                if moving and not moves:
                    continue
                if not moving:
                    (self._moving if moves else self._hidden).add(name)
            self._tried.add(name)
            left += [mistake] if stage is None else []
        return left

    def results(self, names: Sequence[str]) -> list[Control]:
        """Return what became of each mistake of these names that could be made."""
        return [self._control(name) for name in names if name in self._tried]

    def _control(self, name: str) -> Control:
        if name in self._caught:
            layer, stage = self._caught[name]
            return Control(mutation=name, caught=True, layer=layer, stage=stage, reason=None)
        hidden = name in self._hidden and not (self.of_all and name in self._moving)
        reason = self.below_rounding if hidden else self.accepted
        caught = None if hidden else False
        return Control(mutation=name, caught=caught, layer=None, stage=None, reason=reason)


def _refused(judged: dict[str, Judgement]) -> str | None:
    """Return the first stage that the rule refuses."""
    return next((stage for stage, judgement in judged.items() if not judgement.passed), None)


def _control(
    name: str, applies: Callable[[Any], bool] = lambda subject: True, **steps: Any
) -> Mistake:
    return Mistake(name, lambda layer: (steps,), applies)


def _of_terms(
    name: str, applies: Callable[[Any], bool], change: Callable[[Any], dict[str, Any]]
) -> Mistake:
    """Return a mistake with the terms of a call: it changes some of them."""
    return _control(name, applies, terms=(lambda terms: replace(terms, **change(terms)),))


def _named(name: str, known_as: str) -> Mistake:
    return replace(known(known_as), name=name)


_UNMASKED = _control("mask dropped", masking=WRONG_STEPS["unmasked"])
_TRANSPOSED = _control("mask transposed", masking=WRONG_STEPS["mask_transposed"])
_OVER_QUERIES = _control("softmax over queries", softmax=SoftmaxOver(-2))
_BIASES = {side: _named(f"{side} bias dropped", f"{side} bias omitted") for side in SIDES}

MUTATIONS: tuple[Mistake, ...] = (
    known("scale omitted"),
    _named("scale of d_model", "scale of √d_model"),
    _control("scale off by 0.01 %", factor=bind(times_factor, 1.0001)),
    _UNMASKED,
    _TRANSPOSED,
    _OVER_QUERIES,
    known("heads reversed"),
    known("heads interleaved"),
    *_BIASES.values(),
    known("W_O transposed"),
    known("query and key swapped"),
    known("value taken from key"),
)
"""Mistakes with a layer; they apply to a `Layer`."""

PROJECTION_MISTAKES: tuple[tuple[str, Mistake], ...] = (
    *((side, known(f"W_{letter} transposed")) for side, letter in LETTERS.items()),
    *_BIASES.items(),
)
"""Mistakes with the projections around a call, each with the stage that it is in."""


def _forbids(terms: Any) -> bool:
    return terms.mask is not None and not bool(terms.mask.all())


def _can_transpose(terms: Any) -> bool:
    n_query = terms.query.shape[2]
    if n_query != terms.key.shape[2] or not _forbids(terms):
        return False
    mask = terms.mask.expand(*terms.mask.shape[:2], n_query, -1)
    return not torch.equal(mask, mask.mT)


def _many(terms: Any) -> bool:
    return bool(terms.query.shape[1] > 1)


def _biased(terms: Any) -> bool:
    """Return whether a bias changes anything: what is the same for all keys does not."""
    return terms.bias is not None and not bool((terms.bias == terms.bias[..., :1]).all())


CALL_MISTAKES: tuple[Mistake, ...] = (
    _of_terms("scale omitted", lambda terms: terms.scaling != 1.0, lambda terms: {"scaling": 1.0}),
    _of_terms(
        "scale of d_model",
        _many,
        lambda terms: {"scaling": terms.scaling * terms.query.shape[1] ** -0.5},
    ),
    _of_terms(
        "scale off by 0.01 %",
        lambda terms: True,
        lambda terms: {"scaling": 1.0001 * terms.scaling},
    ),
    replace(_UNMASKED, applies=_forbids),
    replace(_TRANSPOSED, applies=_can_transpose),
    _OVER_QUERIES,
    _of_terms("heads reversed", _many, lambda terms: {"query": terms.query.flip(1)}),
    _control(
        "key/value heads tiled, not repeated",
        lambda terms: 1 < terms.key.shape[1] < terms.query.shape[1],
        share=WRONG_STEPS["tile"],
    ),
    _of_terms(
        "query and key swapped",
        lambda terms: terms.query.shape == terms.key.shape,
        lambda terms: {"query": terms.key, "key": terms.query},
    ),
    _of_terms(
        "value taken from key",
        lambda terms: terms.value.shape == terms.key.shape,
        lambda terms: {"value": terms.key},
    ),
    _of_terms("bias ignored", _biased, lambda terms: {"bias": None}),
    _of_terms(
        "softcap ignored", lambda terms: terms.softcap is not None, lambda terms: {"softcap": None}
    ),
    _of_terms(
        "sinks ignored", lambda terms: terms.sinks is not None, lambda terms: {"sinks": None}
    ),
)
"""Mistakes with an attention call; they apply to its `Terms`."""
