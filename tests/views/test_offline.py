"""The page that BertViz's becomes: nothing from outside, nothing of the data as markup."""

import base64
import hashlib
import importlib.util
import json
import re
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support.browser.page_reader import Elements, data_of
from support.each import each

from inspector.errors import InspectorError
from inspector.views import offline

HEAD_ELEMENTS = {
    "html": 1,
    "head": 1,
    "meta": 3,
    "title": 1,
    "style": 1,
    "body": 1,
    "h1": 1,
    "p": 2,
    "noscript": 1,
    "div": 2,
    "span": 1,
    "select": 1,
    "script": 4,
}
MODEL_ELEMENTS = {name: n for name, n in HEAD_ELEMENTS.items() if name != "select"}


@pytest.mark.parametrize(
    ("view", "expected"), [("head_view", HEAD_ELEMENTS), ("model_view", MODEL_ELEMENTS)]
)
def test_hostile_tokens_and_texts_add_no_element(make_maps, hostile, view, expected):
    harmless = getattr(make_maps(len(hostile)), view)()
    attacked = getattr(make_maps(hostile, text=" ".join(hostile)), view)()
    assert Elements(harmless.html).count == expected
    elements = Elements(attacked.html)
    assert elements.count == expected
    assert not [name for _, name, _ in elements.attributes if name.startswith("on")]
    assert "<img src=x" not in attacked.html
    name = view.partition("_")[0].capitalize()
    text = " ".join(" ".join(hostile).split()).replace("\ud83d", "?")
    assert elements.text["title"] == [f"{name} view of tiny: {text}"]
    assert data_of(attacked.html)["attention"][0]["left_text"] == hostile


def test_control_bertviz_itself_lets_a_token_become_elements(make_maps, hostile):
    from bertviz import model_view

    attention = [torch.full((1, 2, len(hostile), len(hostile)), 0.1)]
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        page = model_view(attention, hostile, html_action="return").data
    elements = Elements(page)
    assert elements.count["img"] > 0
    assert ("img", "onerror", "alert(1)") in elements.attributes


@each("view", ["head_view", "model_view"])
def test_the_page_names_no_host_but_namespaces(make_maps, view):
    page = getattr(make_maps(), view)().html
    hosts = set(re.findall(r"(?:https?:)?//([a-z0-9.-]+\.[a-z]{2,})", page))
    # The namespaces of SVG and XHTML, and two comments: d3's licence, BertViz's origin.
    assert hosts <= {"www.w3.org", "d3js.org", "github.com"}
    assert not [
        (tag, name) for tag, name, _ in Elements(page).attributes if name in ("src", "href")
    ]


@each("view", ["head_view", "model_view"])
def test_only_the_pages_own_scripts_may_run(make_maps, view):
    elements = Elements(getattr(make_maps(), view)().html)
    policy = elements.value("meta", "content")
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in elements.text["script"]
    ]
    assert policy == (
        "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; "
        "script-src " + " ".join(f"'sha256-{value}'" for value in hashes)
    )


@each("view", ["head_view", "model_view"])
def test_the_data_stand_in_the_page_once_and_rounded(make_maps, view):
    maps = make_maps(7)
    page = getattr(maps, view)().html
    assert page.count('"left_text"') == 1
    assert "PYTHON_PARAMS" not in page
    (attention,) = data_of(page)["attention"]
    expected = maps.probabilities.astype(np.float64).round(3)
    assert np.array_equal(np.array(attention["attn"]), expected)
    assert max(len(repr(p)) for p in np.array(attention["attn"]).ravel().tolist()) <= 5


def test_the_same_maps_give_the_same_bytes(make_maps):
    assert make_maps().head_view().html == make_maps().head_view().html
    assert make_maps().head_view().html != make_maps(text="another").head_view().html


def test_the_page_is_named_and_light(make_maps):
    elements = Elements(make_maps(text='"A" <b>').head_view().html)
    assert elements.value("html", "lang") == "en"
    assert elements.text["title"] == ['Head view of tiny: "A" <b>']
    assert ":root { color-scheme: light; }" in make_maps().head_view().html


@each("n", [1, 12, 16, 64])
def test_every_head_has_a_colour_of_its_own_that_shows_on_white(n):
    palette = offline.colors(n)
    assert len(set(palette)) == n
    for color in palette:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        luminance = float(np.dot([0.2126, 0.7152, 0.0722], linear))
        assert 1.05 / (luminance + 0.05) > 1.9


def test_script_json_is_ascii_without_markup(hostile):
    text = offline.script_json(hostile)
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert json.loads(text) == hostile


def test_a_page_that_is_not_built_as_expected_is_refused():
    drawing = offline.Drawing("head", "t", "n", 1, 0)
    with pytest.raises(InspectorError) as caught:
        offline.offline_page("<p>another bertviz</p>", drawing)
    assert str(caught.value) == (
        "bertviz's page is not built as inspector expects: install bertviz>=1.4.1,<1.5."
    )


@each("view", ["head_view_page", "model_view_page"])
def test_a_missing_bertviz_is_named(monkeypatch, view):
    from inspector.errors import InputError
    from inspector.views import bertviz

    monkeypatch.setattr(bertviz, "find_spec", lambda name: None)
    maps = np.full((1, 1, 2, 2), 0.5, dtype=np.float32)
    with pytest.raises(InputError) as caught:
        getattr(bertviz, view)(maps, ["a", "b"], title="t", layers=[0], heads=[0])
    assert str(caught.value) == (
        f"{view.split('_')[0]} view is drawn by BertViz, which is not installed: install "
        "inspector's extra 'views' (pip install 'attention-inspector[views]')."
    )


@each("present", [False, True])
def test_a_missing_d3_is_named(monkeypatch, tmp_path, present):
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)]) if present else None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(InspectorError) as caught:
        offline.d3_source()
    assert str(caught.value) == (
        "d3 (mpld3/js/d3.v5.min.js), which draws BertViz's views, is not installed: install "
        "inspector's extra 'views' (pip install 'attention-inspector[views]')."
    )


def test_another_d3_is_refused(monkeypatch, tmp_path):
    file = Path(tmp_path, "js", "d3.v5.min.js")
    file.parent.mkdir()
    file.write_text("alert(1)")
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(InspectorError) as caught:
        offline.d3_source()
    digest = hashlib.sha256(b"alert(1)").hexdigest()
    assert str(caught.value) == (
        f"d3 (mpld3/js/d3.v5.min.js, sha256 {digest[:8]}…) is not d3 5.7.0 "
        "(sha256 bdad5585…): install mpld3>=0.5.10,<0.6 again."
    )
