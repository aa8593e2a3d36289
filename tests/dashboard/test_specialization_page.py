"""The Specialization page and the run it shows: what it says, what it never hides, who computes."""

import threading
from dataclasses import replace

import pandas as pd
import pytest
import yaml
from support.browser.dashboard_driver import texts
from support.each import each

from inspector.corpora import default_corpus, read_corpus, write_conllu
from inspector.dashboard import store, words
from inspector.dashboard.default_runs import Computation, DefaultRuns
from inspector.dashboard.settings import Settings, Visit
from inspector.errors import InputError, OutputError
from inspector.heads.counts import DIRECTIONS
from inspector.heads.specialization.replication import REPLICATION_COLUMNS, with_replicates
from inspector.plot.colors import FAMILIES
from inspector.plot.forest import VERDICTS
from inspector.runs.profile.profile_corpus import Run


@pytest.fixture
def run(profiled):
    return Run.open(yaml.safe_load(profiled.read_text())["run"])


@pytest.fixture
def no_default_runs():
    """Forget what was computed, before and after."""
    store._default_runs.clear()
    yield
    store._default_runs.clear()


def claims_of(app):
    table, *_ = app.dataframe
    return table.value


def test_every_claim_can_be_shown_the_strongest_that_hold_first(open_page, profiled, run):
    app = open_page("specialization", config=profiled, verdict="all")
    assert not app.exception
    assert not app.error
    shown = claims_of(app)
    assert len(shown) == len(run.claims) > 20
    assert shown["verdict"].tolist() == sorted(run.claims["verdict"], key=VERDICTS.index)
    for _, rows in shown.groupby("verdict"):
        assert rows["lift"].dropna().is_monotonic_decreasing
    assert {"underpowered", "not supported"} & set(shown["verdict"])
    said = texts(app)
    counts = run.claims["verdict"].value_counts()
    assert f"**{counts.get('supported', 0)} of {len(run.claims)} claims are supported**" in said
    assert f"{counts['underpowered']} are underpowered" in said
    assert "**40** sentences" in said
    known = run.vocabulary
    assert f"Unknown to the vocabulary: {known.unknown_words} of {known.words} words, " in said
    assert f"{known.unknown_tokens} of {known.tokens} tokens." in said


def test_figures_are_those_of_the_run_in_percent(open_page, profiled, run):
    shown = claims_of(open_page("specialization", config=profiled, verdict="all"))
    shown = shown.sort_index()
    assert shown["accuracy"].tolist() == pytest.approx(
        (100 * run.claims["accuracy"]).tolist(), nan_ok=True
    )
    assert shown["lift"].tolist() == pytest.approx((100 * run.claims["lift"]).tolist(), nan_ok=True)
    of_subjects = shown.loc[shown["relation"] == "nsubj", "in_words"]
    assert set(of_subjects) == {"subject"}
    first = run.claims.iloc[0]
    assert shown["head"].iloc[0] == f"{first['layer']}-{first['head']}"
    assert shown["q_value"].tolist() == pytest.approx(run.claims["q_value"].tolist(), nan_ok=True)


@each("page", ["specialization", "head"])
def test_claims_on_other_text_stand_where_the_run_has_them(
    open_page, profiled, run, monkeypatch, page
):
    first = run.claims.iloc[0]
    chosen = {"layer": str(first["layer"]), "head": str(first["head"])}
    columns = ["relation", "direction", "layer", "head"]
    again = pd.DataFrame(columns=list(REPLICATION_COLUMNS))
    again = pd.concat([again, run.claims[columns]]).assign(other_corpus="<b>PUD</b>", n=30)
    again = again.assign(documents=9, selectivity_n=40, kept="not asked", lift=0.5)
    again = again.reset_index(drop=True)
    again.loc[0, "kept"] = "yes"
    again.loc[1:3, "kept"] = "unclear"
    again = again.astype(REPLICATION_COLUMNS)
    claims = with_replicates(run.claims, again)
    found = replace(run, frames={**run.frames, "claims": claims, "replication": again})
    for language, said in (("en", "claims are kept"), ("zh", "项仍成立")):
        app = open_page(page, config=profiled, lang=language, **chosen)
        assert said not in texts(app)
        with monkeypatch.context() as patch:
            patch.setattr("inspector.dashboard.profiled.run", lambda visit: found)
            app = open_page(page, config=profiled, lang=language, **chosen)
        assert not app.exception
        assert said in texts(app)
        assert "<b>PUD" not in texts(app)
        table = next(one.value for one in app.dataframe if "other_corpus" in one.value)
        kept = set(table["kept"])
        assert words.of("specialization", language)["needed_yes"] in kept
        assert "–" not in kept
        of_claims = next(one.value for one in app.dataframe if "verdict" in one.value)
        assert of_claims.sort_index()["replicates"].iloc[0] == 100.0


def without_head(query):
    """Return a query but for the head that the run suggests."""
    return {key: value for key, value in query.items() if key not in ("layer", "head")}


def test_relation_and_verdict_filter_and_stand_in_the_address(open_page, profiled, run):
    app = open_page("specialization", config=profiled, relation="det")
    assert set(claims_of(app)["relation"]) == {"det"}
    assert "● follows it" in texts(app)
    app.selectbox(key="verdict").set_value("underpowered")
    app.selectbox(key="relation").set_value("all").run()
    expected = run.claims[run.claims["verdict"] == "underpowered"]
    assert len(claims_of(app)) == len(expected) > 0
    assert without_head(app.query_params) == {"verdict": "underpowered"}


def test_no_claim_left_is_a_sentence(open_page, profiled, run):
    verdicts = {"supported", "explained", "not supported", "underpowered"}
    relation, missing = next(
        (relation, sorted(verdicts - set(own["verdict"]))[0])
        for relation, own in run.claims.groupby("relation")
        if verdicts - set(own["verdict"])
    )
    app = open_page("specialization", config=profiled, relation=relation, verdict=missing)
    assert not app.exception
    assert "No claim has this verdict" in texts(app)


@pytest.mark.parametrize("query", [{"relation": "<img src=x>"}, {"verdict": "../.."}])
def test_what_is_no_relation_or_verdict_is_ignored(open_page, profiled, query):
    app = open_page("specialization", config=profiled, **query)
    assert not app.exception
    assert without_head(app.query_params) == {}


def test_the_chosen_heads_roles_stand_beside_the_grid(open_page, profiled, run):
    role = run.roles.iloc[0]
    query = {"layer": str(role["layer"]), "head": str(role["head"])}
    said = texts(open_page("specialization", config=profiled, **query))
    assert role["role"] in said
    assert f"Head {role['layer']}-{role['head']}" in said
    with_roles = set(zip(run.roles["layer"], run.roles["head"], strict=True))
    layer, head = next((0, head) for head in range(12) if (0, head) not in with_roles)
    said = texts(open_page("specialization", config=profiled, layer=str(layer), head=str(head)))
    assert "No role was found for this head" in said


@pytest.mark.parametrize("page", ["specialization", "head"])
def test_without_a_run_it_is_offered_and_computed_once_for_all(
    open_page, run, no_default_runs, monkeypatch, page
):
    asked = []

    def profile(model, *, output, resume, settings, workers, progress):
        assert settings.ablation
        assert resume
        assert output.parent.is_dir()
        assert workers >= 1
        asked.append(model.name)
        progress("Shards 1 of 2", 0.5)
        progress("Shards 2 of 2", 1.0)
        return run

    monkeypatch.setattr("inspector.api.profile", profile)
    app = open_page(page)
    assert "No profile of this model has been made yet" in texts(app)
    assert asked == []
    app.button(key="profile").click().run()
    assert not app.exception
    assert "No profile of this model" not in texts(app)
    assert asked == ["minilm"]
    again = open_page("specialization")
    assert len(claims_of(again)) == len(run.claims)
    assert asked == ["minilm"]


def test_a_computation_that_failed_says_why_and_can_be_asked_for_again(
    open_page, run, no_default_runs, monkeypatch
):
    def fail(model, **given):
        raise OutputError("disk (full) has no room: make some.")

    monkeypatch.setattr("inspector.api.profile", fail)
    app = open_page("specialization")
    app.button(key="profile").click().run()
    assert not app.exception
    assert "has no room" in app.error[0].value
    monkeypatch.setattr("inspector.api.profile", lambda model, **given: run)
    app.run()
    app.button(key="profile").click().run()
    assert not app.error
    assert "claims are supported" in texts(app)


def test_a_run_of_another_model_is_not_shown(open_page, profiled, run, small_model, tmp_path):
    config = tmp_path / "two.yaml"
    settings = yaml.safe_load(profiled.read_text())
    config.write_text(yaml.safe_dump({**settings, "models": ["minilm", str(small_model)]}))
    app = open_page("specialization", config=config)
    assert "claims are supported" in texts(app)
    app.sidebar.selectbox(key="model").set_value(str(small_model)).run()
    assert not app.exception
    assert "No profile of this model has been made yet" in texts(app)


def test_a_run_that_is_not_there_is_a_sentence(open_page, tmp_path):
    config = tmp_path / "gone.yaml"
    config.write_text(yaml.safe_dump({"run": str(tmp_path / "gone")}))
    app = open_page("specialization", config=config)
    assert not app.exception
    assert "does not exist\\: give the folder of a run" in app.error[0].value


def test_sessions_that_come_meanwhile_get_the_same_computation(run):
    runs, go_on, calls = DefaultRuns(), threading.Event(), []

    def work(progress):
        calls.append(1)
        progress("half", 0.5)
        go_on.wait(120)
        return run

    first = runs.start("a", work)
    assert runs.start("a", work) is first is runs.find("a")
    assert not first.done()
    go_on.set()
    assert first.result() is run
    assert first.share == 0.5
    assert calls == [1]


def test_no_more_are_kept_than_there_is_room_for(run):
    runs, go_on = DefaultRuns(room=1), threading.Event()
    runs.start("a", lambda progress: go_on.wait(120) and run)
    with pytest.raises(InputError) as error:
        runs.start("b", lambda progress: run)
    assert str(error.value) == (
        "models (a) are being computed, as many as there is room for: wait until one is done."
    )
    go_on.set()
    runs.find("a").result()
    assert runs.start("b", lambda progress: run).result() is run
    assert runs.find("a") is None


def test_a_failed_computation_is_forgotten():
    runs = DefaultRuns()

    def fail(progress):
        raise OutputError("no room")

    failed = runs.start("a", fail)
    with pytest.raises(OutputError, match="no room"):
        failed.result()
    assert runs.find("a") is None


def test_a_trouble_that_nobody_foresaw_is_not_taken_for_a_run(monkeypatch):
    troubles = []
    monkeypatch.setattr(threading, "excepthook", lambda trouble: troubles.append(trouble.exc_type))

    def fail(progress):
        raise ZeroDivisionError

    failed = Computation(fail)
    with pytest.raises(ZeroDivisionError):
        failed.result()
    assert failed.failed
    failed.thread.join(60)
    assert troubles == [ZeroDivisionError]


def test_every_direction_verdict_and_family_has_words():
    for language in ("en", "zh"):
        assert {*DIRECTIONS, *VERDICTS, *FAMILIES} <= set(words.of("specialization", language))


@pytest.fixture
def own_files(profiled, tmp_path):
    """Return settings that name the run, and files of three sentences."""
    file = tmp_path / "three.conllu"
    file.write_text(write_conllu(default_corpus().sentences[:3]), encoding="utf-8")
    return {"run": yaml.safe_load(profiled.read_text())["run"], "corpus": [str(file)]}


def test_examples_come_from_the_files_that_the_settings_name(run, own_files):
    three = read_corpus(own_files["corpus"])
    fitting = replace(run, manifest=replace(run.manifest, corpus_sha256=three.sha256))
    visit = Visit(Settings(**own_files), "en", "minilm")
    found = store.corpus_of(fitting, visit).sentences
    assert [one.words for one in found] == [one.words for one in three.sentences]
    # A run that the dashboard computed itself is of its own corpus, whatever the settings name.
    assert store.corpus_of(run, visit).name == "default"
    without = replace(visit, settings=Settings(run=own_files["run"]))
    assert store.corpus_of(fitting, without).name == "default"


def test_files_that_the_run_was_not_made_from_are_refused(open_page, own_files, tmp_path):
    config = tmp_path / "own.yaml"
    config.write_text(yaml.safe_dump(own_files))
    app = open_page("head", config=config)
    assert not app.exception
    assert "is not what the run was made from" in app.error[0].value


def test_meaning_and_logic_have_tabs_of_their_own(open_page, profiled, run):
    (other,) = sorted(set(run.kinds["kind"]) - {"syntax"})
    app = open_page("specialization", config=profiled, kind=other)
    assert not app.exception
    own = set(run.kinds.loc[run.kinds["kind"] == other, "relation"])
    claims, controls = (table.value for table in app.dataframe)
    assert set(claims["relation"]) == own
    assert set(controls["relation"]) <= own
    assert len(controls) > 0
    offered = {option.split(" – ")[0] for option in app.selectbox(key="relation").options}
    assert offered == {"all", *own}
    # Control: syntax has others, and no such controls.
    app = open_page("specialization", config=profiled, kind="syntax")
    (claims,) = (table.value for table in app.dataframe)
    assert set(claims["relation"]).isdisjoint(own)
    assert len(claims) > 0
