"""Example texts on the Head page: where one head hits a relation, and where it misses.

Relations within sentences are shown in sentences, those that reach across them, such as
coreference, in the windows in which they were counted, cut around the words concerned.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from inspector import words
from inspector.corpora import Sentence
from inspector.dashboard import address, shared_corpora, store, widgets
from inspector.dashboard.guards import guarded, plain
from inspector.dashboard.parts import claim_ladder
from inspector.dashboard.relations import label
from inspector.dashboard.runs.texts import called
from inspector.dashboard.settings import Visit
from inspector.heads.specialization.head_examples import Prediction, head_predictions
from inspector.models import PretrainedModel
from inspector.runs.run import Run
from inspector.views.predictions import prediction_html, words_around

_BEST = "best"
_SAMPLES = 10
_SENTENCES, _WINDOWS = 24, 4
"""Texts in a sample; a window is as long as many sentences."""
_SHOWN = 4
_LONG = 60
"""Words; a longer text is cut."""
_REACH = 8
"""Words on each side of a word concerned that are left."""


def show(model: PretrainedModel, run: Run, relations: pd.DataFrame, visit: Visit) -> None:
    """Show a few texts of one relation where the head hits, and a few where it misses.

    Args:
        model: Which is run on them.
        run: Whose corpus they come from.
        relations: The rows of the head, in the order in which they are offered.
        visit: Of the reader.
    """
    t = words.of("head", visit.language)
    st.header(t["examples"], anchor=False)
    corpus = shared_corpora.corpus_of(run, visit)
    within = {pair.label for one in corpus.sentences for pair in one.relations if pair.is_plain}
    windows: Sequence[Sentence] = ()
    if not set(relations["relation"]) <= within:
        windows = store.windows_of(run, visit)
    across = {pair.label for one in windows for pair in one.relations} - within
    rows = relations[relations["relation"].isin(within | across)].to_dict("records")
    if corpus.sha256 != run.manifest.corpus_sha256:
        st.caption(t["examples_corpus"].format(corpus=plain(called(corpus.name, visit.language))))
    if not rows:
        st.markdown(t["no_sentences"])
        return
    chosen, sample = _choice(rows, visit.language)
    claim_ladder.show(run, chosen, "ladder", visit)
    texts, size = corpus.sentences, _SENTENCES
    if chosen["relation"] in across:
        texts, size = list(windows), _WINDOWS
    taken = _taken(texts, chosen["relation"], sample, size)
    with guarded():
        predictions = head_predictions(
            model, taken, chosen["layer"], chosen["head"], chosen["relation"], chosen["direction"]
        )
    _notes(chosen["relation"] in across, len(taken), visit.language)
    _hits_and_misses(predictions, t)


def _choice(rows: list[dict[Any, Any]], language: str) -> tuple[dict[Any, Any], int]:
    """Return the relation and direction that the reader chose, and the sample's number."""
    t, s = words.of("head", language), words.of("specialization", language)
    pairs = {f"{row['relation']}.{row['direction']}": row for row in rows}
    names = {
        code: f"{label(row['relation'], language)} · {s[row['direction']]} · "
        f"{widgets.percent(row['accuracy'])} "
        f"({s['baseline']} {widgets.percent(row['baseline_accuracy'])})"
        for code, row in pairs.items()
    }
    best = next(iter(pairs))
    names[_BEST] = t["best"].format(name=names[best])
    left, right = st.columns([4, 1])
    with left:
        code = address.select(t["pair"], "pair", [_BEST, *pairs], _BEST, named=names.__getitem__)
    with right:
        sample = address.number(t["sample"], "sample", _SAMPLES)
    return pairs[best if code == _BEST else code], sample


def _taken(texts: Sequence[Sentence], relation: str, sample: int, size: int) -> list[Sentence]:
    """Return the texts of a sample, evenly over all that have the relation.

    Samples share no text until all have been shown; then the first comes again.
    """
    with_it = [one for one in texts if any(pair.label == relation for pair in one.relations)]
    n_samples = max(-(-len(with_it) // size), 1)
    return with_it[sample % n_samples :: n_samples]


def _notes(across: bool, count: int, language: str) -> None:
    t, s = words.of("head", language), words.of("specialization", language)
    attended = s["attended_by_head"]
    st.caption(t["examples_note"].format(attended=attended))
    st.caption(t["windows_note" if across else "sentences_note"].format(count=count))


def _hits_and_misses(predictions: list[Prediction], t: words.Words) -> None:
    hits = [one for one in predictions if one.is_hit]
    misses = [one for one in predictions if not one.is_hit]
    st.markdown(t["in_sample"].format(hits=len(hits), all=len(predictions)))
    for title, empty, found in (("hits", "no_hits", hits), ("misses", "no_misses", misses)):
        st.subheader(t[title], anchor=False)
        if not found:
            st.markdown(t[empty])
        for prediction in _different_texts(found):
            _example(prediction, t)


def _different_texts(found: list[Prediction]) -> list[Prediction]:
    """Return the first few, one of a text."""
    first = {id(one.sentence): one for one in reversed(found)}
    return list(reversed(first.values()))[:_SHOWN]


def _example(one: Prediction, t: words.Words) -> None:
    said = one.sentence.words
    shown = list(range(len(said)))
    if len(said) > _LONG:
        shown = words_around(len(said), {one.asked, one.predicted, *one.right}, _REACH)
    with st.container(border=True):
        st.html(prediction_html(said, one.weights, one.asked, one.predicted, one.right, shown))
        caption = t["example"].format(
            asked=said[one.asked],
            predicted=said[one.predicted],
            expected=", ".join(dict.fromkeys(said[word] for word in one.right)),
            sentence=one.sentence.id,
        )
        if len(shown) < len(said):
            caption = f"{caption} {t['cut'].format(shown=len(shown), all=len(said))}"
        st.caption(plain(caption))
