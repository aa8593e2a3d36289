"""What goes out of a page: each file holds the frame's figures, each line of Python runs."""

import re
from io import BytesIO, StringIO
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
import yaml
from playwright.sync_api import expect

from inspector.dashboard.parts import exports
from inspector.runs.run import Run

TEXT = "Dogs & cats = friends."


def fetched(reader, popover, name):
    button = reader.page.get_by_role("button", name=popover, exact=True).first
    button.scroll_into_view_if_needed()
    reader.settle()  # what comes in above would push the menu out of sight
    button.click()
    menu = reader.page.get_by_test_id("stPopoverBody")
    with reader.page.expect_download() as download:
        menu.get_by_role("button", name=name, exact=True).click()
    found = download.value.path().read_bytes()
    reader.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    return found


@pytest.mark.browser
def test_a_frame_goes_out_as_csv_and_parquet_with_lines_that_run(reader, profiled):
    run = Run.open(yaml.safe_load(profiled.read_text())["run"])
    reader.open("specialization")
    csv = fetched(reader, "Export (claims)", "CSV").decode()
    parquet = fetched(reader, "Export (relations)", "PARQUET")
    pd.testing.assert_frame_equal(
        pd.read_csv(StringIO(csv))[["lift", "q_value"]], run.claims[["lift", "q_value"]]
    )
    pd.testing.assert_frame_equal(pd.read_parquet(BytesIO(parquet)), run.relations)
    reader.page.get_by_role("button", name="Export (claims)", exact=True).click()
    lines = reader.page.get_by_test_id("stCode").last.inner_text()
    assert lines.startswith("import inspector")
    known = {}
    exec("\n".join(lines.splitlines()[:-1]), known)  # noqa: S102
    shown = eval(lines.splitlines()[-1], known)  # noqa: S307
    pd.testing.assert_frame_equal(shown, run.claims)


@pytest.mark.parametrize("page", ["specialization", "head"])
def test_the_lines_that_a_page_offers_run_and_give_its_figures(open_page, profiled, page):
    run = Run.open(yaml.safe_load(profiled.read_text())["run"])
    app = open_page(page, config=profiled, layer="3", head="1")
    offered = {one.value for one in app.code if "import inspector" in one.value}
    assert len(offered) >= 7
    for lines in offered - {one for one in offered if "weight_statistics" in one}:
        *before, last = lines.splitlines()
        known = {}
        exec("\n".join(before), known)  # noqa: S102
        shown = eval(last, known)  # noqa: S307
        if isinstance(shown, pd.DataFrame):
            name = re.match(r"run\.(?:frames\[\")?(\w+)", last)[1]
            whole = run.frames[name]
            if "query" in last:
                whole = whole[(whole["layer"] == 3) & (whole["head"] == 1)]
            pd.testing.assert_frame_equal(shown, whole)
        elif "claim_ladder" in last:
            assert len(known["rungs"]) == len(known["rungs"]["rung"].unique()) > 3
        else:
            assert hasattr(shown, "to_dict") or shown.head == "3-1", lines


@pytest.mark.browser
@pytest.mark.full
def test_a_chart_goes_out_as_svg_and_png(reader):
    reader.open("weights")
    popover = "Export"
    assert b"<svg" in fetched(reader, popover, "SVG")[:200]
    assert fetched(reader, popover, "PNG")[:4] == b"\x89PNG"


@pytest.mark.browser
def test_a_link_has_the_text_only_when_asked_and_brings_it(reader):
    reader.open("attention?layer=2")
    reader.type("Sentence", TEXT)
    copy = reader.page.get_by_role("button", name="Copy link")
    copy.click()
    expect(reader.page.get_by_role("button", name="Copied")).to_be_visible()
    plain = reader.page.evaluate("navigator.clipboard.readText()")
    assert parse_qs(urlsplit(plain).query) == {"layer": ["2"], "head": ["0"]}
    expect(copy).to_be_visible()
    reader.page.get_by_label("with my texts").check()
    copy.click()
    expect(reader.page.get_by_role("button", name="Copied")).to_be_visible()
    whole = reader.page.evaluate("navigator.clipboard.readText()")
    assert parse_qs(urlsplit(whole).query)["sentence"] == [TEXT]
    reader.open(whole.removeprefix(f"{reader.server}/"))
    expect(reader.page.get_by_label("Sentence", exact=True)).to_have_value(TEXT)
    assert reader.query == {"layer": "2", "head": "0"}  # once read, it stands in no history


def test_the_lines_name_the_run_as_python_does():
    assert exports.of_run("it's", "roles").splitlines()[2:] == [
        'run = inspector.Run.open("it\'s")',
        "run.roles",
    ]
