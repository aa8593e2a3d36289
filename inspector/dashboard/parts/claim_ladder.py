"""The ladder of one claim: what simpler explanations find, in a sentence, a chart and a table."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from inspector import plot, words
from inspector.dashboard import claims_in_words, store, widgets
from inspector.dashboard.guards import plain
from inspector.dashboard.parts import exports
from inspector.dashboard.settings import Visit
from inspector.plot.names import rung_label
from inspector.runs.run import Run

_WIDEST = 720
_CLAIM = ("layer", "head", "relation", "direction")


def show(run: Run, claim: Mapping[Any, Any], key: str, visit: Visit) -> None:
    """Show how far a head is ahead of each simpler explanation of what it finds.

    Args:
        run: With the frame of controls.
        claim: Its layer, head, relation and direction.
        key: Of the chart; one a page.
        visit: Of the reader.
    """
    language = visit.language
    t, names = words.of("ladder", language), words.of("charts", language)
    rungs = rungs_of(run.controls, claim)
    if rungs.empty:
        st.caption(t["not_asked"])
        return
    head = f"{claim['layer']}-{claim['head']}"
    rows = rungs.to_dict("records")
    said = in_words(rows, head, language)
    st.markdown(plain(said))
    st.caption(t["note"])
    drawing = plot.claim_ladder(rungs, names=names)
    with st.container(key=f"ladder-{key}", width=_WIDEST):
        said_of = t["alt"].format(head_name=head, said=said)
        widgets.chart(drawing, key, said_of, language, _lines(claim, visit))
    with st.expander(t["as_table"]):
        widgets.text_table(
            [t["rung"], t["asks"], t["finds"], t["ahead"], t["interval"], t["pairs"]],
            (
                [rung_label(row, names), t[f"asks:{row['rung']}"], *_figures(row, language)]
                for row in rows
            ),
        )


def _lines(claim: Mapping[Any, Any], visit: Visit) -> str:
    """Return the Python that draws it."""
    one = " and ".join(f"{name} == {claim[name]!r}" for name in _CLAIM)
    rungs = exports.of_run(store.folder_of_run(visit), f'controls.query("{one}")')
    rungs = rungs.replace("run.controls", "rungs = run.controls")
    return f"{rungs}\ninspector.plot.claim_ladder(rungs)"


def rungs_of(controls: pd.DataFrame, claim: Mapping[Any, Any]) -> pd.DataFrame:
    """Return the rows of the controls frame that are of one claim, the lowest rung first."""
    own = pd.Series(True, index=controls.index)
    for name in _CLAIM:
        own &= controls[name] == claim[name]
    return controls[own]


def in_words(rows: list[dict[Any, Any]], head: str, language: str) -> str:
    """Return what a head finds beside the best simpler explanation, and which one explains it.

    Args:
        rows: Of one claim in the controls frame.
        head: The head's name.
        language: Of the sentences.
    """
    t, names = words.of("ladder", language), words.of("charts", language)
    asked = [row for row in rows if row["n"] and not pd.isna(row["accuracy"])]
    if not asked:
        return t["not_asked"]
    every = next((row for row in asked if row["rung"] == "offset"), asked[0])
    best = max(asked, key=lambda row: row["accuracy"])
    said = t["best"].format(
        head_name=head,
        accuracy=widgets.percent(every["accuracy"] + every["difference"]),
        n=every["n"],
        rung=rung_label(best, names),
        share=widgets.percent(best["accuracy"]),
    )
    by = next((row for row in rows if row["rung"] == row["explained_by"]), None)
    if by is not None:
        said = f"{said} {t['explained'].format(rung=rung_label(by, names))}"
        return f"{said} {t['though_ahead']}" if by["difference"] > 0 else said
    if rows[0]["verdict"] != claims_in_words.SUPPORTED:
        return f"{said} {t['open']}"
    as_good = best["difference"] <= 0
    errs = as_good and any(row["rung"] == "selectivity" and row["ci_low"] > 0 for row in rows)
    return f"{said} {t['above_where_it_errs' if errs else 'above']}"


def _figures(row: Mapping[Any, Any], language: str) -> list[str]:
    if not row["n"]:
        return ["–", "–", "–", "0"]
    return [
        widgets.percent(row["accuracy"]),
        widgets.points(row["difference"], language),
        widgets.interval_in_points(row, language),
        str(row["n"]),
    ]
