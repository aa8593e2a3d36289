"""What `run.plot` draws is what stands in the run's frames."""

import json
import re
from dataclasses import replace

import altair as alt
import numpy as np
import pandas as pd
import pytest
from support.each import each

import inspector
from inspector.errors import InputError
from inspector.plot.one_head import MASSES


def rows_of(chart):
    """Return every data set of a chart as a frame, in the order in which it draws them."""
    spec = chart.to_dict()
    datasets = {name: pd.DataFrame(rows) for name, rows in spec["datasets"].items()}
    named = []

    def visit(part):
        if isinstance(part, dict):
            if "name" in part.get("data", {}):
                named.append(part["data"]["name"])
            for value in part.values():
                visit(value)
        elif isinstance(part, list):
            for value in part:
                visit(value)

    visit({key: value for key, value in spec.items() if key != "datasets"})
    return [datasets[name] for name in dict.fromkeys(named)]


CHARTS = {
    "roles": lambda plot: plot.roles(),
    "claims": lambda plot: plot.claims(),
    "relation": lambda plot: plot.relation("obj"),
    "head": lambda plot: plot.head(0, 1),
    "heads": lambda plot: plot.heads("entropy_nats"),
    "dendrogram": lambda plot: plot.dendrogram(),
    "head_map": lambda plot: plot.head_map(),
}


@each("name", CHARTS)
def test_every_chart_has_a_title_that_says_of_what_and_a_name(run, name):
    spec = CHARTS[name](run.run.plot).to_dict()
    assert spec["title"].endswith(": tiny on texts <x>")
    assert spec["description"]
    assert "http" not in json.dumps({k: v for k, v in spec.items() if k != "$schema"})


def test_the_grid_of_a_relation_holds_the_rows_of_the_frame(run):
    relations = run.run.relations
    own = relations[relations["relation"] == "obj"]
    (drawn,) = rows_of(run.run.plot.relation("obj"))
    for name in ("layer", "head", "direction", "accuracy", "baseline_accuracy", "n"):
        assert drawn[name].tolist() == own[name].tolist()
    assert np.allclose(drawn["lift"], own["accuracy"] - own["baseline_accuracy"])
    (one,) = rows_of(run.run.plot.relation("obj", "head_to_dependent"))
    assert set(one["direction"]) == {"head_to_dependent"}
    assert len(one) == 6


def test_a_head_has_the_strongest_of_its_verdicts_of_what_is_needed(run):
    """And no mark where none was asked; the grid holds every head."""
    rows = pd.concat([run.run.claims] * 4).head(4)
    verdicts = ["unclear", "yes", "no", "not asked"]
    claims = rows.assign(layer=[0, 0, 1, 1], head=[1, 1, 0, 2], needed=verdicts)
    plot = replace(run.run.plot, frames={**run.run.frames, "claims": claims})
    (drawn,) = rows_of(plot.needed())
    said = drawn.set_index(["layer", "head"])["needed"].to_dict()
    asked = {(0, 1): "✓ yes", (1, 0): "✗ no"}
    assert said == {head: asked.get(head, "not asked") for head in said}
    assert len(drawn) == len(run.run.behaviour)


def test_the_chart_of_a_head_holds_its_masses_and_its_best_relations(run):
    looks, follows = rows_of(run.run.plot.head("0-1"))
    row = run.run.behaviour.iloc[1]
    for mass in MASSES:
        own = looks[looks["where"] == mass.removesuffix("_mass")].set_index("by")["share"]
        assert own.to_dict() == {"by weight": row[mass], "by norm": row[f"norm_{mass}"]}
    own = run.run.relations[run.run.relations[["layer", "head"]].eq([0, 1]).all(axis=1)]
    ordered = own.sort_values("accuracy", ascending=False)  # one baseline for all
    assert follows["accuracy"].tolist() == ordered["accuracy"].tolist()
    assert follows["asked"].tolist() == [
        f"{one.relation} · {one.direction}" for one in ordered.itertuples()
    ]


def test_the_other_grids_hold_their_frames(run):
    (heads,) = rows_of(run.run.plot.heads("entropy_nats"))
    pd.testing.assert_frame_equal(heads, run.run.behaviour[["layer", "head", "entropy_nats"]])
    stripes = rows_of(run.run.plot.roles())[0]
    assert set(stripes.loc[stripes["name"] == "0-1", "roles"]) == {"syntactic:obj", "positional:-1"}
    claims = next(rows for rows in rows_of(run.run.plot.claims()) if "lift" in rows)
    assert claims["lift"].tolist() == run.run.claims["lift"].tolist()
    supported = next(
        rows for rows in rows_of(run.run.plot.claims(supported=True)) if "lift" in rows
    )
    assert supported["relation"].tolist() == ["obj"]


@each(
    ("draw", "sentence"),
    [
        (
            lambda run: run.plot.relation("nsubj"),
            "relation (nsubj) must be one that was measured. Available: det, obj.",
        ),
        (
            lambda run: run.plot.relation("obj", "sideways"),
            (
                "direction (sideways) must be one that was measured. Available: attended_by_head, "
                "dependent_to_head, head_to_dependent."
            ),
        ),
        (
            lambda run: run.plot.head(5, 1),
            "head (5-1) must be one that was measured: layers 0 to 1, heads 0 to 2.",
        ),
        (
            lambda run: run.plot(corpus="x"),
            "corpus (x) must be one of the run's. Available: texts <x> alone: leave it out.",
        ),
    ],
)
def test_what_was_not_measured_is_named(run, draw, sentence):
    with pytest.raises(InputError) as caught:
        draw(run.run)
    assert str(caught.value) == sentence


def test_a_run_without_distances_and_one_of_several_corpora_say_so(run):
    without = {name: frame for name, frame in run.run.frames.items() if name != "distances"}
    with pytest.raises(InputError) as caught:
        inspector.Run(run.run.manifest, without).plot.head_map()
    assert str(caught.value) == (
        "run (tiny on texts <x>) has no frame distances: profile with distances=True."
    )
    several = {
        name: pd.concat([frame.assign(corpus="a"), frame.assign(corpus="b")], ignore_index=True)
        for name, frame in run.run.frames.items()
    }
    of_several = inspector.Run(run.run.manifest, several)
    with pytest.raises(InputError) as caught:
        of_several.plot.roles()
    assert str(caught.value) == (
        "run (texts <x>) is of several corpora: choose one with run.plot(corpus=...)."
    )
    (one,) = rows_of(of_several.plot(corpus="b").relation("obj"))
    (alone,) = rows_of(run.run.plot.relation("obj"))
    assert one.equals(alone)


def test_maps_draw_one_head(minilm):
    maps = inspector.attend(minilm, "The cat sat.")
    for chart in (maps.plot(2, 8), maps.plot("2-8")):
        (drawn,) = rows_of(chart)
        assert drawn["probability"].tolist() == maps[2, 8].reshape(-1).tolist()
        assert chart.to_dict()["title"] == "Head 2-8, minilm: The cat sat."


def test_notebooks_keep_data_and_a_picture_and_ask_no_host(run):
    pytest.importorskip("vl_convert", reason="pictures are drawn by vl-convert-python")
    chart = run.run.plot.roles()
    bundle = chart._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert set(bundle) == {
        f"application/vnd.vegalite.{alt.SCHEMA_VERSION.split('.')[0]}+json",
        "image/svg+xml",
        "text/plain",
    }
    picture = bundle["image/svg+xml"]
    assert picture.startswith("<svg")
    assert "<script" not in picture
    assert set(re.findall('font-family="([^,"]+)', picture)) == {"DejaVu Sans"}, (
        "room for the widest"
    )
    assert "syntactic:&lt;script" in picture
    assert inspector.plot.svg(chart) == picture


def test_a_renderer_that_the_user_chose_stays(run):
    before = alt.renderers.active
    try:
        with alt.renderers.enable("json"):
            run.run.plot.heads()
            assert alt.renderers.active == "json"
    finally:
        alt.renderers.enable(before)


def test_a_picture_without_its_drawer_says_what_to_install(run, monkeypatch):
    from inspector.plot import picture

    monkeypatch.setattr(picture, "find_spec", lambda name: None)
    with pytest.raises(InputError) as caught:
        picture.svg(run.run.plot.heads())
    assert str(caught.value) == (
        "picture (svg) must be drawn by vl-convert-python, which is not installed: "
        "install inspector's extra 'notebook' (pip install 'attention-inspector[notebook]')."
    )
    assert "image/svg+xml" not in picture.notebook_bundle({"description": "d"})
