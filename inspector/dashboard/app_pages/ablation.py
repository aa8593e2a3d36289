"""Ablation: how much each head matters, what is lost without one, and how many are enough."""

from typing import Any

import pandas as pd
import streamlit as st

from inspector import words
from inspector.dashboard import claims_in_words, profiled, shared_corpora, store, widgets
from inspector.dashboard.guards import guarded, plain, waiting
from inspector.dashboard.parts import exports, head_statistics
from inspector.dashboard.runs import under_way
from inspector.dashboard.runs.texts import called
from inspector.dashboard.settings import Visit
from inspector.plot.ablation import robustness_curve

_SENTENCES = "import inspector\nfrom inspector.dashboard import store\n\n"
_LINES = {
    "importance": f"{_SENTENCES}texts = store.some_sentences(store.SENTENCES{{of}})\n"
    "inspector.head_importance({model!r}, texts, check=False)",
    "robustness": f"{_SENTENCES}texts = store.some_sentences(store.CURVE_SENTENCES{{of}})\n"
    "inspector.robustness({model!r}, texts)",
    "ablation": f"{_SENTENCES}texts = store.some_sentences(store.SENTENCES{{of}})\n"
    "inspector.ablate({model!r}, [{head}], texts)",
}
MIN_DOCUMENTS = 5
"""Of which the documents of a relation must be for an interval over them."""


def show(visit: Visit) -> None:
    """Show what ablation does; where nobody has asked for it yet, the offer to compute it."""
    t = words.of("ablation", visit.language)
    widgets.heading(t["title"], t["purpose"])
    model = store.model(visit.model, visit.language)
    run = profiled.at_hand(visit)
    layer, head = claims_in_words.head_chooser(visit, run, model)
    measured = store.measured(visit)
    texts = _texts(visit)
    if measured is None:
        under_way.show(
            visit, store.ablation_job(visit), "ablate", f"{t['offer']} {texts}", t["compute"]
        )
        return
    st.caption(texts)
    names = words.of("charts", visit.language)
    st.header(t["importance"], anchor=False)
    head_statistics.show(
        visit, run, "ablation-grid", (layer, head),
        default=head_statistics.IMPORTANCE, choice="measure",
    )  # fmt: skip
    ablation = _ablation(visit, (layer, head))
    st.header(t["curve"], anchor=False)
    st.caption(t["curve_note"])
    curve = robustness_curve(measured.curve, names=names)
    widgets.chart(curve, "robustness-curve", t["curve_alt"], visit.language, _drawn(visit))
    _loss(measured.curve, _drawn(visit, ', "loss_increase"'), visit.language)
    frames = {
        "importance": measured.importance, "ablation": ablation, "robustness": measured.curve,
    }  # fmt: skip
    given = {"model": visit.model, "head": (layer, head), "of": store.ablated_lines(visit)}
    exports.frames(frames, lambda name: _LINES[name].format(**given), visit.language)


def _texts(visit: Visit) -> str:
    """Return which sentences are read without a head."""
    t = words.of("ablation", visit.language)
    source, run = store.ablated(visit), store.chosen_run(visit)
    corpus = store.some_sentences(store.SENTENCES, *source)
    name = corpus.name if run is None or source == shared_corpora.OWN else run.manifest.corpus
    said = t["texts"].format(
        sentences=len(corpus),
        corpus=plain(called(name, visit.language)),
        few=len(store.some_sentences(store.CURVE_SENTENCES, *source)),
    )
    if run is None or run.manifest.corpus_sha256 == corpus.sha256:
        return said
    return f"{said} {t['not_at_hand'].format(corpus=plain(run.manifest.corpus))}"


def _drawn(visit: Visit, which: str = "") -> str:
    """Return the Python that draws the curve."""
    lines = _LINES["robustness"].format(model=visit.model, of=store.ablated_lines(visit))
    measured = lines.replace("inspector.rob", "curve = inspector.rob")
    return f"{measured}\ninspector.plot.robustness_curve(curve{which})"


def _loss(curve: pd.DataFrame, lines: str, language: str) -> None:
    """Show how much the loss grows; where the model has none, say why."""
    t = words.of("ablation", language)
    if not curve["loss_n"].any():
        st.caption(t["no_loss"])
        return
    whole = curve.sort_values("kept").iloc[-1]
    st.caption(t["loss_note"].format(loss=whole["loss"], n=whole["loss_n"]))
    names = words.of("charts", language)
    drawn = robustness_curve(curve, "loss_increase", names=names)
    widgets.chart(drawn, "loss", t["loss_alt"], language, lines)


def _ablation(visit: Visit, head: tuple[int, int]) -> pd.DataFrame:
    """Show what the model loses without a head, and return it as a frame."""
    language = visit.language
    t = words.of("ablation", language)
    st.header(t["ablation"].format(head_name=f"{head[0]}-{head[1]}"), anchor=False)
    st.caption(t["ablation_note"])
    with waiting(t["computing"].format(what=f"{head[0]}-{head[1]}")), guarded():
        frame = store.without(visit, head)
    of_all = frame[frame["relation"] == "(all)"].iloc[0]
    st.markdown(
        t["average"].format(
            effect=widgets.percent(of_all["effect"]), cosine=f"{of_all['cosine']:.3f}"
        )
    )
    rows = by_interval(frame[frame["relation"] != "(all)"])
    if (rows["documents"] < MIN_DOCUMENTS).any():
        st.caption(t["few_documents"].format(least=MIN_DOCUMENTS))
    columns: dict[str, Any] = {
        "relation": t["relation"],
        "word": t["word"],
        "n": t["words"],
        "documents": t["documents"],
        "effect": t["effect"],
        "matched_effect": t["matched"],
        "difference": t["difference"],
        "interval": t["interval"],
    }
    if rows["loss_n"].any():
        columns["loss_difference"] = st.column_config.NumberColumn(t["loss"], format="%.3f")
    widgets.frame_table(rows, "ablation", "ablation", columns, language)
    return frame


def by_interval(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows, the largest lower end of the interval first; of few documents there is none."""
    few = rows["documents"] < MIN_DOCUMENTS
    rows = rows.assign(ci_low=rows["ci_low"].mask(few), ci_high=rows["ci_high"].mask(few))
    return rows.sort_values("ci_low", ascending=False, kind="stable", na_position="last")
