"""Which roles act on the reader's own sentence: where a role's rule leads, where its head looks."""

import pandas as pd
import streamlit as st

from inspector import words
from inspector.corpora import Corpus, Sentence
from inspector.corpora.formats.plain_text import split_words
from inspector.corpora.formats.spacy_parse import parsed_text
from inspector.dashboard import address, profiled, relations, shared_corpora, widgets
from inspector.dashboard.guards import guarded, plain
from inspector.dashboard.settings import Visit
from inspector.errors import InputError
from inspector.heads.search import ActingRole, acting_roles
from inspector.models import PretrainedModel

_HIDDEN, _HEAD, _ALL = _WHOSE = ("hidden", "head", "all")
_MOST_PLACES = 24


def show(model: PretrainedModel, text: str, head: tuple[int, int], visit: Visit) -> None:
    """Offer to judge the roles of the chosen head, or of all, on a text."""
    t = words.of("roles_here", visit.language)
    run = profiled.at_hand(visit)
    if run is None:
        return
    whose = address.switch(
        t["ask"], "roles_here", _WHOSE, _HIDDEN,
        named=lambda code: t[f"whose:{code}"].format(head_name=f"{head[0]}-{head[1]}"),
    )  # fmt: skip
    if whose == _HIDDEN:
        return
    roles = run.roles
    if whose == _HEAD:
        roles = roles[(roles["layer"] == head[0]) & (roles["head"] == head[1])]
    if roles.empty:
        st.markdown(words.of("specialization", visit.language)["no_role"])
        return
    with guarded():
        sentence, source = annotated(text, shared_corpora.corpus_of(run, visit))
        found = acting_roles(model, sentence, roles)
    st.caption(t[f"source:{source}"])
    _table(found, roles, t, visit.language)
    if whose == _HEAD:
        _places(found, sentence, model, t)


def annotated(text: str, corpus: Corpus) -> tuple[Sentence, str]:
    """Return a text as a sentence with what is known of it, and where that is from.

    Args:
        text: What the reader typed.
        corpus: Whose annotation it has if it is one of its sentences.

    Returns:
        The sentence, and 'corpus', 'parser' (where the extra is installed and takes the text for
        one sentence) or 'none'.
    """
    known = next((one for one in corpus.sentences if one.surface.text == text), None)
    if known is not None:
        return known, "corpus"
    try:
        parsed = parsed_text(text)
    except InputError:  # the parser is an extra
        parsed = []
    if len(parsed) == 1:
        return parsed[0], "parser"
    return Sentence("text", None, tuple(split_words(text)), None, (), text), "none"


def _table(
    found: tuple[ActingRole, ...], roles: pd.DataFrame, t: words.Words, language: str
) -> None:
    """Show a row per role, those that act first, the strongest before the others."""
    order = {True: 0, False: 1, None: 2}
    ranked = sorted(
        zip(found, roles["effect"], strict=True), key=lambda pair: (order[pair[0].acts], -pair[1])
    )
    acting = sum(one.acts is True for one in found)
    judged = sum(one.acts is not None for one in found)
    st.markdown(t["outcome"].format(acting=acting, judged=judged, all=len(found)))
    s = words.of("specialization", language)
    widgets.text_table(
        [s["head"], s["role"], s["in_words"], t["acts"], t["figure"]],
        (
            [
                f"{one.layer}-{one.head}",
                one.role,
                relations.role(one.role, language).name,
                t[_verdict(one)],
                _figure(one, t),
            ]
            for one, _ in ranked
        ),
    )


def _verdict(one: ActingRole) -> str:
    return {True: "yes", False: "no", None: f"needs:{one.needs}"}[one.acts]


def _figure(one: ActingRole, t: words.Words) -> str:
    if one.share is not None:
        return widgets.percent(one.share)
    if not one.places:
        return "–"
    return t["places"].format(hits=one.hits, all=len(one.places))


def _places(
    found: tuple[ActingRole, ...], sentence: Sentence, model: PretrainedModel, t: words.Words
) -> None:
    """Show, of each role that speaks of places, where its rule leads and where the head looks."""
    tokens = model.encode([sentence.surface.text]).tokens[0]
    for one in found:
        if not one.places:
            continue
        names = tokens if one.of_tokens else sentence.words
        st.markdown(f"**{plain(one.role)}**")
        widgets.text_table(
            [t["from"], t["rule"], t["looks"], ""],
            (
                [
                    names[place.asked],
                    ", ".join(dict.fromkeys(names[at] for at in place.expected)),
                    names[place.looked] if place.looked >= 0 else "–",
                    "✓" if place.is_hit else "✗",
                ]
                for place in one.places[:_MOST_PLACES]
            ),
        )
        if len(one.places) > _MOST_PLACES:
            st.caption(t["cut"].format(shown=_MOST_PLACES, all=len(one.places)))
