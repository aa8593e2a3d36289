"""The walk through one head's stages, the same for one sentence and for two."""

from collections.abc import Sequence
from functools import partial
from itertools import count

import streamlit as st
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.dashboard import address, widgets, words
from inspector.dashboard.walkthrough import HeadSteps, follows, products
from inspector.models import LayerCall


def explained(call: LayerCall, weights: LayerWeights, language: str) -> bool:
    """Return whether the layer's steps can be shown; say what it does besides, or that it cannot.

    Causal layers, and those with a window, a rotation, a norm, a bias, a cap or sinks are named.
    """
    t = words.of("concepts", language)
    if not follows(call, weights):
        st.warning(t["more_than_weights"].format(layer=call.layer), icon=":material/block:")
        return False
    for name, says in (
        ("causal", weights.causal),
        ("window", weights.window is not None),
        ("norm", weights.query_norm is not None),
        ("rotary", weights.rotary_cos is not None),
        ("bias", weights.relative_bias is not None),
        ("softcap", weights.softcap is not None),
        ("sinks", weights.sinks is not None),
    ):
        if says:
            st.caption(t[f"layer_{name}"].format(window=weights.window))
    return True


def through(
    steps: HeadSteps,
    target: Sequence[str],
    source: Sequence[str],
    layer: int,
    head: int,
    language: str,
    score_formula: str,
    *,
    scaled: bool = True,
) -> None:
    """Show hidden states, projections, scores, softmax and weighted sum, one after the other.

    Of the layer's own score, which is `scaled`, the dot products alone are a step before it.

    Where the layer turns queries and keys, adds a bias or hides keys, each is a step of its own.
    """
    t, number = words.of("concepts", language), count(1)
    matrix = partial(widgets.matrix, language=language)
    crossed = steps.target is not steps.source

    def step(name: str, **filled: object) -> None:
        st.header(f"{next(number)} · {t[f'step_{name}']}", anchor=False)
        st.caption(t[f"step_{name}_note"].format(**filled))

    step("hidden", layer=layer)
    if crossed:
        left, right = st.columns(2)
        with left:
            matrix(steps.target, "X_t", ("query", "d_model"), target)
        with right:
            matrix(steps.source, "X_s", ("key", "d_model"), source)
    else:
        matrix(steps.target, "X", ("token", "d_model"), target)

    step("project", head_name=f"{layer}-{head}")
    from_target, from_source = ("X_t", "X_s") if crossed else ("X", "X")
    st.latex(
        rf"Q = {from_target} W_Q + b_Q \qquad K = {from_source} W_K + b_K \qquad "
        rf"V = {from_source} W_V + b_V"
    )
    projected = [("Q", steps.query, "query", target), ("K", steps.key, "key", source)]
    _side_by_side([*projected, ("V", steps.value, "key", source)], language)
    if steps.compared is not None:
        step("turn")
        turned = zip(("Q̃", "K̃"), steps.compared, projected, strict=True)
        _side_by_side([(name, values, *old[2:]) for name, values, old in turned], language)

    if steps.bias is not None:
        step("bias")
        matrix(steps.bias, "B", ("query", "key"), target, source)
    if scaled:
        step("products")
        st.latex(r"d_{ij} = q_i \cdot k_j")
        matrix(products(steps), "D", ("query", "key"), target, source)
    step("scores")
    st.latex(score_formula)
    matrix(steps.scores, "S", ("query", "key"), target, source)
    if steps.allowed is not None:
        step("mask")
        st.latex(r"s_{ij} \leftarrow -\infty \;\text{ where } m_{ij} = 0")
        matrix(steps.allowed, "M", ("query", "key"), target, source)
    left, right = st.columns([3, 2])
    with left:
        step("softmax")
        sink = " + e^{t}" if steps.weights.sinks is not None else ""
        st.latex(rf"p_{{ij}} = \frac{{e^{{s_{{ij}}}}}}{{\sum_{{j'}} e^{{s_{{ij'}}}}{sink}}}")
        matrix(steps.probabilities, "P", ("query", "key"), target, source)
    with right:
        one_position(steps, target, source, language)
    step("output")
    st.latex(r"Z = P\,V")
    matrix(steps.output, "Z", ("query", "d_head"), target)


def _side_by_side(
    matrices: Sequence[tuple[str, Tensor, str, Sequence[str]]], language: str
) -> None:
    """Show matrices of heads: (name, numbers, 'query' or 'key', tokens) each."""
    for column, (name, values, side, tokens) in zip(
        st.columns(len(matrices)), matrices, strict=True
    ):
        with column:
            widgets.matrix(values, name, (side, "d_head"), tokens, language=language)


def one_position(
    steps: HeadSteps, target: Sequence[str], source: Sequence[str], language: str
) -> None:
    """Show where the position that the reader chooses looks."""
    t = words.of("concepts", language)
    position = position_chooser(t["position"], target)
    st.caption(t["position_note"])
    widgets.weights_over(source, steps.probabilities[position], t["token"], t["weight"])


def position_chooser(label: str, tokens: Sequence[str]) -> int:
    """Show a choice among the tokens of a text, and return the place of the chosen one."""
    return address.select(
        label,
        "position",
        range(len(tokens)),
        min(1, len(tokens) - 1),
        named=lambda place: f"{place} · {tokens[place]}",
    )
