"""Search: where a corpus has words, relations, or a head that acts on them, in context."""

from contextlib import suppress

import streamlit as st

from inspector import words
from inspector.corpora import Corpus
from inspector.dashboard import (
    address,
    claims_in_words,
    profiled,
    relations,
    shared_corpora,
    store,
    widgets,
)
from inspector.dashboard.guards import guarded, plain, text_field, waiting
from inspector.dashboard.parts import exports
from inspector.dashboard.runs.texts import called, own_text
from inspector.dashboard.settings import Visit
from inspector.errors import InspectorError
from inspector.frames import meanings
from inspector.heads.search import Found, Match, search
from inspector.heads.search.corpus_search import NOBODY
from inspector.models import PretrainedModel
from inspector.views.predictions import prediction_html, words_around

_WORDS, _LOOKS, _ABLATION, _TERMS = _WHAT = ("words", "attention", "ablation", "terms")
_EVERY = "all"
_SHOWN = 20
_LAST = "_last_search"
_READ = 200
"""Sentences that the model reads, at most: a reader waits for them."""
_LONG, _REACH = 60, 12
"""Words of a sentence that is cut; words on each side of those that were found."""
_QUANTITIES = ("claims", "behaviour", "weights", "ablation")
"""Frames whose columns the catalogue explains."""
_PERCENT, _LEAST = range(0, 100, 5), 10


def show(visit: Visit) -> None:
    """Show the fields of a search, and what it finds, each place with a way to its attention."""
    t = words.of("search", visit.language)
    widgets.heading(t["title"], t["purpose"])
    model = store.model(visit.model, visit.language)
    run = profiled.at_hand(visit)
    corpus = shared_corpora.own_corpus() if run is None else shared_corpora.corpus_of(run, visit)
    head = claims_in_words.head_chooser(visit, run, model)
    shown = plain(called(corpus.name, visit.language))
    st.caption(t["corpus"].format(corpus=shown, sentences=len(corpus)))
    what = address.switch(
        t["what"], "what", _WHAT, _WORDS,
        named=lambda code: t[f"what:{code}"].format(head_name=f"{head[0]}-{head[1]}"),
    )  # fmt: skip
    if what == _TERMS:
        _catalogue(visit.language)
        return
    left, middle, right = st.columns(3)
    with left:
        first = text_field(t["words"], "find", "", optional=True)
    with middle:
        second = ""
        if what != _ABLATION:
            second = text_field(t["to"], "find_to", "", optional=True)
    with right:
        names = sorted({one.label for text in corpus.sentences for one in text.relations})
        relation = address.select(
            t["relation"], "find_relation", [_EVERY, *names], _EVERY,
            named=lambda name: t["any"] if name == _EVERY
            else relations.label(name, visit.language),
        )  # fmt: skip
    least = 0.0
    if what == _LOOKS:
        address.choose("more_than", _PERCENT, _LEAST)
        percent = st.select_slider(
            t["more_than"], _PERCENT, key="more_than", format_func="{} %".format
        )
        least = percent / 100
    st.markdown(t["grammar"])
    joined = "" if relation == _EVERY else relation
    if what == _WORDS and not (first or joined):
        st.markdown(t["nothing_asked"])
        return
    with guarded(), waiting(t["searching"]):
        found = _found((model, corpus), visit.model, what, head, (first, second, joined), least)
    _results(found, what, head, visit)
    if found.matches:
        lines = _lines(corpus, what, head, (first, second, joined), least, visit)
        exports.frames({"matches": found.frame}, lambda _: lines, visit.language)


def _found(
    read: tuple[PretrainedModel, Corpus], name: str, what: str, head: tuple[int, int],
    asked: tuple[str, str, str], least: float,
) -> Found:  # fmt: skip
    """Return what a search finds; the last one is kept, for this reader alone."""
    model, corpus = read
    given = (name, corpus.sha256, what, what == _WORDS or head, asked, least)
    kept: tuple[object, Found] | None = st.session_state.get(_LAST)
    if kept is not None and kept[0] == given:
        return kept[1]
    first, second, relation = asked
    if what == _WORDS:
        found = search(corpus, first, to=second, relation=relation, limit=_SHOWN)
    else:
        found = search(
            corpus, first, to=second, relation=relation, model=model, head=head,
            by="attention" if what == _LOOKS else "ablation", more_than=least, limit=_SHOWN,
            sentences=_READ,
        )  # fmt: skip
    st.session_state[_LAST] = (given, found)
    return found


def _lines(
    corpus: Corpus, what: str, head: tuple[int, int], asked: tuple[str, str, str], least: float,
    visit: Visit,
) -> str:  # fmt: skip
    """Return the Python that finds the same."""
    given = [repr(_file_of(corpus, visit)), repr(asked[0])]
    given += [
        f"{name}={one!r}" for name, one in zip(("to", "relation"), asked[1:], strict=True) if one
    ]
    if what != _WORDS:
        by = "attention" if what == _LOOKS else "ablation"
        given += [f"model={visit.model!r}", f"head='{head[0]}-{head[1]}'", f"by={by!r}"]
        given += [f"more_than={least}", f"sentences={_READ}"]
    return f"import inspector\n\ninspector.search({', '.join(given)}, limit={_SHOWN}).frame"


def _catalogue(language: str) -> None:
    """Show what relations, roles, verdicts and quantities are called, those that fit a word."""
    t = words.of("search", language)
    wanted = text_field(t["term"], "term", "", optional=True).casefold()
    rows = [
        [code, one.name, one.says, one.example] for code, one in relations.every(language).items()
    ]
    for frame in _QUANTITIES:
        rows += [[name, "–", says, "–"] for name, says in meanings(frame, language).items()]
    fitting = [row for row in rows if wanted in " ".join(row).replace("*", "").casefold()]
    st.markdown(t["terms_found"].format(found=len(fitting), all=len(rows)))
    with st.container(key="terms"):
        widgets.text_table(
            [t["code"], t["name"], t["says"], t["example"]],
            ([*row[:3], row[3].replace("*", "")] for row in fitting),
        )


def _results(found: Found, what: str, head: tuple[int, int], visit: Visit) -> None:
    t = words.of("search", visit.language)
    st.header(t["found"].format(total=found.total, read=found.read), anchor=False)
    if found.read < found.candidates:
        st.caption(t["read_some"].format(read=found.read, all=found.candidates))
    if not found.matches:
        st.markdown(t["none"])
        return
    st.caption(t[f"marks:{what}"].format(shown=len(found), head_name=f"{head[0]}-{head[1]}"))
    for number, match in enumerate(found.matches):
        with st.container(border=True):
            _match(match, number, what, head, visit)


def _match(match: Match, number: int, what: str, head: tuple[int, int], visit: Visit) -> None:
    """Show one place in its sentence, and the button that leads to its attention."""
    t, said = words.of("search", visit.language), match.sentence.words
    right = () if match.other == NOBODY else (match.other,)
    shown = list(range(len(said)))
    if len(said) > _LONG:
        shown = words_around(len(said), {match.word, *right}, _REACH)
    weights = match.weights or (-1.0,) * len(said)
    st.html(prediction_html(said, weights, match.word, NOBODY, right, shown))
    with st.container(horizontal=True, vertical_alignment="center"):
        score = "" if what == _WORDS else t["score"].format(score=widgets.percent(match.score))
        st.caption(plain(f"{score} {match.sentence.id}"))
        label = t["to_attention"].format(head_name=f"{head[0]}-{head[1]}")
        if st.button(label, key=f"to-attention-{number}", type="tertiary"):
            _look_at(match.sentence.surface.text, visit)


def _look_at(text: str, visit: Visit) -> None:
    """Turn to the Attention page with a text; the chosen head stays what it is."""
    for key, value in (("sentence", text), ("second", "")):
        st.session_state[f"_text_{key}"] = value
        st.session_state.pop(key, None)
    address.set_choice("unit", "words")
    st.switch_page(visit.links["attention"])


def _file_of(corpus: Corpus, visit: Visit) -> str | None:
    """Return the file of a corpus, None of inspector's own, its name where no file is known."""
    own = own_text(corpus.sha256)
    files: list[str | None] = [None, *(visit.settings.corpus or ()), *visit.settings.corpora]
    if own is not None:
        files.append(own)
    for file in files:
        with suppress(InspectorError):
            if shared_corpora.corpus_in(file).sha256 == corpus.sha256:
                return file
    return corpus.name
