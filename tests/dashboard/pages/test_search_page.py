"""The Search page, and the roles that act on a sentence: found, marked, escaped, one click on."""

from dataclasses import replace

import pytest
from support.browser.dashboard_driver import texts, turn_to

from inspector.corpora import Sentence
from inspector.dashboard import shared_corpora
from inspector.dashboard.parts import roles_here
from inspector.heads.search import search

HOSTILE = "<img src=x onerror=alert(1)>"


def drawn(app):
    return [one.proto.body for one in app.get("html") if "line-height: 2" in one.proto.body]


def test_places_stand_in_their_sentences_and_one_click_shows_the_attention_there(
    open_page, profiled
):
    app = open_page("search", config=profiled)
    assert not app.exception
    assert "Type a word such as" in texts(app)
    app.text_input(key="find").set_value("tag:NOUN")
    app.text_input(key="find_to").set_value("tag:VERB")
    app.selectbox(key="find_relation").set_value("obj").run()
    corpus = shared_corpora.own_corpus()
    found = search(corpus, "tag:NOUN", to="tag:VERB", relation="obj", limit=20)
    assert f"{found.total} places in {found.read} sentences" in texts(app)
    sentences = drawn(app)
    assert len(sentences) == 20
    for html, match in zip(sentences, found.matches, strict=True):
        assert html.count("outline") == html.count("✓") == 1
        asked = html.split("font-weight: 600")[1].split(">")[1].split("<")[0]
        assert asked == match.sentence.words[match.word].replace("'", "&#x27;")
    app.button(key="to-attention-2").click().run()
    turn_to(app, "attention")
    app.run()
    assert app.text_area(key="sentence").value == found.matches[2].sentence.surface.text


def test_what_is_found_nowhere_or_cannot_be_asked_is_a_sentence(open_page, profiled):
    app = open_page("search", config=profiled, lang="zh")
    app.text_input(key="find").set_value("<img/src=x>").run()
    assert not app.exception
    assert "没有找到" in texts(app)
    app.text_input(key="find").set_value("tag:NOPE").run()
    assert not app.exception
    assert len(app.error) == 1
    assert "词性（NOPE）" in app.error[0].value.replace("\\", "")
    app.text_input(key="find").set_value(HOSTILE).run()
    assert not app.exception
    assert "只能有一个 word" in app.error[0].value


def test_words_of_the_corpus_are_shown_letter_by_letter(open_page, profiled, monkeypatch):
    planted = Sentence(f"{HOSTILE}", None, (HOSTILE, "cat"), None, (), f"{HOSTILE} cat")
    hostile = replace(shared_corpora.own_corpus(), sentences=[planted], sha256="66" * 32)
    monkeypatch.setattr(shared_corpora, "corpus_of", lambda *_: hostile)
    app = open_page("search", config=profiled)
    app.text_input(key="find").set_value("cat").run()
    assert not app.exception
    assert len(drawn(app)) == 1
    assert "<img src=x" not in texts(app)
    # A link restores what was asked of the head.
    given = {"what": "attention", "more_than": "95", "layer": "0", "head": "0"}
    app = open_page("search", config=profiled, **given)
    assert not app.exception
    assert app.select_slider(key="more_than").value == 95
    assert "0 places in 1 sentences" in texts(app)
    assert app.query_params.items() >= given.items()


def test_roles_that_act_on_a_sentence_are_told_from_those_that_need_a_tree(open_page, profiled):
    app = open_page("attention", config=profiled, roles_here="all")
    assert not app.exception
    said = texts(app)
    assert "has no tree and no parts of speech" in said
    assert "roles that can be judged here act on this sentence" in said
    known = shared_corpora.own_corpus().sentences[7]
    app.text_area(key="sentence").set_value(known.surface.text).run()
    assert not app.exception
    assert "whose annotation is used" in texts(app)
    assert roles_here.annotated(known.surface.text, shared_corpora.own_corpus()) == (
        known,
        "corpus",
    )


@pytest.mark.parametrize("sentences", [1, 2])
def test_the_parser_is_used_where_it_is_installed(monkeypatch, sentences):
    parsed = [Sentence("text.1", "text", ("Go",), ("VERB",), (), "Go")] * sentences
    monkeypatch.setattr(roles_here, "parsed_text", lambda text: parsed)
    found, source = roles_here.annotated("Go", shared_corpora.own_corpus())
    assert (found == parsed[0], source) == ((True, "parser") if sentences == 1 else (False, "none"))


def test_object_finds_obj_among_what_names_mean(open_page):
    app = open_page("search", what="terms")
    app.text_input(key="term").set_value("direct Object").run()
    assert not app.exception
    tables = [
        one.proto.body for one in app.get("html") if 'class="inspector-table"' in one.proto.body
    ]
    assert "<td>obj</td><td>direct object</td>" in tables[-1]
    assert "<td>nsubj</td>" not in tables[-1]
