"""Self-attention of one head on one sentence, checked against the model's own."""

import streamlit as st

from inspector.dashboard import formulas, walkthrough, widgets, words
from inspector.dashboard.app_pages.concepts import walk
from inspector.dashboard.guards import guarded, text_field
from inspector.dashboard.settings import Visit
from inspector.models import PretrainedModel


def show(visit: Visit, model: PretrainedModel) -> None:
    """Show every step from one sentence to its tokens' new states in one head."""
    t = words.of("concepts", visit.language)
    st.markdown(t["self_intro"])
    text = text_field(t["sentence"], "sentence", visit.settings.sentence)
    layer, head = widgets.head_chooser(model, visit.language)
    with guarded():
        call, tokens = walkthrough.layer_call(model, text, layer)
    widgets.unknown(walkthrough.vocabulary(model, text), visit.language)
    weights = walkthrough.layer_weights(model, call)
    st.latex(
        r"Q = XW_Q \quad K = XW_K \quad V = XW_V \qquad Z = " + formulas.layer_formula(weights)
    )
    if not walk.explained(call, weights, visit.language):
        return
    hidden = call.hidden_states[0]
    done = walkthrough.head_steps(hidden, hidden, weights, head)
    difference = walkthrough.largest_difference(
        done.probabilities, call.attention.probabilities[0, head]
    )
    st.info(
        t["self_check"].format(head_name=f"{layer}-{head}", difference=widgets.figure(difference)),
        icon=":material/balance:",
    )
    walk.through(done, tokens, tokens, layer, head, visit.language, formulas.score_formula(weights))
