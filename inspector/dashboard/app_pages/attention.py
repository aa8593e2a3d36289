"""Attention: where the heads look on the reader's own text."""

import streamlit as st
import torch

from inspector import api
from inspector.dashboard import address, store, widgets, words
from inspector.dashboard.app_pages.concepts import walk
from inspector.dashboard.guards import guarded, text_field
from inspector.dashboard.settings import Visit
from inspector.errors import InputError
from inspector.plot import attention_matrix
from inspector.plot.heads import MAX_MATRIX_TOKENS
from inspector.views.maps import AttentionMaps
from inspector.views.page import Page

_VIEWS = ("head", "model", "matrix")


def show(visit: Visit) -> None:
    """Show the text's attention in the view that the reader has chosen."""
    t = words.of("attention", visit.language)
    widgets.heading(t["title"], t["purpose"])
    model = store.model(visit.model, visit.language)
    text = text_field(t["sentence"], "sentence", visit.settings.sentence, lines=2)
    second = text_field(t["second"], "second", visit.settings.second_sentence, optional=True)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        view = address.switch(
            t["view"], "view", _VIEWS, "head", named=lambda name: t[f"view:{name}"]
        )
    with right:
        layer, head = widgets.head_chooser(model, visit.language)
    with guarded():
        maps = api.attend(model, text, second or None)
    st.caption(t["tokens"].format(count=len(maps.tokens)))
    widgets.unknown(maps.vocabulary, visit.language)
    page = _page(maps, view, (layer, head), visit.language)
    if page is None:
        _one_head(maps, layer, head, visit.language)
    else:
        st.caption(t[f"shown:{view}"].format(head_name=f"{layer}-{head}"))
        label = t["alt"].format(view=t[f"view:{view}"], model=model.name)
        st.iframe(page.html, height=page.height, alt=label)
    _downloads(maps, page, layer, visit.language)


def _page(maps: AttentionMaps, view: str, chosen: tuple[int, int], language: str) -> Page | None:
    """Return the page of a view, or None, with the reason said, where it cannot be drawn."""
    layer, head = chosen
    t, names = words.of("attention", language), words.of("charts", language)
    try:
        if view == "head":
            return maps.head_view([layer], heads=[head], names=names)
        if view == "model":
            return maps.model_view(names=names)
    except InputError:
        said = t["too_long"].format(view=t[f"view:{view}"], count=len(maps.tokens))
        st.info(said, icon=":material/info:")
    return None


def _one_head(maps: AttentionMaps, layer: int, head: int, language: str) -> None:
    t, title = words.of("attention", language), f"{layer}-{head}"
    st.caption(f"{t['shown:matrix'].format(head_name=title)} {t['matrix_note']}")
    probabilities = maps.probabilities[layer, head]
    if len(maps.tokens) <= MAX_MATRIX_TOKENS:
        names = words.of("charts", language)
        chart = attention_matrix(probabilities, maps.tokens, maps.tokens, names=names)
        widgets.chart(chart, "attention-matrix", f"{t['view:matrix']} {title}", width="content")
    else:
        widgets.picture(probabilities, t["picture_note"].format(last=len(maps.tokens) - 1))
    concepts = words.of("concepts", language)
    position = walk.position_chooser(concepts["position"], maps.tokens)
    row = torch.from_numpy(probabilities[position])
    widgets.weights_over(maps.tokens, row, concepts["token"], concepts["weight"])


def _downloads(maps: AttentionMaps, page: Page | None, layer: int, language: str) -> None:
    shell = words.of("shell", language)
    with st.container(horizontal=True):
        if page is not None:
            widgets.download(shell["html"], page.html, "attention.html")
        label = f"{shell['csv']} ({shell['layer']} {layer})"
        widgets.download(label, lambda: maps.frame([layer]).to_csv(index=False), "attention.csv")
