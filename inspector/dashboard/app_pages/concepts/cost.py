"""What attention costs as texts grow: measured, beside the n² line."""

import streamlit as st

from inspector import words
from inspector.dashboard import measure, widgets
from inspector.dashboard.app_pages.concepts.example_texts import Examples
from inspector.dashboard.guards import waiting
from inspector.dashboard.settings import Visit
from inspector.models import PretrainedModel
from inspector.plot import cost_curve

_LINES = """import inspector
from inspector.dashboard.measure import attention_times

inspector.plot.cost_curve(attention_times({d_head}, {n_heads}))"""


def show(visit: Visit, model: PretrainedModel, texts: Examples) -> None:
    """Measure when the reader asks for it, and draw what was measured."""
    t = words.of("concepts", visit.language)
    st.markdown(t["cost_intro"])
    st.latex(r"\mathrm{time}(n) \propto n^2 \, d")
    kept = f"_cost_{model.d_head}_{model.n_heads}"
    if st.button(t["measure"], key="measure", type="primary", icon=":material/timer:"):
        with waiting(t["measuring"]):
            st.session_state[kept] = measure.attention_times(model.d_head, model.n_heads)
    frame = st.session_state.get(kept)
    if frame is None:
        return
    names = words.of("charts", visit.language)
    lines = _LINES.format(d_head=model.d_head, n_heads=model.n_heads)
    drawn = cost_curve(frame, names=names)
    widgets.chart(drawn, "cost-curve", t["cost_columns"], visit.language, lines)
    st.caption(t["cost_note"].format(n_heads=model.n_heads, d_head=model.d_head))
    with st.expander(t["cost_columns"]):
        st.dataframe(
            frame,
            hide_index=True,
            column_order=["tokens", "seconds"],
            column_config={
                "tokens": names["tokens"],
                "seconds": st.column_config.NumberColumn(names["seconds"], format="%.6f"),
            },
        )
