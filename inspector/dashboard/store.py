"""What sessions share: a loaded model, its verification, its weight statistics. Nothing else.

Each is kept for the models last used only. Texts that readers type are never kept here.
Must not know: pages; how a number is computed.
"""

import pandas as pd
import streamlit as st

from inspector import api
from inspector.dashboard import words
from inspector.dashboard.guards import guarded
from inspector.models import PretrainedModel
from inspector.verification import VerificationReport

_MODELS = 2


def model(name: str, language: str) -> PretrainedModel:
    """Return a model, loaded once for all sessions; stops the page where that cannot be done."""
    with st.spinner(words.of("shell", language)["loading"], show_time=True), guarded():
        loaded: PretrainedModel = _model(name)
    return loaded


def report(name: str, language: str) -> VerificationReport:
    """Return a model's verification, run once for all sessions."""
    model(name, language)
    with st.spinner(words.of("shell", language)["verifying"], show_time=True), guarded():
        verified: VerificationReport = _report(name)
    return verified


def weights(name: str, language: str) -> pd.DataFrame:
    """Return a model's weight statistics, computed once for all sessions."""
    model(name, language)
    with st.spinner(words.of("shell", language)["measuring"], show_time=True), guarded():
        frame: pd.DataFrame = _weights(name)
    return frame


@st.cache_resource(max_entries=_MODELS, show_spinner=False)
def _model(name: str) -> PretrainedModel:
    return api.load(name)


@st.cache_resource(max_entries=_MODELS, show_spinner=False)
def _report(name: str) -> VerificationReport:
    return api.verify(_model(name))


@st.cache_data(max_entries=_MODELS, show_spinner=False)
def _weights(name: str) -> pd.DataFrame:
    return api.weight_statistics(_model(name))
