"""The pages in this process: what they say, what they refuse, what they remember."""

import ast
import html
import re
from functools import cache

import pandas as pd
import pytest
import yaml
from support.browser.dashboard_driver import PAGES, ROOT, texts, turn_to
from support.browser.english import english_in, everything

from inspector.corpora import default_corpus
from inspector.dashboard import guards, store, walkthrough
from inspector.dashboard.guards import MAX_CHARACTERS, check_field, plain
from inspector.dashboard.settings import Settings
from inspector.errors import InputError

NAMES = ()

OF_NO_MODEL = ("compare", "data")
"""Pages that show runs and texts, whichever model is chosen."""

HOSTILE = "</script><img src=x onerror=alert(1)> ![x](http://evil.example/x.png)"
TOPICS = ("attention", "self-attention", "multi-head", "train", "comparison", "cost", "claims")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens(open_page, profiled, page, language):
    """In Chinese with a run: no run of English words is left but names and the texts read."""
    given = {"config": profiled} if language == "zh" else {}
    app = open_page(page, lang=language, **given)
    assert not app.exception
    assert not app.error
    assert len(app.title) == 1
    chinese = re.search("[\u4e00-\u9fff]", app.title[0].value) is not None
    assert chinese == (language == "zh")
    if chinese:
        assert english_in(everything(app), allowed_english()) == []


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_opens(open_page, topic):
    app = open_page("concepts", mode=topic, layer="2", head="8", lang="zh")
    assert not app.exception
    assert not app.error
    assert app.session_state["mode"] == topic
    assert english_in(everything(app), allowed_english()) == []


@cache
def allowed_english():
    """Return what may stand in English: the texts that are read, and names."""
    settings = Settings()
    texts = [settings.sentence, settings.target, settings.source, *settings.contexts]
    texts += [sentence.surface.text for sentence in default_corpus().sentences]
    return (*texts, *NAMES)


def test_overview_shows_what_was_loaded(open_page):
    app = open_page("overview")
    shown = texts(app)
    assert "Verified" in shown
    assert [metric.value for metric in app.metric] == ["6", "12", "384", "32", "512", "float32"]
    model = store.model("minilm", "en")
    assert all(digest in shown for digest in model.file_hashes.values())
    assert str(model.folder) not in shown


def test_a_model_that_is_not_verified_says_why(open_page, monkeypatch):
    report = store.report("minilm", "en")
    wrong = report.frame.assign(passed=False, error_in_u=1e6)
    broken = type(report)(**{**vars(report), "frame": wrong})
    monkeypatch.setattr(store, "report", lambda *_: broken)
    shown = texts(open_page("overview"))
    assert "Not verified" in shown
    assert "42 of 42 layer stages differ" in plain_text(shown)
    app = open_page("verification")
    assert "did not pass" in app.error[0].value
    assert not app.exception


def plain_text(markdown):
    return markdown.replace("\\", "")


def test_verification_shows_every_control(open_page):
    app = open_page("verification")
    report = store.report("minilm", "en")
    shown = texts(app)
    assert "All 42 stages of 6 layers agree" in shown
    assert shown.count("✓ caught") == len(report.controls) >= 10
    assert all(control["mutation"] in shown for control in report.controls)


def test_a_model_of_the_full_route_names_the_modules_that_were_reached(open_page):
    app = open_page("verification")
    said = html.unescape(plain_text(texts(app)))
    assert "Checked from its weights" in said
    assert all(f"<td>encoder.layer.{n}.attention.self</td><td>7</td>" in said for n in range(6))
    assert {"The whole model", "How far the library differs from itself"} <= {
        heading.value for heading in app.header
    }


def test_weights_show_the_chosen_heads_row(open_page):
    app = open_page("weights", layer="3", head="7", statistic="qk_symmetry")
    row = store.weights("minilm", "en").query("layer == 3 and head == 7").iloc[0]
    assert app.header[0].value == "Head 3-7"
    assert f"`qk_symmetry` | {row['qk_symmetry']:.4g} |" in texts(app)


def test_choices_stand_in_the_address_and_defaults_do_not(open_page):
    app = open_page("weights", layer="3", head="7")
    assert app.query_params == {"layer": "3", "head": "7"}
    app.number_input(key="layer").set_value(0)
    app.selectbox(key="statistic").set_value("q_norm")
    app.run()
    assert app.query_params == {"head": "7", "statistic": "q_norm"}


@pytest.mark.parametrize(
    "query",
    [
        {"layer": "999", "head": "abc", "statistic": "nonsense"},
        {"layer": "-1", "model": "/etc", "lang": "xx"},
        {"model": "../../etc/passwd", "layer": "1e3"},
        {"unknown": "x", "layer": "٣"},
    ],
)
def test_what_is_no_option_is_ignored_and_told(open_page, query):
    app = open_page("weights", **query)
    assert not app.exception
    assert not app.error
    assert app.query_params == {}
    assert app.session_state["model"] == "minilm"
    assert (app.session_state["layer"], app.session_state["head"]) == (0, 0)
    (told,) = [warning.value for warning in app.warning]
    asked = {key: value for key, value in query.items() if key != "unknown"}
    assert told.count("The address asks for") == len(asked)
    for key, value in asked.items():
        assert f"{key} = {value}, which cannot be chosen here" in plain_text(told)
    # It is told once: the address no longer asks for it.
    assert not app.run().warning


def test_what_could_be_chosen_is_told_and_nothing_of_it_is_markup(open_page):
    app = open_page("weights", layer="99", statistic="<img src=x> ![x](http://a)" + "y" * 200)
    told = app.warning[0].value
    assert "0 is shown. Available: 0 … 5." in plain_text(told)
    assert "q_norm, k_norm" in plain_text(told)
    assert r"\<img src\=x\>" in told
    assert "![x](" not in told
    assert "y" * 60 not in told
    app = open_page("weights", layer="99", lang="zh")
    assert "网址要求 layer = 99" in app.warning[0].value
    # Control: what can be chosen is chosen, and nothing is told.
    assert not open_page("weights", layer="5", statistic="q_norm").warning


def test_a_head_chosen_on_one_page_is_chosen_on_the_next(open_page):
    app = open_page("weights", layer="3", head="7", lang="zh")
    turn_to(app, "attention")
    app.run()
    assert (app.session_state["layer"], app.session_state["head"]) == (3, 7)
    assert app.query_params == {"lang": "zh", "layer": "3", "head": "7"}


def test_a_text_is_kept_across_pages_and_never_in_the_address(open_page):
    app = open_page("attention")
    app.text_area(key="sentence").set_value("A secret sentence.").run()
    turn_to(app, "concepts")
    app.run()
    app.segmented_control(key="mode").set_value("self-attention").run()
    assert app.text_input(key="sentence").value == "A secret sentence."
    assert "secret" not in str(app.query_params)


def test_another_session_sees_nothing_of_it(open_page):
    first = open_page("attention")
    first.text_area(key="sentence").set_value("A secret sentence.").run()
    assert open_page("attention").text_area(key="sentence").value.startswith("The animal")


def test_nothing_of_the_other_model_stays_after_switching(open_page, tmp_path, small_model):
    config = tmp_path / "two.yaml"
    config.write_text(yaml.safe_dump({"models": ["minilm", str(small_model)]}))
    app = open_page("weights", config=config, layer="5", head="11")
    assert app.header[0].value == "Head 5-11"
    app.sidebar.selectbox(key="model").set_value(str(small_model)).run()
    assert not app.exception
    assert app.header[0].value == "Head 0-0"
    assert app.number_input(key="layer").max == 1
    row = store.weights(str(small_model), "en").iloc[0]
    assert f"`q_norm` | {row['q_norm']:.4g} |" in texts(app)


def test_a_missing_model_is_a_sentence_and_another_can_be_chosen(open_page, tmp_path):
    config = tmp_path / "missing.yaml"
    missing = str(tmp_path / "no *such* folder")
    config.write_text(yaml.safe_dump({"models": [missing, "minilm"]}))
    for page in (one for one in PAGES if one not in OF_NO_MODEL):
        app = open_page(page, config=config)
        assert not app.exception
        assert "is neither a folder that exists nor a hub id" in plain_text(app.error[0].value)
    app.sidebar.selectbox(key="model").set_value("minilm").run()
    assert not app.error


def test_a_wrong_settings_file_is_a_sentence(open_page, tmp_path):
    app = open_page(config=tmp_path / "none.yaml")
    assert not app.exception
    assert "could not be read" in app.error[0].value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must not be empty"),
        ("   ", "must not be empty"),
        ("x" * (MAX_CHARACTERS + 1), "must have at most 5000 characters here"),
        ("\ud83d", "is not valid Unicode"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused(text, sentence):
    with pytest.raises(InputError, match=sentence):
        check_field(text)


def test_an_optional_text_may_be_empty():
    assert check_field("  ", optional=True) == ""


def test_an_empty_text_is_a_sentence_on_the_page(open_page):
    app = open_page("attention")
    app.text_area(key="sentence").set_value(" ").run()
    assert not app.exception
    assert "must not be empty" in app.error[0].value


def test_a_text_beyond_the_caps_of_bertviz_is_left_to_our_own_views(open_page):
    app = open_page("attention", view="head")
    app.text_area(key="sentence").set_value("the cat " * 33).run()
    assert not app.exception
    (told,) = [info.value for info in app.info]
    assert told.startswith(
        "This text has 68 tokens, more than BertViz's views can draw: choose Lines or Matrix, which"
    )
    app.segmented_control(key="view").set_value("matrix").run()
    assert not app.info
    assert not app.error
    app.text_area(key="sentence").set_value("a " * 600).run()
    assert "must have at most 512 tokens" in plain_text(app.error[0].value)
    assert not app.exception


def test_hostile_text_is_shown_letter_by_letter(open_page):
    app = open_page("attention")
    app.text_area(key="sentence").set_value(HOSTILE).run()
    app.text_area(key="second").set_value(HOSTILE).run()
    assert not app.exception
    turn_to(app, "concepts")
    app.run()
    for topic in TOPICS:
        app.segmented_control(key="mode").set_value(topic).run()
        for field in app.text_input:
            field.set_value(HOSTILE)
        app.run()
        assert not app.exception
        shown = texts(app)
        for lines in app.code:  # where letters are letters
            shown = shown.replace(lines.value, "")
        assert "<img src=x" not in shown
        assert "![x](" not in shown


def test_markdown_in_data_is_taken_apart():
    assert plain("**b** ![x](http://a) $x$ `c`\n# h") == (
        r"\*\*b\*\* \!\[x\]\(http\:\/\/a\) \$x\$ \`c\` \# h"
    )


def test_a_trouble_that_is_not_foreseen_is_not_hidden(open_page, monkeypatch):
    monkeypatch.setattr(walkthrough, "layer_call", lambda *_: 1 / 0)
    assert open_page("concepts").exception


def test_the_word_in_two_contexts_needs_to_be_in_both(open_page):
    app = open_page("concepts", mode="claims")
    assert not app.warning
    app.text_input(key="word").set_value("giraffe").run()
    assert [warning.value for warning in app.warning] == [
        "The word must stand in both sentences. Change the word or a sentence."
    ] * 2


def test_the_cost_is_measured_when_asked(open_page, monkeypatch):
    from inspector.dashboard import measure

    frame = pd.DataFrame({"tokens": [8, 16], "seconds": [1e-4, 4e-4], "series": "attention"})
    monkeypatch.setattr(measure, "attention_times", lambda *_: frame)
    app = open_page("concepts", mode="cost")
    assert not app.dataframe
    app.button(key="measure").click().run()
    assert app.dataframe[0].value.equals(frame)


def test_only_what_sessions_share_is_cached():
    sources = (ROOT / "inspector" / "dashboard").rglob("*.py")
    cached = [path.name for path in sources if "@st.cache" in path.read_text(encoding="utf-8")]
    assert sorted(cached) == ["shared_corpora.py", "store.py"]
    assert guards.MAX_CHARACTERS == 5000


def test_the_position_stands_in_the_address_and_a_shorter_text_brings_it_back(open_page):
    app = open_page("concepts", mode="self-attention", position="9")
    assert app.selectbox(key="position").value == 9
    assert app.query_params == {"mode": "self-attention", "position": "9"}
    app.text_input(key="sentence").set_value("A cat.").run()
    assert not app.exception
    assert app.selectbox(key="position").options[1] == "1 · a"
    assert app.session_state["position"] == 1
    assert app.query_params == {"mode": "self-attention"}
    # The box in the browser keeps its old word until it is handed the new one.
    app.text_input(key="sentence").set_value("Two cats.").run()
    handed = app.selectbox(key="position").proto
    assert (handed.set_value, handed.raw_value) == (True, "1 · two")


def test_a_paste_that_is_too_long_is_told_in_the_pages_language(open_page):
    app = open_page("attention", lang="zh")
    app.text_area(key="sentence").set_value("word " * 2000).run()
    assert [error.value for error in app.error] == [
        "这段文字有 10000 个字符，这里最多能读 5000 个：请缩短。"
    ]


def test_words_that_the_model_does_not_know_are_told(open_page):
    app = open_page("concepts", mode="self-attention")
    assert not app.warning
    assert "0 of 14 words" in texts(app)
    app.text_input(key="sentence").set_value("银行在河边，他把钱存进了银行。").run()
    (told,) = [warning.value for warning in app.warning]
    known = walkthrough.vocabulary(store.model("minilm", "en"), "银行在河边，他把钱存进了银行。")
    tokens = store.model("minilm", "en").encode(["银行在河边，他把钱存进了银行。"]).tokens[0]
    assert tokens.count("[UNK]") == known.unknown_tokens > 5
    assert f"{known.unknown_tokens} of {known.tokens} tokens" in told
    assert "one and the same token" in told


def test_matrices_are_tables_of_numbers_where_asked(open_page):
    app = open_page("concepts", mode="self-attention", step="3")
    assert not matrices(app)
    app.toggle(key="panes-products-tables").set_value(True).run()
    shown = {re.search('aria-label="(.)"', body)[1]: body for body in matrices(app)}
    assert list(shown) == ["Q", "K", "D"]
    said = "the animal didn ' t cross the street because it was too tired ."
    tokens = ["[CLS]", *said.split(" "), "[SEP]"]
    for name, body in shown.items():
        labels = re.findall(r'<th scope="row"[^>]*>([^<]*)<', body)
        assert labels == [html.escape(token) for token in tokens]
        assert body.count(f'tabindex="0" role="region" aria-label="{name}"') == 1


def matrices(app):
    return [
        one.proto.body for one in app.get("html") if 'class="inspector-matrix"' in one.proto.body
    ]


def test_a_link_between_pages_chooses_what_it_names_and_keeps_the_rest(open_page):
    app = open_page("weights", layer="3", head="7", lang="zh")
    app.query_params = {"head": "5"}
    turn_to(app, "attention")
    app.run()
    assert (app.session_state["layer"], app.session_state["head"]) == (3, 5)
    assert app.session_state["lang"] == "zh"


def test_the_head_view_shows_the_chosen_head(open_page):
    app = open_page("attention", layer="2", head="8", view="head")
    assert "Head 2-8 is shown" in texts(app)
    page = app.get("iframe")[0].proto.srcdoc
    assert re.search(r'"heads": ?\[8\]', page)
    assert re.search(r'"include_layers": ?\[2\]', page)


def test_no_text_has_the_name_of_a_choice():
    """What a page keeps under a name would be shown in another page's field."""
    named = {"text_field": (set(), 1), "choose": (set(), 0)} | {
        name: (set(), 1) for name in ("select", "switch", "number")
    }
    for path in (ROOT / "inspector" / "dashboard").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "attr", getattr(node.func, "id", None))
            names, place = named.get(called, (set(), 0))
            if len(node.args) > place and isinstance(node.args[place], ast.Constant):
                names.add(node.args[place].value)
    texts_of = named.pop("text_field")[0]
    choices = set().union(*(names for names, _ in named.values()))
    assert {"sentence", "source"} <= texts_of
    assert {"layer", "view", "given"} <= choices
    assert texts_of & choices == set()
