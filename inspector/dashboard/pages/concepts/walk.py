"""The walk through one head's stages, the same for one sentence and for two.

Must not know: how a stage is computed.
"""

from collections.abc import Sequence

import streamlit as st

from inspector.dashboard import parts, words
from inspector.dashboard.steps import HeadSteps


def through(
    steps: HeadSteps,
    target: Sequence[str],
    source: Sequence[str],
    layer: int,
    head: int,
    language: str,
    score_formula: str,
) -> None:
    """Show hidden states, projections, scores, softmax and weighted sum, one after the other."""
    t = words.of("concepts", language)
    crossed = steps.target is not steps.source
    _step(t["step_hidden"], t["step_hidden_note"].format(layer=layer))
    if crossed:
        left, right = st.columns(2)
        with left:
            parts.matrix(steps.target, "X_t", ("query", "d_model"), target, language=language)
        with right:
            parts.matrix(steps.source, "X_s", ("key", "d_model"), source, language=language)
    else:
        parts.matrix(steps.target, "X", ("piece", "d_model"), target, language=language)

    _step(t["step_project"], t["step_project_note"].format(head_name=f"{layer}-{head}"))
    from_target, from_source = ("X_t", "X_s") if crossed else ("X", "X")
    st.latex(
        rf"Q = {from_target} W_Q + b_Q \qquad K = {from_source} W_K + b_K \qquad "
        rf"V = {from_source} W_V + b_V"
    )
    for column, (name, values, side, pieces) in zip(
        st.columns(3),
        (
            ("Q", steps.query, "query", target),
            ("K", steps.key, "key", source),
            ("V", steps.value, "key", source),
        ),
        strict=True,
    ):
        with column:
            parts.matrix(values, name, (side, "d_head"), pieces, language=language)

    left, right = st.columns(2)
    with left:
        _step(t["step_scores"], t["step_scores_note"])
        st.latex(score_formula)
        parts.matrix(steps.scores, "S", ("query", "key"), target, source, language=language)
    with right:
        _step(t["step_softmax"], t["step_softmax_note"])
        st.latex(r"p_{ij} = \frac{e^{s_{ij}}}{\sum_{j'} e^{s_{ij'}}}")
        parts.matrix(steps.probabilities, "P", ("query", "key"), target, source, language=language)

    left, right = st.columns(2)
    with left:
        _step(t["step_output"], t["step_output_note"])
        st.latex(r"Z = P\,V")
        parts.matrix(steps.output, "Z", ("query", "d_head"), target, language=language)
    with right:
        one_position(steps, target, source, language)


def one_position(
    steps: HeadSteps, target: Sequence[str], source: Sequence[str], language: str
) -> None:
    """Show where the position that the reader chooses looks."""
    t = words.of("concepts", language)
    position = position_chooser(t["position"], target)
    st.caption(t["position_note"])
    parts.weights_over(source, steps.probabilities[position], t["piece"], t["weight"])


def position_chooser(label: str, pieces: Sequence[str]) -> int:
    """Show a choice among the pieces of a text, and return the place of the chosen one."""
    # After another text Streamlit may hold the old choice's label: that is no place in this one.
    if st.session_state.get("position") not in range(len(pieces)):
        st.session_state["position"] = min(1, len(pieces) - 1)
    position: int = st.selectbox(
        label,
        range(len(pieces)),
        format_func=lambda place: f"{place} · {pieces[place]}",
        key="position",
    )
    return position


def _step(title: str, note: str) -> None:
    st.subheader(title, anchor=False)
    st.caption(note)
