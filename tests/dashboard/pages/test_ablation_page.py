"""The Ablation page: it computes when asked, and shows what was computed in both languages."""

import json
from dataclasses import replace

import pandas as pd
import pytest
import yaml
from support.browser.dashboard_driver import texts
from support.tiny.language_models import save_language_model

from inspector import api
from inspector.corpora import default_corpus, read_conllu, write_conllu
from inspector.corpora.annotation import annotated_corpus
from inspector.corpora.default import sample_files
from inspector.dashboard import shared_corpora, store
from inspector.dashboard.app_pages import ablation
from inspector.dashboard.settings import Visit, read_settings
from inspector.heads.ablation import corpus_pass
from inspector.models import load
from inspector.runs.background import processes, worker
from inspector.runs.background.work import some_sentences
from inspector.runs.profile.job import ProfileSettings
from inspector.runs.profile.profiling import profile


def forget():
    for kept in (store._without, shared_corpora.read):
        kept.clear()


@pytest.fixture(scope="module")
def language_model(tmp_path_factory):
    """Return the folder of a tiny BERT that was saved with its language-modelling head."""
    return save_language_model(tmp_path_factory.mktemp("language"), "bert", "masked")


@pytest.fixture
def asked(open_page, small_model, tmp_path, monkeypatch):
    """Return a function: query → the page of a small model after its button was pressed."""
    monkeypatch.setattr(store, "SENTENCES", 12)
    monkeypatch.setattr(store, "CURVE_SENTENCES", 6)
    few = read_conllu(sample_files()[:1])
    for room in (shared_corpora, annotated_corpus):
        monkeypatch.setattr(room, "default_corpus", lambda: few)
    for room in (shared_corpora, store):
        monkeypatch.setattr(room, "default_sha256", lambda: few.sha256)
    # In this process, in which the corpus is a small one.
    monkeypatch.setattr(processes, "start", lambda folder, most: worker.main(folder))
    forget()
    config = tmp_path / "small.yaml"

    def press(model=small_model, **query):
        config.write_text(yaml.safe_dump({"models": [str(model)]}))
        app = open_page("ablation", config=config, **query)
        assert not app.exception
        return app.button(key="ablate").click().run()

    yield press
    forget()


def test_nothing_is_computed_before_it_is_asked_for(open_page):
    forget()
    app = open_page("ablation")
    assert not app.exception
    assert "read: **200**, spread over inspector's own corpus; for the curve **60**." in plain_text(
        app
    )
    assert not app.get("vega_lite_chart")
    assert app.button(key="ablate").label == "Ablate heads"


def test_what_is_shown_is_what_the_library_says(asked, small_model):
    app = asked(layer="1", head="2")
    assert not app.exception
    assert not app.error
    assert "What changes without head 1-2" in texts(app)
    assert len(app.get("vega_lite_chart")) == 1
    own = api.ablate(load(str(small_model)), [(1, 2)], store.some_sentences(12))
    rows = own[own["relation"] != "(all)"]
    shown = app.dataframe[0].value
    assert shown["relation"].tolist() == rows["relation"].tolist()
    assert set(shown["documents"]) == {1}
    assert set(shown["interval"]) == {"–"}
    assert shown["effect"].tolist() == pytest.approx((100 * rows["effect"]).tolist())
    assert shown["n"].tolist() == rows["n"].tolist()


def test_loss_is_shown_where_the_model_has_its_head(asked, language_model):
    app = asked(language_model)
    assert not app.exception
    assert not app.error
    own = api.robustness(load(str(language_model)), store.some_sentences(6))
    whole = own[own["kept"] == own["kept"].max()].iloc[0]
    said = f"the whole model's **{whole['loss']:.2f}**, a mean over {whole['loss_n']} words"
    assert said in texts(app)
    drawn = [json.loads(chart.proto.spec) for chart in app.get("vega_lite_chart")]
    assert len(drawn) == 2
    assert drawn[-1]["description"] == "growth of the loss against the heads kept in each layer"
    ablated = api.ablate(load(str(language_model)), [(0, 0)], store.some_sentences(12))
    rows = ablated[ablated["relation"] != "(all)"]
    shown = app.dataframe[0].value
    assert shown["loss_difference"].tolist() == pytest.approx(rows["loss_difference"].tolist())
    assert "loss_difference" in app.dataframe[0].proto.columns


def test_a_model_without_that_head_says_why_there_is_no_loss(asked):
    app = asked()
    assert "saved with its language-modelling head. This one was not." in texts(app)
    assert len(app.get("vega_lite_chart")) == 1


def test_another_head_computes_nothing_twice(asked, monkeypatch):
    app = asked()
    calls = []
    monkeypatch.setattr(processes, "start", lambda *given: calls.append(given))
    app = app.number_input(key="head").set_value(3).run()
    assert not app.exception
    assert "What changes without head 0-3" in texts(app)
    assert calls == []


def test_relations_of_few_documents_have_no_interval_and_stand_last():
    rows = pd.DataFrame(
        {
            "relation": ["rare", "weak", "strong", "five"],
            "documents": [4, 9, 9, 5],
            "ci_low": [0.9, 0.1, 0.5, 0.3],
            "ci_high": [0.9, 0.2, 0.6, 0.4],
        }
    )
    ordered = ablation.by_interval(rows)
    assert ordered["relation"].tolist() == ["strong", "five", "weak", "rare"]
    assert ordered["ci_low"].isna().tolist() == [False, False, False, True]
    assert ordered["ci_high"].isna().tolist() == [False, False, False, True]


def test_what_was_stopped_goes_on_where_it_was(asked, monkeypatch):
    """Importance is there when the curve is stopped: it is not measured again."""
    whole, importance, calls = corpus_pass.robustness_over, corpus_pass.importance_over, []

    def counted(*given, **more):
        calls.append("importance")
        return importance(*given, **more)

    def stopped(*given, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(corpus_pass, "importance_over", counted)
    monkeypatch.setattr(corpus_pass, "robustness_over", stopped)
    app = asked()
    assert not app.exception
    assert "It was stopped at 0 %" in texts(app)
    assert calls == ["importance"]
    monkeypatch.setattr(corpus_pass, "robustness_over", whole)
    app = app.button(key="ablate").click().run()
    assert "What changes without head 0-0" in texts(app)
    assert calls == ["importance"] * 2  # the second one is the curve's own, of other sentences


def test_the_page_speaks_chinese(asked):
    app = asked(lang="zh")
    assert not app.exception
    said = texts(app)
    assert "没有头 0-0 时的变化" in said
    assert "多头还是单头？" in said


@pytest.fixture
def own_run(small_model, tmp_path):
    """Return the folder of a run of the small model on a file of 20 sentences, and that file."""
    file = tmp_path / "mine.conllu"
    file.write_text(write_conllu(default_corpus().sentences[-20:]), encoding="utf-8")
    settings = ProfileSettings(ablation=False, random_init_seeds=())
    profile(str(small_model), [file], tmp_path / "own", settings=settings)
    return tmp_path / "own", file


def test_the_sentences_are_those_of_the_run_that_is_shown(
    open_page, own_run, small_model, tmp_path, monkeypatch
):
    folder, file = own_run
    monkeypatch.setattr(store, "SENTENCES", 12)
    monkeypatch.setattr(store, "CURVE_SENTENCES", 30)
    monkeypatch.setattr(processes, "start", lambda folder, most: worker.main(folder))
    forget()
    config = tmp_path / "own.yaml"
    given = {"models": [str(small_model)], "run": str(folder)}
    config.write_text(yaml.safe_dump({**given, "corpora": [str(file)]}))
    app = open_page("ablation", config=config, layer="1", head="2")
    assert "read: **12**, spread over mine; for the curve **20**." in plain_text(app)
    app = app.button(key="ablate").click().run()
    assert not app.exception
    assert "read: **12**, spread over mine; for the curve **20**." in plain_text(app)
    texts_read = store.some_sentences(12, (str(file),))
    own = api.ablate(load(str(small_model)), [(1, 2)], texts_read)
    rows = own[own["relation"] != "(all)"]
    shown = app.dataframe[0].value
    assert sorted(shown["relation"]) == sorted(rows["relation"])
    assert sorted(shown["effect"]) == pytest.approx(sorted(100 * rows["effect"]))
    measured = store.measured(Visit(read_settings(config), "en", str(small_model), folder))
    again = api.head_importance(load(str(small_model)), texts_read, check=False)
    pd.testing.assert_frame_equal(measured.importance, again)
    # What was measured on one corpus is not shown of another.
    assert "ablate" in [
        one.key for one in open_page("ablation", config=config, run="default").button
    ]
    # From the list of runs its link leads to the run that it is of, whichever is shown there.
    listed = open_page("data", config=config, run="default").get("page_link")
    opens = [one.proto.query_string for one in listed if one.proto.label == "Open"]
    assert sum("run=own" in one for one in opens) == len(opens) == 2
    # Where nobody says where its texts are, others are read, and that is said.
    config.write_text(yaml.safe_dump(given))
    app = open_page("ablation", config=config)
    assert "spread over inspector's own corpus" in plain_text(app)
    assert "was made of mine, whose texts are not at hand here" in plain_text(app)
    forget()


def test_fewer_sentences_than_asked_for_are_each_read_once():
    few = replace(default_corpus(), sentences=default_corpus().sentences[:3])
    assert len(some_sentences(few, 5).sentences) == 3


def plain_text(app):
    return texts(app).replace("\\", "")
