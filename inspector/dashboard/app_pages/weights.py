"""Weights: a grid of every head, and everything about the head that is chosen."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from inspector import words
from inspector.dashboard import claims_in_words, profiled, store, widgets
from inspector.dashboard.parts import exports, head_statistics
from inspector.dashboard.settings import Visit
from inspector.frames import frames
from inspector.frames.table import Column
from inspector.heads import eigenvalues, singular_values
from inspector.models import PretrainedModel
from inspector.plot import eigenvalue_plane, spectrum

_LINES = """import inspector

model = inspector.load({model!r})
inspector.plot.{plot}(inspector.heads.{of}(model, {head}))"""


def show(visit: Visit) -> None:
    """Show the grid of one statistic, and the head that the reader has chosen in it."""
    t = words.of("weights", visit.language)
    widgets.heading(t["title"], t["purpose"])
    model = store.model(visit.model, visit.language)
    frame = store.weights(visit.model, visit.language)
    run = profiled.at_hand(visit)
    layer, head = claims_in_words.head_chooser(visit, run, model)
    head_statistics.show(
        visit, run, "weights-grid", (layer, head),
        default="ov_eigenvalue_positivity", choice="statistic",
    )  # fmt: skip
    made = f"import inspector\n\ninspector.weight_statistics({visit.model!r})"
    exports.frames({"weights": frame}, lambda name: made, visit.language)
    st.header(t["head_title"].format(head_name=f"{layer}-{head}"), anchor=False)
    _spectra(model, layer, head, visit.language)
    _vocabulary(visit, layer, head)
    st.subheader(t["all"], anchor=False)
    statistics_table(frame, layer, head, visit.language)


def _spectra(model: PretrainedModel, layer: int, head: int, language: str) -> None:
    t, names = words.of("weights", language), words.of("charts", language)
    left, right = st.columns(2)
    head_of = f"{layer}, {head}"
    with left:
        st.subheader(t["spectrum"], anchor=False)
        st.caption(t["spectrum_note"])
        curve = spectrum(singular_values(model, layer, head), names=names)
        lines = _LINES.format(model=model.name, plot="spectrum", of="singular_values", head=head_of)
        widgets.chart(curve, "spectrum", t["spectrum"], language, lines)
    with right:
        st.subheader(t["eigenvalues"], anchor=False)
        st.caption(t["eigenvalues_note"])
        plane = eigenvalue_plane(eigenvalues(model, layer, head), names=names)
        lines = _LINES.format(
            model=model.name, plot="eigenvalue_plane", of="eigenvalues", head=head_of
        )
        widgets.chart(plane, "eigenvalues", t["eigenvalues"], language, lines)


def statistics_table(frame: pd.DataFrame, layer: int, head: int, language: str) -> None:
    """Show every statistic of one head, with its meaning and its formula."""
    st.markdown(words.of("weights", language)["notation"])
    _table("weights", head_statistics.WEIGHTS, frame, (layer, head), language)


def _vocabulary(visit: Visit, layer: int, head: int) -> None:
    """Show what one head's weights do to tokens, of a model that says which token comes next."""
    t = words.of("weights", visit.language)
    circuits = store.vocabulary_circuits(visit.model, visit.language)
    if circuits is None:
        return
    st.subheader(t["vocabulary"], anchor=False)
    st.caption(t["vocabulary_note"])
    figures = ("copying_score", "matching_score", "copying_share", "suppression_share")
    _table("vocabulary_circuits", figures, circuits, (layer, head), visit.language)
    row = circuits[(circuits["layer"] == layer) & (circuits["head"] == head)].iloc[0]
    for name in ("ov_top", "qk_top"):
        st.caption(frames().column("vocabulary_circuits", name).says(visit.language))
        st.text(str(row[name]))


def _table(
    of: str, names: Sequence[str], frame: pd.DataFrame, place: tuple[int, int], language: str
) -> None:
    t = words.of("weights", language)
    columns = {name: frames().column(of, name) for name in names}
    row = frame[(frame["layer"] == place[0]) & (frame["head"] == place[1])].iloc[0]
    lines = [f"| {t['statistic']} | {t['value']} | {t['meaning']} |", "|---|---:|---|"]
    lines += [
        f"| `{name}` | {row[name]:.4g} | {column.says(language)}{_formula(column)} |"
        for name, column in columns.items()
    ]
    st.markdown("\n".join(lines))


def _formula(column: Column) -> str:
    return f" ${column.formula}$" if column.formula else ""
