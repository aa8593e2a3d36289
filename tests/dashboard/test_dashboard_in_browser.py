"""The served dashboard in a real browser, the network cut: walked, clicked, reloaded, attacked."""

import re
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import expect
from support.browser.browser_reader import PATIENCE, Reader
from support.browser.dashboard_driver import PAGES

from inspector import words
from inspector.dashboard import walkthrough
from inspector.learning.patterns import PATTERNS
from inspector.models import load

pytestmark = pytest.mark.browser

TEXT = "The animal didn't cross the street because it was too tired."
HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def visited(browser):
    """Return one reader's browser: what he was served once is in its cache."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def reader(visited, server):
    page = visited.new_page()
    reader = Reader(page, server)
    yield reader
    reader.check_clean()
    page.close()


def test_all_pages_can_be_walked(reader):
    reader.open("")
    expect(reader.page).to_have_title("Overview · inspector")
    expect(reader.page.locator("html")).to_have_attribute("lang", "en")
    badge = reader.page.locator(".stMarkdownBadge")
    expect(badge).to_be_visible()
    expect(badge).to_contain_text("Verified")
    for name in PAGES[1:]:
        reader.turn_to(name.capitalize())
        assert urlsplit(reader.page.url).path == f"/{name}"
        assert reader.page.get_by_test_id("stException").count() == 0
        assert reader.page.get_by_test_id("stAlertContentError").all_text_contents() == []


def test_the_first_page_stands_under_its_own_name_too(reader):
    reader.open("overview?lang=zh")
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("概览")
    expect(reader.page).to_have_title("概览 · inspector")
    expect(reader.page.locator("html")).to_have_attribute("lang", "zh")
    expect(reader.page.get_by_text("Page not found")).to_have_count(0)
    assert urlsplit(reader.page.url).path == "/overview"
    assert reader.page.get_by_test_id("stSidebarNav").get_by_role("link").count() == len(PAGES)


def test_a_click_on_a_role_chooses_its_head_and_the_head_page_shows_it(reader):
    reader.open("specialization?relation=det")
    cell = reader.cell("role-grid", 3, 1)
    expect(cell).to_contain_text(re.compile("[●◯]"))
    cell.click()
    reader.settle()
    expect(reader.page.get_by_role("heading", name="Head 3-1")).to_be_visible()
    assert reader.query == {"relation": "det", "layer": "3", "head": "1"}
    forest = reader.page.locator(".st-key-scrolled-forest").get_by_test_id("stVegaLiteChart")
    labels = forest.locator("svg text").filter(has_text="det · ")
    expect(labels).to_have_count(3)
    with reader.page.expect_download() as download:
        reader.page.get_by_role("button", name="Export (claims)", exact=True).click()
        reader.page.get_by_role("button", name="CSV", exact=True).last.click()
    first = download.value.path().read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("relation,direction,layer,head,n,accuracy,baseline_offset")
    reader.turn_to("Head")
    expect(reader.page.get_by_role("heading", name="Roles of head 3-1")).to_be_visible()
    expect(reader.page.get_by_role("heading", name="It misses")).to_be_visible()
    assert reader.page.locator("span[style*='outline'] >> visible=true").count() >= 2
    assert reader.query == {"layer": "3", "head": "1"}


def test_the_verification_draws_its_grid(reader):
    reader.open("verification")
    chart = reader.page.get_by_test_id("stVegaLiteChart").first
    expect(chart.locator("svg")).to_be_visible()
    labels = chart.locator("svg text").all_text_contents()
    assert {"query", "key", "value", "probabilities", "context", "output"} <= set(labels)
    with reader.page.expect_download() as download:
        reader.page.get_by_role("button", name="Download JSON").click()
    assert '"passed": true' in download.value.path().read_text(encoding="utf-8")


def test_a_model_that_is_only_verifiable_can_be_walked(reader, only_verifiable):
    reader.open("weights")
    choice = reader.page.get_by_test_id("stSidebar").get_by_role("combobox").first
    choice.click()
    reader.page.get_by_role("option", name=str(only_verifiable)).click()
    reader.settle()
    for name in PAGES[2:]:
        reader.turn_to(name.capitalize())
        if name not in ("compare", "data"):  # which show runs and texts of any model
            said = reader.page.get_by_text("can be verified, but not profiled")
            expect(said).to_be_visible()
        assert reader.page.get_by_test_id("stAlertContentError").count() == 0
    reader.page.get_by_test_id("stPageLink").get_by_role("link").click()
    reader.settle()
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("Verification")
    assert reader.query == {"model": str(only_verifiable)}
    assert urlsplit(reader.page.url).path == "/verification"
    chart = reader.page.get_by_test_id("stVegaLiteChart").first
    labels = chart.locator("svg text").all_text_contents()
    assert {"encoder.layer.0.attention.self", "probabilities", "context"} <= set(labels)
    reader.page.reload()
    expect(reader.page.get_by_text("2 of 2 attention modules were reached").first).to_be_visible(
        timeout=PATIENCE
    )


def test_the_ablation_page_draws_what_it_computed(reader, small_model):
    reader.open(f"ablation?model={quote(str(small_model))}&layer=1")
    reader.page.get_by_role("button", name="Ablate heads").click()
    expect(reader.page.get_by_role("heading", name="Many heads or one?")).to_be_visible(
        timeout=PATIENCE
    )
    reader.settle()
    charts = reader.page.get_by_test_id("stVegaLiteChart")
    expect(charts).to_have_count(1)
    expect(charts.locator("svg")).to_be_visible()
    assert reader.page.get_by_test_id("stAlertContentError").count() == 0
    expect(reader.page.locator(".st-key-ablation-grid .cell")).to_have_count(2 * 4)
    reader.cell("ablation-grid", 1, 3).click()
    expect(reader.page.get_by_role("heading", name="What changes without head 1-3")).to_be_visible()


def test_the_head_view_is_drawn_in_its_frame(reader):
    reader.open("attention?layer=2&view=head")
    frame = reader.page.frame_locator("[data-testid='stIFrame']")
    frame.locator("#vis svg line").first.wait_for(state="attached")
    assert frame.get_by_role("checkbox").count() == 12
    assert frame.locator("#layer").input_value() == "2"
    expect(frame.get_by_text("animal", exact=True).first).to_be_visible()
    with reader.page.expect_download() as download:
        reader.page.get_by_role("button", name="Download HTML").click()
    assert "tired" in download.value.path().read_text(encoding="utf-8")


def test_the_model_view_and_one_head_are_drawn(reader):
    reader.open("attention?view=model&layer=2")
    frame = reader.page.frame_locator("[data-testid='stIFrame']")
    frame.locator("#vis svg line").first.wait_for(state="attached")
    reader.choose("Matrix")
    assert reader.query == {"view": "matrix", "layer": "2", "head": "0"}
    expect(reader.page.locator(".st-key-attention-view canvas")).to_be_visible()
    assert reader.page.get_by_test_id("stIFrame").count() == 0


def test_a_click_on_a_cell_chooses_its_head_and_a_reload_restores_it(reader):
    reader.open("implementation")
    reader.open("weights")
    first = reader.query
    expect(
        reader.page.get_by_role("heading", name="Head {layer}-{head}".format(**first))
    ).to_be_visible()
    reader.page.go_back()  # that the address names the strongest head is no choice to be undone
    reader.page.wait_for_url("**/implementation")  # by two entries where the script came late
    reader.settle()
    assert urlsplit(reader.page.url).path == "/implementation"
    reader.page.go_forward()
    reader.settle()
    assert reader.query == first
    reader.cell("weights-grid", 3, 7).click()
    reader.settle()
    expect(reader.page.get_by_role("heading", name="Head 3-7")).to_be_visible()
    expect(reader.page.get_by_label("Layer", exact=True)).to_have_value("3")
    assert reader.query == {"layer": "3", "head": "7"}
    reader.page.reload()
    expect(reader.page.get_by_role("heading", name="Head 3-7")).to_be_visible(timeout=PATIENCE)
    reader.settle()
    assert reader.query == {"layer": "3", "head": "7"}
    reader.page.get_by_label("Head", exact=True).fill("2")
    reader.page.get_by_label("Head", exact=True).press("Enter")
    reader.settle()
    expect(reader.page.get_by_role("heading", name="Head 3-2")).to_be_visible()
    reader.turn_to("Attention")
    assert reader.query == {"layer": "3", "head": "2"}
    reader.turn_to("Weights")
    reader.cell("weights-grid", 0, 0).click()
    reader.settle()
    reader.page.reload()  # the first head is a choice as others are
    expect(reader.page.get_by_role("heading", name="Head 0-0")).to_be_visible(timeout=PATIENCE)


def test_back_leaves_a_page_whose_scripts_came_after_its_address_was_completed(reader):
    reader.open("implementation")
    held = []
    reader.page.route("**/BidiComponent.*.js", lambda route: held.append(route))
    reader.page.goto(f"{reader.server}/weights")
    reader.page.wait_for_url("**/weights?**head=**", timeout=PATIENCE)
    assert held
    for script in held:
        script.continue_()
    reader.cell("weights-grid", 0, 0).wait_for()
    reader.settle()
    first = reader.query
    shown = reader.page.get_by_role("heading", name="Head {layer}-{head}".format(**first))
    expect(shown).to_be_visible()
    reader.page.go_back()
    reader.page.wait_for_url("**/implementation")
    reader.settle()
    assert urlsplit(reader.page.url).path == "/implementation"
    reader.page.go_forward()
    reader.settle()
    assert reader.query == first
    expect(shown).to_be_visible()


def test_back_and_forward_undo_choices_and_leave_pages(reader):
    reader.open("weights?layer=0&head=0")
    reader.page.get_by_label("Head", exact=True).fill("7")
    reader.page.get_by_label("Head", exact=True).press("Enter")
    reader.settle()
    for _ in range(2):  # steps are no entries of their own
        reader.page.get_by_test_id("stNumberInputStepUp").first.click()
        reader.settle()
    assert reader.query == {"layer": "2", "head": "7"}
    reader.turn_to("Attention")
    assert reader.query == {"layer": "2", "head": "7"}
    reader.choose("Matrix")
    for back, path, query in (
        (True, "/attention", {"layer": "2", "head": "7"}),
        (True, "/weights", {"layer": "2", "head": "7"}),
        (True, "/weights", {"layer": "0", "head": "0"}),
        (False, "/weights", {"layer": "2", "head": "7"}),
        (False, "/attention", {"layer": "2", "head": "7"}),
        (False, "/attention", {"layer": "2", "head": "7", "view": "matrix"}),
    ):
        reader.page.go_back() if back else reader.page.go_forward()
        reader.settle()
        assert (urlsplit(reader.page.url).path, reader.query) == (path, query)
        if path == "/weights":
            shown = f"Head {query['layer']}-{query['head']}"
            expect(reader.page.get_by_role("heading", name=shown)).to_be_visible()
    expect(reader.page.get_by_role("radio", name="Matrix", exact=True)).to_be_checked()


@pytest.mark.full
def test_back_forward_and_reload_do_the_same_on_the_pages_of_runs(reader):
    """A choice is an entry of the history, a step of one is not; what the URL says is shown."""

    def step(key):
        field = reader.page.locator(f".st-key-{key}")
        before = int(field.get_by_role("spinbutton").input_value())
        field.get_by_test_id("stNumberInputStepUp").click()
        reader.settle()
        return str(before + 1)

    beside = {"beside": "head", "layer": "2", "head": "8"}
    pattern = words.of("train", "en")[f"pattern:{PATTERNS[-1]}"]
    for path, act, stepped, before, after in (
        ("data", lambda: reader.choose("the clipboard"), "", {}, {"given": "paste"}),
        ("concepts?mode=train", lambda: reader.choose(pattern), "", {"mode": "train"},
         {"mode": "train", "pattern": PATTERNS[-1]}),
        ("compare?head=3", lambda: None, "head2", {"head": "3"}, {"head": "3"}),
        ("attention?beside=head&layer=2&head=8", lambda: None, "head_b", beside, beside),
    ):  # fmt: skip
        reader.open("implementation")
        reader.open(path)
        act()
        reader.settle()
        if stepped:
            after = {**after, stepped: step(stepped)}
        assert reader.query == after
        reader.page.reload()
        reader.settle()
        assert reader.query == after
        reader.page.go_back()
        reader.settle()
        here = urlsplit(reader.page.url).path
        assert (here, reader.query) == (
            ("/implementation", {}) if stepped else (f"/{path.split('?')[0]}", before)
        )
        reader.page.go_forward()
        reader.settle()
        assert reader.query == after
        expect(reader.page.get_by_role("heading", level=1)).to_be_visible()


def test_quick_clicks_are_all_counted(reader):
    reader.open("weights?layer=0&head=0")
    more = reader.page.get_by_test_id("stNumberInputStepUp").nth(1)
    for _ in range(4):
        more.click()
    reader.settle()
    expect(reader.page.get_by_role("heading", name="Head 0-4")).to_be_visible()
    reader.settle()
    assert reader.query == {"layer": "0", "head": "4"}


def test_a_link_restores_topic_score_and_language(reader):
    reader.open("concepts?lang=zh&mode=self-attention&layer=2&head=8")
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("概念")
    expect(reader.page.get_by_role("radio", name="自注意力", exact=True)).to_be_checked()
    expect(reader.page.get_by_text("模型自己的头 2-8")).to_be_visible()
    reader.choose("English")
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("Concepts")
    assert reader.query == {"mode": "self-attention", "layer": "2", "head": "8"}


def test_a_link_with_nonsense_opens_the_defaults(reader):
    reader.open("weights?layer=999&head=abc&statistic=%3Cimg%20src%3Dx%3E&model=%2Fetc&lang=xx")
    expect(reader.page.get_by_role("heading", name="Head 0-0")).to_be_visible()
    assert reader.query == {"layer": "0", "head": "0"}
    for asked in ("layer = 999", "head = abc", "statistic = <img src=x>", "lang = xx"):
        expect(reader.page.get_by_text(f"The address asks for {asked}")).to_be_visible()
    assert reader.page.locator("[src=x]").count() == 0


@pytest.mark.parametrize("topic", ["multi-head", "comparison", "cost", "claims"])
def test_a_topic_is_drawn(reader, topic):
    reader.open(f"concepts?mode={topic}")
    if topic == "cost":
        reader.page.get_by_role("button", name="Measure now").click()
        chart = reader.page.get_by_test_id("stVegaLiteChart").locator("svg")
        expect(chart).to_be_visible(timeout=PATIENCE)
    assert reader.query == {"mode": topic}


def test_hostile_text_does_no_harm(reader):
    reader.open("attention?view=head")
    reader.type("Sentence", HOSTILE)
    reader.type("Second sentence (optional)", HOSTILE)
    frame = reader.page.frame_locator("[data-testid='stIFrame']")
    frame.locator("#vis svg line").first.wait_for(state="attached")
    expect(frame.get_by_text("onerror").first).to_be_visible()
    assert frame.locator("img").count() == 0
    for view in ("BertViz: model view", "Matrix", "Lines"):
        reader.choose(view)
    reader.turn_to("Concepts")
    for topic in ("Self-attention", "Multi-head", "Claims, tested", "Attention"):
        reader.choose(topic)
        assert reader.page.locator("[src=x]").count() == 0
    reader.type("Source sentence (it is looked at)", HOSTILE)
    reader.page.get_by_text("As tables of numbers").click()
    expect(reader.page.get_by_role("rowheader", name="script", exact=True).first).to_be_visible()
    assert reader.page.locator("[src=x]").count() == 0
    assert "alert" not in reader.page.url


def test_a_text_that_cannot_be_read_is_a_sentence(reader):
    reader.open("attention")
    reader.type("Sentence", "   ")
    expect(reader.page.get_by_text(re.compile("must not be empty"))).to_be_visible()
    assert reader.page.get_by_test_id("stIFrame").count() == 0


def told(reader, pane, presses):
    """Return what is said of the cell that some presses of arrow keys lead to."""
    reader.page.locator(f".pane .scroll[aria-label^='{pane}: ']").focus()
    for key in presses:
        reader.page.keyboard.press(key)
    return reader.page.locator(".readout").inner_text().replace("−", "-")


def test_keys_walk_through_the_steps_and_a_cell_is_written_out(reader):
    reader.open("concepts?mode=self-attention&layer=2&head=8&step=3")
    tabs = reader.page.get_by_role("tab")
    expect(tabs).to_have_count(7)
    # The dot product of "animal" (row 2) and "didn" (column 3), term by term.
    model = load("minilm")
    call, tokens = walkthrough.layer_call(model, TEXT, 2)
    query, key = call.attention.query[0, 8].tolist(), call.attention.key[0, 8].tolist()
    said = told(reader, "D", ["ArrowDown"] * 2 + ["ArrowRight"] * 3)
    assert said.startswith(f"D[{tokens[2]}, {tokens[3]}] = Q[animal] · K[didn] = ")
    terms = re.findall(r"\(?(-?[\d.]+)\)?·\(?(-?[\d.]+)\)?", said)
    assert [float(one) for one, _ in terms] == pytest.approx(query[2], abs=6e-4)
    assert [float(other) for _, other in terms] == pytest.approx(key[3], abs=6e-4)
    total = 0.0
    for one, other in zip(query[2], key[3], strict=True):
        total += one * other
    assert float(said.rpartition("= ")[2]) == pytest.approx(total, abs=6e-4)
    # A click takes the row's token for the one that looks; one step further is no entry of its own.
    reader.page.keyboard.press("Enter")
    reader.settle()
    assert reader.query["position"] == "2"
    tabs.nth(2).focus()
    reader.page.keyboard.press("ArrowRight")
    reader.settle()
    expect(reader.page.get_by_role("heading", name="4 · Scale")).to_be_visible()
    assert reader.query["step"] == "4"
    said = told(reader, "S", ["ArrowDown"] * 2 + ["ArrowRight"] * 3)
    assert float(said.rpartition("= ")[2]) == pytest.approx(total / 32**0.5, abs=6e-4)
    reader.page.get_by_role("radio", name="itself and those before it (causal)").click()
    reader.settle()
    reader.page.get_by_role("tab", name="6 · Softmax").click()
    reader.settle()
    assert reader.query["mask"] == "switched"
    said = told(reader, "P", ["ArrowDown"] * 2 + ["ArrowRight"] * 3)
    assert said.endswith("= 0.000")
    reader.page.go_back()  # from the softmax, which was chosen; then from the mask's switch
    reader.settle()
    assert (reader.query["step"], reader.query["mask"]) == ("4", "switched")
    reader.page.go_back()
    reader.settle()
    assert reader.query == {
        "mode": "self-attention", "layer": "2", "head": "8", "position": "2", "step": "4",
    }  # fmt: skip
