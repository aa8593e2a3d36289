"""Attention: where a head looks on the reader's own text, in our view and in BertViz's."""

from pathlib import Path

import streamlit as st

from inspector import api, words
from inspector.corpora.surface import Surface
from inspector.dashboard import (
    address,
    claims_in_words,
    profiled,
    store,
    walkthrough,
    widgets,
)
from inspector.dashboard.guards import guarded, plain, text_field
from inspector.dashboard.parts import attention_view, exports, roles_here
from inspector.dashboard.parts.head_reading import (
    NORM,
    WEIGHT,
    HeadReading,
    read_head,
    with_word,
    words_in,
)
from inspector.dashboard.settings import Visit
from inspector.errors import InputError
from inspector.models import PretrainedModel
from inspector.views.maps import AttentionMaps
from inspector.views.page import Page

_BERTVIZ = ("head", "model")
_ALONE, _HEAD, _TEXT, _WORD, _MODEL = _BESIDE = ("nothing", "head", "text", "word", "model")
_SHORT = 40
"""Characters of a text in a title."""


def show(visit: Visit) -> None:
    """Show the text's attention in the view that the reader has chosen."""
    t = words.of("attention", visit.language)
    widgets.heading(t["title"], t["purpose"])
    model = store.model(visit.model, visit.language)
    left, right = st.columns([3, 2])
    with left:
        text = text_field(t["sentence"], "sentence", visit.settings.sentence, lines=2)
    with right:
        second = text_field(
            t["second"], "second", visit.settings.second_sentence, lines=2, optional=True
        )
    view = address.switch(
        t["view"], "view", (*attention_view.VIEWS, *_BERTVIZ), attention_view.LINES,
        named=lambda name: t[f"view:{name}"],
    )  # fmt: skip
    chosen = claims_in_words.head_chooser(visit, profiled.at_hand(visit), model)
    with guarded():
        known = walkthrough.vocabulary(model, *(one for one in (text, second) if one))
    widgets.unknown(known, visit.language)
    if view in _BERTVIZ:
        _bertviz(model, (text, second or None), view, chosen, visit.language)
    else:
        readings = _readings(model, (text, second or None), view, chosen, visit)
        st.caption(t[f"shown:{view}"])
        attention_view.show(view, text, readings, visit.language)
    if not second:
        roles_here.show(model, text, chosen, visit)
    _exports(model, (text, second or None), chosen[0], visit)


def _exports(
    model: PretrainedModel, texts: tuple[str, str | None], layer: int, visit: Visit
) -> None:
    """Offer the layer's attention as a frame, and the lines that make it."""
    given = ", ".join(repr(one) for one in (visit.model, *texts) if one is not None)
    lines = f"import inspector\n\nmaps = inspector.attend({given}, layers=[{layer}])\nmaps.frame()"
    frames = {"attention": lambda: api.attend(model, *texts, layers=[layer]).frame()}
    exports.frames(frames, lambda _: lines, visit.language)


def _readings(
    model: PretrainedModel,
    texts: tuple[str, str | None],
    view: str,
    chosen: tuple[int, int],
    visit: Visit,
) -> dict[str, HeadReading]:
    """Return what is shown, and what is shown beside it if the reader asks for it."""
    t = words.of("attention", visit.language)
    name = f"{chosen[0]}-{chosen[1]}"
    if view == attention_view.PRODUCTS:
        with guarded():
            return {name: read_head(model, texts[0], chosen, pair=texts[1])}
    left, right = st.columns(2)
    with left:
        unit = address.switch(
            t["unit"], "unit", ("tokens", "words"), "tokens", named=lambda code: t[f"unit:{code}"]
        )
    with right:
        by = address.switch(
            t["by"], "by", (WEIGHT, NORM), WEIGHT, named=lambda code: t[f"by:{code}"]
        )
    beside = address.switch(
        t["beside"], "beside", _BESIDE[: None if len(visit.settings.models) > 1 else -1],
        _ALONE, named=lambda code: t[f"beside:{code}"],
    )  # fmt: skip
    other = _other(model, texts[0], beside, chosen, visit)
    merged = unit == "words"
    with guarded():
        readings = {name: read_head(model, texts[0], chosen, pair=texts[1], by=by, words=merged)}
        if other is not None:
            title, by_whom, beside_it, head = other
            pair = texts[1] if beside in (_HEAD, _MODEL) else None
            readings[title] = read_head(by_whom, beside_it, head, pair=pair, by=by, words=merged)
    return readings


def _other(
    model: PretrainedModel, text: str, beside: str, chosen: tuple[int, int], visit: Visit
) -> tuple[str, PretrainedModel, str | Surface, tuple[int, int]] | None:
    """Return title, model, text and head of what stands beside, None where nothing does."""
    t, shell = words.of("attention", visit.language), words.of("shell", visit.language)
    name = f"{chosen[0]}-{chosen[1]}"
    if beside in (_HEAD, _MODEL):
        left, middle, right = st.columns(3)
        of = ""
        if beside == _MODEL:
            others = [one for one in visit.settings.models if one != visit.model]
            with left:
                of = address.select(t["other_model"], "model_b", others, others[0])
            try:
                model = store.model(of, visit.language)
            except store.VerifiableOnly as only:
                st.info(plain(only), icon=":material/info:")
                return None
        layer = address.number(f"{shell['layer']} B", "layer_b", model.n_layers, on=middle)
        head = address.number(f"{shell['head']} B", "head_b", model.n_heads, on=right)
        return f"{Path(of).name} {layer}-{head} ", model, text, (layer, head)
    if beside == _TEXT:
        other = text_field(t["other_text"], "other_text", t["other_default"])
        return f"{name}: {_shortened(other)}", model, other, chosen
    if beside == _WORD:
        there = words_in(text)
        left, right = st.columns(2)
        with left:
            place = address.select(
                t["word"], "changed", range(len(there)), min(1, len(there) - 1),
                named=lambda number: f"{number} · {there[number]}",
            )  # fmt: skip
        with right:
            instead = text_field(t["instead"], "instead", "", optional=True)
        with guarded():
            changed = with_word(model, text, place, instead)
        return f"{name}: {_shortened(changed.text)}", model, changed, chosen
    return None


def _shortened(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def _bertviz(
    model: PretrainedModel,
    texts: tuple[str, str | None],
    view: str,
    chosen: tuple[int, int],
    language: str,
) -> None:
    """Show a view of BertViz's with the chosen head, or say why it cannot be drawn."""
    t = words.of("attention", language)
    with guarded():
        maps = api.attend(model, *texts)
    try:
        page = _page(maps, view, chosen, language)
    except InputError:
        st.info(t["too_long"].format(count=len(maps.tokens)), icon=":material/info:")
        return
    st.caption(t[f"shown:{view}"].format(head_name=f"{chosen[0]}-{chosen[1]}"))
    label = t["alt"].format(view=t[f"view:{view}"], model=model.name)
    st.iframe(page.html, height=page.height, alt=label)
    widgets.download(words.of("shell", language)["html"], page.html, "attention.html")


def _page(maps: AttentionMaps, view: str, chosen: tuple[int, int], language: str) -> Page:
    names, dark = words.of("charts", language), st.context.theme.type == "dark"
    if view == "head":
        return maps.head_view([chosen[0]], heads=[chosen[1]], names=names, dark=dark)
    return maps.model_view(names=names, dark=dark)
