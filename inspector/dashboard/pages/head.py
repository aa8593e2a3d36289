"""Head: everything that is known of one head.

Must not know: how a number is computed, how a sentence is drawn.
"""

import pandas as pd
import streamlit as st

from inspector.dashboard import address, parts, profiled, store, words
from inspector.dashboard.guards import guarded, plain
from inspector.dashboard.pages.weights import statistics_table
from inspector.dashboard.visit import Visit
from inspector.heads.description import PHRASES, describe_head
from inspector.heads.examples import Prediction, head_predictions
from inspector.heads.observers import BEHAVIOUR_COLUMNS
from inspector.models import PretrainedModel
from inspector.runs.profiling import Run
from inspector.views.predictions import prediction_html

_BEST = "best"
_SAMPLES = 10
_SAMPLE_SIZE = 24
_SHOWN = 4
_BY_WEIGHT = [
    name
    for name in BEHAVIOUR_COLUMNS
    if name not in ("layer", "head", "queries") and not name.startswith("norm_")
]


def show(visit: Visit) -> None:
    """Show the head's roles, behaviour, relations, examples and weights."""
    t = words.of("head", visit.language)
    parts.heading(t["title"], t["purpose"])
    model = store.model(visit.model, visit.language)
    chosen = parts.head_chooser(model, visit.language)
    run = profiled.run(visit)
    if run is not None:
        _roles(run, chosen, visit.language)
        _behaviour(run, chosen, t)
        if len(run.relations):
            relations = _relations(run, chosen, visit.language)
            _examples(model, run, relations, visit)
    st.header(t["weights"], anchor=False)
    statistics_table(store.weights(visit.model, visit.language), *chosen, visit.language)


def _of_head(frame: pd.DataFrame, chosen: tuple[int, int]) -> pd.DataFrame:
    return frame[(frame["layer"] == chosen[0]) & (frame["head"] == chosen[1])]


def _roles(run: Run, chosen: tuple[int, int], language: str) -> None:
    t = words.of("head", language)
    st.header(t["roles"].format(head_name=f"{chosen[0]}-{chosen[1]}"), anchor=False)
    said = {name: t[f"said_{name}"] for name in PHRASES}
    st.markdown(plain(describe_head(*chosen, run.roles, run.claims, said)))
    parts.roles_table(run.roles, chosen, words.of("specialization", language))


def _behaviour(run: Run, chosen: tuple[int, int], t: words.Words) -> None:
    row = _of_head(run.behaviour, chosen).iloc[0]
    st.header(t["behaviour"], anchor=False)
    masses = {
        "special": "special_mass",
        "previous": "previous_mass",
        "next": "next_mass",
        "own": "self_mass",
        "punctuation": "punctuation_mass",
        "share": "offset_share",
    }
    shares = {name: parts.percent(row[column]) for name, column in masses.items()}
    st.markdown(t["in_words"].format(offset=f"{int(row['offset_mode']):+d}", **shares))
    st.caption(t["behaviour_note"].format(queries=int(row["queries"])))
    parts.text_table(
        [t["quantity"], t["by_weight"], t["by_norm"], t["meaning"]],
        ([name, _figure(row, name), _figure(row, f"norm_{name}"), t[name]] for name in _BY_WEIGHT),
    )


def _figure(row: pd.Series, name: str) -> str:
    if name not in row or pd.isna(row[name]):
        return "–"
    return f"{int(row[name]):+d}" if name.endswith("offset_mode") else f"{row[name]:.3f}"


def _relations(run: Run, chosen: tuple[int, int], language: str) -> pd.DataFrame:
    """Show the head's accuracies, and return them, the largest lead over the baseline first."""
    t, s = words.of("head", language), words.of("specialization", language)
    frame = _of_head(run.relations, chosen)
    frame = frame.assign(lead=frame["accuracy"] - frame["baseline_accuracy"])
    frame = frame.sort_values("lead", ascending=False, kind="stable", na_position="last")
    st.header(t["relations"], anchor=False)
    st.caption(t["relations_note"])
    percent = parts.percent_column
    st.dataframe(
        parts.in_percent(frame).assign(direction=[s[name] for name in frame["direction"]]),
        key="head-relations",
        hide_index=True,
        height=320,
        column_order=["relation", "direction", "n", "accuracy", "baseline_accuracy", "lead",
                      "baseline_offset"],
        column_config={
            "relation": s["relation"],
            "direction": s["direction"],
            "accuracy": percent(s["accuracy"]),
            "baseline_accuracy": percent(s["baseline"]),
            "lead": percent(t["lead"]),
            "baseline_offset": st.column_config.NumberColumn(t["offset"], format="%+d"),
        },
    )  # fmt: skip
    st.subheader(t["claims_by_name"], anchor=False)
    claims = _of_head(run.claims, chosen)
    if claims.empty:
        st.markdown(t["no_claim"])
    else:
        parts.claims_table(claims, "head-claims", s)
    return frame


def _examples(model: PretrainedModel, run: Run, relations: pd.DataFrame, visit: Visit) -> None:
    t, s = words.of("head", visit.language), words.of("specialization", visit.language)
    st.header(t["examples"], anchor=False)
    corpus = store.corpus_of(run, visit)
    # Coreference is asked in windows of a document, not in sentences.
    shown = {pair.label for one in corpus.sentences for pair in one.relations}
    rows = relations[relations["relation"].isin(shown)].to_dict("records")
    pairs = {f"{row['relation']}.{row['direction']}": row for row in rows}
    if not pairs:
        st.markdown(t["no_sentences"])
        return
    names = {
        code: f"{row['relation']} · {s[row['direction']]} · {parts.percent(row['accuracy'])} "
        f"({s['baseline']} {parts.percent(row['baseline_accuracy'])})"
        for code, row in pairs.items()
    }
    best = next(iter(pairs))
    names[_BEST] = t["best"].format(name=names[best])
    left, right = st.columns([4, 1])
    with left:
        code = address.select(t["pair"], "pair", [_BEST, *pairs], _BEST, named=names.__getitem__)
    with right:
        sample = address.number(t["sample"], "sample", _SAMPLES)
    chosen = pairs[best if code == _BEST else code]
    if corpus.sha256 != run.manifest.corpus_sha256:
        st.caption(t["examples_corpus"].format(corpus=plain(corpus.name)))
    with_it = [
        one
        for one in corpus.sentences
        if any(pair.label == chosen["relation"] for pair in one.relations)
    ]
    step = max(len(with_it) // _SAMPLE_SIZE, 1)
    taken = with_it[sample % step :: step][:_SAMPLE_SIZE]
    if not taken:
        st.markdown(t["no_sentences"])
        return
    with guarded():
        predictions = head_predictions(
            model, taken, chosen["layer"], chosen["head"], chosen["relation"], chosen["direction"]
        )
    st.caption(t["examples_note"].format(attended=s["attended_by_head"], count=len(taken)))
    hits = [one for one in predictions if one.is_hit]
    misses = [one for one in predictions if not one.is_hit]
    st.markdown(t["in_sample"].format(hits=len(hits), all=len(predictions)))
    for title, empty, found in (("hits", "no_hits", hits), ("misses", "no_misses", misses)):
        st.subheader(t[title], anchor=False)
        if not found:
            st.markdown(t[empty])
        for prediction in _different_sentences(found):
            _example(prediction, t)


def _different_sentences(found: list[Prediction]) -> list[Prediction]:
    """Return the first few, one of a sentence."""
    first = {id(one.sentence): one for one in reversed(found)}
    return list(reversed(first.values()))[:_SHOWN]


def _example(one: Prediction, t: words.Words) -> None:
    said = one.sentence.words
    with st.container(border=True):
        st.html(prediction_html(said, one.weights, one.asked, one.predicted, one.expected))
        st.caption(
            plain(
                t["example"].format(
                    asked=said[one.asked],
                    predicted=said[one.predicted],
                    expected=said[one.expected],
                    sentence=one.sentence.id,
                )
            )
        )
