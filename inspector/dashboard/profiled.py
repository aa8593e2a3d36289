"""The run that the Specialization and Head pages show, or the offer to compute it."""

from concurrent.futures import wait

import streamlit as st

from inspector.dashboard import store, words
from inspector.dashboard.default_runs import Computation
from inspector.dashboard.guards import guarded
from inspector.dashboard.settings import Visit
from inspector.runs.profile.profile_corpus import Run

_GLANCE_S = 0.3


def run(visit: Visit) -> Run | None:
    """Return the run to show; where there is none yet, offer to compute it and return None."""
    of_settings = store.run_of_settings(visit)
    if of_settings is not None:
        return of_settings
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
    return _awaited(computation, visit.language)


def _awaited(computation: Computation, language: str) -> Run:
    """Return a computation's run; until it is there, show how far it is."""
    t = words.of("specialization", language)
    place = st.empty()
    # A reader who leaves ends this loop, and the computation goes on.
    while wait([computation], _GLANCE_S).not_done:
        share = min(computation.share, 1.0)
        text = t["computing"].format(percent=f"{100 * share:.0f}")
        place.progress(share, t["concluding"] if share == 1.0 else text)
    place.empty()
    with guarded():
        return computation.result()
