"""The Ablation page: it computes when asked, and shows what was computed in both languages."""

import json

import pandas as pd
import pytest
import yaml
from support.browser.dashboard_driver import texts
from support.tiny.language_models import save_language_model

from inspector import api
from inspector.corpora import read_conllu
from inspector.corpora.annotation import annotated_corpus
from inspector.corpora.default import sample_files
from inspector.dashboard import store
from inspector.dashboard.app_pages import ablation
from inspector.heads.ablation import corpus_pass
from inspector.models import load
from inspector.runs.background import processes, worker


def forget():
    for kept in (store._without, store._corpus):
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
    for room in (store, annotated_corpus):
        monkeypatch.setattr(room, "default_corpus", lambda: few)
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
    assert "**200** sentences" in texts(app)
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
