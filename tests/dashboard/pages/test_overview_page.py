"""The Overview: which heads matter, in words, with a link to the evidence of each claim."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs

import pandas as pd
import pytest
import yaml
from support.browser.dashboard_driver import texts

from inspector import api
from inspector.dashboard import claims_in_words, profiled, store, widgets
from inspector.dashboard.app_pages import overview
from inspector.dashboard.parts import head_statistics
from inspector.dashboard.settings import Settings, Visit
from inspector.runs.run import Run


@pytest.fixture
def run(profiled):
    """The run of the settings, three of its claims made supported ones."""
    found = Run.open(yaml.safe_load(profiled.read_text())["run"])
    claims = found.claims
    held = {"obj": 0.9, "nsubj": 0.6, "det": 0.75}
    for relation, lift in held.items():
        first = claims.index[claims["relation"] == relation][0]
        claims.loc[first, ["verdict", "lift"]] = ["supported", lift]
    others = (claims["verdict"] == "supported") & ~claims["relation"].isin(held)
    claims.loc[others, "verdict"] = "underpowered"
    return found


@pytest.mark.parametrize("page", ["attention", "search", "weights", "head", "ablation"])
def test_whichever_page_comes_first_opens_at_the_strongest_head(open_page, run, monkeypatch, page):
    """Its address names no head; one that does is obeyed."""
    monkeypatch.setattr(profiled, "at_hand", lambda visit: run)
    strongest = claims_in_words.strongest_head(run)
    assert strongest not in (None, (0, 0))
    app = open_page(page)
    assert not app.exception
    assert (app.session_state["layer"], app.session_state["head"]) == strongest
    app = open_page(page, layer="0", head="0")
    assert (app.session_state["layer"], app.session_state["head"]) == (0, 0)


def test_what_leads_on_from_the_head_is_there_before_the_verdict(open_page, run, monkeypatch):
    told = []
    monkeypatch.setattr(profiled, "at_hand", lambda visit: run)
    monkeypatch.setattr(widgets, "head_links", lambda *_: told.append("links"))
    monkeypatch.setattr(store, "report", lambda *_: told.append("verdict"))
    monkeypatch.setattr(overview, "_verdict", lambda *_: None)
    open_page()
    assert told == ["links", "verdict"]


def links(app):
    return [
        (
            one.proto.label,
            {key: value[0] for key, value in parse_qs(one.proto.query_string).items()},
        )
        for one in app.get("page_link")
    ]


def test_the_strongest_claims_stand_in_words_with_links_to_their_evidence(
    open_page, run, monkeypatch
):
    monkeypatch.setattr(profiled, "at_hand", lambda visit: run)
    app = open_page("overview")
    assert not app.exception
    said = texts(app)
    shown = [line for line in said.split("\n") if "over the best fixed offset" in line]
    names = ["direct object", "article or determiner", "subject", "direct object"]
    assert [name in line for name, line in zip(names, shown, strict=True)] == [True] * 4
    top = run.claims[run.claims["lift"] == 0.9].iloc[0]
    assert f"Head **{top['layer']}-{top['head']}** follows **direct object** (`obj`" in shown[0]
    assert "90.0 points over the best fixed offset" in shown[0]
    pair = {"layer": str(top["layer"]), "head": str(top["head"])}
    to_evidence = [query for label, query in links(app) if label.startswith("Hits and misses")]
    assert len(to_evidence) == 4
    assert to_evidence[0] == {**pair, "pair": f"obj.{top['direction']}"}
    # Every head can be chosen before a model says how many there are.
    last = run.behaviour[["layer", "head"]].max()
    for name in ("layer", "head"):
        assert app.number_input(key=name).max == last[name]
    # The strongest head is the one that is chosen at first.
    assert (app.session_state["layer"], app.session_state["head"]) == (top["layer"], top["head"])
    assert f"Everything about head {top['layer']}-{top['head']}" in [
        label for label, _ in links(app)
    ]
    assert "Verified" in said


def test_which_head_follows_is_answered_for_every_relation_in_both_languages(
    open_page, run, monkeypatch
):
    monkeypatch.setattr(profiled, "at_hand", lambda visit: run)
    monkeypatch.setattr("inspector.dashboard.app_pages.overview._verdict", lambda *_: None)
    monkeypatch.setattr(store, "report", lambda *_: None)
    app = open_page("overview", lang="zh", ask="nsubj")
    assert not app.exception
    box = app.selectbox(key="ask")
    assert "nsubj – 主语（狗叫了）" in box.options
    assert len(box.options) == run.claims["relation"].nunique()
    assert "跟随**主语**（`nsubj`" in texts(app)
    open_claim = run.claims[~run.claims["relation"].isin(["obj", "nsubj", "det"])].iloc[0]
    app = box.set_value(open_claim["relation"]).run()
    assert "最好的头是" in texts(app)
    assert all(query["lang"] == "zh" for _, query in links(app))


def test_whether_a_head_is_needed_is_measured_where_its_run_did_not_ask(
    open_page, run, monkeypatch
):
    monkeypatch.setattr(profiled, "at_hand", lambda visit: run)
    monkeypatch.setattr("inspector.dashboard.app_pages.overview._verdict", lambda *_: None)
    monkeypatch.setattr(store, "report", lambda *_: None)
    monkeypatch.setattr(store, "SENTENCES", 30)
    store._without.clear()
    app = open_page("overview", ask="nsubj")
    row = run.claims[(run.claims["relation"] == "nsubj") & (run.claims["lift"] == 0.6)].iloc[0]
    head = (int(row["layer"]), int(row["head"]))
    assert "Without head" not in texts(app)
    app = app.button(key="ablate-now").click().run()
    store._without.clear()
    assert not app.exception
    lost = api.ablate("minilm", [head], store.some_sentences(30))
    word = "dependent" if row["direction"] == "dependent_to_head" else "head"
    own = lost[(lost["relation"] == "nsubj") & (lost["word"] == word)].iloc[0]
    effect, matched, more, low, high = (
        f"{100 * own[name]:.1f}".replace("-", "−")
        for name in ("effect", "matched_effect", "difference", "ci_low", "ci_high")
    )
    assert own["documents"] >= 5
    said = next(line for line in texts(app).split("\n") if line.startswith("Without head"))
    assert f"changes by **{effect} %**, that of matched words by {matched} %: {more} points" in said
    assert f"({low} … {high}; {own['n']} words)" in said


def test_heads_of_files_that_changed_meanwhile_are_not_left_beside_the_model(
    open_page, run, monkeypatch
):
    """They are shown before the model is loaded, and it may be another by then."""
    other = replace(run, manifest=replace(run.manifest, model_files={"model.safetensors": "0"}))
    found = [other]
    monkeypatch.setattr(profiled, "at_hand", lambda visit: found.pop() if found else run)
    monkeypatch.setattr("inspector.dashboard.app_pages.overview._verdict", lambda *_: None)
    monkeypatch.setattr(store, "report", lambda *_: None)
    drawn = []
    monkeypatch.setattr(head_statistics, "show", lambda visit, run, *_: drawn.append(run))
    assert not open_page("overview").exception
    assert drawn == [other, run]


def test_without_a_run_it_says_how_to_get_one(open_page, monkeypatch):
    monkeypatch.setattr("inspector.dashboard.app_pages.overview._verdict", lambda *_: None)
    monkeypatch.setattr(store, "report", lambda *_: None)
    app = open_page("overview")
    assert "No profile of this model has been made yet" in texts(app)
    assert "Compute the profile on the page Specialization" in [label for label, _ in links(app)]


def test_a_run_that_was_finished_before_is_at_hand_at_once(profiled, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "none")
    visit = Visit(Settings(), "en", "minilm")
    assert store.default_run(visit) is None
    folder = store._kept(visit)
    assert folder.parent == tmp_path / "inspector" / "runs"
    shutil.copytree(Path(yaml.safe_load(profiled.read_text())["run"]), folder)
    found = store.default_run(visit)
    assert found.claims.equals(Run.open(folder).claims)
    # One that is not complete is not shown; other settings, another folder.
    (folder / "claims.parquet").unlink()
    assert store.default_run(visit) is None
    own = Visit(Settings(runs=str(tmp_path / "mine")), "en", "minilm")
    assert store._kept(own) == tmp_path / "mine" / folder.name
    monkeypatch.setattr(store, "SETTINGS", {"shard_size": 7})
    assert store._kept(visit).name != folder.name


def test_the_strongest_are_of_different_relations_and_never_among_mentions_alone():
    claims = pd.DataFrame(
        {
            "relation": ["b", "a", "a", "c:mentions", "d"],
            "verdict": ["supported", "supported", "supported", "supported", "underpowered"],
            "lift": [0.2, 0.3, 0.5, 0.9, 0.95],
        }
    )
    assert claims_in_words.strongest(claims)["lift"].tolist() == [0.5, 0.2]
    # But where nothing else holds, that something does is not denied.
    assert claims_in_words.strongest(claims[3:])["relation"].tolist() == ["c:mentions"]
    assert claims_in_words.ordered(claims)["lift"].tolist() == [0.9, 0.5, 0.3, 0.2, 0.95]


def test_a_head_that_follows_something_opens_before_one_of_an_easier_claim():
    claims = pd.DataFrame(
        {
            "relation": ["coref:mentions", "obj"],
            "direction": "head_to_dependent",
            "verdict": "supported",
            "lift": [0.9, 0.2],
            "layer": [1, 2],
            "head": [3, 4],
        }
    )
    roles = pd.DataFrame(
        {
            "role": ["positional:1", "syntactic:nsubj", "semantic:role"],
            "effect": [0.9, 0.1, 0.2],
            "layer": [5, 6, 7],
            "head": 8,
        }
    )
    controls = claims[:0]

    def opens(claims, roles):
        run = SimpleNamespace(claims=claims, roles=roles, semantic_controls=controls)
        return claims_in_words.strongest_head(run)

    assert opens(claims, roles) == (2, 4)
    assert opens(claims[:1], roles) == (7, 8)
    assert opens(claims[:1], roles[:2]) == (6, 8)
    assert opens(claims[:1], roles[:1]) == (1, 3), "an easier claim, before what follows nothing"
    assert opens(claims[:0], roles[:1]) == (5, 8)
    assert opens(claims[:0], roles[:0]) is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_relations_name_stands_as_it_is_and_its_lift_in_points(language):
    row = {
        "layer": 3, "head": 1, "relation": "role-dep:ARG1", "direction": "head_to_dependent",
        "accuracy": 0.482, "n": 1489, "lift": 0.22, "ci_low": 0.185, "ci_high": 0.26,
        "verdict": "supported",
    }  # fmt: skip
    said = claims_in_words.sentence(row, language)
    assert "`role-dep:ARG1`" in said
    assert "18.5 … 26.0" in said
    assert ("22.0 points" if language == "en" else "22.0 个百分点") in said
    assert "`a'b c`" in claims_in_words.sentence({**row, "relation": "a`b\nc"}, language)


def test_a_meaning_that_the_tree_explains_is_none_of_the_strongest():
    place = {"direction": "head_to_dependent", "layer": 3, "head": 1}
    claims = pd.DataFrame(
        [
            {"relation": name, **place, "lift": lift, "verdict": verdict}
            for name, lift, verdict in (
                ("role:ARG1", 0.4, "supported"),
                ("role:ARG0", 0.3, "supported"),
                ("obj", 0.2, "supported"),
                ("role:ARG2", 0.1, "underpowered"),
            )
        ]
    )
    controls = pd.DataFrame(
        [
            {
                "relation": "role:ARG1",
                **place,
                "verdict": "explained by a path of one or two edges",
            },
            {"relation": "role:ARG0", **place, "verdict": "survives"},
            {"relation": "role:ARG2", **place, "verdict": "underpowered"},
        ]
    )
    told = claims_in_words.beside_controls(claims, controls)
    assert told["verdict"].tolist() == ["explained", "supported", "supported", "underpowered"]
    assert claims_in_words.strongest(told)["relation"].tolist() == ["role:ARG0", "obj"]
