"""What was measured, beside what was promised: rows, their table, the exit code.

A row without a bound is there to be read, and always holds.
Must not know: how anything is measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass

HEADINGS = ("what", "measured", "bound", "holds")


@dataclass(frozen=True)
class Measure:
    """One figure, and the bound that it must keep, where there is one."""

    what: str
    value: float
    unit: str = ""
    """Written behind the figure: 's', 'MB', '×'."""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def holds(self) -> bool:
        """Return whether the figure keeps its bounds: NaN keeps none."""
        above = self.at_least is None or self.value >= self.at_least
        below = self.at_most is None or self.value <= self.at_most
        return above and below

    def cells(self) -> tuple[str, str, str, str]:
        """Return the row of the table."""
        bounds = [
            f"{sign} {_figure(bound)}{_spaced(self.unit)}"
            for sign, bound in (("≥", self.at_least), ("≤", self.at_most))
            if bound is not None
        ]
        verdict = ("yes" if self.holds else "NO") if bounds else ""
        measured = f"{_figure(self.value)}{_spaced(self.unit)}"
        return self.what, measured, ", ".join(bounds), verdict


def table(measures: Sequence[Measure]) -> str:
    """Return the rows as lines of text, each column as wide as it must be.

    Example:
        >>> print(table([Measure("import", 0.05, "s", at_most=0.3)]))
        what    measured  bound    holds
        import  0.05 s    ≤ 0.3 s  yes
    """
    rows = [HEADINGS, *(measure.cells() for measure in measures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def exit_code(measures: Sequence[Measure]) -> int:
    """Return 0 if every bound holds, else 1."""
    return 0 if all(measure.holds for measure in measures) else 1


def _figure(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _spaced(unit: str) -> str:
    return f" {unit}" if unit else ""
