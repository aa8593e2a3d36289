"""What is said about attention, beside what this model's figures say."""

import streamlit as st
from torch import Tensor

from inspector import words
from inspector.attention import split_heads
from inspector.dashboard import walkthrough, widgets
from inspector.dashboard.app_pages.concepts import walk
from inspector.dashboard.app_pages.concepts.example_texts import Examples
from inspector.dashboard.guards import guarded, plain, text_field
from inspector.dashboard.settings import Visit
from inspector.models import PretrainedModel


def show(visit: Visit, model: PretrainedModel, texts: Examples) -> None:
    """Show each claim with the figure that bears on it."""
    t = words.of("concepts", visit.language)
    st.markdown(t["claims_intro"])
    text = text_field(t["sentence"], "sentence", texts["sentence"])
    layer, head = widgets.head_chooser(visit, model)
    _identities(visit, model, text, layer, head)
    _context(visit, model, texts, layer, head)
    st.header(t["claim_open"], anchor=False)
    st.markdown(t["claim_open_note"])
    st.caption(t["claim_open_cost"])


def _identities(visit: Visit, model: PretrainedModel, text: str, layer: int, head: int) -> None:
    t = words.of("concepts", visit.language)
    with guarded():
        call, tokens = walkthrough.layer_call(model, text, layer)
    walk.known(model, visit.language, text)
    weights = walkthrough.layer_weights(model, call)
    if not walk.explained(call, weights, visit.language):
        return
    hidden = call.hidden_states[0]
    crossed = walkthrough.head_steps(hidden, hidden.clone(), weights, head)
    own = split_heads(call.attention.context, model.n_heads)[0, head]
    position = walk.position_chooser(t["position"], tokens)
    alone = walkthrough.one_position(crossed, position).output[0]
    summed = walkthrough.layer_steps(hidden, weights).total
    rows = (
        ("special", crossed.output, own),
        ("extension", summed, call.output[0]),
        ("parallel", alone, crossed.output[position]),
    )
    for column, (claim, ours, theirs) in zip(st.columns(3), rows, strict=True):
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"**{t[f'claim_{claim}']}**")
            note = t[f"claim_{claim}_note"].format(
                head_name=f"{layer}-{head}",
                n_heads=model.n_heads,
                layer=layer,
                token=plain(tokens[position]),
            )
            st.markdown(note)
            _verdict(visit.language, ours, theirs)


def _verdict(language: str, ours: Tensor, theirs: Tensor) -> None:
    t = words.of("concepts", language)
    difference = walkthrough.largest_difference(ours, theirs)
    st.metric(t["difference"], widgets.figure(difference), label_visibility="collapsed")
    if walkthrough.agrees(ours, theirs):
        st.badge(t["holds"], icon=":material/check:", color="green")
    else:
        st.badge(t["fails"], icon=":material/close:", color="red")


def _context(visit: Visit, model: PretrainedModel, texts: Examples, layer: int, head: int) -> None:
    t = words.of("concepts", visit.language)
    st.header(t["claim_context"], anchor=False)
    st.caption(t["claim_context_note"].format(head_name=f"{layer}-{head}"))
    word = text_field(t["word"], "word", texts["word"])
    with guarded():
        run = model.encode([word], special=False).tokens[0]
    found, contexts = [], []
    for number, (column, default) in enumerate(zip(st.columns(2), texts.contexts, strict=True)):
        with column:
            text = text_field(t["context"].format(number=number + 1), f"context_{number}", default)
            with guarded():
                call, tokens = walkthrough.layer_call(model, text, layer)
            contexts.append(text)
            places = walkthrough.positions_of(tokens, run)
            if not places:
                st.warning(t["word_missing"])
                continue
            row = call.attention.probabilities[0, head, places[0]]
            widgets.weights_over(tokens, row, t["token"], t["weight"])
            found.append(call.hidden_states[0, places[0]])
    walk.known(model, visit.language, word, *contexts)
    if len(found) == 2:
        difference = walkthrough.largest_difference(found[0], found[1])
        st.markdown(t["claim_context_hidden"].format(layer=layer, difference=f"{difference:.2f}"))
