"""What Streamlit says of its own stands in the page's language, and is known when it changes."""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit
from playwright.sync_api import TimeoutError, expect
from support.browser.browser_reader import PATIENCE, Reader
from support.browser.dashboard_driver import ROOT
from support.browser.serving import end, free_port, wait_until_healthy

from inspector import dashboard, words

SCRIPT = Path(dashboard.__file__).with_name("document.js").read_text(encoding="utf-8")
TOOLBAR = "[data-testid='stElementToolbar'] button"
NAMED = """
() => [...document.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap(one =>
  ['aria-label', 'title', 'placeholder'].map(name => one.getAttribute(name)).filter(Boolean))
"""


def own():
    """Return key → what Streamlit says, as the script has it."""
    table = re.search(r"const OWN = \{\n(.*?)\n\};", SCRIPT, re.DOTALL)[1]
    lines = re.findall(r"^  (\w+): (\".*\"),$", table, re.M)
    return {key: json.loads(text) for key, text in lines}


def test_streamlit_says_each_of_them_still():
    folder = Path(streamlit.__file__).parent / "static" / "static" / "js"
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.js"))
    assert len(own()) > 40
    said = {
        key: re.sub(r"^# |s?$|(?<=Press ).*(?=Enter)|(?<=Enter to ).*", "", text)
        for key, text in own().items()
    }
    assert {key: text for key, text in said.items() if text not in scripts} == {}


@pytest.mark.parametrize("language", words.languages())
def test_each_of_them_has_words(language):
    assert list(words.of("streamlit", language)) == list(own())


@pytest.fixture
def reader(browser, server):
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    reader = Reader(context.new_page(), server)
    yield reader
    reader.check_clean()
    context.close()


@pytest.mark.browser
def test_tools_menus_and_tooltips_are_chinese_and_english_again(reader):
    zh = words.of("streamlit", "zh")
    reader.open("specialization?lang=zh")
    page = reader.page
    page.locator("[data-testid='stDataFrame']").first.wait_for(timeout=PATIENCE)
    table = page.locator("[data-testid='stDataFrame']").first
    table.scroll_into_view_if_needed()
    table.hover()
    assert set(page.evaluate(NAMED)) & set(own().values()) == set()
    tool = page.locator(f"{TOOLBAR}:visible").first
    tool.hover()
    expect(page.get_by_test_id("stTooltipContent")).to_have_text(tool.get_attribute("aria-label"))
    box = table.bounding_box()
    menu = page.get_by_test_id("stDataFrameColumnMenu")
    for right in range(60, 400, 12):  # the mark at a header's end is drawn: no element to click
        page.mouse.click(box["x"] + right, box["y"] + 18)
        with contextlib.suppress(TimeoutError):
            menu.wait_for(timeout=700)
            break
    expect(menu).to_contain_text(zh["ascending"])
    expect(menu).to_contain_text(zh["hide"])
    assert re.findall(r"[A-Z][a-z]+", menu.inner_text()) == []
    page.keyboard.press("Escape")
    reader.choose("English")
    labels = [one.get_attribute("aria-label") for one in page.locator(TOOLBAR).all()]
    assert "Fullscreen" in labels
    assert set(page.evaluate(NAMED)) & set(zh.values()) == set()


@pytest.mark.browser
def test_what_a_reader_types_is_left_alone(reader):
    reader.open("attention?lang=zh")
    field = reader.page.get_by_label(words.of("attention", "zh")["sentence"], exact=True)
    field.fill("Search")
    field.press("Control+Enter")
    reader.settle()
    assert field.input_value() == "Search"
    expect(reader.page.get_by_text("Search", exact=True).first).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_lost_connection_is_said_in_the_pages_language(browser, tmp_path, language):
    port, log = free_port(), tmp_path / "log.txt"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    context = browser.new_context()
    try:
        address, page = wait_until_healthy(process, port, log), context.new_page()
        page.goto(f"{address}/search?lang={language}")
        page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE)
        end(process)
        said = page.get_by_test_id("stDialog")
        expect(said).to_contain_text(words.of("streamlit", language)["lost_why"])
        expect(said).not_to_contain_text("internet")
    finally:
        end(process)
        context.close()
