"""Verification: the report, for people who read."""

import json
import math

import streamlit as st

from inspector import words
from inspector.dashboard import mistakes, store, widgets
from inspector.dashboard.guards import plain
from inspector.dashboard.parts import exports
from inspector.dashboard.settings import Visit
from inspector.plot import error_grid
from inspector.verification import Control, VerificationReport
from inspector.verification.judge import (
    MAX_FLOOR,
    MAX_RATIO,
    NEAR_THEIRS,
    RMS_FLOOR,
    RMS_RATIO,
)
from inspector.words import sentences


def show(visit: Visit) -> None:
    """Show the outcome, then each kind of evidence for it."""
    t = words.of("verification", visit.language)
    widgets.heading(t["title"], t["purpose"])
    report = store.report(visit.model, visit.language)
    route = t[f"route_{_route(report)}"]
    if _route(report) != "weights" and "query" in set(report.frame["stage"]):
        route = f"{route} {t['projections']}"
    st.markdown(t["what"].format(model=plain(visit.model), dtype=report.dtype, route=route))
    _outcome(report, t)
    _not_run(report, t)
    if len(report.frame):
        _grid(report, t, visit.model, visit.language)
        _rule(report, t)
    if report.frame["noise_max_abs_error"].notna().any():
        _noise(report, t, visit.language)
    if len(report.whole_model):
        _whole_model(report, t, visit.language)
    if report.controls:
        _controls(report, t, visit.language)
    _coverage(report, t)
    _downloads(report, visit)


def _route(report: VerificationReport) -> str:
    """Return which sentence says how ours was put beside theirs."""
    from_weights = report.route == "backend" and len(report.whole_model) > 0
    return "weights" if from_weights else report.route


def _outcome(report: VerificationReport, t: words.Words) -> None:
    if not report.passed:
        st.error(t["failed"], icon=":material/gpp_bad:")
        for sentence in report.failures():
            st.markdown(f"- {plain(sentence)}")
        return
    outcome = t["passed" if _route(report) == "weights" else "passed_call_by_call"].format(
        stages=len(report.frame),
        layers=report.frame["layer"].nunique(),
        worst=widgets.in_u(report.frame["error_in_u"].max()),
        reached=report.coverage["reached"],
        total=report.coverage["total"],
        caught=sum(control["caught"] is True for control in report.controls),
        controls=len(report.controls),
    )
    st.success(outcome, icon=":material/verified:")


def _not_run(report: VerificationReport, t: words.Words) -> None:
    """Say what the model could not be run on, where there was something."""
    if report.not_run:
        st.warning(t["not_run"], icon=":material/warning:")
        for complaint in report.not_run:
            st.markdown(f"- {plain(complaint)}")


def _grid(report: VerificationReport, t: words.Words, name: str, language: str) -> None:
    st.header(t["grid"], anchor=False)
    st.caption(t["grid_note"].format(allowed=f"{NEAR_THEIRS:.0f}"))
    grid = error_grid(
        report.frame,
        limit=NEAR_THEIRS,
        by_module=_route(report) != "weights",
        names=words.of("charts", language),
    )
    lines = f"import inspector\n\nreport = inspector.verify({name!r})\n"
    lines += "inspector.plot.error_grid(report.frame)"
    widgets.chart(grid, "error-grid", t["grid"], language, lines)


def _rule(report: VerificationReport, t: words.Words) -> None:
    with st.expander(t["rule"], icon=":material/rule:"):
        st.markdown(t["rule_note"].format(dtype=report.dtype))
        st.latex(
            rf"\begin{{aligned}}"
            rf"\max|\mathrm{{ours}} - \mathrm{{theirs}}| &\le {NEAR_THEIRS:g}\,u\,s \\"
            rf"\mathrm{{rms}}(\mathrm{{ours}} - \mathrm{{truth}}) &\le {RMS_RATIO:g}\,"
            rf"\mathrm{{rms}}(\mathrm{{theirs}} - \mathrm{{truth}}) + {RMS_FLOOR:g}\,u\,s \\"
            rf"\max|\mathrm{{ours}} - \mathrm{{truth}}| &\le {MAX_RATIO:g}\,"
            rf"\max|\mathrm{{theirs}} - \mathrm{{truth}}| + {MAX_FLOOR:g}\,u\,s"
            rf"\end{{aligned}}"
        )
        call_by_call = _route(report) != "weights"
        st.markdown(t["rule_cases_call_by_call" if call_by_call else "rule_cases"])


def _noise(report: VerificationReport, t: words.Words, language: str) -> None:
    st.header(t["noise"], anchor=False)
    st.caption(t["noise_note"])
    worst = report.frame.groupby("stage", sort=False)[
        ["max_abs_error", "noise_max_abs_error"]
    ].max()
    widgets.text_table(
        [t["stage"], t["ours"], t["theirs"]],
        (
            [
                words.term(str(stage), language),
                widgets.figure(row["max_abs_error"]),
                t["no_noise"]
                if math.isnan(row["noise_max_abs_error"])
                else widgets.figure(row["noise_max_abs_error"]),
            ]
            for stage, row in worst.iterrows()
        ),
    )


def _whole_model(report: VerificationReport, t: words.Words, language: str) -> None:
    st.header(t["whole"], anchor=False)
    st.caption(t["whole_note"])
    widgets.text_table(
        [t["case"], t["comparison"], t["largest"], t["in_u"], t["holds"]],
        (
            [
                _case(row["case"], language),
                words.term(row["comparison"], language),
                widgets.figure(row["max_abs_error"]),
                widgets.in_u(row["error_in_u"]),
                _whole_model_verdict(row["comparison"], row["passed"], t),
            ]
            for row in report.whole_model.to_dict("records")
        ),
    )


def _case(name: str, language: str) -> str:
    """Return what an input is called."""
    return words.term(sentences.said(name, "cases", language), language)


def _whole_model_verdict(comparison: str, passed: bool, t: words.Words) -> str:
    """Return the mark of a comparison; the library's two paths are not under test."""
    if "ours" not in comparison:
        return t["not_judged"]
    return "✓" if passed else "✗"


def _controls(report: VerificationReport, t: words.Words, language: str) -> None:
    st.header(t["controls"], anchor=False)
    st.caption(t["controls_note"])
    if report.controls_note:
        st.caption(plain(report.controls_note))
    widgets.text_table(
        [t["mistake"], t["caught"], t["where"]],
        (_control_row(control, t, language) for control in report.controls),
    )


def _control_row(control: Control, t: words.Words, language: str) -> list[str]:
    mistake = mistakes.called(control["mutation"], language)
    caught = {True: t["yes"], False: t["no"], None: t["below"]}[control["caught"]]
    if control["layer"] is None:
        return [mistake, caught, control["reason"] or ""]
    stage = words.term(control["stage"] or "", language)
    return [mistake, caught, t["where_value"].format(layer=control["layer"], stage=stage)]


def _coverage(report: VerificationReport, t: words.Words) -> None:
    """Show the modules that were reached, each with the worst of its stages, and the others."""
    st.header(t["coverage"], anchor=False)
    coverage = report.coverage
    st.markdown(t["coverage_note"].format(reached=coverage["reached"], total=coverage["total"]))
    modules = report.frame.groupby(["layer", "module"], sort=True)
    if len(modules):
        widgets.text_table(
            [t["layer"], t["module"], t["stages"], t["largest_in_u"], t["holds"]],
            (
                [
                    layer,
                    module,
                    len(rows),
                    widgets.in_u(rows["error_in_u"].max(skipna=False)),
                    "✓" if rows["passed"].all() else "✗",
                ]
                for (layer, module), rows in modules
            ),
        )
    if report.not_from_weights:
        st.markdown(t["not_from_weights"].format(count=len(report.not_from_weights)))
        widgets.text_table([t["module"], t["why"]], report.not_from_weights.items())
    if coverage["not_reached"]:
        st.markdown(t["not_reached"].format(count=len(coverage["not_reached"])))
        st.code("\n".join(coverage["not_reached"]), language=None)


def _downloads(report: VerificationReport, visit: Visit) -> None:
    language = visit.language
    t, shell = words.of("verification", language), words.of("shell", language)
    if len(report.cases):
        with st.expander(t["all_rows"], icon=":material/table:"):
            called = {one: _case(one, language) for one in report.cases["case"].unique()}
            shown = report.cases.assign(case=report.cases["case"].map(called))
            st.dataframe(shown, hide_index=True, placeholder="–")
    document = json.dumps(report.as_dict(), indent=1, ensure_ascii=False, default=str)
    widgets.download(shell["json"], document, "verification.json")
    frames = {name: getattr(report, name) for name in ("frame", "cases", "whole_model")}
    made = f"import inspector\n\nreport = inspector.verify({visit.model!r})\nreport."
    exports.frames(
        {f"verification_{name}": frame for name, frame in frames.items() if len(frame)},
        lambda name: made + name.removeprefix("verification_"),
        language,
    )
