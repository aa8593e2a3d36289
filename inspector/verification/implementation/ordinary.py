"""What ordinary use brings: lengths, batches, padding, gradients, training, memory, large scores.

An implementation that is right on small inputs is tried on all of these; six sizes are drawn anew
in each run.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor

from inspector.verification.conditions import LARGE_SCORES, LENGTHS, N_DRAWN
from inspector.verification.diagnosis import REFERENCE, Evaluator, Layer, Probe
from inspector.verification.layers.stages import GRADIENT
from inspector.verification.manner import LAYOUTS, PLAINLY, Manner
from inspector.verification.padding_places import N_ROWS, draw_size, every_padding, kinds_of
from inspector.verification.scope import some

_LENGTH, _SHORT = 17, 9
# Beside the lengths of every verification: what blocks, chunks and tables are cut to.
_MORE_LENGTHS = (2, 3, 8, 32, 33, 100)
# As many rows as tokens; more; several that are long.
_BATCHES = ((5, 5), (16, 3), (32, 2), (66, 2), (5, 256))
_MOST_DRAWN, _MOST_DRAWN_TOKENS = 300, 512
# A gradient keeps every stage, in float64, too.
_MOST_WITH_GRADIENT = 512
_LARGEST_FACTOR = 1e6
_ASKED, _ON, _INFERENCE = (Manner(gradients=each) for each in ("asked", "on", "inference"))
_TRAINING = (Manner("on", training=True), Manner("asked", training=True))
_EVALUATION = Manner(training=False)


@dataclass(eq=False)
class Trying:
    """One input and the manner in which an implementation is called on it; what came of it."""

    probe: Probe
    manner: Manner = PLAINLY
    theirs: dict[str, Tensor] = field(default_factory=dict)
    """Stage → what the real layer made of it, where it was run."""
    largest_score: float = 0.0
    """Up to where its scores are scaled up, where they are."""
    again: bool = False
    """Whether an input of this shape, or this very one, came before."""
    alone: int | None = None
    """Which row of the padded batch it is, where it is one."""
    failed: tuple[str, ...] = ()
    """The stages that differ; none where it is right."""

    @property
    def large_scores(self) -> bool:
        """Return whether its scores are scaled up."""
        return self.largest_score > 0.0

    @property
    def batch(self) -> int:
        """Return the number of rows."""
        return self.probe.hidden.shape[0]

    @property
    def length(self) -> int:
        """Return the number of tokens of a row."""
        return self.probe.hidden.shape[1]

    @property
    def padding(self) -> set[str]:
        """Return where padding stands."""
        return kinds_of(self.probe.padding)


class OrdinaryUse:
    """The inputs of ordinary use for one layer."""

    def __init__(
        self, layer: Layer, long: tuple[Probe, dict[str, Tensor]], spread: float, seed: int
    ) -> None:
        """Keep what inputs are drawn from."""
        self._layer, self._spread = layer, spread
        self._long, self._theirs = long
        self._generator = torch.Generator().manual_seed(seed)
        self._longest = self._long.hidden.shape[1]

    def inputs(self) -> Iterator[Trying]:
        """Yield them, those that are tried in more than one manner with all of their manners."""
        length = min(_LENGTH, self._longest)
        real = every_padding(length)
        padded = self._probe(f"{len(real)} rows × {length} tokens, padded", len(real), length, real)
        yield Trying(padded)
        for row in range(len(real)):
            alone = Probe(
                f"row {row} of them alone", padded.hidden[row : row + 1], real[row : row + 1]
            )
            yield Trying(alone, alone=row)
        other = self._probe("another text of the same shape", len(real), length, real.roll(1, 0))
        yield Trying(other, again=True)
        yield Trying(
            Probe("the same text with other padding", other.hidden, real.roll(3, 0)), again=True
        )
        odd = self._probe("a token of zeros, another twice", 1, length)
        odd.hidden[:, 1:2] = 0.0  # is no padding, nor is what comes twice
        odd.hidden[:, 3:4] = odd.hidden[:, 2:3]
        yield Trying(odd)
        lengths = [self._probe(f"{n} tokens", 1, n) for n in LENGTHS if n <= self._longest]
        yield from map(Trying, lengths)
        drawn = list(self._drawn())
        yield from map(Trying, drawn)
        yield from map(Trying, self._coinciding())
        for memory in LAYOUTS:
            yield Trying(_named(padded, memory), Manner(memory=memory))
        yield from self._large_scores()
        yield Trying(self._long, theirs=self._theirs)
        yield Trying(self._long_and_padded())
        few = [padded, *lengths[-4:], *drawn[:2]]
        yield from self._with_gradients(padded, few)
        yield Trying(_named(padded, "once more"), again=True)

    def _with_gradients(self, padded: Probe, few: list[Probe]) -> Iterator[Trying]:
        yield from (Trying(_named(probe, "gradients on"), _ON) for probe in few)
        yield from (Trying(_named(probe, "gradient asked for"), _ASKED) for probe in few)
        if self._longest <= _MOST_WITH_GRADIENT:
            yield Trying(_named(self._long, "gradient asked for"), _ASKED)
        for probe in few[:2]:
            for manner in _TRAINING:
                yield Trying(_named(probe, "training mode"), manner)
            yield Trying(_named(probe, "evaluation mode"), _EVALUATION)
            yield Trying(_named(probe, "inference mode"), _INFERENCE)

    def _probe(self, name: str, batch: int, length: int, real: Tensor | None = None) -> Probe:
        weights = self._layer.weights
        shape = (batch, length, weights.d_model)
        drawn = torch.randn(shape, generator=self._generator, dtype=torch.float64)
        return Probe(name, (self._spread * drawn).to(weights.W_Q.dtype), real)

    def _coinciding(self) -> Iterator[Probe]:
        """Yield inputs of which one axis may be taken for another, and others of such sizes."""
        weights = self._layer.weights
        widths = {weights.n_heads, weights.d_head, weights.d_model} - {*LENGTHS}
        for length in sorted(widths | {*_MORE_LENGTHS}):
            if length <= self._longest:
                yield self._probe(f"{length} tokens", 1, length)
        for rows, length in _BATCHES:
            if length <= self._longest:
                real = every_padding(length)[torch.arange(rows) % N_ROWS]
                yield self._probe(f"{rows} rows × {length} tokens, padded", rows, length, real)

    def _drawn(self) -> Iterator[Probe]:
        longest = min(self._longest, _MOST_DRAWN)
        for number in range(N_DRAWN):
            batch, length, real = draw_size(longest, _MOST_DRAWN_TOKENS, self._generator)
            kinds = ", ".join(sorted(kinds_of(real))) or "none"
            name = f"drawn {number + 1}: {batch} × {length} tokens, padding: {kinds}"
            yield self._probe(name, batch, length, real)

    def _large_scores(self) -> Iterator[Trying]:
        length = min(_SHORT, self._longest)
        # A single token's score may lie below what hides the others.
        real = torch.cat([every_padding(length)[:4], torch.eye(length, dtype=torch.bool)[:4]])
        for largest in LARGE_SCORES:
            probe = self._probe(f"scores up to {largest:g}", len(real), length, real)
            scaled = self._scaled(probe, largest)
            if scaled is not None:
                yield Trying(scaled, largest_score=largest)

    def _scaled(self, probe: Probe, largest: float) -> Probe | None:
        """Return the probe with hidden states so large that scores are; None where none can be."""
        factor, hidden, real = 1.0, probe.hidden.double(), probe.real
        while factor < _LARGEST_FACTOR:
            tried = replace(probe, hidden=(factor * hidden).to(probe.hidden.dtype))
            stages = Evaluator(self._layer, tried, torch.float64)(REFERENCE)
            seen = real[:, None, :, None] & real[:, None, None, :]
            if stages.allowed is not None:
                seen = seen & stages.allowed
            found = float(stages.scores.abs().masked_fill(~seen, 0.0).max())
            if found >= largest:
                return tried
            factor *= max(1.05, min(2.0, (largest / max(found, 1e-12)) ** 0.5))
        return None

    def _long_and_padded(self) -> Probe:
        n = self._longest
        real = torch.ones(1, n, dtype=torch.bool)
        real[0, : n // 4] = False
        real[0, n // 2 : n // 2 + n // 8] = False
        real[0, n - n // 16 :] = False
        # The same numbers in another order: real states, of which none stands where it stood.
        order = torch.randperm(n, generator=self._generator)
        return Probe(f"{n} tokens, padded", self._long.hidden[:, order], real)


def _named(probe: Probe, manner: str) -> Probe:
    return replace(probe, name=f"{probe.name}, {manner}")


_NAMED = 4
_IN_THE_GRADIENT = (
    "in its gradient alone: is something detached, computed without gradients, or is a backward "
    "pass written by hand"
)
_SEEN_BEFORE = (
    "on a text of a size that it has seen before: what is kept between calls must not depend on "
    "that"
)
_NOT_CONTIGUOUS = "where memory is not contiguous: read it by .reshape or .contiguous()"
_LARGE = (
    "where scores are large: subtract each row's largest score before the exponential, and hide "
    "keys by −∞"
)
_PLACES = {
    ("left",): "where padding stands on the left",
    ("right",): "where padding stands on the right",
    ("inside",): "where padding stands inside the text",
    ("whole row",): "where a row is padding throughout: what it gives must not reach other rows",
    ("left", "inside"): "where padding stands on the left or inside the text",
    ("right", "inside"): "where padding stands on the right or inside the text",
    ("left", "right", "inside"): "where a text is padded",
}


def circumstances(tried: Sequence[Trying]) -> str:
    """Return when it is wrong: what all failures have in common and no success has."""
    wrong = [each for each in tried if each.failed]
    right = [each for each in tried if not each.failed]
    names = [each.probe.name for each in wrong]
    common = next((words for words, holds in _kinds(wrong, right) if holds), None)
    said = f"It is wrong {common}. " if common else ""
    return (
        f"{said}Right on {len(right)} of {len(tried)} inputs of ordinary use, wrong on: "
        f"{some(names, _NAMED, between='; ')}."
    )


def _kinds(wrong: Sequence[Trying], right: Sequence[Trying]) -> Iterator[tuple[str, bool]]:
    def in_common(holds: Callable[[Trying], bool], *, alone: bool = True) -> bool:
        """Return whether it holds of all that are wrong, and of none that is right."""
        return all(map(holds, wrong)) and not (alone and any(map(holds, right)))

    yield _IN_THE_GRADIENT, in_common(lambda each: each.failed == (GRADIENT,), alone=False)
    yield "in training mode", in_common(lambda each: each.manner.training is True)
    yield "in evaluation mode", in_common(lambda each: each.manner.training is False)
    with_gradients = in_common(lambda each: each.manner.gradients in ("on", "asked"))
    yield "where gradients are on", with_gradients
    yield "in inference mode", in_common(lambda each: each.manner.gradients == "inference")
    yield _NOT_CONTIGUOUS, in_common(lambda each: each.manner.strided, alone=False)
    yield _LARGE, in_common(lambda each: each.large_scores, alone=False)
    for kinds, words in _PLACES.items():
        yield words, in_common(partial(_is_padded, {*kinds}))
    yield "where there are as many rows as tokens", in_common(lambda t: t.batch == t.length > 1)
    yield "where there are more rows than tokens", in_common(lambda t: t.batch > t.length)
    least_length = min(each.length for each in wrong)
    least_batch = min(each.batch for each in wrong)
    up_to = _right_up_to(least_length, [each.length for each in right])
    yield (
        f"from {least_length} tokens on{up_to}",
        in_common(lambda each: each.length >= least_length),
    )
    up_to = _right_up_to(least_batch, [each.batch for each in right])
    yield (
        f"in batches of {least_batch} and more{up_to}",
        in_common(lambda each: each.batch >= least_batch),
    )
    lengths = sorted({each.length for each in wrong})
    yield (
        f"at lengths of {', '.join(map(str, lengths))} tokens",
        len(lengths) <= _NAMED and in_common(lambda each: each.length in lengths),
    )
    yield _SEEN_BEFORE, in_common(lambda each: each.again, alone=False)


def _is_padded(kinds: set[str], trying: Trying) -> bool:
    return not kinds.isdisjoint(trying.padding)


def _right_up_to(least: int, right: Sequence[int]) -> str:
    """Return up to what size it is right, where that is not one less than the least wrong one."""
    below = max((each for each in right if each < least), default=least - 1)
    return "" if below == least - 1 else f" (right up to {below})"
