"""Head: everything that is known of one head."""

import pandas as pd
import streamlit as st

from inspector import words
from inspector.dashboard import claims_in_words, examples, profiled, store, widgets
from inspector.dashboard.app_pages.weights import statistics_table
from inspector.dashboard.guards import plain
from inspector.dashboard.parts import exports, head_statistics
from inspector.dashboard.settings import Visit
from inspector.frames import meanings
from inspector.heads.observers import BEHAVIOUR_COLUMNS
from inspector.heads.specialization.head_description import PHRASES, describe_head
from inspector.runs.run import Run

_EXPORTED = ("roles", "behaviour", "relations", "claims", "controls")
_BY_WEIGHT = [
    name
    for name in BEHAVIOUR_COLUMNS
    if name not in ("layer", "head", "queries") and not name.startswith("norm_")
]


def show(visit: Visit) -> None:
    """Show the head's roles, behaviour, relations, examples and weights."""
    t = words.of("head", visit.language)
    widgets.heading(t["title"], t["purpose"])
    model = store.model(visit.model, visit.language)
    at_hand = profiled.at_hand(visit)
    chosen = claims_in_words.head_chooser(visit, at_hand, model)
    head_statistics.show(visit, at_hand, "head-grid", chosen)
    run = profiled.run(visit)
    if run is not None:
        _roles(run, chosen, visit.language)
        _passport(run, chosen, visit)
        _behaviour(run, chosen, visit.language)
        if len(run.relations):
            relations = _relations(run, chosen, visit.language)
            examples.show(model, run, relations, visit)
    st.header(t["weights"], anchor=False)
    weights = store.weights(visit.model, visit.language)
    statistics_table(weights, *chosen, visit.language)
    _exports(run, weights, chosen, visit)


def _exports(run: Run | None, weights: pd.DataFrame, chosen: tuple[int, int], visit: Visit) -> None:
    """Offer what the tables hold of the head as frames, and the lines that make them."""
    found = {} if run is None else {name: run.frames[name] for name in _EXPORTED}
    frames = {f"head_{name}": _of_head(one, chosen) for name, one in found.items()}
    frames["head_weights"] = _of_head(weights, chosen)
    rows = f'.query("layer == {chosen[0]} and head == {chosen[1]}")'
    folder = "" if run is None else store.folder_of_run(visit)

    def lines(name: str) -> str:
        of = name.removeprefix("head_")
        if of == "weights":
            return f"import inspector\n\ninspector.weight_statistics({visit.model!r}){rows}"
        return exports.of_run(folder, f"{of}{rows}")

    exports.frames(frames, lines, visit.language)


def _of_head(frame: pd.DataFrame, chosen: tuple[int, int]) -> pd.DataFrame:
    return frame[(frame["layer"] == chosen[0]) & (frame["head"] == chosen[1])]


def _roles(run: Run, chosen: tuple[int, int], language: str) -> None:
    t = words.of("head", language)
    st.header(t["roles"].format(head_name=f"{chosen[0]}-{chosen[1]}"), anchor=False)
    if len(_of_head(run.roles, chosen)):
        said = {name: t[f"said_{name}"] for name in PHRASES}
        st.markdown(plain(describe_head(*chosen, run.roles, run.claims, said)))
    widgets.roles_table(run.roles, chosen, language)


def _passport(run: Run, chosen: tuple[int, int], visit: Visit) -> None:
    """Offer all of it as files to keep, how to cite it, and the lines that give the same."""
    t, shell = words.of("head", visit.language), words.of("shell", visit.language)
    paper, name = run.passport(*chosen), f"head-{chosen[0]}-{chosen[1]}"
    with st.container(horizontal=True, key="passport"):
        widgets.download(f"{t['passport']}: {shell['json']}", paper.json(), f"{name}.json")
        widgets.download(
            f"{t['passport']}: {shell['html']}", paper.html(visit.language), f"{name}.html"
        )
    with st.expander(t["cite"]):
        st.code(paper.cite, language=None, wrap_lines=True)
        st.caption(t["cite_note"])
        st.code(
            exports.of_run(store.folder_of_run(visit), f"passport({chosen[0]}, {chosen[1]})"),
            language="python",
            wrap_lines=True,
        )


def _behaviour(run: Run, chosen: tuple[int, int], language: str) -> None:
    t, says = words.of("head", language), meanings("behaviour", language)
    row = _of_head(run.behaviour, chosen).iloc[0]
    st.header(t["behaviour"], anchor=False)
    masses = {
        "special": "special_mass",
        "previous": "previous_mass",
        "next": "next_mass",
        "own": "self_mass",
        "punctuation": "punctuation_mass",
        "share": "offset_share",
    }
    shares = {name: widgets.percent(row[column]) for name, column in masses.items()}
    st.markdown(t["in_words"].format(offset=_offset(row["offset_mode"]), **shares))
    st.caption(t["behaviour_note"].format(queries=int(row["queries"])))
    widgets.text_table(
        [t["quantity"], t["by_weight"], t["by_norm"], t["meaning"]],
        (
            [name, _figure(row, name), _figure(row, f"norm_{name}"), says[name]]
            for name in _BY_WEIGHT
        ),
    )


def _figure(row: pd.Series, name: str) -> str:
    if name not in row or pd.isna(row[name]):
        return "–"
    return _offset(row[name]) if name.endswith("offset_mode") else f"{row[name]:.3f}"


def _offset(number: float) -> str:
    """Return an offset as it is shown: with its sign, which 0 has not."""
    return f"{int(number):+d}".replace("-", "−") if number else "0"


def _relations(run: Run, chosen: tuple[int, int], language: str) -> pd.DataFrame:
    """Show the head's accuracies, and return them, the largest lead over the baseline first."""
    t, s = words.of("head", language), words.of("specialization", language)
    frame = _of_head(run.relations, chosen)
    frame = frame.assign(lead=frame["accuracy"] - frame["baseline_accuracy"])
    frame = frame.sort_values("lead", ascending=False, kind="stable", na_position="last")
    st.header(t["relations"], anchor=False)
    st.caption(t["relations_note"])
    columns = {
        "relation": s["relation"],
        "direction": s["direction"],
        "n": s["pairs"],
        "accuracy": s["accuracy"],
        "baseline_accuracy": s["baseline"],
        "lead": t["lead"],
        "baseline_offset": st.column_config.NumberColumn(t["offset"], format="%+d"),
    }
    widgets.frame_table(frame, "head-relations", "relations", columns, language, height=320)
    st.subheader(t["claims_by_name"], anchor=False)
    claims = claims_in_words.ordered(_of_head(run.claims, chosen))
    again = run.frames.get("replication")
    if claims.empty:
        st.markdown(t["no_claim"])
    else:
        widgets.claims_table(claims, "head-claims", language, replicated=again is not None)
        if again is not None:
            widgets.replication_table(_of_head(again, chosen), "head-replication", language)
    return frame
