"""The dashboard as its readers need it: to be read by everybody, by keys alone, and at once."""

import json
import os
import re
import signal
import subprocess
import time
from importlib.metadata import files
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from support.browser.browser_reader import PATIENCE, Reader
from support.browser.dashboard_driver import PAGES, ROOT
from support.browser.serving import free_port, wait_until_healthy

pytestmark = pytest.mark.browser

# Every page in every combination takes minutes.
SOME = [
    ("overview", "light", "en", 1440),
    ("head", "dark", "zh", 420),
    ("attention", "dark", "en", 1440),
    ("concepts", "light", "zh", 420),
]
EVERY = [
    (page, theme, language, width)
    for page in PAGES
    for theme in ("light", "dark")
    for language in ("en", "zh")
    for width in (1440, 1024, 420)
]
# A page's run is over before what it sent is drawn: formulas come with a script of their own, and
# their fonts after it. A frame later what scrolls is a stop of Tab.
DRAWN = """
    new Promise(done => {
      let quiet = setTimeout(done, 500);
      const again = () => { clearTimeout(quiet); quiet = setTimeout(done, 500); };
      new MutationObserver(again).observe(document.body, {childList: true, subtree: true});
      setTimeout(done, 20000);
    })
    .then(() => document.fonts.ready)
    .then(() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))))
"""
WATCH_A_CHOICE = """
heading => {
  window.chosen = {};
  window.addEventListener('click', () => { chosen.begin = performance.now(); },
    {capture: true, once: true});
  new MutationObserver((_, watch) => {
    if (![...document.querySelectorAll('h2')].some(one => one.textContent === heading)) return;
    watch.disconnect();
    requestAnimationFrame(() => { chosen.end = performance.now(); });
  }).observe(document.body, {characterData: true, childList: true, subtree: true});
}
"""
"""From the reader's click to the frame that shows it; what moves his mouse takes time too."""
ALLOWED = {"first page": 5.0, "page switch": 1.0, "choice of a head": 0.3, "512 tokens": 1.0}
"""Seconds; three times as many may be taken, as other people use the machine too."""


def axe_source():
    found = [one for one in files("axe-playwright-python") if one.name == "axe.min.js"]
    return found[0].locate().read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def contexts(browser):
    """Return a function: theme → a browser of that theme, one for all tests."""
    made = {}

    def one(theme):
        if theme not in made:
            made[theme] = browser.new_context(color_scheme=theme)
        return made[theme]

    yield one
    for context in made.values():
        context.close()


def violations(reader):
    """Return what axe finds serious or critical, each with the element that it names first."""
    reader.page.evaluate(axe_source())
    found = reader.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (one["id"], len(one["nodes"]), one["nodes"][0]["html"][:120])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def audit(contexts, server, combinations):
    found = {}
    for page, theme, language, width in combinations:
        tab = contexts(theme).new_page()
        tab.set_viewport_size({"width": width, "height": 900})
        reader = Reader(tab, server)
        reader.open(f"{page}?lang={language}")
        tab.evaluate(DRAWN)
        seen = violations(reader)
        if seen:  # on a busy machine a part may still have come while it was looked at
            tab.evaluate(DRAWN)
            seen = violations(reader)
        if tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
            seen.append(("scrolls sideways", 1, ""))
        if seen:
            found[page, theme, language, width] = seen
        reader.check_clean()
        tab.close()
    return found


def test_axe_finds_nothing_serious(contexts, server):
    assert audit(contexts, server, SOME) == {}


@pytest.mark.full
def test_axe_finds_nothing_serious_in_any_combination(contexts, server):
    assert audit(contexts, server, EVERY) == {}


@pytest.fixture
def reader(contexts, server):
    tab = contexts("light").new_page()
    tab.set_viewport_size({"width": 1440, "height": 1000})
    reader = Reader(tab, server)
    yield reader
    reader.check_clean()
    tab.close()


def test_it_answers_at_once(reader, capsys):
    taken = {}

    def timed(act, done):
        begin = time.perf_counter()
        act()
        done()
        return time.perf_counter() - begin

    page = reader.page
    reader.open("")  # the server has loaded the model
    last_cell = reader.cell("overview-grid", 5, 11)
    taken["first page"] = timed(
        lambda: page.goto(reader.server), lambda: last_cell.wait_for(timeout=PATIENCE)
    )
    reader.settle()
    navigation = page.get_by_test_id("stSidebarNav")
    switches = []
    for name in ("Attention", "Weights"):
        shown = page.get_by_role("heading", level=1, name=name)
        switches.append(timed(navigation.get_by_role("link", name=name).click, shown.wait_for))
        reader.settle()
    taken["page switch"] = min(switches)
    choices = []
    for layer, head in ((2, 3), (4, 5), (1, 1), (0, 2), (3, 4), (5, 0)):
        page.evaluate(WATCH_A_CHOICE, f"Head {layer}-{head}")
        reader.cell("weights-grid", layer, head).click()
        page.wait_for_function("chosen.end > chosen.begin")
        reader.settle()
        choices.append(page.evaluate("chosen.end - chosen.begin") / 1000)
    taken["choice of a head"] = median(choices)
    reader.turn_to("Attention")
    field = page.get_by_label("Sentence", exact=True)
    field.fill(" ".join("a" * 510))
    view = page.locator(".attention-view")
    field.press("Control+Enter")
    expect(view.locator("canvas")).to_have_attribute("height", str(512 * 15 + 8), timeout=PATIENCE)
    reader.settle()
    taken["512 tokens"] = int(view.get_attribute("data-drawn-ms")) / 1000
    with capsys.disabled():
        said = {name: f"{seconds:.2f} s" for name, seconds in taken.items()}
        print(f"\n{json.dumps(said)}")
    assert [name for name in ALLOWED if taken[name] > 3 * ALLOWED[name]] == []


@pytest.mark.full
def test_from_the_command_to_the_grid_it_takes_seconds(contexts, tmp_path, capsys):
    """By `make run`; the grid is there before the model is: verified is said later."""
    taken = []
    for number in range(2):
        port, log = free_port(), tmp_path / f"{number}.txt"
        page = contexts("light").new_page()
        begin = time.perf_counter()
        with log.open("w") as output:
            process = subprocess.Popen(
                ["make", "run", f"PORT={port}"],
                cwd=ROOT, stdout=output, stderr=output, start_new_session=True,
                env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
            )  # fmt: skip
        try:
            page.goto(wait_until_healthy(process, port, log))
            reader = Reader(page, f"http://127.0.0.1:{port}")
            reader.cell("overview-grid", 5, 11).wait_for(timeout=PATIENCE)
            taken.append(time.perf_counter() - begin)
            # The model is only now being loaded: before the grid that would be over.
            expect(page.get_by_text("Loading and checking the model")).to_be_visible()
            verdict = page.get_by_text("deliberate mistakes were caught")
            assert verdict.count() == 0
            verdict.wait_for(timeout=PATIENCE)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)
            page.close()
    with capsys.disabled():
        print(f"\nfrom make run to the grid: {', '.join(f'{one:.1f} s' for one in taken)}")
    assert min(taken) < 3 * ALLOWED["first page"]


@pytest.mark.full
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_twenty_sessions_take_little_more_than_one(browser, server, capsys):
    """Sessions share model, run and corpus: what each adds is its page."""
    port = urlsplit(server).port
    (pid,) = [
        one.name
        for one in Path("/proc").iterdir()
        if one.name.isdigit() and f"--server.port\0{port}\0" in commanded(one)
    ]
    context, pages = browser.new_context(), ("overview", "specialization", "weights", "attention")
    first = Reader(context.new_page(), server)
    for place in pages:
        first.open(place)
    one = resident_mb(pid)
    for number in range(19):
        Reader(context.new_page(), server).open(pages[number % len(pages)])
    more = resident_mb(pid) - one
    context.close()
    with capsys.disabled():
        print(f"\none session {one:.0f} MB, 19 sessions more: {more:+.0f} MB")
    assert more < 300


def commanded(process):
    try:
        return (process / "cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # it has ended


def resident_mb(pid):
    status = (Path("/proc") / pid / "status").read_text(encoding="utf-8")
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def test_four_clicks_from_the_first_page_to_sentences(reader):
    """Which head follows objects, is it more than a rule, is it needed, three sentences."""
    clicks = 0

    def click(place):
        nonlocal clicks
        clicks += 1
        place.click()
        reader.settle()

    reader.open("")
    click(reader.page.get_by_role("combobox", name="Which head follows …"))
    reader.page.keyboard.type("direct object")
    click(reader.page.get_by_role("option", name="obj – direct object").first)
    answer = reader.page.get_by_text("Of direct object").or_(
        reader.page.get_by_text("follows direct object")
    )
    expect(answer.last).to_contain_text("points over the best fixed offset")
    expect(answer.last).to_contain_text("Needed by the model")
    # More than "the nearest verb"? The best simpler rule stands there, and each with its lead.
    rule = reader.page.get_by_text("The best simpler explanation")
    expect(rule).to_contain_text(re.compile(r"finds \d+\.\d %.*“.+”, finds \d+\.\d %"))
    ladder = reader.page.locator(".st-key-ladder-asked-ladder svg text")
    nearest = ladder.filter(has_text=re.compile("nearest|first of the|last of the"))
    expect(nearest).to_have_count(1)
    expect(ladder.filter(has_text="random weights")).to_have_count(1)
    click(reader.page.get_by_test_id("stPageLink").get_by_text("Hits and misses of head").last)
    expect(reader.page.get_by_role("heading", name="It hits")).to_be_visible()
    sentences = reader.page.locator("span[style*='outline'] >> visible=true")
    assert sentences.count() >= 3
    assert "obj." in reader.query["pair"]
    assert clicks <= 4


def test_the_same_in_chinese_with_what_is_lost_without_the_head(reader):
    page = reader.page
    reader.open("?lang=zh")
    page.get_by_role("combobox", name="哪个头跟随").click()
    page.keyboard.type("直接宾语")
    page.get_by_role("option", name="obj – 直接宾语").first.click()
    reader.settle()
    page.get_by_role("button", name="需要它吗").click()
    expect(page.get_by_text("最后状态改变")).to_be_visible(timeout=PATIENCE)
    reader.settle()
    page.get_by_test_id("stPageLink").get_by_text("的命中与未命中").last.click()
    reader.settle()
    expect(page.get_by_role("heading", name="命中", exact=True)).to_be_visible()
    assert page.locator("span[style*='outline'] >> visible=true").count() >= 3


def test_words_of_streamlit_s_own_are_chinese_on_chinese_pages(reader):
    page = reader.page
    reader.open("attention?lang=zh")
    page.get_by_label("句子", exact=True).press_sequentially("a")
    hint = page.get_by_test_id("InputInstructions").locator("span")
    expect(hint).to_have_text("按 Ctrl+回车应用")
    reader.open("search?lang=zh")
    field = page.get_by_label("词", exact=True)
    field.press_sequentially("a")
    expect(hint).to_have_text("按回车应用")
    field.press("Enter")
    reader.settle()
    box = page.get_by_role("combobox", name="由此关系相连")
    assert box.get_attribute("placeholder") == "请选择"
    box.click()
    page.keyboard.type("zzzz")
    expect(page.locator("[role='listbox'] [role='option']")).to_have_text("没有匹配项")


def test_every_stage_of_the_verification_is_seen_on_a_phone(contexts, server):
    tab = contexts("light").new_page()
    tab.set_viewport_size({"width": 420, "height": 900})
    reader = Reader(tab, server)
    reader.open("verification")
    chart = tab.get_by_test_id("stVegaLiteChart").first
    for stage in ("query", "probabilities", "gradient"):
        label = chart.locator("svg text").filter(has_text=re.compile(f"^{stage}$"))
        expect(label).to_be_in_viewport()
    reader.check_clean()
    tab.close()


def test_one_click_on_a_claim_leads_to_its_hits_and_misses(reader):
    reader.open("specialization?verdict=all&relation=det")
    table = reader.page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    place = table.bounding_box()
    reader.page.mouse.click(place["x"] + 120, place["y"] + 55)
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("Head")
    reader.settle()
    assert reader.query["pair"].startswith("det.")
    expect(reader.page.get_by_role("heading", name="It misses")).to_be_visible()


def test_keys_alone_lead_from_the_first_page_to_a_passport(reader):
    reader.open("head?layer=2&head=3")
    press = reader.page.keyboard.press

    def focused():
        return reader.page.evaluate(
            "() => { let at = document.activeElement;"
            " while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;"
            " return at?.getAttribute('aria-label') || at?.innerText || ''; }"
        )

    def tab_to(text, most=60):
        for _ in range(most):
            press("Tab")
            if text in focused():
                return
        raise AssertionError(f"Tab does not lead to {text!r}")

    tab_to("2-3:")
    press("ArrowDown")
    press("Enter")
    expect(reader.page.get_by_role("heading", name="Roles of head 3-3")).to_be_visible()
    reader.settle()
    tab_to("Passport: Download JSON")
    with reader.page.expect_download() as download:
        press("Enter")
    document = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert document["head"] == "3-3"


def test_what_cannot_be_pressed_yet_can_be_read(contexts, server):
    """Letters of a button that is out of use are not of the page's own colour."""
    for theme, page in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(17, 17, 17)")):
        tab = contexts(theme).new_page()
        reader = Reader(tab, server)
        reader.open("data")
        letters = tab.locator('button[kind="primary"]:disabled p')
        assert letters.evaluate("one => getComputedStyle(one).color") != page
        tab.close()
