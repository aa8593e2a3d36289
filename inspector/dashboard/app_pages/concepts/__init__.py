"""Concepts: the textbook on attention made live, one topic at a time.

Must not know: how a number is computed.
"""

from collections.abc import Callable
from dataclasses import asdict

import streamlit as st

from inspector import words
from inspector.dashboard import address, store, widgets
from inspector.dashboard.app_pages.concepts import (
    attention,
    claims,
    comparison,
    cost,
    multi_head,
    self_attention,
    train,
)
from inspector.dashboard.app_pages.concepts.example_texts import Examples
from inspector.dashboard.settings import Visit
from inspector.models import PretrainedModel

_TOPICS: dict[str, Callable[[Visit, PretrainedModel, Examples], None]] = {
    "attention": attention.show,
    "self-attention": self_attention.show,
    "multi-head": multi_head.show,
    "train": train.show,
    "comparison": comparison.show,
    "cost": cost.show,
    "claims": claims.show,
}
_ON_TEXTS = ("attention", "self-attention", "multi-head", "claims")


def show(visit: Visit) -> None:
    """Show the topic that the reader has chosen."""
    t = words.of("concepts", visit.language)
    widgets.heading(t["title"], t["purpose"])
    topic = address.switch(
        t["mode"],
        "mode",
        list(_TOPICS),
        "attention",
        named=lambda name: t[f"mode:{name}"],
        hidden=True,
    )
    model = store.model(visit.model, visit.language)
    with st.container(key=f"topic-{topic}"):
        texts = Examples(visit, model)
        if topic in _ON_TEXTS and not texts.are_read:
            more = "" if len(visit.settings.models) > 1 else f" {t['only_english']}"
            st.info(t["not_read"].format(**asdict(texts.known)) + more, icon=":material/translate:")
        _TOPICS[topic](visit, model, texts)
