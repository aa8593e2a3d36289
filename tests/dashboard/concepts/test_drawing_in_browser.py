"""Drawings, training and reports in a real browser, at every width; see also the walk by keys."""

import json
import time

import pytest
from playwright.sync_api import expect
from support.browser.browser_reader import Reader

pytestmark = [pytest.mark.browser, pytest.mark.full]


@pytest.fixture
def reader(browser, server):
    context = browser.new_context()
    reader = Reader(context.new_page(), server)
    yield reader
    reader.check_clean()
    context.close()


@pytest.mark.parametrize("width", [1440, 1024, 420])
def test_every_step_fits_every_width(reader, width):
    reader.page.set_viewport_size({"width": width, "height": 900})
    for mode, count in (("self-attention", 7), ("attention", 6), ("multi-head", 4)):
        for step in range(1, count + 1):
            reader.open(f"concepts?mode={mode}&step={step}")
            expect(reader.page.locator(".drawing canvas").first).to_be_visible()
            root = "document.documentElement"
            assert reader.page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")


def test_a_picture_chooses_its_head_and_five_hundred_tokens_are_drawn(reader):
    reader.open("concepts?mode=multi-head")
    pictures = reader.page.locator(".pictures .scroll")
    expect(pictures).to_have_count(12)
    pictures.nth(7).click()
    reader.settle()
    expect(reader.page.get_by_role("heading", name="head 7", exact=True)).to_be_visible()
    assert reader.query == {"mode": "multi-head", "head": "7"}
    reader.type("Sentence", "it was " * 250)
    reader.page.get_by_text("502 × 502").wait_for()
    expect(reader.page.get_by_role("heading", name="head 7", exact=True)).to_be_visible()


def test_a_head_is_trained_while_another_reader_is_served(reader, browser):
    reader.open("concepts?mode=train&pattern=previous")
    reader.page.get_by_role("button", name="Train", exact=True).click()
    expect(reader.page.get_by_text("Step ").first).to_be_visible(timeout=60_000)
    other = browser.new_context()
    tab = Reader(other.new_page(), reader.server)
    tab.open("concepts?mode=comparison")
    began = time.monotonic()
    tab.choose("Self-attention")
    assert time.monotonic() - began < 10
    other.close()
    expect(reader.page.get_by_text("Learnt after")).to_be_visible(timeout=120_000)
    expect(reader.page.locator(".pictures canvas")).to_have_count(4)


def test_the_comparison_is_read_on_a_phone(reader):
    reader.page.set_viewport_size({"width": 420, "height": 900})
    reader.open("concepts?mode=comparison")
    # The page is drawn anew at the new width: what it comes to counts, not what it passes through.
    reader.page.wait_for_function(
        """() => {
            const boxes = [...document.querySelectorAll('.st-key-kinds td')]
                .map((cell) => cell.getBoundingClientRect());
            return boxes.length > 3 && boxes.every(({left, right}) => left >= 0 && right <= 420);
        }"""
    )
    label = "getComputedStyle(document.querySelectorAll('.st-key-kinds td')[3], '::before').content"
    assert reader.page.evaluate(label) == '"Multi-head self-attention"'


def test_a_report_is_uploaded_and_a_hostile_one_is_a_sentence(reader):
    row = {"layer": 0, "stage": "output", "input": "random", "error_in_u": 1e5, "passed": False}
    evil = "<img src=x onerror=alert(1)>"
    diagnosis = {
        "verdict": "named", "mistakes": ["scale omitted"], "fix": evil, "equation": "S",
        "details": [], "nearest": None, "likely_cause": None,
    }  # fmt: skip
    report = {
        "model": "minilm", "implementation": evil, "dtype": "float32", "passed": False,
        "layers": [row], "first_difference": None, "diagnosis": diagnosis, "unseen": [],
        "notes": [evil], "distances": [{"mistake": None, "distance": 0.5},
                                       {"mistake": "scale omitted", "distance": 1e-8}],
    }  # fmt: skip
    reader.open("implementation")
    field = reader.page.locator("input[type=file]")

    def upload(data):
        file = {"name": "r.json", "mimeType": "application/json", "buffer": data}
        field.set_input_files([file])
        reader.settle()

    upload(json.dumps(report).encode())
    expect(reader.page.get_by_text("differs from minilm")).to_be_visible()
    charts = reader.page.get_by_test_id("stVegaLiteChart")
    expect(charts.first.locator("svg text").filter(has_text="scale omitted")).to_have_count(1)
    assert reader.page.locator("[src=x]").count() == 0
    for data in (
        b"[" * 100_000,
        json.dumps({**report, "layers": [{**row, "layer": 1e400}]}).encode(),
    ):
        upload(data)
        (told,) = reader.page.get_by_test_id("stAlertContentError").all_inner_texts()
        assert "report (r.json) must be " in told
