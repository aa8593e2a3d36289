"""A job that a page waits for: offered, under way, stopped, gone on with; the same for everyone."""

import re
import time

import streamlit as st

from inspector import words
from inspector.dashboard import store
from inspector.dashboard.guards import guarded, plain, told
from inspector.dashboard.runs import choice
from inspector.dashboard.settings import Visit
from inspector.runs.background import processes
from inspector.runs.background.job import Job, folder_of
from inspector.runs.background.shelf import Listed

_LOOK_S = 1.0
_COUNTED = re.compile(r"(\w+) (\d+) of (\d+)")


def show(visit: Visit, job: Job, key: str, offer: str, label: str) -> None:
    """Show how far a job is that is not complete, or the offer to begin it.

    Args:
        visit: Of the reader.
        job: Which.
        key: Of the button.
        offer: What it computes.
        label: Of the button, where nobody has begun it.
    """
    t, one = words.of("data", visit.language), store.listed(visit, job)
    if one.state == "running":
        st.fragment(_watch, run_every=_LOOK_S)(visit, job, key)
        return
    place = st.empty()
    with place.container(border=True):
        st.markdown(offer)
        if one.state in ("failed", "damaged"):
            st.error(plain(told(one.sentence)), icon=":material/error:")
        elif one.has_job:
            st.caption(t["was_stopped"].format(percent=f"{100 * one.status.share:.0f}"))
        if visit.settings.most_runs == 0:
            st.markdown(t["none_may_start"])
            return
        asked = st.button(t["resume"] if one.has_job else label, key=key, type="primary")
    if asked:
        place.empty()
        with guarded():
            store.start(visit, job)
        st.rerun()


def _watch(visit: Visit, job: Job, key: str) -> None:
    """Show how far a job is, again and again; the whole page anew when it has ended."""
    t, one = words.of("data", visit.language), store.listed(visit, job)
    if one.state != "running":
        st.rerun()
    with st.container(border=True):
        st.progress(min(one.status.share, 1.0), text=progress(one, visit.language))
        if one.has_job:
            folder = folder_of(choice.root_of(visit.settings), job.name)
            st.button(t["stop"], key=f"stop-{key}", on_click=processes.stop, args=(folder,))
        st.caption(t["goes_on"])


def progress(one: Listed, language: str) -> str:
    """Return how far a run is, in words: the share, what is being done, the time that is left."""
    t, s = words.of("data", language), words.of("shell", language)
    status = one.status
    if not status.stage and status.state == "running":
        return t["beginning"]  # of a run that is gone on with, 0 % would be false
    parts = [s["computing"].format(percent=f"{100 * min(status.share, 1.0):.0f}")]
    if status.stage:  # at the end the process has still to go
        parts.append(_stage(status.stage, t))
    left = status.seconds_left(time.time())
    if left is not None:
        minutes, seconds = divmod(round(left), 60)
        parts.append(t["time_left"].format(minutes=minutes, seconds=f"{seconds:02d}"))
    return " · ".join(one for one in parts if one)


def _stage(stage: str, t: words.Words) -> str:
    """Return what is being done, in words; nothing of a stage that has none."""
    counted = _COUNTED.match(stage)
    name = counted[1] if counted else stage.split(" ")[0]
    said = t.get(f"stage_{name.lower()}", "")
    return said.format(done=counted[2], all=counted[3]) if counted else said
