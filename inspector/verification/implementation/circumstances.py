"""Under which circumstances an implementation is wrong that is right on small inputs, in words.

Must not know: how it is judged, models.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from inspector.verification.implementation.gradients import GRADIENT
from inspector.verification.implementation.ordinary import Trying

_NAMED = 4
_IN_THE_GRADIENT = (
    "in its gradient alone: is something detached, computed without gradients, or is a backward "
    "pass written by hand"
)
_SEEN_BEFORE = (
    "on a text of a size that it has seen before: what is kept between calls must not depend on "
    "that"
)
_PLACES = {
    "left": "where padding stands on the left",
    "right": "where padding stands on the right",
    "inside": "where padding stands inside the text",
    "whole row": "where a row is padding throughout: what it gives must not reach other rows",
}


@dataclass(frozen=True)
class Tried:
    """What came of one input."""

    trying: Trying
    failed: tuple[str, ...]
    """The stages that differ; none where it is right."""
    finite: bool = True


def circumstances(tried: Sequence[Tried]) -> str:
    """Return when it is wrong: what all failures have in common and no success has."""
    wrong = [each for each in tried if each.failed]
    right = [each for each in tried if not each.failed]
    names = [each.trying.probe.name for each in wrong]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    common = next((words for words, holds in _kinds(wrong, right) if holds), None)
    said = f"It is wrong {common}. " if common else ""
    return (
        f"{said}Right on {len(right)} of {len(tried)} inputs of ordinary use, wrong on: "
        f"{'; '.join(names[:_NAMED])}{more}."
    )


def _kinds(wrong: Sequence[Tried], right: Sequence[Tried]) -> Iterator[tuple[str, bool]]:
    def told(holds: Callable[[Tried], bool]) -> bool:
        return all(map(holds, wrong)) and not any(map(holds, right))

    yield (
        _IN_THE_GRADIENT,
        all(each.failed == (GRADIENT,) for each in wrong),
    )
    yield "in training mode", told(lambda each: each.trying.manner.training is True)
    yield "in evaluation mode", told(lambda each: each.trying.manner.training is False)
    yield (
        "where gradients are on",
        told(lambda each: each.trying.manner.gradients in ("on", "asked")),
    )
    yield "in inference mode", told(lambda each: each.trying.manner.gradients == "inference")
    yield (
        "where memory is not contiguous: read it by .reshape or .contiguous()",
        all(each.trying.manner.strided for each in wrong),
    )
    yield (
        "where scores are large: subtract each row's largest score before the exponential",
        told(lambda each: each.trying.large_scores)
        or all(each.trying.large_scores for each in wrong),
    )
    for kind, words in _PLACES.items():
        yield words, told(partial(_is_padded, kind))
    yield from _sizes(wrong, right)
    yield (
        _SEEN_BEFORE,
        all(each.trying.again for each in wrong),
    )


def _is_padded(kind: str, tried: Tried) -> bool:
    return kind in tried.trying.padding


def _sizes(wrong: Sequence[Tried], right: Sequence[Tried]) -> Iterator[tuple[str, bool]]:
    for what, size in (
        ("from {least} tokens on", _length),
        ("in batches of {least} and more", _rows),
    ):
        least = min(map(size, wrong))
        yield what.format(least=least), all(size(each) < least for each in right)
    lengths = set(map(_length, wrong))
    yield (
        f"at lengths of {', '.join(map(str, sorted(lengths)))} tokens",
        len(lengths) <= _NAMED and not lengths & set(map(_length, right)),
    )


def _length(tried: Tried) -> int:
    return tried.trying.length


def _rows(tried: Tried) -> int:
    return tried.trying.batch
