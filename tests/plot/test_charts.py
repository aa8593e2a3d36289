"""What the charts' specifications say: fields, domains, rows, colours that any theme can bear."""

import json
from inspect import unwrap

import numpy as np
import pandas as pd
import pytest

from inspector import plot as charts
from inspector.errors import InputError
from inspector.plot.heads import MAX_MATRIX_TOKENS


def rows_of(spec: dict, layer: int | None = None) -> list[dict]:
    """Return the rows that a chart, or one layer of it, draws."""
    part = spec if layer is None else spec["layer"][layer]
    return spec["datasets"][part.get("data", spec.get("data"))["name"]]


def refusal(call, *arguments, **options) -> str:
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    return str(caught.value)


@pytest.fixture
def weights():
    heads = [(layer, head) for layer in range(3) for head in range(5)]
    values = np.linspace(-0.5, 0.9, len(heads))
    return pd.DataFrame(
        {
            "layer": [layer for layer, _ in heads],
            "head": [head for _, head in heads],
            "name": "x",
            "q_norm": values + 10,
            "ov_symmetry": values,
            "lift": values,
        }
    )


@pytest.fixture
def errors():
    return pd.DataFrame(
        {
            "layer": [0, 0, 0, 1, 1, 1],
            "stage": ["output", "query", "mine"] * 2,
            "error_in_u": [0.5, 1.0, 40.0, 0.25, 8.5, 0.0],
            "passed": [True, True, False, True, True, True],
        }
    )


@pytest.fixture
def every_chart(weights, errors):
    matrices = pd.DataFrame(
        {
            "matrix": ["QK", "OV"],
            "index": [0, 0],
            "singular_value": [2.0, 1.0],
            "real": [-3.0, 1.0],
            "imaginary": [0.5, 0.0],
        }
    )
    times = pd.DataFrame({"tokens": [8, 16], "seconds": [0.1, 0.3], "series": ["a", "a"]})
    return [
        charts.head_grid(weights, "q_norm"),
        charts.error_grid(errors),
        charts.spectrum(matrices),
        charts.eigenvalue_plane(matrices),
        charts.attention_matrix(np.eye(2), ["a", "b"], ["a", "b"]),
        charts.cost_curve(times),
    ]


def test_every_chart_has_a_name_and_leaves_background_and_text_to_the_theme(every_chart):
    for chart in every_chart:
        spec = chart.to_dict()
        assert len(spec["description"]) > 20
        del spec["config"]  # Altair's own: the size of a view
        text = json.dumps(spec)
        assert '"background"' not in text
        assert '"labelColor"' not in text
        assert '"titleColor"' not in text


def test_no_chart_names_another_host_than_its_schema(every_chart):
    for chart in every_chart:
        text = json.dumps(chart.to_dict())
        assert text.count("://") == 1
        assert '"$schema": "https://vega.github.io/schema/vega-lite/' in text


def test_the_head_grid_shows_one_statistic_of_every_head(weights):
    spec = charts.head_grid(weights, "q_norm").to_dict()
    encoding = spec["encoding"]
    assert (encoding["x"]["field"], encoding["y"]["field"]) == ("head", "layer")
    assert encoding["color"]["field"] == "q_norm"
    assert encoding["color"]["scale"]["scheme"] == "viridis"
    assert [entry["field"] for entry in encoding["tooltip"]] == ["layer", "head", "q_norm"]
    assert rows_of(spec) == weights[["layer", "head", "q_norm"]].to_dict("records")


@pytest.mark.parametrize(("statistic", "domain"), [("ov_symmetry", [-1, 1]), ("lift", [-0.9, 0.9])])
def test_signed_statistics_are_coloured_around_zero(weights, statistic, domain):
    scale = charts.head_grid(weights, statistic).to_dict()["encoding"]["color"]["scale"]
    assert scale == {"scheme": "blueorange", "domain": domain, "domainMid": 0}


def test_a_head_can_be_chosen(weights):
    spec = charts.head_grid(weights, "q_norm", selected=(2, 4)).to_dict()
    (parameter,) = spec["params"]
    assert parameter["name"] == "head"
    assert parameter["select"] == {"type": "point", "fields": ["layer", "head"]}
    assert parameter["value"] == [{"layer": 2, "head": 4}]
    assert spec["encoding"]["strokeWidth"] == {
        "condition": [{"param": "head", "empty": False, "value": 3}],
        "value": 0,
    }
    (free,) = charts.head_grid(weights, "q_norm").to_dict()["params"]
    assert "value" not in free


def test_a_statistic_that_is_not_there(weights):
    assert refusal(charts.head_grid, weights, "name") == (
        "statistic (name) must be a column of numbers of the frame. "
        "Available: q_norm, ov_symmetry, lift."
    )


def test_the_error_grid_writes_each_error_into_its_cell(errors):
    spec = charts.error_grid(errors).to_dict()
    cells, text = spec["layer"]
    assert [cells["mark"]["type"], text["mark"]["type"]] == ["rect", "text"]
    for part in (cells, text):
        assert part["encoding"]["x"]["sort"] == ["query", "output", "mine"]
        # On a phone the stages' words are slanted, as none may be left out.
        axis = part["encoding"]["x"]["axis"]
        assert axis["labelAngle"] == {"expr": "width < 480 ? -35 : 0"}
        assert axis["labelOverlap"] is False
        assert part["encoding"]["y"]["field"] == "layer"
    assert cells["encoding"]["color"]["scale"] == {
        "scheme": "cividis",
        "type": "sqrt",
        "domain": [0, 32],
        "clamp": True,
    }
    assert cells["encoding"]["strokeWidth"] == {
        "condition": [{"test": "datum.passed", "value": 0}],
        "value": 3,
    }
    assert text["encoding"]["text"] == {
        "field": "error_in_u",
        "type": "quantitative",
        "format": ".2f",
    }
    assert text["encoding"]["color"] == {
        "condition": [{"test": "(datum.error_in_u > 8.0)", "value": "#000000"}],
        "value": "#ffffff",
    }
    assert rows_of(spec) == errors.to_dict("records")


def test_the_error_grid_may_name_modules_and_speak_another_language(errors):
    named = errors.assign(module=["b"] * 3 + ["a"] * 3)
    spec = charts.error_grid(
        named, by_module=True, names={"query": "查询", "layer": "层", "error in u": "误差"}
    ).to_dict()
    encoding = spec["layer"][0]["encoding"]
    assert encoding["y"]["field"] == "module"
    assert encoding["y"]["sort"] == ["b", "a"]
    assert encoding["x"]["sort"] == ["查询", "output", "mine"]
    assert {row["stage"] for row in rows_of(spec)} == {"查询", "output", "mine"}
    assert encoding["color"]["title"] == "误差"
    assert [entry["title"] for entry in encoding["tooltip"]][:2] == ["层", "module"]
    assert "lacks module" in refusal(charts.error_grid, errors, by_module=True)


def test_the_spectrum_has_a_line_for_each_matrix():
    frame = pd.DataFrame(
        {"matrix": ["QK", "QK", "OV"], "index": [0, 1, 0], "singular_value": [3.0, 1.0, 2.0]}
    )
    spec = charts.spectrum(frame).to_dict()
    encoding = spec["encoding"]
    assert spec["mark"] == {"type": "line", "point": True}
    assert (encoding["x"]["field"], encoding["y"]["field"]) == ("index", "singular_value")
    assert encoding["color"]["field"] == encoding["strokeDash"]["field"] == "matrix"
    assert encoding["color"]["scale"]["domain"] == ["QK", "OV"]
    assert rows_of(spec) == frame.to_dict("records")


def test_the_eigenvalue_plane_has_both_axes_alike_and_zero_marked():
    frame = pd.DataFrame({"matrix": ["QK", "OV"], "real": [-2.0, 0.5], "imaginary": [0.1, -0.2]})
    spec = charts.eigenvalue_plane(frame).to_dict()
    vertical, horizontal, points = spec["layer"]
    assert points["encoding"]["x"]["scale"] == {"domain": [-2.1, 2.1], "nice": False}
    assert points["encoding"]["y"]["scale"] == points["encoding"]["x"]["scale"]
    assert (spec["width"], spec["height"]) == (300, 300)
    assert points["encoding"]["shape"]["field"] == "matrix"
    assert rows_of(spec, 2) == frame.to_dict("records")
    assert "x" in vertical["encoding"]
    assert "y" in horizontal["encoding"]
    assert rows_of(spec, 0) == rows_of(spec, 1) == [{"zero": 0.0}]


def test_eigenvalues_of_a_zero_matrix_can_be_drawn():
    frame = pd.DataFrame({"matrix": ["OV"], "real": [0.0], "imaginary": [0.0]})
    points = charts.eigenvalue_plane(frame).to_dict()["layer"][2]
    assert points["encoding"]["x"]["scale"]["domain"] == [-1.05, 1.05]


def test_the_map_of_a_head_keeps_repeated_tokens_apart():
    probabilities = np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]], dtype=np.float32)
    spec = charts.attention_matrix(probabilities, ["the", "the"], ["a", "a:b", "a"]).to_dict()
    assert spec["encoding"]["x"]["sort"] == ["0 a", "1 a:b", "2 a"]
    assert spec["encoding"]["y"]["sort"] == ["0 the", "1 the"]
    assert spec["encoding"]["color"]["scale"]["domain"] == [0, 1]
    found = {(row["query"], row["key"]): row["probability"] for row in rows_of(spec)}
    assert found == {
        (f"{i} the", f"{j} {key}"): pytest.approx(float(probabilities[i, j]))
        for i in range(2)
        for j, key in enumerate(["a", "a:b", "a"])
    }


def test_the_map_of_a_head_is_capped_and_must_fit():
    n = MAX_MATRIX_TOKENS
    tokens = ["p"] * (n + 1)
    assert (
        len(rows_of(charts.attention_matrix(np.eye(n), tokens[:n], tokens[:n]).to_dict())) == n * n
    )
    assert refusal(charts.attention_matrix, np.eye(n + 1), tokens, tokens) == (
        "tokens (71) must be at most 70 for the map of one head: give a shorter text."
    )
    assert refusal(charts.attention_matrix, np.eye(2), ["a", "b"], ["a"]) == (
        "probabilities have shape (2, 2), expected (query, key) = (2, 1), one for each token."
    )


def test_measured_cost_stands_beside_the_square_of_the_length():
    frame = pd.DataFrame(
        {
            "tokens": [10, 20, 40, 40],
            "seconds": [0.1, 0.2, 0.8, 0.4],
            "series": ["a", "a", "a", "b"],
        }
    )
    spec = charts.cost_curve(frame).to_dict()
    for part in spec["layer"]:
        assert part["encoding"]["x"]["scale"]["type"] == "log"
        assert part["encoding"]["y"]["scale"]["type"] == "log"
    assert rows_of(spec, 0) == [
        {"tokens": 10, "seconds": pytest.approx(0.05), "series": "n² line"},
        {"tokens": 20, "seconds": pytest.approx(0.2), "series": "n² line"},
        {"tokens": 40, "seconds": pytest.approx(0.8), "series": "n² line"},
    ]
    assert rows_of(spec, 1) == frame.to_dict("records")
    for part in spec["layer"]:
        assert part["encoding"]["color"]["field"] == "series"
        assert part["encoding"]["color"]["scale"] == {
            "domain": ["a", "b", "n² line"],
            "range": ["#0072b2", "#e69f00", "#8a8a8a"],
        }


@pytest.mark.parametrize("seconds", [[0.0], []])
def test_cost_must_be_positive(seconds):
    frame = pd.DataFrame({"tokens": 8, "seconds": seconds, "series": "a"})
    assert refusal(charts.cost_curve, frame) == (
        "cost_curve needs positive tokens and seconds in every row: "
        "a logarithm has no place for others."
    )


@pytest.mark.parametrize(
    ("chart", "needed"),
    [
        ("error_grid", "layer, stage, error_in_u, passed"),
        ("spectrum", "matrix, index, singular_value"),
        ("eigenvalue_plane", "matrix, real, imaginary"),
        ("cost_curve", "tokens, seconds, series"),
    ],
)
def test_a_frame_that_lacks_a_column(chart, needed):
    frame = pd.DataFrame({"layer": [0], "index": [0]})
    missing = ", ".join(name for name in needed.split(", ") if name not in frame)
    assert refusal(getattr(charts, chart), frame) == (
        f"frame (layer, index) lacks {missing}: {chart} draws the columns {needed}."
    )
    assert refusal(charts.head_grid, pd.DataFrame({"a": [1]}), "a") == (
        "frame (a) lacks layer, head: head_grid draws the columns layer, head."
    )
    assert refusal(unwrap(getattr(charts, chart)), None) == (
        f"frame (NoneType) must be a DataFrame with the columns {needed}, which {chart} draws; a "
        "run draws its own, by run.plot."
    )


def test_what_is_no_map_no_figure_or_no_chart():
    assert refusal(unwrap(charts.attention_matrix), {}, 2, 8) == (
        "probabilities (dict, int, int) must be an array, with the tokens of its queries and keys, "
        "such as maps[2, 8], maps.tokens and maps.tokens; or call maps.plot(2, 8)."
    )
    assert refusal(unwrap(charts.robustness_curve), pd.DataFrame(), "loss") == (
        "figure (loss) must be one of these. Available: state_change, loss_increase."
    )
    assert refusal(unwrap(charts.svg), pd.DataFrame()) == (
        "chart (DataFrame) must be one of Altair's, such as run.plot.roles()."
    )
