"""The run that comes with the package: there at once, of minilm alone, what is computed anew."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from support.browser.dashboard_driver import texts
from support.each import each

from inspector import words
from inspector.dashboard import claims_in_words, shared_corpora, store
from inspector.dashboard.settings import Settings, Visit
from inspector.runs.profile.shard_worker import ProfileSettings
from inspector.runs.run import Run
from tools import default_run

SHIPPED = store.SHIPPED
TESTS = Path(__file__).parents[1]


def test_where_none_was_computed_the_first_page_answers(
    open_page, small_model, monkeypatch, tmp_path
):
    monkeypatch.setattr(store, "report", lambda *_: None)
    monkeypatch.setattr("inspector.dashboard.app_pages.overview._verdict", lambda *_: None)
    monkeypatch.setattr(store, "SHIPPED", SHIPPED)
    app = open_page("overview")
    assert not app.exception
    assert "No profile of this model has been made yet" not in texts(app)
    assert "over the best fixed offset" in texts(app)
    # What it says it was made of is what would be computed: model, corpus and settings.
    visit = Visit(Settings(), "en", "minilm")
    made_of = store.default_run(visit).manifest
    assert made_of.corpus_sha256 == shared_corpora.own_corpus().sha256
    asked = ProfileSettings(**store.SETTINGS)
    same = ("ablation", "ablation_sentences", "ablation_windows", "random_init_seeds", "seed")
    assert {name: made_of.settings[name] for name in same} == json.loads(
        json.dumps({name: getattr(asked, name) for name in same})
    )
    # It is nothing of another model, and no longer shown where the reader has his own.
    assert store.default_run(Visit(Settings(), "en", str(small_model))) is None
    keys = {
        store._key(Visit(Settings(), "en", name), settings)
        for name in ("minilm", str(small_model))
        for settings in (store.SETTINGS, {})
    }
    assert len(keys) == 4
    own = Settings(runs=str(tmp_path))
    computed = tmp_path / store._key(visit, store.SETTINGS)
    assert store._kept(Visit(own, "en", "minilm")) == SHIPPED
    computed.mkdir()
    (computed / "result.json").touch()
    assert store._kept(Visit(own, "en", "minilm")) == computed


def test_what_a_run_must_be_of_is_the_model_in_memory_else_its_files(small_model, tmp_path):
    name = str(shutil.copytree(small_model, tmp_path / "changing"))
    visit = Visit(Settings(), "en", name)
    before, key = store._files(name), store._key(visit, {})
    loaded = store.model(name, "en")
    assert loaded.file_hashes == before
    assert len(before) > 1
    config = tmp_path / "changing" / "config.json"
    config.write_text(config.read_text() + " ")
    # It is still the old one that every page shows, until it is loaded again.
    assert store._files(name) == before
    assert store._key(visit, {}) == key
    store._model.clear()
    again = store.model(name, "en")
    assert store._files(name) == again.file_hashes != before
    assert store._key(visit, {}) != key


# Where the model would be loaded, the page is read as it stands.
FIRST_PAGE = """
import json
import sys
from support.browser.dashboard_driver import start, texts
from inspector.dashboard import store

def stopped(*_):
    import streamlit
    print(json.dumps(["torch" in sys.modules, "transformers" in sys.modules]))
    streamlit.stop()

sys.argv, store.model = ["app.py"], stopped
app = start("overview", lang=LANGUAGE).run()
print(json.dumps(texts(app)))
"""


@each("language", ["en", "zh"])
def test_the_first_page_waits_neither_for_the_model_nor_for_torch(language, tmp_path):
    """What it shows of heads comes from the run alone: torch takes longer than all of that."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(TESTS)}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_PAGE.replace("LANGUAGE", repr(language))],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded, said = map(json.loads, done.stdout.splitlines())
    assert loaded == [False, False]
    t = words.of("overview", language)
    assert t["strongest"] in said
    run = Run.open(SHIPPED)
    shown = claims_in_words.beside_controls(run.claims, run.semantic_controls)
    best = claims_in_words.strongest(shown).iloc[0]
    assert claims_in_words.sentence(best.to_dict(), language) in said


@pytest.mark.full
def test_computed_anew_it_is_the_same(tmp_path):
    default_run.main(tmp_path / "again")
    shipped, again = Run.open(SHIPPED), Run.open(tmp_path / "again")
    assert shipped.frames.keys() == again.frames.keys()
    for name, frame in shipped.frames.items():
        pd.testing.assert_frame_equal(frame, again.frames[name], obj=name)
