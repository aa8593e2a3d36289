"""Attention between two sentences, with a choice of score function."""

import streamlit as st

from inspector.dashboard import address, formulas, walkthrough, widgets, words
from inspector.dashboard.app_pages.concepts import walk
from inspector.dashboard.guards import guarded, text_field
from inspector.dashboard.settings import Visit
from inspector.models import PretrainedModel

_FORMULAS = {
    "dot": r"s_{ij} = q_i \cdot k_j",
    "general": r"s_{ij} = q_i^\top W k_j",
    "additive": r"s_{ij} = v^\top \tanh(W q_i + U k_j)",
}


def show(visit: Visit, model: PretrainedModel) -> None:
    """Show every step from two sentences to the target's new states."""
    t = words.of("concepts", visit.language)
    st.markdown(t["attention_intro"])
    st.latex(r"\mathrm{Attention}(Q, K, V) = \mathrm{softmax}(\mathrm{score}(Q, K))\,V")
    left, right = st.columns(2)
    with left:
        target = text_field(t["target"], "target", visit.settings.target)
        name = address.select(
            t["score"], "score", walkthrough.SCORES, "scaled", named=lambda code: t[f"score:{code}"]
        )
    with right:
        source = text_field(t["source"], "source", visit.settings.source)
        layer, head = widgets.head_chooser(model, visit.language)
    st.caption(t["cross_note"])
    if name in walkthrough.UNTRAINED:
        st.info(t["untrained"], icon=":material/casino:")
    with guarded():
        looking, looking_tokens = walkthrough.layer_call(model, target, layer)
        seen, seen_tokens = walkthrough.layer_call(model, source, layer)
    weights = walkthrough.layer_weights(model, seen)
    if walkthrough.counts_places(weights):
        st.caption(t["cross_places"])
        weights = walkthrough.between_sentences(weights)
    done = walkthrough.head_steps(
        looking.hidden_states[0],
        seen.hidden_states[0],
        weights,
        head,
        walkthrough.score_function(name, weights),
    )
    formula = formulas.score_formula(weights) if name == "scaled" else _FORMULAS[name]
    widgets.unknown(walkthrough.vocabulary(model, target, source), visit.language)
    walk.through(
        done, looking_tokens, seen_tokens, layer, head, visit.language, formula,
        scaled=name == "scaled",
    )  # fmt: skip
