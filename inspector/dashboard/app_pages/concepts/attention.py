"""Attention between two sentences, with a choice of score function."""

import streamlit as st

from inspector import words
from inspector.dashboard import address, drawing, walkthrough, widgets
from inspector.dashboard.app_pages.concepts import walk
from inspector.dashboard.app_pages.concepts.example_texts import Examples
from inspector.dashboard.guards import guarded, text_field
from inspector.dashboard.settings import Visit
from inspector.models import PretrainedModel

_LINES = """{opened}(looking, target), (seen, source) = (
    walkthrough.layer_call(model, text, {layer}) for text in {texts!r}
)
weights = walkthrough.layer_weights(model, seen)
if walkthrough.counts_places(weights):
    weights = walkthrough.between_sentences(weights)
score = walkthrough.score_function({score!r}, weights)
states = looking.hidden_states[0], seen.hidden_states[0]
done = walkthrough.head_steps(*states, weights, {head}, score)"""


def show(visit: Visit, model: PretrainedModel, texts: Examples) -> None:
    """Show every step from two sentences to the target's new states."""
    t = words.of("concepts", visit.language)
    st.markdown(t["attention_intro"])
    st.latex(r"\mathrm{Attention}(Q, K, V) = \mathrm{softmax}(\mathrm{score}(Q, K))\,V")
    left, right = st.columns(2)
    with left:
        target = text_field(t["target"], "target", texts["target"])
        name = address.select(
            t["score"], "score", walkthrough.SCORES, "scaled", named=lambda code: t[f"score:{code}"]
        )
    with right:
        source = text_field(t["source"], "source", texts["source"])
        layer, head = widgets.head_chooser(visit, model)
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
    score = walkthrough.score_function(name, weights)
    states = looking.hidden_states[0], seen.hidden_states[0]
    done = walkthrough.head_steps(*states, weights, head, score)
    walk.known(model, visit.language, target, source)
    steps = drawing.head_drawing(done, looking_tokens, seen_tokens, score, name)
    lines = _LINES.format(
        opened=walk.OPENED.format(model=visit.model), texts=(target, source), layer=layer,
        head=head, score=name,
    )  # fmt: skip
    walk.through(
        steps, done, looking_tokens, seen_tokens, f"{layer}-{head}", visit.language, lines, name
    )
