"""Overview: which heads matter, whether the model is verified, and what it is."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from inspector import words
from inspector.dashboard import (
    address,
    claims_in_words,
    profiled,
    relations,
    store,
    widgets,
)
from inspector.dashboard.guards import guarded, plain, waiting
from inspector.dashboard.parts import claim_ladder, head_statistics
from inspector.dashboard.settings import Visit
from inspector.dashboard.store import VerifiableOnly
from inspector.errors import ModelError
from inspector.runs.run import Run

if TYPE_CHECKING:
    from inspector.models import PretrainedModel
    from inspector.verification import VerificationReport

_STRONGEST = 5
_ASKED = "_ablated_heads"
_NUMBER = re.compile(r"\b\d+\b")


def show(visit: Visit) -> None:
    """Show verdict and heads first, then sizes, the place of the weights, and the files."""
    t = words.of("overview", visit.language)
    widgets.heading(t["title"], t["purpose"])
    verdict, heads = st.container(border=True), st.container()
    verdict.header(plain(visit.model), anchor=False)
    # A run needs no model to be shown, and a model takes seconds to load.
    run = _known(visit)
    if run is not None:
        with heads:
            _heads(run, visit, t)
    try:
        with verdict:
            model = store.model(visit.model, visit.language)
    except VerifiableOnly as only:
        with verdict:
            _verdict(store.report(visit.model, visit.language), t)
        _of_any(only, t)
        raise
    if run is None:
        with heads:
            _no_heads(visit, t)
    elif run.manifest.model_files != model.file_hashes:
        st.rerun()  # the files changed in between: these heads are not the model's
    _sizes(model, t)
    _architecture(model, t)
    _files(model, t)
    with verdict:
        _verdict(store.report(visit.model, visit.language), t)
        widgets.link(visit, "verification", t["more"])


def _known(visit: Visit) -> Run | None:
    """Return the run that is at hand; None, too, of a model whose files are not.

    What is wrong with these is said where it is loaded.
    """
    try:
        return profiled.at_hand(visit)
    except ModelError:
        return None


def _no_heads(visit: Visit, t: words.Words) -> None:
    """Say how to get a run."""
    st.header(t["heads"], anchor=False)
    st.markdown(t["no_heads"])
    widgets.link(visit, "specialization", t["to_profile"])


def _heads(run: Run, visit: Visit, t: words.Words) -> None:
    """Show what the heads do, by a run."""
    st.header(t["heads"], anchor=False)
    claims = claims_in_words.beside_controls(run.claims, run.semantic_controls)
    _grid(run, visit, t)
    best = claims_in_words.strongest(claims)
    st.header(t["strongest"], anchor=False)
    if best.empty:
        count = int((run.claims["verdict"] == claims_in_words.SUPPORTED).sum())
        st.markdown(t["only_easier" if count else "none_supported"].format(count=count))
    for row in best.head(_STRONGEST).to_dict("records"):
        st.markdown(claims_in_words.sentence(row, visit.language))
        claims_in_words.evidence_link(row, visit)
    _ask(run, claims, visit, t)
    st.header(t["next"], anchor=False)
    for page in ("specialization", "attention", "ablation", "concepts"):
        widgets.link(visit, page, t[f"next_{page}"])


def _grid(run: Run, visit: Visit, t: words.Words) -> None:
    """Show the role of every head, or another statistic, and the link to the chosen one."""
    last = run.behaviour[["layer", "head"]].max()
    sizes = widgets.Heads(int(last["layer"]) + 1, int(last["head"]) + 1)
    layer, head = claims_in_words.head_chooser(visit, run, sizes)
    head_statistics.show(visit, run, "overview-grid", (layer, head))
    widgets.link(visit, "head", t["to_head"].format(head_name=f"{layer}-{head}"))


def _ask(run: Run, claims: pd.DataFrame, visit: Visit, t: words.Words) -> None:
    """Show which head follows the relation that the reader chooses, beside simpler rules."""
    claims = claims_in_words.ordered(claims)
    names = list(dict.fromkeys(claims["relation"]))
    if not names:
        return
    asked = address.select(
        t["ask"], "ask", sorted(names), names[0],
        named=lambda name: relations.label(name, visit.language), help=t["ask_help"],
    )  # fmt: skip
    row = claims[claims["relation"] == asked].iloc[0].to_dict()
    found = relations.gloss(asked, visit.language)
    st.caption(f"{plain(found.says)} {found.example if found.example != '–' else ''}")
    st.markdown(claims_in_words.sentence(row, visit.language))
    if row.get("needed") not in claims_in_words.NEEDED:
        _without(row, visit, t)
    claims_in_words.evidence_link(row, visit)
    claim_ladder.show(run, row, "asked-ladder", visit)


def _without(row: Mapping[Any, Any], visit: Visit, t: words.Words) -> None:
    """Show what is lost without a claim's head, which its run did not ask, once a reader does."""
    from inspector.dashboard.app_pages.ablation import by_interval  # imports Altair

    head, asked = (row["layer"], row["head"]), st.session_state.setdefault(_ASKED, set())
    name = f"{head[0]}-{head[1]}"
    if st.button(t["ablate_now"].format(head_name=name), key="ablate-now", type="tertiary"):
        asked.add((visit.model, *head))
    if (visit.model, *head) not in asked:
        return
    with waiting(t["ablating"]), guarded():
        frame = store.without(visit, head)
    word = "dependent" if row["direction"] == "dependent_to_head" else "head"
    found = frame[(frame["relation"] == row["relation"]) & (frame["word"] == word)]
    if found.empty:
        st.markdown(t["ablated_none"].format(sentences=store.SENTENCES))
        return
    (measured,) = by_interval(found).to_dict("records")
    said = {name: widgets.percent(measured[name]) for name in ("effect", "matched_effect")}
    said["difference"] = widgets.hundredths(measured["difference"])
    said["interval"] = widgets.between(measured)
    st.markdown(t["ablated"].format(head_name=name, n=measured["n"], **said))


def _of_any(only: VerifiableOnly, t: words.Words) -> None:
    """Show what is known of a model that can only be verified."""
    named = {
        t["model_type"]: only.model.model_type,
        t["class"]: type(only.model.model).__name__,
        t["dtype"]: only.model.dtype,
    }
    widgets.text_table([t["part"], t["name"]], named.items())
    _hashes(only.model.file_hashes, t)


def _verdict(report: "VerificationReport", t: words.Words) -> None:
    from inspector.verification.judge import NEAR_THEIRS

    if report.passed:
        st.badge(t["verified"], icon=":material/verified:", color="green")
        st.markdown(
            t["verified_note"].format(
                layers=report.frame["layer"].nunique(),
                worst=widgets.in_u(report.frame["error_in_u"].max()),
                allowed=f"{NEAR_THEIRS:.0f}",
                dtype=report.dtype,
                caught=sum(control["caught"] is True for control in report.controls),
                controls=len(report.controls),
            )
        )
    else:
        st.badge(t["not_verified"], icon=":material/gpp_bad:", color="red")
        st.markdown(t["not_verified_note"])
        for sentence in report.failures():
            st.markdown(f"- {plain(sentence)}")


def _sizes(model: "PretrainedModel", t: words.Words) -> None:
    st.header(t["sizes"], anchor=False)
    for row in (("n_layers", "n_heads", "d_model"), ("d_head", "max_tokens", "dtype")):
        with st.container(horizontal=True):
            for name in row:
                st.metric(t[name], str(getattr(model, name)), border=True)


def _architecture(model: "PretrainedModel", t: words.Words) -> None:
    st.header(t["architecture"], anchor=False)
    st.caption(t["architecture_note"])
    site = model.sites[0]
    # Layers differ in their numbers alone, as a rule; the first one stands for all.
    attention = _NUMBER.sub("*", site.attention)
    names = site.layout.names(attention)
    named = {
        t["model_type"]: model.architecture.model_type,
        t["attention"]: attention,
        "W_Q": names["query"],
        "W_K": names["key"],
        "W_V": names["value"],
        "W_O": names["output"],
        t["fusion"]: t[site.layout.fusion],
    }
    widgets.text_table([t["part"], t["name"]], named.items())


def _hashes(files: dict[str, str], t: words.Words) -> None:
    st.header(t["files"], anchor=False)
    st.caption(t["files_note"])
    widgets.text_table([t["file"], "SHA-256"], sorted(files.items()))


def _files(model: "PretrainedModel", t: words.Words) -> None:
    _hashes(model.file_hashes, t)
    st.header(t["unused"], anchor=False)
    if not model.unused_tensors:
        st.markdown(t["unused_none"])
        return
    st.markdown(t["unused_note"])
    st.code("\n".join(model.unused_tensors), language=None)
