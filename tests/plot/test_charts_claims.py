"""The charts of roles and claims, and the drawn predictions: what they say, and in what order."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from inspector import plot as charts
from inspector.errors import InputError
from inspector.plot.colors import FAMILIES, VERDICTS
from inspector.views.predictions import prediction_html, words_around

HOSTILE = "</script><img src=x onerror=alert(1)>"


def rows_of(spec, layer):
    return spec["datasets"][(spec["layer"][layer].get("data") or spec["data"])["name"]]


@pytest.fixture
def heads():
    return pd.DataFrame([(layer, head) for layer in range(2) for head in range(3)],
                        columns=["layer", "head"])  # fmt: skip


@pytest.fixture
def roles():
    return pd.DataFrame(
        [
            (0, 1, "positional:-1", "It looks back.", 0.95),
            (0, 1, "syntactic:amod", "It follows amod.", 0.2),
            (0, 1, "syntactic:det", "It follows det.", 0.3),
            (1, 2, "broad", HOSTILE, 0.9),
        ],
        columns=["layer", "head", "role", "evidence", "effect"],
    )


@pytest.fixture
def claims():
    rows = [
        ("det", "dependent_to_head", 0, 1, 50, 0.8, 0.4, 0.4, 0.3, 0.5, 0.001, "supported"),
        ("obj", "dependent_to_head", 1, 0, 50, 0.3, 0.4, -0.1, -0.2, 0.0, 0.9, "not supported"),
        ("amod", "head_to_dependent", 1, 2, 50, 0.9, 0.4, 0.5, 0.4, 0.6, 0.001, "supported"),
        ("iobj", "attended_by_head", 0, 0, 0, np.nan, np.nan, np.nan, np.nan, np.nan, 1.0,
         "underpowered"),
    ]  # fmt: skip
    names = ["relation", "direction", "layer", "head", "n", "accuracy", "baseline_accuracy",
             "lift", "ci_low", "ci_high", "q_value", "verdict"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def test_a_head_with_roles_of_two_families_has_two_stripes_that_fill_its_cell(roles, heads):
    stripes = pd.DataFrame(rows_of(charts.role_grid(roles, heads).to_dict(), 0))
    assert len(stripes) == 7
    own = stripes[(stripes["layer"] == 0) & (stripes["head"] == 1)]
    assert own["is"].tolist() == ["syntactic", "positional"]
    assert own["left"].iloc[0] == pytest.approx(1.04)
    assert own["right"].iloc[0] == own["left"].iloc[1] == pytest.approx(1.5)
    assert own["right"].iloc[1] == pytest.approx(1.96)
    assert own["roles"].tolist() == ["syntactic:det, syntactic:amod", "positional:-1"]
    assert own["evidence"].tolist() == ["It follows det.", "It looks back."]


def test_every_head_has_a_cell_and_one_without_roles_is_said_to_have_none(roles, heads):
    stripes = pd.DataFrame(rows_of(charts.role_grid(roles, heads).to_dict(), 0))
    assert set(zip(stripes["layer"], stripes["head"], strict=True)) == set(
        zip(heads["layer"], heads["head"], strict=True)
    )
    of_none = stripes[stripes["is"] == "none"]
    assert of_none["opacity"].tolist() == [1.0] * 4  # as the legend, which has no opacity, shows it
    empty = charts.role_grid(roles.iloc[:0], heads).to_dict()
    assert {row["is"] for row in rows_of(empty, 0)} == {"none"}


def test_families_keep_their_colours_whichever_occur(roles, heads):
    scale = charts.role_grid(roles, heads).to_dict()["layer"][0]["encoding"]["color"]["scale"]
    assert scale["domain"] == ["syntactic", "positional", "broad", "none"]
    alone = charts.role_grid(roles[roles["role"] == "broad"], heads, names={"broad": "分散"})
    other = alone.to_dict()["layer"][0]["encoding"]["color"]["scale"]
    assert other["domain"] == ["分散", "none"]
    assert other["range"] == scale["range"][2:]
    every = roles.iloc[:1].assign(role=[[f"{name}:x" for name in FAMILIES]]).explode("role")
    colors = charts.role_grid(every, heads).to_dict()["layer"][0]["encoding"]["color"]["scale"]
    assert len(set(colors["range"])) == len(FAMILIES) + 1


def test_the_chosen_head_is_framed_and_a_click_gives_layer_and_head(roles, heads):
    spec = charts.role_grid(roles, heads, selected=(1, 2)).to_dict()
    (parameter,) = spec["params"]
    assert parameter["name"] == "head"
    assert parameter["select"] == {"type": "point", "fields": ["layer", "head"]}
    (frame,) = rows_of(spec, 1)
    assert (frame["left"], frame["right"], frame["top"], frame["bottom"]) == (2, 3, 1, 2)
    assert len(charts.role_grid(roles, heads).to_dict().get("layer")) == 1


def test_marked_heads_have_dots_in_the_middle_of_their_cells(roles, heads):
    spec = charts.role_grid(roles, heads, marked={(1, 0): True, (0, 2): False}).to_dict()
    dots = rows_of(spec, 1)
    assert [(dot["top"], dot["left"], dot["filled"]) for dot in dots] == [
        (1.5, 0.5, True),
        (0.5, 2.5, False),
    ]
    filters = [layer["transform"] for layer in spec["layer"][1:]]
    assert filters[0] == [{"filter": "datum.filled"}]
    assert filters[1] == filters[2] == [{"filter": "!datum.filled"}]


def test_all_layers_of_the_grid_share_their_axes(roles, heads):
    spec = charts.role_grid(roles, heads, selected=(0, 0), marked={(1, 0): True}).to_dict()
    for layer in spec["layer"]:
        assert layer["encoding"]["x"]["scale"]["domain"] == [0, 3]
        assert layer["encoding"]["y"]["scale"] == {"domain": [0, 2], "nice": False, "reverse": True}


def test_the_forest_has_a_line_per_claim_the_supported_ones_first(claims):
    spec = charts.claims_forest(claims).to_dict()
    points = spec["layer"][3]
    lines = points["encoding"]["y"]["scale"]["domain"]
    assert [line.split(" · ")[0] for line in lines] == ["amod", "det", "obj", "iobj"]
    assert lines[0] == "amod · head_to_dependent · 1-2"
    rows = {row["claim"]: row for row in rows_of(spec, 3)}
    assert [rows[line]["shares"] for line in lines] == [
        "90 % | 40 %", "80 % | 40 %", "30 % | 40 %", "– | –",
    ]  # fmt: skip
    assert points["transform"] == [{"filter": "isValid(datum.lift)"}]
    assert rows[lines[3]]["lift"] is None


def test_the_forest_has_lines_at_no_lift_and_at_ten_points(claims):
    spec = charts.claims_forest(claims).to_dict()
    assert rows_of(spec, 0) == [{"at": 0.0}]
    assert rows_of(spec, 1) == [{"at": 0.1}]
    intervals = spec["layer"][2]["encoding"]
    assert (intervals["x"]["field"], intervals["x2"]["field"]) == ("ci_low", "ci_high")


def test_differences_are_in_points_and_the_figures_beside_have_a_heading(claims, controls):
    for chart, title, heading in (
        (charts.claims_forest(claims), "lift in points", "accuracy | baseline"),
        (charts.claim_ladder(controls), "points ahead", "the rule finds"),
    ):
        spec = chart.to_dict()
        *_, points, shares, named = spec["layer"]
        axis = points["encoding"]["x"]
        assert (axis["title"], axis["axis"]["labelExpr"]) == (
            title, "format(100 * datum.value, '+.0f')",
        )  # fmt: skip
        assert "%" not in json.dumps(axis)
        assert rows_of(spec, -1) == [{"said": heading}]
        # It stands above the figures, in their column.
        assert named["encoding"]["x"] == shares["encoding"]["x"] == {"value": "width"}
        assert named["encoding"]["y"] == {"value": 0}
        assert named["mark"]["dy"] < 0


def test_verdicts_differ_by_colour_and_by_shape_whichever_occur(claims):
    claims.loc[2, "verdict"] = "explained"
    encoding = charts.claims_forest(claims).to_dict()["layer"][3]["encoding"]
    for channel in ("color", "shape"):
        scale = encoding[channel]["scale"]
        assert scale["domain"] == list(VERDICTS)
        assert len(set(scale["range"])) == 4
    negative = charts.claims_forest(
        claims[claims["verdict"] == "not supported"], names={"not supported": "不成立"}
    ).to_dict()["layer"][3]["encoding"]
    assert negative["color"]["scale"] == {
        "domain": ["不成立"],
        "range": encoding["color"]["scale"]["range"][2:3],
    }


def test_charts_have_names_and_leave_background_and_text_to_the_theme(claims, roles, heads):
    for chart in (charts.claims_forest(claims), charts.role_grid(roles, heads)):
        spec = chart.to_dict()
        assert len(spec["description"]) > 20
        del spec["config"]
        text = json.dumps(spec)
        assert '"background"' not in text
        assert '"labelColor"' not in text


def test_a_frame_without_a_column_is_refused(claims, roles, heads):
    with pytest.raises(InputError, match=r"lacks verdict: claims_forest draws the columns "):
        charts.claims_forest(claims.drop(columns="verdict"))
    with pytest.raises(InputError, match=r"lacks effect: role_grid draws the columns "):
        charts.role_grid(roles.drop(columns="effect"), heads)
    with pytest.raises(InputError, match=r"lacks head: role_grid draws the columns "):
        charts.role_grid(roles, heads.drop(columns="head"))


def spans(html):
    return re.findall(r"<span style=\"([^\"]*)\"( title=\"[^\"]*\")?>(.*?)</span>", html)


def test_a_hit_has_one_mark_and_a_miss_two():
    weights = [0.2, -1.0, 0.5, 0.3]
    words = ["the", "old", "cat", "sat"]
    hit = spans(prediction_html(words, weights, 1, 2, 2))
    assert [text for _, _, text in hit] == ["the", "old", "cat<sup>✓</sup>", "sat"]
    miss = spans(prediction_html(words, weights, 1, 2, 3))
    assert [text for _, _, text in miss] == ["the", "old", "cat<sup>✗</sup>", "sat<sup>✓</sup>"]
    assert [title for _, title, _ in hit] == [
        ' title="0.200"', "", ' title="0.500"', ' title="0.300"',
    ]  # fmt: skip
    assert "outline" in hit[1][0]
    assert "background" not in hit[1][0]
    opacities = [float(re.search(r"([\d.]+)\)", hit[place][0])[1]) for place in (0, 3, 2)]
    assert opacities == sorted(opacities)


def test_a_long_text_is_cut_around_the_words_concerned():
    words = [f"w{place}" for place in range(20)]
    weights = [0.1] * 20
    shown = words_around(20, {0, 9, 15}, 1)
    assert shown == [0, 1, 8, 9, 10, 14, 15, 16]
    html = prediction_html(words, weights, 15, 1, (9, 0), shown)
    assert re.findall(r"w\d+(?:<sup>.</sup>)?|…", html) == [
        "w0<sup>✓</sup>", "w1<sup>✗</sup>", "…", "w8", "w9<sup>✓</sup>", "w10", "…",
        "w14", "w15", "w16", "…",
    ]  # fmt: skip
    assert "…" not in prediction_html(words, weights, 15, 1, (9, 0))
    assert words_around(3, [0, 2], 5) == [0, 1, 2]
    assert words_around(3, [], 5) == []


def test_words_are_escaped():
    html = prediction_html([HOSTILE, "a"], [-1.0, 0.5], 0, 1, 1)
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_words_and_weights_must_be_as_many():
    with pytest.raises(InputError) as error:
        prediction_html(["a", "b"], [0.5], 0, 1, 1)
    assert str(error.value) == "weights (1) must be as many as words (2): one for each."


@pytest.fixture
def controls():
    """Return the ladder of one claim, of which a rule of word class finds more."""
    rows = [
        ("random-init", "", 181, 0.09, 0.5, 0.46, 0.54),
        ("offset", "-2", 665, 0.32, 0.27, 0.22, 0.31),
        ("position", "last", 665, 0.12, 0.47, 0.41, 0.52),
        ("word-class", "AUX+VERB:left", 665, 0.91, -0.32, -0.37, -0.27),
        ("selectivity", "VERB:left", 57, np.nan, -0.15, -0.26, -0.02),
        ("matched-source", HOSTILE, 77, np.nan, 0.13, 0.02, 0.24),
        ("matched-target", "", 0, np.nan, np.nan, np.nan, np.nan),
    ]
    names = ["rung", "rule", "n", "accuracy", "difference", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=names)


def test_the_ladder_of_a_claim_has_a_line_for_each_rung_in_words(controls):
    spec = charts.claim_ladder(controls).to_dict()
    rows = pd.DataFrame(rows_of(spec, 1))
    assert rows["rung"].tolist() == [
        "random weights", "fixed offset −2", "word last of the sentence",
        "nearest AUX/VERB to the left", "where such a rule errs",
        f"the word {HOSTILE.replace('-', '−')}, whoever asks", "same class, other target",
    ]  # fmt: skip
    ahead, level = "the head is ahead", "it is not, or that is open"
    assert rows["said"].tolist() == [ahead, ahead, ahead, level, level, ahead, level]
    assert rows["share"].tolist() == ["9 %", "32 %", "12 %", "91 %", "–", "–", "–"]
    zero, intervals, points, _, _ = spec["layer"]
    assert zero["encoding"]["x"]["field"] == "at"
    assert (intervals["encoding"]["x"]["field"], intervals["encoding"]["x2"]["field"]) == (
        "ci_low",
        "ci_high",
    )
    assert points["encoding"]["x"]["field"] == "difference"
    with pytest.raises(InputError, match="lacks rule: claim_ladder draws the columns rung, rule"):
        charts.claim_ladder(controls.drop(columns="rule"))


def test_the_ladder_is_drawn_in_the_readers_words(controls):
    names = {"rung:word-class:left": "左边最近的 {tags}", "the head is ahead": "领先"}
    rows = pd.DataFrame(rows_of(charts.claim_ladder(controls, names=names).to_dict(), 1))
    assert rows["rung"].tolist()[3] == "左边最近的 AUX/VERB"
    assert "领先" in set(rows["said"])
