"""What sessions share of the Ablation page: a model's importance and curve, its heads' ablations.

On inspector's own corpus alone, so that nothing that a reader types is kept.
"""

from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from inspector import api
from inspector.corpora import Corpus
from inspector.dashboard import store
from inspector.models import PretrainedModel

SENTENCES, CURVE_SENTENCES = 200, 60
"""Sentences for one head and for importance; fewer for the curve, which takes many passes."""
_MODELS = 2


@dataclass(frozen=True)
class Measured:
    """What the page shows of a model, whichever head is chosen."""

    importance: pd.DataFrame
    curve: pd.DataFrame


def kept(model: str) -> Measured | None:
    """Return what was measured of a model, None where nobody has asked for it."""
    return _all_kept().get(model)


def keep(model: str, measured: Measured) -> None:
    """Keep what was measured, of the models last measured."""
    known = _all_kept()
    while len(known) >= _MODELS:
        known.pop(next(iter(known)), None)
    known[model] = measured


def without(model: PretrainedModel, name: str, head: tuple[int, int]) -> pd.DataFrame:
    """Return the ablation frame of one head, computed once for all sessions."""
    frame: pd.DataFrame = _without(model, name, head)
    return frame


def some_sentences(n: int) -> Corpus:
    """Return n sentences, spread over inspector's own corpus; mentions are not followed in them.

    Example:
        >>> len(some_sentences(60).sentences)
        60
    """
    corpus = store.own_corpus()
    step = len(corpus.sentences) / n
    taken = [corpus.sentences[int(number * step)] for number in range(n)]
    return replace(corpus, sentences=[replace(one, source="") for one in taken])


@st.cache_resource(show_spinner=False)
def _all_kept() -> dict[str, Measured]:
    return {}


@st.cache_data(max_entries=64, show_spinner=False)
def _without(_model: PretrainedModel, name: str, head: tuple[int, int]) -> pd.DataFrame:
    return api.ablate(_model, [head], some_sentences(SENTENCES))
