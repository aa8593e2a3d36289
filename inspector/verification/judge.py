"""The rule by which two computations of the same tensor count as equal.

Truth is our float64 on the same inputs. With u the unit roundoff of the dtype and scale the
largest |theirs|, ours passes if it is as near to theirs as rounding explains, and as near to the
truth as theirs is.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

# max|ours - theirs| ≤ 32 u·scale. Seen on minilm and a random 12-layer model: at most 7.
NEAR_THEIRS = 32.0
# rms(ours - truth) ≤ 1.5 rms(theirs - truth) + 0.4 u·scale. Seen: ratios 0.9 to 1.1 in float32.
RMS_RATIO, RMS_FLOOR = 1.5, 0.4
# max|ours - truth| ≤ 3 max|theirs - truth| + 4 u·scale. Single largest errors scatter more.
MAX_RATIO, MAX_FLOOR = 3.0, 4.0
# The whole model: how much farther ours may be from either of the library's two paths than these
# are from each other. Seen: 1.0.
NOISE_RATIO = 4.0

# A user's implementation: rms(theirs - truth) ≤ 2 × the largest of the right ways' + 0.4 u·scale,
# its largest error ≤ 4 × theirs + 4 u·scale. Seen on right implementations: 1.3 and 2.4 times; of
# all that is allowed, two thirds where scores are large.
USER_RMS_RATIO, USER_RMS_FLOOR = 2.0, 0.4
USER_MAX_RATIO, USER_MAX_FLOOR = 4.0, 4.0
# What is so many times farther off than torch's own order of sums allows is not excused by any
# other order. Chosen, not measured, far above what sums of some thousand terms taken one by one
# lose: a random walk of as many roundings. Multiplied by the largest score, whose rounding the
# softmax passes on: dp = p (ds - Σ p ds), so that |dp| ≤ 2 p max|ds|.
HOPELESS = 1000.0
# Room for large scores is given where rounding is at most this large: in half
# types 32 u is an eighth of the scale already, and more would hide a mistake.
PRECISE = 2.0**-24
# Where a step is rounded to a coarser dtype, a last bit of float32 may turn the rounding of a
# few elements: that much of the rounding's whole effect is allowed.
TURNED_SHARE = 0.3
# What padding got is no proof, only a hint: it need not be equal to the last bits.
PADDING_SHARE = 1e-3


def unit_roundoff(dtype: torch.dtype) -> float:
    """Return the largest relative error of rounding to a dtype: half its machine epsilon.

    Example:
        >>> unit_roundoff(torch.float32) == 2.0 ** -24
        True
    """
    return torch.finfo(dtype).eps / 2


@dataclass(frozen=True)
class Judgement:
    """How far ours, theirs and the truth are apart, and whether the rule holds."""

    max_abs_error: float
    """max |ours - theirs|."""
    rms_error: float
    """rms(ours - truth)."""
    reference_rms_error: float
    """rms(theirs - truth)."""
    max_error: float
    """max |ours - truth|."""
    reference_max_error: float
    """max |theirs - truth|."""
    scale: float
    """max |theirs|."""
    error_in_u: float
    """max_abs_error in units of u·scale."""
    passed: bool

    @property
    def rms_ratio(self) -> float:
        """Return rms_error / reference_rms_error: NaN for 0 / 0."""
        if self.reference_rms_error == 0.0:
            return math.nan if self.rms_error == 0.0 else math.inf
        return self.rms_error / self.reference_rms_error


def judge(
    ours: Float[Tensor, "*shape"],
    theirs: Float[Tensor, "*shape"],
    truth: Float[Tensor, "*shape"],
    dtype: torch.dtype,
    largest_score: float = 1.0,
) -> Judgement:
    """Return the distances between three computations of one tensor, and the verdict.

    Example:
        >>> one = torch.ones(3)
        >>> judge(one, one, one.double(), torch.float32).passed
        True
        >>> judge(1.0001 * one, one, one.double(), torch.float32).passed
        False
    """
    distances = Distances()
    distances.add(ours, theirs, truth)
    return distances.judgement(dtype, largest_score)


class Distances:
    """The distances between three computations of one tensor, taken a part at a time."""

    def __init__(self) -> None:
        """Begin with nothing compared."""
        self._count = 0
        self._squares = {"ours": 0.0, "theirs": 0.0}
        self._largest = {"apart": 0.0, "ours": 0.0, "theirs": 0.0, "scale": 0.0}

    def add(
        self,
        ours: Float[Tensor, "*shape"],
        theirs: Float[Tensor, "*shape"],
        truth: Float[Tensor, "*shape"],
    ) -> None:
        """Take a part into account; the arguments are those of `judge`."""
        a, b, t = (tensor.detach() for tensor in (ours, theirs, truth))
        self._count += t.numel()
        if not t.numel():
            return
        self._keep("scale", largest(b))
        apart = largest(a - b)
        self._keep("apart", apart)
        # What is equal to the last bit is not measured twice.
        if apart == 0.0:
            self._add_error(b, t, "ours", "theirs")
        else:
            self._add_error(a, t, "ours")
            self._add_error(b, t, "theirs")

    def _add_error(self, given: Tensor, truth: Tensor, *names: str) -> None:
        """Take given - truth into account, under each of the names."""
        error = given.to(torch.float64, copy=True).sub_(truth).flatten()
        square, most = float(torch.dot(error, error)), largest(error)
        for name in names:
            self._squares[name] += square
            self._keep(name, most)

    def _keep(self, name: str, found: float) -> None:
        # NaN is larger than everything, whenever it comes; max() alone would lose it.
        if found > self._largest[name] or math.isnan(found):
            self._largest[name] = found

    def judgement(self, dtype: torch.dtype, largest_score: float = 1.0) -> Judgement:
        """Return the distances, and whether the rule holds.

        Args:
            dtype: In which ours and theirs were computed.
            largest_score: Of the softmax that they come out of. A score s is rounded by u·|s|,
                which moves probabilities by as large a share of them: the rule allows for that.
        """
        scale = self._largest["scale"]
        unit = unit_roundoff(dtype) * scale
        allowed = unit * max(1.0, largest_score)
        mean = {name: total / max(self._count, 1) for name, total in self._squares.items()}
        figures = {
            "max_abs_error": self._largest["apart"],
            "rms_error": math.sqrt(mean["ours"]),
            "reference_rms_error": math.sqrt(mean["theirs"]),
            "max_error": self._largest["ours"],
            "reference_max_error": self._largest["theirs"],
        }
        rms, most = figures["reference_rms_error"], figures["reference_max_error"]
        # An infinity would excuse every error, as its scale is infinite too.
        passed = (
            all(map(math.isfinite, figures.values()))
            and figures["max_abs_error"] <= NEAR_THEIRS * allowed
            and figures["rms_error"] <= RMS_RATIO * rms + RMS_FLOOR * allowed
            and figures["max_error"] <= MAX_RATIO * most + MAX_FLOOR * allowed
        )
        in_u = figures["max_abs_error"] / unit if unit > 0.0 else figures["max_abs_error"]
        return Judgement(**figures, scale=scale, error_in_u=in_u, passed=passed)


class Size(NamedTuple):
    """How large the numbers of a tensor are."""

    rms: float
    most: float


NOTHING = Size(0.0, 0.0)


def size_of(values: Tensor) -> Size:
    """Return the size of numbers, `NOTHING` where there are none."""
    return Size(rms_of(values), largest(values))


def user_share(
    error: Size,
    ways: Iterable[Size],
    unit: float,
    turned: Size = NOTHING,
    largest_score: float = 0.0,
) -> float:
    """Return how much of what rounding explains a user's error takes: what is right, at most 1.

    Args:
        error: Of what was returned - truth, in float64.
        ways: Of what right ways give - truth, the quick ones first: no more of them is computed
            than it takes.
        unit: The dtype's unit roundoff × scale.
        turned: What is allowed besides.
        largest_score: Of the truth.

    Example:
        >>> user_share(Size(3.0, 6.0), [Size(1.0, 1.0), Size(2.0, 2.0)], 0.0)
        0.75
    """
    if not math.isfinite(error.most):
        return math.inf
    share, rms, most = math.inf, 0.0, 0.0
    for way in ways:
        rms, most = max(rms, way.rms), max(most, way.most)
        allowed = Size(
            turned.rms + USER_RMS_RATIO * rms + USER_RMS_FLOOR * unit,
            turned.most + USER_MAX_RATIO * most + USER_MAX_FLOOR * unit,
        )
        share = max(map(_ratio, error, allowed))
        if share <= 1.0 or error.rms > HOPELESS * (1.0 + largest_score) * allowed.rms:
            break
    return share


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.inf if part else 0.0


def largest(values: Tensor) -> float:
    """Return the largest magnitude: 0 of nothing; NaN where there is one, out of both ends."""
    if not values.numel():
        return 0.0
    least, most = torch.aminmax(values)
    return max(abs(float(least)), abs(float(most)))


def cotangent_of(shape: Sequence[int], keep: Tensor, seed: int, dtype: torch.dtype) -> Tensor:
    """Return what a gradient is multiplied by: drawn from a seed, and 0 where nothing is kept."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(tuple(shape), generator=generator, dtype=torch.float64)
    return (drawn * keep.cpu()).to(keep.device, dtype)


def rows_with_keys(
    mask: Bool[Tensor, "#batch #head #query key"] | None, n_batch: int, n_query: int
) -> Bool[Tensor, "batch query"]:
    """Return which queries may look at any key at all: only these have a defined result."""
    if mask is None:
        return torch.ones(n_batch, n_query, dtype=torch.bool)
    return mask.any(dim=-1).any(dim=1).expand(n_batch, n_query)


@dataclass(frozen=True)
class Distance:
    """How far one stage is from a plan."""

    stage: str
    probe: str
    max_error: float
    """max |theirs - truth|."""
    rms_error: float
    scale: float
    """max |truth|."""
    error_in_u: float
    """max_error / (u·scale)."""
    share: float
    """Of what rounding explains: see `user_share`."""

    @classmethod
    def of(
        cls, stage: str, probe: str, error: Size, scale: float, unit: float, share: float
    ) -> "Distance":
        """Return the distance of a stage that is so far off; `unit` is u·scale."""
        in_u = error.most / unit if unit > 0.0 else error.most
        return cls(stage, probe, error.most, error.rms, scale, in_u, share)

    @property
    def passed(self) -> bool:
        """Return whether rounding explains it."""
        return self.share <= 1.0


def rms_of(values: Tensor) -> float:
    """Return the root mean square, 0 of nothing."""
    return float(values.square().mean().sqrt()) if values.numel() else 0.0
