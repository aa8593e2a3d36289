"""Every family of transformers that inspector has a tiny network of, verified by running it.

What comes out is what was run, nothing is declared.
"""

import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import pandas as pd
from torch import nn

from inspector.frames import dtypes
from inspector.models.any_model.any_model import AnyModel
from inspector.models.forward.one_thread import one_thread
from inspector.models.log_level import quiet
from inspector.models.tiny_models import CONFIGURATIONS, Configuration, configuration
from inspector.models.weight_checks.network_check import COMPLAINTS, prove_table_entry
from inspector.progress import Progress
from inspector.records import records
from inspector.verification.calls.verify_calls import verify_any
from inspector.verification.report import VerificationReport, typed_frame

ARCHITECTURES_COLUMNS = dtypes("architectures")
"""Column → dtype of the frame."""

VERIFIED, NOT_VERIFIED, DIFFERS = "verified", "not verified", "differs"


_MADE = "Made by `make architectures`, which runs every row; nothing here is written by hand."
_EXPLAINED = (
    "Each is a tiny network with random weights, run on texts of one length, padded texts, "
    "tokens after a cache, pixels or sound. *backend*: the model hands its attention to "
    "transformers' interface, and ours is evaluated on the same queries, keys, values and "
    "mask. *custom score term*: the model has mathematics of its own, whose score term ours has, "
    "and hooks see what went in and what came out. *u*: largest |ours − theirs| in units of "
    "unit roundoff × largest |theirs| (0: equal to the last bit). *ratio*: our rms error to "
    "the truth in float64 over the model's own. *weights*: modules of which W_Q, W_K, W_V and "
    "W_O are proved to stand where inspector's table says."
)
_HEADINGS = (
    "configuration", "route", "calls", "modules", "u", "ratio", "mistakes seen", "weights",
    "verdict",
)  # fmt: skip


def verify_architectures(
    names: Sequence[str] = (), *, progress: Progress | None = None
) -> pd.DataFrame:
    """Return a row for each tiny configuration: how ours was put beside theirs, and what came out.

    Args:
        names: Which configurations; all where there is none.
        progress: Told how far it is.

    Raises:
        InputError: If there is no configuration of a name.

    Example:
        >>> verify_architectures(["bloom"])["verdict"].tolist()
        ['verified']
    """
    chosen = [configuration(name) for name in names] or list(CONFIGURATIONS)
    say = progress or (lambda what, share: None)
    rows = []
    for number, row in enumerate(chosen):
        say(row.name, number / len(chosen))
        # What transformers and torch say of tiny configurations is no concern of the user's.
        with quiet(), warnings.catch_warnings(), one_thread():
            warnings.simplefilter("ignore")
            rows.append(_row(row))
    return typed_frame(rows, ARCHITECTURES_COLUMNS)


def transformers_version() -> str:
    """Return the version of transformers that is verified."""
    return version("transformers")


def _row(row: Configuration) -> dict[str, Any]:
    network = row.build()
    report = verify_any(AnyModel.of(network, row.name), inputs=None)
    if report.route == "none":  # inputs of the family's own may reach what ours did not
        report = verify_any(AnyModel.of(network, row.name), inputs=row.make_inputs())
    proved, total = _weights(network, row)
    coverage, figures = report.coverage, report.frame
    return {
        "name": row.name,
        "model_type": row.model_type,
        "kind": row.kind,
        "route": report.route,
        "calls": int((report.cases["stage"] == "context").sum()),
        "reached": coverage["reached"],
        "total": coverage["total"],
        "error_in_u": figures["error_in_u"].max(),
        "rms_ratio": figures["rms_ratio"].max(),
        "controls": len(report.controls),
        "controls_caught": sum(control["caught"] is True for control in report.controls),
        "weights_proved": proved,
        "weights_total": total,
        "verdict": _verdict(report),
        "reason": "" if report.passed else " ".join(report.failures()),
    }


def _verdict(report: VerificationReport) -> str:
    if report.passed:
        return VERIFIED
    missed = any(control["caught"] is False for control in report.controls)
    return DIFFERS if missed or not report.frame["passed"].all() else NOT_VERIFIED


def _weights(network: nn.Module, row: Configuration) -> tuple[int, int]:
    """Return how many entries of the table are proved, and how many there are."""
    try:
        entries = prove_table_entry(network, row.make_inputs())
    except COMPLAINTS:  # the table has no part in the verdict
        return 0, 0
    return sum(entry.proved for entry in entries.values()), len(entries)


def architectures_page(frame: pd.DataFrame) -> str:
    """Return the frame as a page of Markdown."""
    counts = frame["verdict"].value_counts()
    summary = (
        f"transformers {transformers_version()}: {len(frame)} configurations of "
        f"{frame['model_type'].nunique()} model types, {counts.get(VERIFIED, 0)} verified, "
        f"{counts.get(NOT_VERIFIED, 0)} not, {counts.get(DIFFERS, 0)} that differ."
    )
    lines = ["# Architectures", "", _MADE, "", summary, "", _EXPLAINED, ""]
    for kind, rows in frame.groupby("kind", sort=False):
        lines += [
            f"## {str(kind).capitalize()}",
            "",
            f"| {' | '.join(_HEADINGS)} |",
            "|" + "---|" * len(_HEADINGS),
            *(_line(row) for row in records(rows)),
            "",
        ]
    return "\n".join(lines)


def no_longer_verified(page: str, frame: pd.DataFrame, *, whole: bool = True) -> list[str]:
    """Return the configurations that a page records as verified and that are not any more.

    Args:
        page: As `architectures_page` made it once.
        frame: Of today.
        whole: Whether all configurations were run, so that one that is missing is lost.

    Example:
        >>> page = "| bert | backend | 4 | 2/2 | 0.0 | 1.00 | 9/9 | 2/2 | verified |"
        >>> no_longer_verified(page, verify_architectures(["gpt2"]))
        ['bert']
    """
    today = dict(zip(frame["name"], frame["verdict"], strict=True))
    cells = [line.strip("|").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    recorded = [
        row[0].strip().replace("&#124;", "|") for row in cells if row[-1].strip() == VERIFIED
    ]
    return [name for name in recorded if (name in today or whole) and today.get(name) != VERIFIED]


def _line(row: dict[str, Any]) -> str:
    seen = row["calls"] > 0
    reason = f": {row['reason'].split('. ')[0].rstrip('.')}" if row["reason"] else ""
    cells = [
        row["name"],
        row["route"],
        str(row["calls"]),
        f"{row['reached']}/{row['total']}",
        f"{row['error_in_u']:.1f}" if seen else "",
        f"{row['rms_ratio']:.2f}" if row["rms_ratio"] is not None else "",
        f"{row['controls_caught']}/{row['controls']}" if seen else "",
        f"{row['weights_proved']}/{row['weights_total']}",
        f"{row['verdict']}{reason}",
    ]
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
