"""Ablation: how much each head matters, what is lost without one, and how many are enough."""

from typing import Any

import pandas as pd
import streamlit as st

from inspector import api
from inspector.dashboard import store, widgets, words
from inspector.dashboard.guards import guarded
from inspector.dashboard.settings import Visit
from inspector.dashboard.store import Measured
from inspector.models import PretrainedModel
from inspector.plot import head_grid
from inspector.plot.ablation import robustness_curve

_GRID = "ablation-grid"


def show(visit: Visit) -> None:
    """Show what ablation does; where nobody has asked for it yet, the offer to compute it."""
    t = words.of("ablation", visit.language)
    widgets.heading(t["title"], t["purpose"])
    model = store.model(visit.model, visit.language)
    layer, head = widgets.head_chooser(model, visit.language)
    measured = store.measured(visit.model)
    if measured is None:
        offer = st.empty()
        with offer.container(border=True):
            st.markdown(t["offer"].format(sentences=store.SENTENCES))
            asked = st.button(t["compute"], key="ablate", type="primary")
        if not asked:
            return
        offer.empty()
        measured = _measure(model, visit.model, t)
    names = words.of("charts", visit.language)
    st.header(t["importance"], anchor=False)
    st.caption(t["importance_note"])
    widgets.chart(
        head_grid(measured.importance, "importance", selected=(layer, head), names=names),
        _GRID,
        t["importance_alt"],
        on_click=lambda: widgets.choose_clicked_head(_GRID),
    )
    _ablation(model, visit.model, (layer, head), visit.language)
    st.header(t["curve"], anchor=False)
    st.caption(t["curve_note"])
    widgets.chart(robustness_curve(measured.curve, names=names), "robustness", t["curve_alt"])
    _loss(measured.curve, visit.language)
    frames = {"importance": measured.importance, "robustness": measured.curve}
    widgets.downloads(frames, visit.language)


def _loss(curve: pd.DataFrame, language: str) -> None:
    """Show how much the loss grows; where the model has none, say why."""
    t = words.of("ablation", language)
    if not curve["loss_n"].any():
        st.caption(t["no_loss"])
        return
    whole = curve.sort_values("kept").iloc[-1]
    st.caption(t["loss_note"].format(loss=whole["loss"], n=whole["loss_n"]))
    names = words.of("charts", language)
    widgets.chart(robustness_curve(curve, "loss_increase", names=names), "loss", t["loss_alt"])


def _ablation(model: PretrainedModel, name: str, head: tuple[int, int], language: str) -> None:
    t = words.of("ablation", language)
    st.header(t["ablation"].format(head_name=f"{head[0]}-{head[1]}"), anchor=False)
    st.caption(t["ablation_note"])
    with st.spinner(t["computing"].format(what=f"{head[0]}-{head[1]}"), show_time=True), guarded():
        frame = store.without(model, name, head)
    of_all = frame[frame["relation"] == "(all)"].iloc[0]
    st.markdown(
        t["average"].format(
            effect=widgets.percent(of_all["effect"]), cosine=f"{of_all['cosine']:.3f}"
        )
    )
    rows = frame[frame["relation"] != "(all)"].sort_values("ci_low", ascending=False, kind="stable")
    columns: dict[str, Any] = {
        "relation": t["relation"],
        "word": t["word"],
        "n": t["words"],
        "effect": t["effect"],
        "matched_effect": t["matched"],
        "difference": t["difference"],
        "interval": t["interval"],
    }
    if rows["loss_n"].any():
        columns["loss_difference"] = st.column_config.NumberColumn(t["loss"], format="%.3f")
    widgets.frame_table(rows, "ablation", "ablation", columns, language)


def _measure(model: PretrainedModel, name: str, t: words.Words) -> Measured:
    """Return what the page shows, and keep it for all sessions; meanwhile say how far it is."""
    place = st.empty()

    def show(what: str, share: float) -> None:
        place.progress(min(share, 1.0), t["computing"].format(what=what))

    with guarded():
        show("", 0.0)
        measured = Measured(
            api.head_importance(model, store.some_sentences(store.SENTENCES), check=False),
            api.robustness(model, store.some_sentences(store.CURVE_SENTENCES), progress=show),
        )
    place.empty()
    store.keep(name, measured)
    return measured
