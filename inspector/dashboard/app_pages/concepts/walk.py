"""The walk through one head's stages, the same for one sentence and for two."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from inspector import words
from inspector.attention import LayerWeights
from inspector.dashboard import address, drawing, widgets
from inspector.dashboard.drawing import Step
from inspector.dashboard.guards import plain
from inspector.dashboard.walkthrough import HeadSteps, follows, unknown_words, vocabulary
from inspector.models import LayerCall, PretrainedModel

_MOST_NAMED = 12
OPENED = """import inspector
from inspector.dashboard import drawing, walkthrough

model = inspector.load({model!r})
"""


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


def known(model: PretrainedModel, language: str, *texts: str) -> None:
    """Say how much of some texts the model's vocabulary knows, and which words it does not."""
    counted = vocabulary(model, *texts)
    widgets.unknown(counted, language)
    if counted.unknown_tokens:
        names = unknown_words(model, *texts)
        listed = plain(", ".join(names[:_MOST_NAMED])) + (" …" if len(names) > _MOST_NAMED else "")
        st.caption(words.of("concepts", language)["unknown_list"].format(names=listed))


def causal_switch(weights: LayerWeights, language: str) -> LayerWeights:
    """Show the switch between what the layer may see and what stands before; return the weights."""
    t = words.of("concepts", language)
    # By what the layer itself does, so that the choice holds for a model that does otherwise.
    causal = {"own": weights.causal, "switched": not weights.causal}
    chosen = address.switch(
        t["causal"],
        "mask",
        sorted(causal, key=causal.__getitem__),
        "own",
        named=lambda code: t["causal_yes" if causal[code] else "causal_no"],
    )
    return replace(weights, causal=causal[chosen])


def through(
    steps: Sequence[Step],
    done: HeadSteps,
    target: Sequence[str],
    source: Sequence[str],
    head_name: str,
    language: str,
    lines: str,
    score: str | None = None,
) -> None:
    """Show the steps of a head in a row, and the matrices of the one that the reader is at.

    Args:
        steps: Of the head.
        done: What they are made of.
        target: The tokens that look.
        source: The tokens that are looked at.
        head_name: Of the head.
        language: Of the page.
        lines: The Python that makes `done`, `target` and `source`.
        score: Which function was chosen, where there is a choice; the lines make it `score`.
    """
    position = position_chooser(words.of("concepts", language)["position"], target)
    step = one_step(steps, language, layer=head_name.split("-")[0], head_name=head_name)
    given = "" if score is None else f", score, {score!r}"
    drawn = f"steps = drawing.head_drawing(done, target, source{given})"
    made = f"{lines}\n{drawn}\nsteps[{place_of(step, steps)}]"
    drawing.draw(step.panes, f"panes-{step.name}", language, made, position=position)
    if step.name == "softmax":
        t = words.of("concepts", language)
        st.caption(t["position_note"])
        widgets.weights_over(source, done.probabilities[position], t["token"], t["weight"])


def place_of(step: Step, steps: Sequence[Step]) -> int:
    """Return which of the steps one is, from 0."""
    return [each.name for each in steps].index(step.name)


def one_step(steps: Sequence[Step], language: str, **filled: object) -> Step:
    """Show the steps in a row, and of the one that the reader is at its words and its formula."""
    t = words.of("concepts", language)
    step = drawing.step_chooser(steps, language)
    st.header(f"{place_of(step, steps) + 1} · {t[f'step_{step.name}']}", anchor=False)
    st.caption(t[f"step_{step.name}_note"].format(**filled))
    if step.formula:
        st.latex(step.formula)
    return step


def position_chooser(label: str, tokens: Sequence[str]) -> int:
    """Show a choice among the tokens of a text, and return the place of the chosen one."""
    return address.select(
        label,
        "position",
        range(len(tokens)),
        min(1, len(tokens) - 1),
        named=lambda place: f"{place} · {tokens[place]}",
    )
