"""The Ablation page: it computes when asked, and shows what was computed in both languages."""

import json
from threading import Event

import pandas as pd
import pytest
import streamlit as st
import yaml
from support.browser.dashboard_driver import texts
from support.tiny.language_models import save_language_model

from inspector import api
from inspector.corpora import read_conllu
from inspector.corpora.default import sample_files
from inspector.dashboard import profiled, store
from inspector.dashboard.app_pages import ablation
from inspector.models import load


def forget():
    for kept in (store._all_measured, store._without, store._corpus):
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
    monkeypatch.setattr(store, "default_corpus", lambda: read_conllu(sample_files()[:1]))
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
    assert len(app.get("vega_lite_chart")) == 2
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
    assert len(drawn) == 3
    assert drawn[-1]["description"] == "growth of the loss against the heads kept in each layer"
    ablated = api.ablate(load(str(language_model)), [(0, 0)], store.some_sentences(12))
    rows = ablated[ablated["relation"] != "(all)"]
    shown = app.dataframe[0].value
    assert shown["loss_difference"].tolist() == pytest.approx(rows["loss_difference"].tolist())
    assert "loss_difference" in app.dataframe[0].proto.columns


def test_a_model_without_that_head_says_why_there_is_no_loss(asked):
    app = asked()
    assert "saved with its language-modelling head. This one was not." in texts(app)
    assert len(app.get("vega_lite_chart")) == 2


def test_another_head_computes_nothing_twice(asked, monkeypatch):
    app = asked()
    calls = []
    monkeypatch.setattr(api, "robustness", lambda *a, **k: calls.append("robustness"))
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
    ordered = ablation._by_interval(rows)
    assert ordered["relation"].tolist() == ["strong", "five", "weak", "rare"]
    assert ordered["ci_low"].isna().tolist() == [False, False, False, True]
    assert ordered["ci_high"].isna().tolist() == [False, False, False, True]


def test_two_readers_share_one_measuring_and_leaving_loses_nothing(asked, open_page, monkeypatch):
    begun, go_on, real = [], Event(), api.head_importance

    def importance(*given, **more):
        begun.append(given)
        go_on.wait(60)
        return real(*given, **more)

    monkeypatch.setattr(api, "head_importance", importance)
    # The page that began it is left at once.
    monkeypatch.setattr(profiled, "awaited", lambda computation, _: st.stop())
    asked()
    name = next(iter(store._all_measured()._known))
    measuring = store.measured(name)
    assert not measuring.done()
    assert store.start_measuring(None, name) is measuring
    go_on.set()
    assert len(measuring.result(60).importance) == 2 * 4
    assert len(begun) == 1


def test_the_page_speaks_chinese(asked):
    app = asked(lang="zh")
    assert not app.exception
    said = texts(app)
    assert "没有头 0-0 时的变化" in said
    assert "多头还是单头？" in said
