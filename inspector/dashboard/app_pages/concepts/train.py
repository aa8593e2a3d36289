"""Train a head: a small model learns a pattern in a process of its own, drawn as it goes."""

import json
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st
import torch

from inspector import words
from inspector.dashboard import address, drawing, widgets
from inspector.dashboard.app_pages.concepts.example_texts import Examples
from inspector.dashboard.guards import guarded, plain
from inspector.dashboard.implementation.side_process import SideProcess
from inspector.dashboard.settings import Visit
from inspector.learning import PATTERNS
from inspector.learning.training import SECONDS, TEXTS
from inspector.models import PretrainedModel

_CODE = "from inspector.learning.training import main; main()"
_LINES = """import pandas as pd

from inspector.learning.training import train

snapshots = list(train({pattern!r}, {seed}))
pd.DataFrame(snapshots)[["step", "loss", "accuracy"]]"""
_KEPT, _RUNS, _GLANCE = "_training", "_trainings", "1s"
_LEARNT = 0.98
_PATIENCE = 20.0
"""Seconds more than the training takes: its process has to start."""


class _Training(SideProcess):
    """A training of this reader's."""

    def __init__(self, pattern: str, seed: int) -> None:
        self.pattern, self.seed = pattern, seed
        self._read_so_far: list[dict[str, Any]] = []
        super().__init__(_CODE, [pattern, str(seed)], SECONDS + _PATIENCE)

    def snapshots(self) -> list[dict[str, Any]]:
        """Return what it has told; the maps of the last only."""
        for line in self.lines[len(self._read_so_far) :]:
            if self._read_so_far:
                self._read_so_far[-1].pop("maps")
            self._read_so_far.append(json.loads(line))
        return self._read_so_far


def show(visit: Visit, model: PretrainedModel, texts: Examples) -> None:
    """Show the choice of a pattern, and the training of this session; the model plays no part."""
    t = words.of("train", visit.language)
    st.markdown(t["intro"])
    pattern = address.switch(
        t["pattern"], "pattern", PATTERNS, "repeat", named=lambda code: t[f"pattern:{code}"]
    )
    st.markdown(t[f"look:{pattern}"])
    training: _Training | None = st.session_state.get(_KEPT)
    if training is not None and training.pattern != pattern:
        training.stop()
        training = None
    label = t["start"] if training is None else t["again"]
    if st.button(label, key="train", type="primary", icon=":material/play_arrow:"):
        if training is not None:
            training.stop()
        seed = st.session_state[_RUNS] = st.session_state.get(_RUNS, -1) + 1
        with guarded():
            training = st.session_state[_KEPT] = _Training(pattern, seed)
    if training is not None:
        running = not training.ended
        watch = st.fragment(_watch, run_every=_GLANCE if running else None)
        watch(training, t, visit.language, running=running)


def _watch(training: _Training, t: words.Words, language: str, *, running: bool) -> None:
    """Draw where the training stands; called again every second while it is running."""
    ended, snapshots = training.ended, training.snapshots()
    if ended and running:
        st.rerun()
    if not snapshots:
        if ended:
            st.error(t["failed"].format(reason=plain(training.complaint)))
        else:
            st.info(t["starting"], icon=":material/hourglass:")
        return
    last = snapshots[-1]
    learnt = last["accuracy"] >= _LEARNT
    state = "running" if not ended else "learnt" if learnt else "over"
    told = t["stopped" if ended and training.stopped and not learnt else state].format(
        step=last["step"],
        seconds=f"{last['seconds']:.0f}",
        accuracy=f"{100 * last['accuracy']:.0f}",
        loss=f"{last['loss']:.3f}",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        (st.success if ended and learnt else st.info)(told)
        if not ended and st.button(t["stop"], key="stop-training", icon=":material/stop:"):
            training.stop()
    lines = _LINES.format(pattern=training.pattern, seed=training.seed)
    _curve(snapshots, t, language, lines)
    st.header(t["maps"], anchor=False)
    st.caption(t["maps_note"].format(texts=TEXTS))
    maps = torch.tensor(last["maps"])
    per_layer = len(maps) // 2
    labels = [
        t["map"].format(layer=i // per_layer, head=i % per_layer, share=f"{100 * share:.0f}")
        for i, share in enumerate(last["on_answer"])
    ]
    drawing.pictures(maps, list(last["letters"]), labels, "training-maps", language)


def _curve(snapshots: list[dict[str, Any]], t: words.Words, language: str, made: str) -> None:
    frame = pd.DataFrame(
        [
            {"step": one["step"], "series": t[name], "value": one[name]}
            for one in snapshots
            for name in ("loss", "accuracy")
        ]
    )
    series = alt.Scale(domain=[t["loss"], t["accuracy"]], range=["#d55e00", "#0072b2"])
    dashes = alt.Scale(domain=series.domain)
    lines = (
        alt.Chart(frame)
        .mark_line(point=True)
        .encode(
            x=alt.X("step:Q", title=t["step"]),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(domainMin=0)),
            color=alt.Color("series:N", scale=series, title=None),
            strokeDash=alt.StrokeDash("series:N", scale=dashes, title=None),
        )
        .properties(height=200)
    )
    widgets.chart(lines, "training-curve", t["curve"], language, made)
