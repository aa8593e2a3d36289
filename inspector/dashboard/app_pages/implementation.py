"""Implementation: how a reader's own attention is checked, and what a check found."""

import altair as alt
import pandas as pd
import streamlit as st

from inspector import words
from inspector.dashboard import mistakes, store, widgets
from inspector.dashboard.guards import guarded, plain
from inspector.dashboard.implementation import Report, Trial, read_report, template
from inspector.dashboard.implementation.report_file import MOST_BYTES
from inspector.dashboard.settings import Visit
from inspector.plot import error_grid
from inspector.plot.colors import MARK

_FILE = "my_attention.py"
_NOTHING = 1e-9
"""A distance is drawn as at least this, for its logarithm."""
_OPENED = """import json

import pandas as pd

import inspector

with open("report.json", encoding="utf-8") as file:
    report = json.load(file)
"""
_DISTANCES = _OPENED.replace("import inspector\n\n", "") + "pd.DataFrame(report['distances'])"
_STAGES = f"""{_OPENED}rows = pd.DataFrame(report["layers"])
stages = rows.groupby(["layer", "stage"], sort=False)
worst = stages.agg({{"error_in_u": "max", "passed": "all"}}).reset_index()
inspector.plot.error_grid(worst)"""
_TRIAL, _OUTCOME, _GLANCE = "_trial", "_outcome", "1s"


def show(visit: Visit) -> None:
    """Show the command and the template, then a report: uploaded, or of a trial made here."""
    t = words.of("implementation", visit.language)
    widgets.heading(t["title"], t["purpose"])
    store.model(visit.model, visit.language)
    st.header(t["how"], anchor=False)
    st.markdown(t["how_note"])
    st.download_button(
        t["template"], template(), _FILE, "text/x-python", key="template", on_click="ignore",
        icon=":material/download:",
    )  # fmt: skip
    st.markdown(t["command"])
    name = visit.model if not set(visit.model) & set(" '\"\\$`") else f"'{visit.model}'"
    command = f"inspector verify {name} --implementation {_FILE}:build"
    st.code(f"{command}\n{command} --json > report.json", language=None, wrap_lines=True)
    if visit.settings.run_code:
        _trial(visit, t)
    else:
        st.caption(t["not_here"])
    st.header(t["report"], anchor=False)
    uploaded = st.file_uploader(
        t["upload"], type="json", key="report", max_upload_size=MOST_BYTES // 1024**2
    )
    if uploaded is not None:
        with guarded():
            report = read_report(uploaded.name, uploaded.getvalue())
        _show(report, t, visit.language)


def _trial(visit: Visit, t: words.Words) -> None:
    """Let the reader run code of their own, in processes of its own."""
    st.header(t["here"], anchor=False)
    st.markdown(t["here_note"])
    # No text field with the browser's own limit, which would cut a paste without a word.
    code = st.text_area(t["code"], template(), key="code", height=360)
    if st.button(t["run"], key="run-code", type="primary"):
        with guarded():
            _drop()
            st.session_state[_TRIAL] = Trial(code, visit.model)
    trial: Trial | None = st.session_state.get(_TRIAL)
    if trial is None:
        return
    if not trial.ended:
        st.fragment(_under_way, run_every=_GLANCE)(trial, t)
        return
    if _OUTCOME not in st.session_state:
        with guarded():
            st.session_state[_OUTCOME] = trial.outcome()
    _show(st.session_state[_OUTCOME], t, visit.language)


def _drop() -> None:
    """Let go of the trial before."""
    before: Trial | None = st.session_state.pop(_TRIAL, None)
    st.session_state.pop(_OUTCOME, None)
    if before is not None and not before.ended:
        before.stop()


def _under_way(trial: Trial, t: words.Words) -> None:
    """Say that a trial runs and offer to stop it, until it has ended."""
    if trial.ended:
        st.rerun()
    st.info(t["running"], icon=":material/hourglass:")
    if st.button(t["stop"], key="stop-code"):
        trial.stop()


def _show(report: Report, t: words.Words, language: str) -> None:
    """Show what a report says: the outcome, the mistake and its fix, stages, inputs, distances."""
    frame = report.frame
    said = {
        "implementation": plain(report.implementation),
        "model": plain(report.model),
        "dtype": plain(report.dtype),
        "layers": frame["layer"].nunique(),
        "inputs": frame["input"].nunique(),
    }
    if report.passed:
        st.success(t["passed"].format(**said), icon=":material/verified:")
    else:
        st.error(t["failed"].format(**said), icon=":material/gpp_bad:")
    _first_difference(report, t, language)
    _diagnosis(report, t, language)
    _distances(report, t, language)
    st.subheader(t["stages"], anchor=False)
    st.caption(t["stages_note"])
    worst = frame.assign(error_in_u=frame["error_in_u"].fillna(float("inf")))
    worst = worst.groupby(["layer", "stage"], sort=False, as_index=False).agg(
        error_in_u=("error_in_u", "max"), passed=("passed", "all")
    )
    shown = worst.assign(error_in_u=worst["error_in_u"].clip(upper=1e300))
    grid = error_grid(shown, names=words.of("charts", language))
    widgets.chart(grid, "stage-errors", t["stages"], language, _STAGES, least=420)
    with st.expander(t["inputs"]):
        inputs = frame.groupby("input", sort=False).agg(
            error=("error_in_u", "max"), passed=("passed", "all")
        )
        rows = [
            (
                mistakes.called(str(name), language),
                _in_u(row["error"]),
                t["yes" if row["passed"] else "no"],
            )
            for name, row in inputs.iterrows()
        ]
        widgets.text_table([t["input"], t["largest"], t["holds"]], rows)
    for note in [*report.notes, *([", ".join(report.unseen)] if report.unseen else [])]:
        st.caption(plain(note))


def _first_difference(report: Report, t: words.Words, language: str) -> None:
    first = report.first_difference
    if first is None:
        return
    heads = "–" if first.heads is None else ", ".join(map(str, first.heads))
    widgets.text_table(
        [t["first"], ""],
        [
            (t["layer"], first.layer),
            (t["stage"], mistakes.called(first.stage, language)),
            (t["input"], mistakes.called(first.input, language)),
            (t["heads"], heads),
            (t["rows"], first.rows),
            (t["largest"], _in_u(first.error_in_u)),
        ],
    )


def _diagnosis(report: Report, t: words.Words, language: str) -> None:
    found = report.diagnosis
    if found is None:
        return
    names = [mistakes.called(name, language) for name in found.mistakes]
    rows = [
        (t["mistake"], " + ".join(names) or t["unknown"]),
        (t["fix"], mistakes.fix(found.fix, language)),
        (t["equation"], found.equation),
        (t["details"], "; ".join(found.details)),
        (t["cause"], found.likely_cause or ""),
    ]
    if found.nearest is not None:
        near = " + ".join(mistakes.called(name, language) for name in found.nearest.mistakes)
        rows.append((t["nearest"], near))
    widgets.text_table([t["diagnosis"], ""], [row for row in rows if row[1]])


def _distances(report: Report, t: words.Words, language: str) -> None:
    """Draw how far what was returned is from each known mistake, and from the right result."""
    frame = pd.DataFrame(
        {
            "name": t["right"] if one.mistake is None else mistakes.called(one.mistake, language),
            "distance": max(one.distance or 0.0, _NOTHING),
            "kind": t["right"] if one.mistake is None else t["mistake"],
        }
        for one in report.distances
    )
    if frame.empty:
        return
    st.subheader(t["distances"], anchor=False)
    st.caption(t["distances_note"])
    names = frame["name"].tolist()
    base = alt.Chart(frame).encode(
        x=alt.X("distance:Q", scale=alt.Scale(type="log"), title=t["distance"]),
        y=alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=260)),
        tooltip=[
            alt.Tooltip("name:N", title=t["mistake"]),
            alt.Tooltip("distance:Q", format=".2g", title=t["distance"]),
        ],
    )
    kinds = alt.Scale(domain=[t["right"], t["mistake"]], range=["#e69f00", MARK])
    color = alt.Color("kind:N", scale=kinds, legend=alt.Legend(orient="top", title=None))
    points = base.mark_point(filled=True, size=70).encode(
        color=color, shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds.domain), legend=None)
    )
    drawn = points.properties(height={"step": 18})
    widgets.chart(drawn, "distances", t["distances"], language, _DISTANCES, least=420)


def _in_u(error: float | None) -> str:
    return "–" if error is None or pd.isna(error) else widgets.in_u(error)
