"""The run that the Specialization and Head pages show, or the offer to compute it."""

from concurrent.futures import wait
from typing import TypeVar

import streamlit as st

from inspector.dashboard import store, words
from inspector.dashboard.default_runs import Computation
from inspector.dashboard.guards import guarded
from inspector.dashboard.settings import Visit
from inspector.runs.profile.profile_corpus import Run

Result = TypeVar("Result")
_GLANCE_S = 0.3


def run(visit: Visit) -> Run | None:
    """Return the run to show; where there is none yet, offer to compute it and return None."""
    chosen = store.chosen_run(visit)
    if chosen is not None:
        return chosen
    computation = store.default_run(visit)
    if computation is None:
        t = words.of("specialization", visit.language)
        offer = st.empty()
        with offer.container(border=True):
            st.markdown(t["no_run"])
            asked = st.button(t["compute"], key="profile", type="primary")
        if not asked:
            return None
        computation = store.start_default_run(visit)
        offer.empty()
    return awaited(computation, visit.language)


def at_hand(visit: Visit) -> Run | None:
    """Return the run to show if there is one without any waiting."""
    chosen = store.chosen_run(visit)
    if chosen is not None:
        return chosen
    computation = store.default_run(visit)
    return computation.result() if computation is not None and computation.done() else None


def awaited(computation: Computation[Result], language: str) -> Result:
    """Return what a computation gives; until it is there, show how far it is."""
    t = words.of("shell", language)
    place = st.empty()
    # A reader who leaves ends this loop, and the computation goes on.
    while wait([computation], _GLANCE_S).not_done:
        share, left = min(computation.share, 1.0), computation.minutes_left
        told = [t["computing"].format(percent=f"{100 * share:.0f}")]
        if not computation.stage:
            told = [t["queued"]]
        elif share == 1.0:
            told = [t["concluding"]]
        if left is not None:
            told.append(t["minutes_left"].format(minutes=left))
        place.progress(share, " · ".join(told))
    place.empty()
    with guarded():
        return computation.result()
