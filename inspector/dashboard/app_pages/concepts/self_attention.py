"""Self-attention of one head on one sentence, checked against the model's own."""

import streamlit as st

from inspector import words
from inspector.dashboard import drawing, walkthrough, widgets
from inspector.dashboard.app_pages.concepts import walk
from inspector.dashboard.app_pages.concepts.example_texts import Examples
from inspector.dashboard.drawing import formulas
from inspector.dashboard.guards import guarded, text_field
from inspector.dashboard.settings import Visit
from inspector.models import PretrainedModel

_LINES = """from dataclasses import replace

{opened}call, target = walkthrough.layer_call(model, {text!r}, {layer})
weights = replace(walkthrough.layer_weights(model, call), causal={causal})
hidden, source = call.hidden_states[0], target
done = walkthrough.head_steps(hidden, hidden, weights, {head})"""


def show(visit: Visit, model: PretrainedModel, texts: Examples) -> None:
    """Show every step from one sentence to its tokens' new states in one head."""
    t = words.of("concepts", visit.language)
    st.markdown(t["self_intro"])
    text = text_field(t["sentence"], "sentence", texts["sentence"])
    layer, head = widgets.head_chooser(visit, model)
    with guarded():
        call, tokens = walkthrough.layer_call(model, text, layer)
    walk.known(model, visit.language, text)
    weights = walkthrough.layer_weights(model, call)
    st.latex(
        r"Q = XW_Q \quad K = XW_K \quad V = XW_V \qquad Z = " + formulas.layer_formula(weights)
    )
    if not walk.explained(call, weights, visit.language):
        return
    switched = walk.causal_switch(weights, visit.language)
    hidden, head_name = call.hidden_states[0], f"{layer}-{head}"
    done = walkthrough.head_steps(hidden, hidden, switched, head)
    difference = walkthrough.largest_difference(
        done.probabilities, call.attention.probabilities[0, head]
    )
    told = t["self_check" if switched.causal == weights.causal else "self_check_switched"]
    st.info(
        told.format(head_name=head_name, difference=widgets.figure(difference)),
        icon=":material/balance:",
    )
    steps = drawing.head_drawing(done, tokens, tokens)
    lines = _LINES.format(
        opened=walk.OPENED.format(model=visit.model), text=text, layer=layer, head=head,
        causal=switched.causal,
    )  # fmt: skip
    walk.through(steps, done, tokens, tokens, head_name, visit.language, lines)
