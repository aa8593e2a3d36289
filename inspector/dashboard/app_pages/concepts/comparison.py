"""The three kinds of attention side by side."""

import json

import streamlit as st

from inspector import words
from inspector.dashboard.app_pages.concepts.example_texts import Examples
from inspector.dashboard.settings import Visit
from inspector.models import PretrainedModel

_KINDS = ("attention", "self", "multi")
_ASPECTS = ("definition", "formula", "inputs", "aim", "structure", "cost", "use")
_FORMULAS = {
    "attention": r"$\mathrm{softmax}\big(\frac{QK^\top}{\sqrt{d_k}}\big)V$",
    "self": r"$\mathrm{softmax}\big(\frac{XW_Q(XW_K)^\top}{\sqrt{d_k}}\big)XW_V$",
    "multi": (
        r"$\mathrm{Concat}(\mathrm{head}_1 \ldots \mathrm{head}_h)W^O$, "
        r"$\mathrm{head}_i = \mathrm{Attention}(QW_i^Q, KW_i^K, VW_i^V)$"
    ),
}


def show(visit: Visit, model: PretrainedModel, texts: Examples) -> None:
    """Show the table; the model plays no part in it."""
    t = words.of("comparison", visit.language)
    st.markdown(t["intro"])
    rows = [
        f"| | {' | '.join(t[kind] for kind in _KINDS)} |",
        f"|---|{'---|' * len(_KINDS)}",
    ]
    for aspect in _ASPECTS:
        cells = [
            _FORMULAS[kind] if aspect == "formula" else t[f"{aspect}_{kind}"] for kind in _KINDS
        ]
        rows.append(f"| **{t[aspect]}** | {' | '.join(cells)} |")
    with st.container(key="kinds"):
        st.html(_narrow([t[kind] for kind in _KINDS]))
        st.markdown("\n".join(rows))
    st.caption(t["line"])
    st.latex(
        r"\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{QK^\top}{\sqrt{d_k}}\right)V"
    )
    st.latex(r"\mathrm{SelfAttention}(X) = \mathrm{Attention}(XW_Q, XW_K, XW_V)")
    st.latex(
        r"\begin{gathered}\mathrm{MultiHead}(Q,K,V) = "
        r"\mathrm{Concat}(\mathrm{head}_1,\ldots,\mathrm{head}_h)W^O \\"
        r"\mathrm{head}_i = \mathrm{Attention}(QW_i^Q, KW_i^K, VW_i^V)\end{gathered}"
    )


def _narrow(kinds: list[str]) -> str:
    """Return the style by which each cell names its column where there is no room for columns."""
    cell = ".st-key-kinds td:nth-child({})::before {{ content: {}; }}"
    # As JSON writes it, but letter by letter: a style sheet has other escapes.
    named = " ".join(
        cell.format(number, json.dumps(kind, ensure_ascii=False))
        for number, kind in enumerate(kinds, start=2)
    )
    return f"<style>@media (max-width: 640px) {{ {named} }}</style>"
