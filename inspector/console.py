"""What the command line shows: plain lines, tables, JSON on stdout; progress on stderr.

Nothing that is shown can steer the terminal.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from shutil import get_terminal_size
from textwrap import fill
from time import monotonic
from typing import TYPE_CHECKING, Any

from inspector.text import printable

if TYPE_CHECKING:
    import pandas as pd

    from inspector.runs.run import Run
    from inspector.verification import ImplementationReport, VerificationReport

_MINUTE = 60.0
_MARKS = {True: "caught", False: "NOT CAUGHT", None: "below rounding"}


def say(text: str) -> None:
    """Print a line on stdout, in a terminal cut between words."""
    line = printable(text)
    columns = get_terminal_size().columns
    if len(line) >= columns and sys.stdout.isatty():
        line = fill(line, max(20, columns - 1), subsequent_indent="  ", break_long_words=False,
                    break_on_hyphens=False)  # fmt: skip
    print(line)


def note(text: str) -> None:
    """Print a line on stderr: what is to be known, and is no result."""
    print(printable(text), file=sys.stderr)


class Notes(logging.Handler):
    """Shows what the library has to say before it computes as a line on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        note(f"inspector: {record.getMessage()}")


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """Give a function that shows what is being done on stderr: a bar, or a line a minute.

    The bar, with the time left, is for terminals; the lines are for logs of long computations.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _line_a_minute()
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Starting", total=1.0)

        def show(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)

        yield show


def _line_a_minute() -> Callable[[str, float], None]:
    started = said = monotonic()

    def show(what: str, share: float) -> None:
        nonlocal said
        now = monotonic()
        if now - said >= _MINUTE:
            said = now
            passed = now - started
            left = f", about {_minutes(passed / share - passed)} left" if share > 0 else ""
            note(f"{what}: {share:.0%} after {_minutes(passed)}{left}")

    return show


def _minutes(seconds: float) -> str:
    return f"{seconds / _MINUTE:.0f} min"


def in_terminal() -> bool:
    """Return whether somebody reads stdout in a terminal, and not a program or a file."""
    from rich.console import Console

    return Console().is_terminal


def print_frame(
    frame: "pd.DataFrame", title: str, *, alone: bool = False, whole: bool | None = None
) -> None:
    """Print a frame: in a terminal as a table of four significant digits, else tab-separated.

    Of a table that is too wide the first columns are shown, and the number of the others.

    Args:
        frame: What to print.
        title: What it is; only in a terminal where nothing else is printed.
        alone: Whether nothing else is printed, so that programs can read it as it is.
        whole: Whether a terminal gets all columns too, however wide; None of a command that has
            no option for that.
    """
    if in_terminal():
        _print_table(frame, title, whole=whole)
        return
    if not alone:
        say(title)
    cells = frame.to_csv(sep="\t", index=False, lineterminator="\n")
    for line in cells.splitlines():
        print("\t".join(printable(cell) for cell in line.split("\t")))


def _print_table(frame: "pd.DataFrame", title: str, *, whole: bool | None) -> None:
    from rich.console import Console
    from rich.table import Table

    # No markup: a model may be called [red].
    console = Console(markup=False)
    rows = [
        [f"{value:.4g}" if isinstance(value, float) else printable(str(value)) for value in row]
        for row in frame.itertuples(index=False)
    ]
    widths = [
        3 + max(len(text) for text in (str(name), *(row[place] for row in rows)))
        for place, name in enumerate(frame.columns)
    ]
    kept = len(widths) if whole else _that_fit(widths, console.width - 1)
    if whole:
        console = Console(markup=False, width=max(console.width, sum(widths) + 1))
    shown = Table(title=printable(title), title_justify="left")
    for name in frame.columns[:kept]:
        shown.add_column(str(name), justify="right", no_wrap=bool(whole))
    for row in rows:
        shown.add_row(*row[:kept])
    console.print(shown)
    if kept < len(widths):
        way = "--json prints all" if whole is None else "--columns NAME,NAME or --all shows others"
        say(f"{kept} of {len(widths)} columns; {way}.")


def _that_fit(widths: list[int], available: int) -> int:
    """Return how many of the first columns have room, one at least.

    Example:
        >>> _that_fit([10, 10, 30], 40), _that_fit([50, 10], 40)
        (2, 1)
    """
    fitting = sum(total <= available for total in accumulate(widths))
    return max(1, fitting)


def print_report(report: "VerificationReport") -> None:
    """Print a verification: outcome, errors layer by layer, what became of each control."""
    say(str(report))
    if len(report.frame):
        errors = report.frame.pivot_table(
            index="layer", columns="stage", values="error_in_u", sort=False
        )
        print_frame(errors.reset_index(), "Largest |ours - theirs| in u·scale")
    if report.controls:
        say("Deliberate mistakes:")
    for control in report.controls:
        place = f", layer {control['layer']}, {control['stage']}" if control["caught"] else ""
        say(f"  {control['mutation']}: {_MARKS[control['caught']]}{place}")
    if report.controls_note:
        say(report.controls_note)
    for line in report.scope.file_lines():
        say(line)


def print_implementation(report: "ImplementationReport") -> None:
    """Print what was found of a user's implementation: outcome, mistake, errors by layer."""
    say(str(report))
    errors = report.frame.pivot_table(
        index="layer", columns="stage", values="error_in_u", aggfunc="max", sort=False
    )
    print_frame(errors.reset_index(), "Largest |returned - truth| in u·scale")


_LEFT_OUT = (
    *("sentences ", "words without ", "relations ", "windows ", "mentions "),
    "documents without ",
)
"""How the totals begin that count what a profile could not use; all of them say why."""


def _place(row: "pd.Series[Any]") -> str:
    """Return where something was left out, and why."""
    line = f"{row['file']}, line {row['line']}" if row["line"] else ""
    where = ", ".join(filter(None, (line, row["sentence"])))
    return ": ".join(filter(None, (where, row["reason"])))


def note_unknown(run: "Run") -> None:
    """Say on stderr where the vocabulary knows too little of a corpus for anything to be claimed.

    Args:
        run: As it was just computed.
    """
    if run.unsure:
        note(
            f"inspector: {run.vocabulary}. {run.manifest.model} cannot tell such words apart: "
            f"claims about {', '.join(run.unsure)} are underpowered."
        )


def print_run(run: "Run", folder: object) -> None:
    """Print what a profile found: how much was read, the claims that hold, where all of it is."""
    from inspector.runs.run_frames import RANDOM_ROW

    say(run.summary())
    for what, count in zip(run.totals["what"], run.totals["count"], strict=True):
        if what == RANDOM_ROW:
            say(f"  {count} {what}")
        elif count and (str(what).startswith(_LEFT_OUT) or ": " in str(what)):
            say(f"  left out: {count} {what}")
    skipped = run.frames["skipped"]
    if len(skipped):
        say(f"  why and where: skipped.parquet; the first: {_place(skipped.iloc[0])}")
    supported = run.claims[run.claims["verdict"] == "supported"]
    columns = ["relation", "direction", "layer", "head", "n", "accuracy", "baseline_accuracy"]
    ordered = supported.sort_values("lift", ascending=False)
    shown = [*columns, "lift", "ci_low", "ci_high", "replicates", "needed"]
    if len(supported):
        known = ordered.dropna(axis="columns", how="all")
        print_frame(known[[name for name in shown if name in known]], "Supported claims")
    simpler = run.claims["explained_by"].isin(["", "offset"])
    explained = run.claims[(run.claims["verdict"] == "explained") & ~simpler]
    ordered = explained.sort_values("lift", ascending=False)
    if len(ordered):
        names = [*columns, "class_rule", "selectivity", "explained_by"]
        print_frame(ordered[names], "Explained by something simpler, though above a fixed offset")
    if "replication" in run.frames:
        for name, rows in run.frames["replication"].groupby("other_corpus", sort=False):
            counted = rows["kept"].value_counts()
            kept, lost, unclear = (int(counted.get(word, 0)) for word in ("yes", "no", "unclear"))
            asked = rows[rows["kept"] == "not asked"].merge(supported[columns[:4]])["reason"]
            why = f", {len(asked)} not asked ({asked.iloc[0]})" if len(asked) else ""
            say(f"On {name}: {kept} supported claims kept, {lost} not, {unclear} unclear{why}.")
    say(f"All frames: {folder}")
