"""Multi-head self-attention: heads side by side, concatenated, mixed by W^O."""

import streamlit as st

from inspector import words
from inspector.dashboard import drawing, walkthrough, widgets
from inspector.dashboard.app_pages.concepts import walk
from inspector.dashboard.app_pages.concepts.example_texts import Examples
from inspector.dashboard.guards import guarded, text_field
from inspector.dashboard.settings import Visit
from inspector.models import LayerCall, PretrainedModel

_LINES = """{opened}call, tokens = walkthrough.layer_call(model, {text!r}, {layer})
weights = walkthrough.layer_weights(model, call)
done = walkthrough.layer_steps(call.hidden_states[0], weights)
names = {names!r}
steps = drawing.layer_drawing(
    done, weights, call.output[0], tokens, {head}, {position}, names
)
steps[{step}]"""


def show(visit: Visit, model: PretrainedModel, texts: Examples) -> None:
    """Show a layer from its heads' probabilities to its output, in two ways that agree."""
    t = words.of("concepts", visit.language)
    st.markdown(t["multi_intro"])
    st.latex(
        r"\begin{gathered}\mathrm{MultiHead}(X) = "
        r"\mathrm{Concat}(\mathrm{head}_1, \ldots, \mathrm{head}_h)\,W^O \\"
        r"\mathrm{head}_i = \mathrm{Attention}(XW_i^Q, XW_i^K, XW_i^V)\end{gathered}"
    )
    text = text_field(t["sentence"], "sentence", texts["sentence"])
    layer, head = widgets.head_chooser(visit, model)
    with guarded():
        call, tokens = walkthrough.layer_call(model, text, layer)
    walk.known(model, visit.language, text)
    weights = walkthrough.layer_weights(model, call)
    if not walk.explained(call, weights, visit.language):
        return
    done = walkthrough.layer_steps(call.hidden_states[0], weights)
    position = walk.position_chooser(t["position"], tokens)
    names = [t["row_head"].format(head=number) for number in range(model.n_heads)]
    theirs = call.output[0]
    steps = drawing.layer_drawing(done, weights, theirs, tokens, head, position, names)
    step = walk.one_step(
        steps, visit.language, n_heads=model.n_heads, d_head=model.d_head,
        width=weights.W_O.shape[1],
    )  # fmt: skip
    if step.name == "heads":
        maps = done.stages.probabilities[0]
        drawing.pictures(maps, tokens, names, "head-pictures", visit.language, head)
        st.subheader(names[head], anchor=False)
    if step.name == "sum":
        _differences(done, call, t)
    lines = _LINES.format(
        opened=walk.OPENED.format(model=visit.model), text=text, layer=layer, head=head,
        position=position, names=names, step=walk.place_of(step, steps),
    )  # fmt: skip
    drawing.draw(step.panes, f"panes-{step.name}", visit.language, lines, position=position)


def _differences(done: walkthrough.LayerSteps, call: LayerCall, t: words.Words) -> None:
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
