"""The Specialization page and the run it shows: what it says, what it never hides, who computes."""

import re
import shutil
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest
import yaml
from support.browser.dashboard_driver import texts
from support.each import each

from inspector import words
from inspector.corpora import default_corpus, read_corpus, write_conllu
from inspector.dashboard import shared_corpora
from inspector.dashboard.guards import plain
from inspector.dashboard.runs import choice, under_way
from inspector.dashboard.settings import Settings, Visit
from inspector.errors import InputError
from inspector.heads.counts import DIRECTIONS
from inspector.heads.specialization.replication import REPLICATION_COLUMNS, with_replicates
from inspector.plot.colors import FAMILIES, VERDICTS
from inspector.runs.background import processes, work, worker
from inspector.runs.background.job import Status, folder_of, read_job, read_status, write_status
from inspector.runs.background.shelf import Listed
from inspector.runs.run import Run
from inspector.runs.store.lock import locked


@pytest.fixture
def run(profiled):
    return Run.open(yaml.safe_load(profiled.read_text())["run"])


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


def in_the_background(monkeypatch, *states):
    """Let a job that is started leave one of some states behind, in turn; return what was asked."""
    asked, left = [], list(states)

    def start(folder, most):
        asked.append(read_job(folder))
        left.pop(0)(folder, folder.parents[1] / folder.name)

    monkeypatch.setattr(processes, "start", start)
    return asked


def test_without_a_run_it_is_offered_stopped_gone_on_with_and_shown_to_all(
    open_page, profiled, run, monkeypatch
):
    made = yaml.safe_load(profiled.read_text())["run"]

    def stopped(job, folder):
        write_status(job, Status("stopped", "Shards 1 of 2", 0.5))

    def failed(job, folder):
        write_status(job, Status("failed", sentence="disk (full) has no room: make some."))

    def done(job, folder):
        shutil.copytree(made, folder)
        write_status(job, Status("done", share=1.0))

    asked = in_the_background(monkeypatch, stopped, failed, done)
    app = open_page("specialization")
    assert "No profile of this model has been made yet" in texts(app)
    assert asked == []
    assert app.button(key="profile").label == "Compute the profile"
    app.button(key="profile").click().run()
    assert not app.exception
    assert "It was stopped at 50 %" in texts(app)
    assert app.button(key="profile").label == "Resume"
    app.button(key="profile").click().run()
    assert "has no room" in app.error[0].value
    app.button(key="profile").click().run()
    assert not app.error
    assert len(claims_of(app)) > 0
    (job,) = {one.name: one for one in asked}.values()
    assert (job.model, job.corpus, job.settings["ablation_sentences"]) == ("minilm", (), 64)
    assert len(claims_of(open_page("head"))) > 0
    # It stands among the runs, under its own name, and can be chosen by no other.
    app = open_page("data")
    assert "default profile" in texts(app)
    assert not [box for box in app.sidebar.selectbox if box.key == "run"]


def test_how_far_the_default_run_is_stands_on_the_page_with_stop(open_page, monkeypatch):
    with ExitStack() as stack:

        def running(job, folder):
            now = time.time()
            write_status(
                job, Status("running", "Shards 3 of 8, 2 s each", 0.375, now - 30, told=now)
            )
            stack.enter_context(locked(job))

        in_the_background(monkeypatch, running)
        stops = []
        monkeypatch.setattr(processes, "stop", stops.append)
        app = open_page("specialization", lang="zh")
        app.button(key="profile").click().run()
        assert not app.exception
        (bar,) = app.get("progress")
        assert re.fullmatch(
            "正在计算：38 % · 第 3 部分，共 8 部分 · 还需 [01] 分 [0-9]{2} 秒", bar.proto.text
        )
        # A process that has done all and has still to end loads no model.
        one = Listed("", Path(), "running", "", "", status=Status("done", share=1.0))
        assert under_way.progress(one, "en") == "Computing: 100 %"
        app.button(key="stop-profile").click().run()
        ((stopped,),) = [stops]
        assert read_job(stopped).kind == "profile"
        app = open_page("data")
        assert app.button(key="stop-0").label == "Stop"


def test_the_atlas_of_a_run_is_made_in_the_background_and_given(
    open_page, profiled, run, monkeypatch
):
    def made(job, folder):
        assert worker.main(job) == 0

    heads = run.behaviour.head(2)
    few = replace(run, frames={**run.frames, "behaviour": heads})
    monkeypatch.setattr(Run, "open", lambda folder: few)
    asked = in_the_background(monkeypatch, made)
    app = open_page("specialization", config=profiled)
    app.button(key="atlas").click().run()
    assert not app.exception
    assert [job.kind for job in asked] == ["atlas"]
    (button,) = [one for one in app.get("download_button") if "atlas" in one.proto.id]
    assert button.proto.label.startswith("Download the atlas (")
    job = folder_of(choice.root_of(Settings()), asked[0].name)
    with ZipFile(job / "atlas.zip") as archive:
        names = archive.namelist()
        assert {"atlas/index.html", "atlas/index.zh.html", "atlas/zh/0-1.html"} <= set(names)
        assert len(names) == 2 + 2 * 2
        assert b"minilm" in archive.read("atlas/index.html")
    assert "atlas" in texts(open_page("data"))
    monkeypatch.setattr(work, "MOST_HEADS", 1)
    assert worker.main(job) == InputError.exit_code
    assert "has 2 heads, and an atlas made here at most 1:" in read_status(job).sentence


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
    found = shared_corpora.corpus_of(fitting, visit).sentences
    assert [one.words for one in found] == [one.words for one in three.sentences]
    # A run that the dashboard computed itself is of its own corpus, whatever the settings name.
    assert shared_corpora.corpus_of(run, visit).name == "default"
    without = replace(visit, settings=Settings(run=own_files["run"]))
    assert shared_corpora.corpus_of(fitting, without).name == "default"


@each("page", ["overview", "specialization", "head"])
def test_a_run_of_another_model_is_refused(page, open_page, profiled, small_model, tmp_path):
    """Else its heads would be shown under the name of one that never had them."""
    settings = {**yaml.safe_load(profiled.read_text()), "models": [str(small_model)]}
    config = tmp_path / "other.yaml"
    config.write_text(yaml.safe_dump(settings))
    app = open_page(page, config=config)
    assert not app.exception
    said = (
        f"run (run) was made of other files than those of {small_model}, of minilm: "
        "choose that model, or another run."
    )
    assert [one.value for one in app.error] == [plain(said)]
    assert not [element for element in app.markdown if "over the best fixed" in element.value]


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
