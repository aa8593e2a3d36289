"""Concepts: the textbook on attention made live, one topic at a time.

Must not know: how a number is computed.
"""

from collections.abc import Callable

import streamlit as st

from inspector.dashboard import address, store, widgets, words
from inspector.dashboard.app_pages.concepts import (
    attention,
    claims,
    comparison,
    cost,
    multi_head,
    self_attention,
)
from inspector.dashboard.settings import Visit
from inspector.models import PretrainedModel

_TOPICS: dict[str, Callable[[Visit, PretrainedModel], None]] = {
    "attention": attention.show,
    "self-attention": self_attention.show,
    "multi-head": multi_head.show,
    "comparison": comparison.show,
    "cost": cost.show,
    "claims": claims.show,
}


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
        _TOPICS[topic](visit, model)
