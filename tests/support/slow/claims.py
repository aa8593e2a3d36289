"""The claims frame by its definitions: plain loops, exact fractions, one row at a time.

Written from docs/frames.md alone. Only the random draws are taken from outside, as lists.
Must not know: inspector.
"""

import hashlib
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

NAN = math.nan


def parity(document: str) -> int:
    return int(hashlib.sha256(document.encode("utf-8")).hexdigest(), 16) % 2


def quotient(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def number(value: Fraction | None) -> float:
    return NAN if value is None else float(value)


def quantile(values: Sequence[float], probability: float) -> float:
    """Return the quantile by linear interpolation between order statistics."""
    ordered = sorted(values)
    place = probability * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


class Slow:
    """One corpus, its splits, and what docs/frames.md says of one relation and direction."""

    def __init__(self, counts: Any) -> None:
        self.counts = counts
        numbered = list(enumerate(counts.documents))
        self.selection = [i for i, name in numbered if parity(name) == 0]
        self.test = sorted(
            (i for i, name in numbered if parity(name) == 1), key=lambda i: counts.documents[i]
        )
        _, _, _, self.n_layers, self.n_heads = counts.correct.shape

    def pairs(self, half: list[int], r: int) -> int:
        return sum(int(self.counts.n[i, r]) for i in half)

    def right(self, half: list[int], r: int, k: int, layer: int, head: int) -> int:
        return sum(int(self.counts.correct[i, r, k, layer, head]) for i in half)

    def best_head(self, r: int, k: int) -> tuple[int, int]:
        heads = [(la, h) for la in range(self.n_layers) for h in range(self.n_heads)]
        return min(heads, key=lambda place: (-self.right(self.selection, r, k, *place), *place))

    def baseline_offset(self, r: int) -> int:
        pairs = {
            offset: sum(int(self.counts.offset_counts[i, r, o]) for i in self.selection)
            for o, offset in enumerate(self.counts.offsets)
        }
        found = [offset for offset in pairs if pairs[offset]]
        return min(found, key=lambda o: (-pairs[o], abs(o), o)) if found else 0

    def baseline_right(self, i: int, r: int) -> int:
        offset = self.baseline_offset(r)
        if offset == 0:
            return 0
        return int(self.counts.offset_counts[i, r, self.counts.offsets.index(offset)])

    def random_init(self, r: int, k: int, random_models: Sequence[Any]) -> dict[str, float]:
        """Return the three columns of the best random model, the first of equal ones."""
        best: tuple[float, int, int] = (NAN, 0, 0)
        for random_model in random_models:
            other = Slow(random_model)
            right = other.right(other.test, r, k, *other.best_head(r, k))
            n = other.pairs(other.test, r)
            accuracy = number(quotient(right, n))
            if accuracy > best[0] or math.isnan(best[0]):
                best = (accuracy, n, right)
        accuracy, n, right = best
        of_all = self.pairs(self.test, r)
        likely = (right + 2) / (n + 4)
        missing = (of_all - n) / max(of_all - 1, 1) if random_models else 0.0
        return {
            "random_init_accuracy": accuracy,
            "random_init_n": n,
            "random_init_error": math.sqrt(likely * (1 - likely) / (n + 4) * missing),
        }

    def lift_row(
        self, r: int, k: int, place: tuple[int, int], weights: list[list[int]]
    ) -> dict[str, Any]:
        """Return what is said of one head: n … ci_high, and its differences by document."""
        n, known = self.pairs(self.test, r), self.pairs(self.selection, r) > 0
        accuracy = quotient(self.right(self.test, r, k, *place), n)
        base = quotient(sum(self.baseline_right(i, r) for i in self.test), n) if known else None
        lift = accuracy - base if accuracy is not None and base is not None else None
        apart = [
            int(self.counts.correct[(i, r, k, *place)]) - self.baseline_right(i, r) if known else 0
            for i in self.test
        ]
        ratios = []
        holding = sum(int(self.counts.n[i, r]) > 0 for i in self.test)
        for draw in weights if holding >= 5 else []:
            drawn = sum(w * int(self.counts.n[i, r]) for w, i in zip(draw, self.test, strict=True))
            if drawn:
                ratios.append(sum(w * d for w, d in zip(draw, apart, strict=True)) / drawn)
        defined = known and bool(ratios)
        return {
            "n": n,
            "accuracy": number(accuracy),
            "baseline_offset": self.baseline_offset(r),
            "baseline_accuracy": number(base),
            "lift": number(lift),
            "ci_low": quantile(ratios, 0.025) if defined else NAN,
            "ci_high": quantile(ratios, 0.975) if defined else NAN,
            "apart": apart,
        }

    def claim(
        self,
        r: int,
        k: int,
        weights: list[list[int]],
        signs: list[list[int]],
        random_models: Sequence[Any],
    ) -> dict[str, Any]:
        """Return a row of the claims frame without q_value and verdict."""
        place = self.best_head(r, k)
        row = self.lift_row(r, k, place, weights)
        apart = row.pop("apart")
        reached = sum(
            sum(s * d for s, d in zip(flip, apart, strict=True)) >= sum(apart) for flip in signs
        )
        selection = quotient(
            self.right(self.selection, r, k, *place), self.pairs(self.selection, r)
        )
        return {
            "layer": place[0],
            "head": place[1],
            **row,
            "p_value": (1 + reached) / (1 + len(signs)),
            "selection_accuracy": number(selection),
            "optimism": number(selection) - row["accuracy"],
            **self.random_init(r, k, random_models),
        }


def verdict(row: dict[str, Any], n_selection: int) -> str:
    """Return the verdict, from a row's own figures."""
    if row["n"] < 20 or n_selection < 20:
        return "underpowered"
    if math.isnan(row["ci_low"]) or (row["ci_low"] <= 0 and row["ci_high"] >= 0.10):
        return "underpowered"
    holds = (
        row["q_value"] < 0.05
        and row["ci_low"] > 0
        and row["lift"] >= 0.10
        and row["accuracy"] > row["random_init_accuracy"] + 2 * row["random_init_error"]
    )
    return "supported" if holds else "not supported"


def exact_p(differences: Sequence[int]) -> Fraction:
    """Return the share of all flips whose sum reaches the observed one, by dynamic programming."""
    sums = {0: 1}
    for difference in differences:
        flipped: dict[int, int] = {}
        for total, ways in sums.items():
            for other in (total + difference, total - difference):
                flipped[other] = flipped.get(other, 0) + ways
        sums = flipped
    reached = sum(ways for total, ways in sums.items() if total >= sum(differences))
    return Fraction(reached, 2 ** len(differences))
