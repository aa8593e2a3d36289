"""Multi-head self-attention: heads side by side, concatenated, mixed by W^O."""

from functools import partial

import streamlit as st
import torch

from inspector.dashboard import walkthrough, widgets, words
from inspector.dashboard.app_pages.concepts import walk
from inspector.dashboard.guards import guarded, text_field
from inspector.dashboard.settings import Visit
from inspector.models import LayerCall, PretrainedModel
from inspector.views.thumbnails import thumbnails_html


def show(visit: Visit, model: PretrainedModel) -> None:
    """Show a layer from its heads' probabilities to its output, in two ways that agree."""
    t = words.of("concepts", visit.language)
    st.markdown(t["multi_intro"])
    st.latex(
        r"\begin{gathered}\mathrm{MultiHead}(X) = "
        r"\mathrm{Concat}(\mathrm{head}_1, \ldots, \mathrm{head}_h)\,W^O \\"
        r"\mathrm{head}_i = \mathrm{Attention}(XW_i^Q, XW_i^K, XW_i^V)\end{gathered}"
    )
    text = text_field(t["sentence"], "sentence", visit.settings.sentence)
    layer, _ = widgets.head_chooser(model, visit.language)
    with guarded():
        call, tokens = walkthrough.layer_call(model, text, layer)
    widgets.unknown(walkthrough.vocabulary(model, text), visit.language)
    weights = walkthrough.layer_weights(model, call)
    if not walk.explained(call, weights, visit.language):
        return
    done = walkthrough.layer_steps(call.hidden_states[0], weights)

    st.header(t["step_heads"], anchor=False)
    st.caption(t["step_heads_note"])
    maps = done.stages.probabilities.cpu().numpy()
    st.html(
        thumbnails_html(maps, model.name, layers=[layer], names=words.of("charts", visit.language))
    )

    matrix = partial(widgets.matrix, language=visit.language)
    left, right = st.columns(2)
    with left:
        st.header(t["step_concat"], anchor=False)
        width = model.n_heads * model.d_head
        note = t["step_concat_note"]
        st.caption(note.format(n_heads=model.n_heads, d_head=model.d_head, width=width))
        matrix(done.stages.context[0], "Concat", ("query", "heads·d_head"), tokens)
    with right:
        st.header(t["step_out"], anchor=False)
        st.caption(t["step_out_note"])
        matrix(done.stages.output[0], "Concat·W_O + b_O", ("query", "d_model"), tokens)
    _sum_over_heads(done, call, tokens, visit.language)


def _sum_over_heads(
    done: walkthrough.LayerSteps, call: LayerCall, tokens: list[str], language: str
) -> None:
    t = words.of("concepts", language)
    st.header(t["step_sum"], anchor=False)
    st.caption(t["step_sum_note"])
    st.latex(r"\mathrm{MultiHead}(X) = \sum_h \mathrm{head}_h\,W^O_h + b_O")
    left, right = st.columns(2)
    left.metric(
        t["sum_difference"],
        widgets.figure(walkthrough.largest_difference(done.total, done.stages.output[0])),
        border=True,
    )
    right.metric(
        t["real_difference"].format(layer=call.layer),
        widgets.figure(walkthrough.largest_difference(done.total, call.output[0])),
        border=True,
    )
    scale = float(call.output.abs().max())
    st.caption(t["differences_note"].format(scale=f"{scale:.2f}"))
    position = walk.position_chooser(t["position"], tokens)
    matrix = partial(widgets.matrix, language=language)
    heads = [t["row_head"].format(head=head) for head in range(len(done.contributions))]
    matrix(done.contributions[:, position], tokens[position], ("head", "d_model"), heads)
    rows = torch.stack([done.bias, done.total[position], call.output[0, position]])
    names = [t["row_bias"], t["row_sum"], t["row_model"]]
    matrix(rows, tokens[position], ("row", "d_model"), names)
