"""Every word of a view can be said in another language; what a frame notes stays out of charts."""

import json

import numpy as np
import pandas as pd
from support.each import each

from inspector import plot as charts
from inspector import words
from inspector.views import bertviz, matrix, thumbnails
from inspector.views.matrix import matrix_html
from inspector.views.thumbnails import thumbnails_html

HEADS = pd.DataFrame({"layer": [0, 0], "head": [0, 1], "q_norm": [1.0, 2.0]})
ERRORS = pd.DataFrame(
    {"layer": [0], "stage": ["query"], "error_in_u": [1.0], "passed": [True], "module": ["m"]}
)
MATRICES = pd.DataFrame(
    {
        "matrix": ["QK", "OV"],
        "index": [0, 0],
        "singular_value": [2.0, 1.0],
        "real": [-3.0, 1.0],
        "imaginary": [0.5, 0.0],
    }
)
TIMES = pd.DataFrame({"tokens": [8, 16], "seconds": [0.1, 0.3], "series": ["attention"] * 2})
CURVE = pd.DataFrame(
    {
        "kept": [1, 2],
        "order": ["importance", "random"],
        "seed": [0, 0],
        "state_change": [0.5, 0.0],
        "ci_low": [0.4, 0.0],
        "ci_high": [0.6, 0.0],
        "loss_increase": [1.5, 0.0],
        "loss_ci_low": [1.4, 0.0],
        "loss_ci_high": [1.6, 0.0],
    }
)
ROLES = pd.DataFrame(
    {"layer": [0], "head": [1], "role": ["broad"], "evidence": ["why"], "effect": [0.9]}
)
CLAIMS = pd.DataFrame(
    {
        "relation": ["det"], "direction": ["dependent_to_head"], "layer": [0], "head": [1],
        "n": [9], "accuracy": [0.5], "baseline_accuracy": [0.2], "lift": [0.3], "ci_low": [0.1],
        "ci_high": [0.5], "q_value": [0.01], "verdict": ["supported"],
    }
)  # fmt: skip

DRAWN = {
    "head grid": lambda names: charts.head_grid(HEADS, "q_norm", names=names),
    "error grid": lambda names: charts.error_grid(ERRORS, by_module=True, names=names),
    "error grid by layer": lambda names: charts.error_grid(ERRORS, names=names),
    "spectrum": lambda names: charts.spectrum(MATRICES, names=names),
    "eigenvalues": lambda names: charts.eigenvalue_plane(MATRICES, names=names),
    "map": lambda names: charts.attention_matrix(np.eye(2), ["a", "b"], ["a", "b"], names=names),
    "cost": lambda names: charts.cost_curve(TIMES, names=names),
    "robustness": lambda names: charts.robustness_curve(CURVE, names=names),
    "loss": lambda names: charts.robustness_curve(CURVE, "loss_increase", names=names),
    "roles": lambda names: charts.role_grid(ROLES, HEADS, selected=(0, 1), names=names),
    "claims": lambda names: charts.claims_forest(CLAIMS, names=names),
}


class Asked(dict):
    """Names that mark every word, and remember which were asked for."""

    def __init__(self):
        super().__init__()
        self.words = set()

    def get(self, word, default=None):
        self.words.add(word)
        return f"«{word}»"


def titles(spec):
    """Yield every title that a reader sees: of axes, legends and tooltips."""
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key == "title" and isinstance(value, str):
                yield value
            elif key not in ("datasets", "config"):
                yield from titles(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from titles(value)


def encodings(spec):
    """Yield every axis, legend and tooltip: without a title each says its field."""
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key == "encoding":
                shown = [value.get(name) for name in ("x", "y", "color")]
                yield from (one for one in [*shown, *value.get("tooltip", [])] if one)
            elif key not in ("datasets", "config"):
                yield from encodings(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from encodings(value)


@each("name", DRAWN)
def test_every_title_of_a_chart_can_be_said_otherwise(name):
    asked = Asked()
    spec = DRAWN[name](asked).to_dict()
    assert titles(spec)
    assert all(title.startswith("«") for title in titles(spec)), sorted(titles(spec))
    # What has a field and no title is titled by the field's name.
    assert [
        one["field"]
        for one in encodings(spec)
        if "field" in one
        and "title" not in one
        and one.get("legend", {}) is not None
        and "title" not in (one.get("legend") or one.get("axis") or {})
    ] == []


@each("name", DRAWN)
def test_the_dashboard_has_every_word_of_a_chart_in_chinese(name):
    asked = Asked()
    DRAWN[name](asked)
    statistics = {"q norm"}  # stay as the frame names them
    known = {**words.of("specialization", "zh"), **words.of("charts", "zh")}
    assert asked.words - statistics <= set(known)


@each("name", DRAWN)
def test_in_english_nothing_changes(name):
    assert DRAWN[name](words.of("charts", "en")).to_dict() == DRAWN[name](None).to_dict()


def test_in_english_the_sentences_are_the_views_own():
    english = words.of("charts", "en")
    assert english["corner"] == matrix.CORNER
    assert english["legend"] == thumbnails.LEGEND
    for view in ("head", "model"):
        assert english[f"{view} view"] == bertviz.TITLES[view]
        assert english[f"{view} view note"] == bertviz.NOTES[view]


def test_what_a_frame_notes_is_not_handed_to_browsers():
    """A note that is NaN is no JSON: the browser refuses the whole chart."""
    noted = HEADS.copy()
    noted.attrs = {"rank_correlation": float("nan")}
    assert noted[["layer"]].attrs  # control: pandas carries it along
    assert charts.head_grid(noted, "q_norm").data.attrs == {}
    assert noted.attrs
    curve = CURVE.copy()
    curve.attrs = noted.attrs
    for layer in charts.robustness_curve(curve).to_dict()["datasets"].values():
        json.dumps(layer, allow_nan=False)


def test_the_caption_of_a_matrix_is_translated_and_escaped():
    html = matrix_html(
        np.zeros((20, 3)), None, None, "Q", ("query", "d_head"), words.of("charts", "zh")
    )
    assert "Q: 查询 × d_head = 20 × 3，只显示前 12 × 3</caption>" in html
    html = matrix_html(np.zeros((1, 1)), None, None, "Q", ("a", "b"), {"a": "<img src=x>"})
    assert "<img" not in html


def test_the_figure_of_a_text_is_translated_and_escaped():
    maps = np.full((1, 1, 2, 2), 0.5)
    html = thumbnails_html(maps, "m", names=words.of("charts", "zh"))
    assert "深浅：概率从 0.1、0.3、0.6 起" in html
    assert 'alt="每个头的注意力: m"' in html
    assert "query downwards" in thumbnails_html(maps, "m")
    hostile = thumbnails_html(maps, "m", names={"Attention of every head": '"><img src=x>'})
    assert "<img src=x" not in hostile
