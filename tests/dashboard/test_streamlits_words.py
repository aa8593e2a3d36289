"""What Streamlit says of its own stands in the page's language, and is known when it changes."""

import contextlib
import json
import re
from pathlib import Path

import pytest
import streamlit
from playwright.sync_api import TimeoutError, expect
from support.browser.browser_reader import PATIENCE, Reader
from support.browser.serving import end, free_port, serve, wait_until_healthy

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


def as_written(text):
    """Return what stands of a sentence in Streamlit's scripts, each part with its quotes."""
    hint = re.fullmatch(r"Press (?:(.+)\+)?Enter to (\w+)", text)
    if hint:
        return [f"`{one}`" for one in hint.groups() if one] + ["Press ", "Enter to ${"]
    if text in ("{a} result", "{a} results"):
        return ["} result${"]
    if text == "{a} of over {b}" or text.startswith("{a} of {b}"):
        return ["} of ${", "} result${"]
    if text == "over {a}":
        return ["`over 1000`"]
    if text == "{a}th percentile":
        return ["`25th percentile`", "`75th percentile`"]
    if "{" in text:
        before, after = re.split(r"\{\w+\}", text)
        return [f"`{before}${{" if before else "`${", f"}}{after}`"]
    return [f"`{text}`"]


def test_streamlit_says_each_of_them_still():
    folder = Path(streamlit.__file__).parent / "static" / "static" / "js"
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.js"))
    assert len(own()) > 70
    gone = {
        key: text
        for key, text in own().items()
        if not all(part in scripts for part in as_written(text))
    }
    assert gone == {}


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


def open_a_menu(page, table):
    """Open the first column's menu: its mark is drawn, so that there is no element to click."""
    box, menu = table.bounding_box(), page.get_by_test_id("stDataFrameColumnMenu")
    for right in range(60, 400, 12):
        page.mouse.click(box["x"] + right, box["y"] + 18)
        with contextlib.suppress(TimeoutError):
            menu.wait_for(timeout=700)
            return menu
    raise AssertionError("no menu was opened")


@pytest.mark.browser
def test_tools_menus_and_tooltips_are_chinese_and_english_again(reader):
    zh = words.of("streamlit", "zh")
    reader.open("specialization?lang=zh")
    page = reader.page
    page.locator("[data-testid='stDataFrame']").first.wait_for()
    table = page.locator("[data-testid='stDataFrame']").first
    table.scroll_into_view_if_needed()
    table.hover()
    assert set(page.evaluate(NAMED)) & set(own().values()) == set()
    tool = page.locator(f"{TOOLBAR}:visible").first
    tool.hover()
    expect(page.get_by_test_id("stTooltipContent")).to_have_text(tool.get_attribute("aria-label"))
    menu = open_a_menu(page, table)
    expect(menu).to_contain_text(zh["ascending"])
    assert re.findall(r"[A-Z][a-z]+", menu.inner_text()) == []
    menu.get_by_text(zh["statistics"]).hover()
    statistics = page.get_by_test_id("stDataFrameStatisticsMenu")
    expect(statistics).to_contain_text(zh["values"])
    metrics = statistics.get_by_test_id("stDataFrameStatisticsMetrics").inner_text()
    assert re.findall(r"[A-Z][a-z]+", metrics) == []
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
@pytest.mark.parametrize(("host", "language"), [("127.0.0.1", "en"), ("localhost", "zh")])
def test_a_lost_connection_is_said_in_the_pages_language(
    browser_type, browser_type_launch_args, tmp_path, host, language
):
    """Streamlit says one thing of an address by number and another of localhost."""
    port, log = free_port(), tmp_path / "log.txt"
    process = serve(port, log)
    given = browser_type_launch_args
    reached = [one.replace("EXCLUDE 127.0.0.1", f"EXCLUDE {host}") for one in given["args"]]
    browser = browser_type.launch(**{**given, "args": reached})
    try:
        wait_until_healthy(process, port, log)
        page = browser.new_page()
        page.goto(f"http://{host}:{port}/search?lang={language}")
        page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE)
        end(process)
        said = page.get_by_test_id("stDialog")
        expect(said).to_contain_text(words.of("streamlit", language)["lost_why"])
        assert "streamlit" not in said.inner_text().lower()
    finally:
        end(process)
        browser.close()
