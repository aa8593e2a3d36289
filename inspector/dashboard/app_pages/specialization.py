"""Specialization: which head does what, and every claim about it with its controls."""

from dataclasses import replace
from itertools import chain

import pandas as pd
import streamlit as st

from inspector import words
from inspector.corpora.battery.text import BY_DEFINITION, DECODER
from inspector.dashboard import (
    address,
    claims_in_words,
    profiled,
    relations,
    store,
    widgets,
)
from inspector.dashboard.guards import plain
from inspector.dashboard.parts import claim_ladder, exports, head_statistics
from inspector.dashboard.runs import under_way
from inspector.dashboard.runs.texts import called
from inspector.dashboard.settings import Visit
from inspector.heads.specialization.decoder_roles import DECODER_ROLES
from inspector.plot import claims_forest
from inspector.plot.colors import VERDICTS
from inspector.runs.run import Run

FAMILY_OF = {
    "syntax": ("syntactic",),
    "multi-hop": ("syntactic",),
    "semantic": ("semantic",),
    "logical": ("logical", "discourse-cue"),
    DECODER: tuple(one for one in DECODER_ROLES if one != "previous-token"),
    BY_DEFINITION: ("previous-token",),
}
"""Kind of relation → what a head is called that follows one."""
_OF_RELATIONS = ("claims", "replication", "relations", "semantic_controls", "kinds")
_EVERY = "all"
_WIDE, _BESIDE = 540, 420
"""Pixels of the grid and of what stands beside it, or below where there is no room."""


def show(visit: Visit) -> None:
    """Show the grid of roles, the head that is chosen in it, and the claims."""
    t = words.of("specialization", visit.language)
    widgets.heading(t["title"], t["purpose"])
    model = store.model(visit.model, visit.language)
    run = profiled.run(visit)
    if run is None:
        return
    _outcome(run, visit.language)
    found, run = run, _of_kind(run, _kind(run, t))
    names = list(dict.fromkeys(run.claims["relation"]))
    left, middle = st.columns(2)
    with left:
        relation = address.select(
            t["relation"], "relation", [_EVERY, *names], _EVERY,
            named=lambda name: _named(name, visit.language),
        )  # fmt: skip
    with middle:
        verdict = address.select(
            t["verdict"], "verdict", [_EVERY, *VERDICTS], _first_verdict(run),
            named=lambda name: t["every"] if name == _EVERY else t[name],
            help=relations.verdicts(visit.language),
        )  # fmt: skip
    chosen = claims_in_words.head_chooser(visit, found, model)
    with st.container(horizontal=True):
        with st.container(width=_WIDE):
            _grid(run, relation, chosen, visit)
        with st.container(key="head-beside", width=_BESIDE):
            _head(run, chosen, visit.language)
    claims = claims_in_words.ordered(run.claims)
    if relation != _EVERY:
        claims = claims[claims["relation"] == relation]
    if verdict != _EVERY:
        claims = claims[claims["verdict"] == verdict]
    again = run.frames.get("replication")
    claims_in_words.open_chosen(claims, "claims", visit)
    folder = store.folder_of_run(visit)
    lines = exports.of_run(folder, "plot.claims()")
    _claims(claims, visit.language, lines, replicated=again is not None)
    _ladder(run, claims, visit)
    if again is not None:
        shown = again[again["relation"].isin(claims["relation"])]
        widgets.replication_table(shown, "replication", visit.language)
    controls = run.semantic_controls
    _controls(controls[controls["relation"].isin(claims["relation"])], visit.language)
    offered = ("claims", "replication", "semantic_controls", "roles", "relations")
    frames = {name: run.frames[name] for name in offered if name in run.frames}
    exports.frames(frames, lambda name: exports.of_run(folder, f'frames["{name}"]'), visit.language)
    _atlas(found, visit)


def _atlas(run: Run, visit: Visit) -> None:
    """Offer the whole run as pages that open from a file, made once for everyone."""
    t = words.of("specialization", visit.language)
    st.header(t["atlas"], anchor=False)
    job = store.atlas_job(visit, run)
    made = store.atlas(visit, job)
    if not made.is_file():
        under_way.show(visit, job, "atlas", t["atlas_offer"], t["atlas_make"])
        return
    st.markdown(t["atlas_offer"])
    widgets.download(
        f"{t['atlas_get']} ({made.stat().st_size / 1e6:.1f} MB)", made.read_bytes, "atlas.zip"
    )


def _named(relation: str, language: str) -> str:
    every = words.of("specialization", language)["every"]
    return every if relation == _EVERY else relations.label(relation, language)


def _first_verdict(run: Run) -> str:
    """Return the verdict whose claims are shown at first: what holds, if anything does."""
    held = (run.claims["verdict"] == claims_in_words.SUPPORTED).any()
    return claims_in_words.SUPPORTED if held else _EVERY


def _kind(run: Run, t: words.Words) -> str:
    """Return the kind of relation that the reader chose; all where the run has one kind."""
    kinds = list(dict.fromkeys(run.kinds["kind"]))
    if len(kinds) < 2:
        return _EVERY
    return address.switch(
        t["kind"], "kind", [_EVERY, *kinds], _EVERY,
        named=lambda name: t["every"] if name == _EVERY else t[f"kind_{name}"],
    )  # fmt: skip


def _of_kind(run: Run, kind: str) -> Run:
    """Return the run with the claims, controls and roles of one kind of relation alone."""
    if kind == _EVERY:
        return run
    names = set(run.kinds.loc[run.kinds["kind"] == kind, "relation"])
    frames = {
        name: frame[frame["relation"].isin(names)] if name in _OF_RELATIONS else frame
        for name, frame in run.frames.items()
    }
    roles = {f"{family}:{name}" for name in names for family in FAMILY_OF[kind]}
    return replace(run, frames={**frames, "roles": run.roles[run.roles["role"].isin(roles)]})


def _outcome(run: Run, language: str) -> None:
    t = words.of("specialization", language)
    counted = dict(zip(run.totals["what"], run.totals["count"], strict=True))
    verdicts = run.claims["verdict"].value_counts()
    outcome = t["outcome"].format(
        supported=verdicts.get("supported", 0),
        all=len(run.claims),
        explained=verdicts.get("explained", 0),
        negative=verdicts.get("not supported", 0),
        open=verdicts.get("underpowered", 0),
        with_role=len(run.roles[["layer", "head"]].drop_duplicates()),
        heads=len(run.behaviour),
    )
    totals = t["totals"].format(
        corpus=plain(called(run.manifest.corpus, language)),
        annotation=plain(words.term(str(run.manifest.settings["annotation"]), language)),
        sentences=counted["sentences"],
        words=counted["words"],
        documents=counted["documents"],
        malformed=counted["sentences skipped as malformed"],
        long=counted["sentences longer than the model takes"],
        tokenless=counted["relations with a word that has no token"],
    )
    st.markdown(outcome)
    st.markdown(totals)
    widgets.unknown(run.vocabulary, language)
    if run.unsure:
        names = ", ".join(plain(name) for name in run.unsure)
        st.warning(t["unsure"].format(names=names), icon=":material/warning:")
    st.caption(t["how_to"])


def _grid(run: Run, relation: str, chosen: tuple[int, int], visit: Visit) -> None:
    t = words.of("specialization", visit.language)
    st.header(t["grid"], anchor=False)
    marked = {} if relation == _EVERY else _marked(run, relation)
    head_statistics.show(visit, run, "role-grid", chosen, marked=marked)
    if marked:
        st.caption(t["marked_note"].format(relation=plain(relation)))


def _marked(run: Run, relation: str) -> dict[tuple[int, int], bool]:
    """Return the heads of a relation: True where one follows it, False where a claim failed."""
    named = run.claims[run.claims["relation"] == relation]
    roles = [f"{family}:{relation}" for family in chain(*FAMILY_OF.values())]
    follow = run.roles[run.roles["role"].isin(roles)]
    heads = dict.fromkeys(zip(named["layer"], named["head"], strict=True), False)
    return heads | dict.fromkeys(zip(follow["layer"], follow["head"], strict=True), True)


def _head(run: Run, chosen: tuple[int, int], language: str) -> None:
    t, (layer, head) = words.of("specialization", language), chosen
    st.header(t["head_title"].format(head_name=f"{layer}-{head}"), anchor=False)
    own = run.roles[(run.roles["layer"] == layer) & (run.roles["head"] == head)]
    if own.empty:
        st.markdown(t["no_role"])
    else:
        own = own.sort_values("effect", ascending=False, kind="stable")
        widgets.text_table(
            [t["role"], t["in_words"], t["effect"], t["interval"]],
            (
                [
                    row["role"],
                    relations.role(row["role"], language).name,
                    widgets.percent(row["effect"]),
                    widgets.interval(row),
                ]
                for row in own.to_dict("records")
            ),
        )
    st.caption(t["more"])


def _names(language: str) -> dict[str, str]:
    """Return what the charts call families, directions, verdicts, and their own words."""
    return {**words.of("specialization", language), **words.of("charts", language)}


def _claims(claims: pd.DataFrame, language: str, lines: str, *, replicated: bool) -> None:
    t = words.of("specialization", language)
    st.header(t["claims"], anchor=False)
    if claims.empty:
        st.markdown(t["none_left"])
        return
    st.caption(t["claims_note"])
    widgets.claims_table(claims, "claims", language, replicated=replicated, on_row="rerun")
    st.header(t["forest"], anchor=False)
    st.caption(t["forest_note"])
    forest = claims_forest(claims, names=_names(language))
    widgets.chart(forest, "forest", t["forest"], language, lines, least=760)


def _ladder(run: Run, claims: pd.DataFrame, visit: Visit) -> None:
    """Show the ladder of the claim that the reader chooses, the first one until then."""
    if claims.empty:
        return
    language = visit.language
    t, s = words.of("ladder", language), words.of("specialization", language)
    st.header(t["title"], anchor=False)
    rows = {f"{row['relation']}.{row['direction']}": row for row in claims.to_dict("records")}
    names = list(rows)
    code = address.select(
        t["claim"], "ladder", names, names[0],
        named=lambda name: f"{relations.label(rows[name]['relation'], language)} · "
        f"{s[rows[name]['direction']]} · {rows[name]['layer']}-{rows[name]['head']}",
    )  # fmt: skip
    claim_ladder.show(run, rows[code], "claim-ladder", visit)


def _controls(controls: pd.DataFrame, language: str) -> None:
    """Show what is left of claims on meaning and logic when simpler rules are ruled out."""
    t = words.of("specialization", language)
    if controls.empty:
        return
    st.header(t["controls"], anchor=False)
    st.caption(t["controls_note"])
    columns = {
        "relation": t["relation"],
        "direction": t["direction"],
        "head": t["head"],
        "verdict": t["verdict"],
        "n": t["pairs"],
        "accuracy": t["accuracy"],
        "nearest_mention": t["nearest_mention"],
        "nearest_same_head": t["nearest_same_head"],
        "matched_accuracy": t["matched"],
        "apart_lift": t["apart"],
    }
    widgets.frame_table(controls, "controls", "semantic_controls", columns, language)
