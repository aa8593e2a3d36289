"""The views in a real browser: drawn with the network cut, deaf to hostile tokens."""

import pytest

pytestmark = pytest.mark.browser


class Visit:
    """A page opened from a file, with what happened meanwhile."""

    def __init__(self, page, path):
        self.page = page
        self.requests, self.errors, self.dialogs = [], [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._log(message))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.set_default_timeout(8000)
        self.url = path.as_uri()
        page.goto(self.url)

    def _log(self, message):
        if message.type == "error":
            self.errors.append(message.text)

    def check_clean(self):
        assert (self.requests, self.errors, self.dialogs) == ([self.url], [], [])


@pytest.fixture
def visit(page, tmp_path):
    def open_page(view):
        return Visit(page, view.save(tmp_path / "view.html"))

    return open_page


def test_the_head_view_draws_and_its_controls_work(visit, page, make_maps):
    maps = make_maps(5, n_layers=3, n_heads=12)
    visited = visit(maps.head_view())
    lines = page.locator("#attention line")
    assert lines.count() == 12 * 5 * 5
    assert len(set(lines.evaluate_all("all => all.map(l => l.getAttribute('stroke'))"))) == 12
    first = page.get_by_role("checkbox", name="head 0", exact=True)
    assert page.get_by_role("checkbox").count() == 12
    assert page.locator(".number").all_text_contents() == [str(head) for head in range(12)]

    def opacity(head, query, key):
        """Return the opacity of a line that all 12 heads share."""
        number = (head * 5 + query) * 5 + key
        return float(lines.nth(number).get_attribute("stroke-opacity"))

    assert opacity(7, 1, 2) * 12 == pytest.approx(maps.probabilities[0, 7, 1, 2], abs=5.1e-4)
    page.get_by_label("layer").select_option("2")
    assert opacity(7, 1, 2) * 12 == pytest.approx(maps.probabilities[2, 7, 1, 2], abs=5.1e-4)
    assert page.get_by_role("checkbox").count() == 12

    first.click()
    assert first.get_attribute("aria-checked") == "false"
    assert opacity(0, 1, 2) == 0
    first.press(" ")
    assert first.get_attribute("aria-checked") == "true"
    first.press("Enter")
    checked = page.locator("[role=checkbox][aria-checked=true]")
    assert checked.count() == 1
    assert opacity(0, 1, 2) == pytest.approx(maps.probabilities[2, 0, 1, 2], abs=5.1e-4)
    visited.check_clean()


def test_the_model_view_draws_and_enlarges_a_head(visit, page, make_maps):
    visited = visit(make_maps(4, n_layers=2, n_heads=3).model_view())
    assert page.locator("#vis line").count() == 2 * 3 * 4 * 4
    page.locator("#vis svg > g > rect:last-child").nth(4).click()
    assert page.locator("text.detail").all_text_contents() == ["Layer 1, Head 1"]
    assert page.locator("g.detail text").all_text_contents() == ["p0", "p1", "p2", "p3"] * 2
    visited.check_clean()


def test_the_model_view_shrinks_to_its_page(visit, page, make_maps):
    page.set_viewport_size({"width": 600, "height": 800})
    visited = visit(make_maps(4, n_layers=2, n_heads=12).model_view())
    drawn = page.locator("#vis svg").bounding_box()
    assert drawn["x"] + drawn["width"] <= 600
    assert drawn["height"] / drawn["width"] == pytest.approx(
        page.evaluate("(svg => svg.getAttribute('height') / svg.getAttribute('width'))"
                      "(document.querySelector('#vis svg'))"),
        rel=0.02,
    )  # fmt: skip
    page.locator("#vis svg > g > rect:last-child").nth(11).click()
    assert page.locator("text.detail").all_text_contents() == ["Layer 0, Head 11"]
    page.set_viewport_size({"width": 1200, "height": 800})
    assert page.locator("#vis svg").bounding_box()["width"] == pytest.approx(970)
    visited.check_clean()


@pytest.mark.parametrize("view", ["head_view", "model_view"])
def test_a_view_speaks_another_language(visit, page, make_maps, view):
    names = {
        "Layer:": "层：", "Layers": "层", "Heads": "头", "head view note": "<b>说明</b>",
        "model view note": "<b>说明</b>", "head view": "{title}（视图）",
        "model view": "{title}（视图）",
    }  # fmt: skip
    visited = visit(getattr(make_maps(["Heads", "Layer:"]), view)(names=names))
    assert page.title() == "tiny: The cat（视图）"
    assert page.locator("body > p").text_content() == "<b>说明</b>"
    text = page.locator("div#attention").text_content()
    assert ("层：" if view == "head_view" else "层") in text
    if view == "head_view":
        # What is read stays as it is, whatever it is.
        assert page.locator("#left text").all_text_contents() == ["Heads", "Layer:"]
    else:
        assert "Heads" not in text
        assert "头" in text
    visited.check_clean()


def test_one_part_of_a_pair_can_be_chosen(visit, page, make_maps):
    visited = visit(make_maps(5, n_heads=2, text_pair="b", sentence_b_start=2).head_view())
    page.get_by_label("which sentence").select_option(label="Sentence A -> Sentence B")
    assert page.locator("#left text").all_text_contents() == ["p0", "p1"]
    assert page.locator("#right text").all_text_contents() == ["p2", "p3", "p4"]
    visited.check_clean()


@pytest.mark.parametrize("view", ["head_view", "model_view"])
def test_hostile_tokens_are_shown_as_they_are_and_do_nothing(visit, page, make_maps, hostile, view):
    maps = make_maps(hostile, n_layers=1, n_heads=2, text=hostile[0])
    visited = visit(getattr(maps, view)())
    title = page.title()
    if view == "model_view":
        page.locator("#vis svg > g > rect:last-child").first.click()
    shown = page.locator("#left text" if view == "head_view" else "g.detail text")
    assert shown.all_text_contents()[: len(hostile)] == hostile
    assert page.locator("img").count() == 0
    assert page.locator("h1").text_content() == title
    assert title.endswith(f"view of tiny: {hostile[0]}")
    visited.check_clean()


@pytest.mark.parametrize("view", ["head_view", "model_view"])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_view_is_dark_on_white_in_either_theme(
    browser, tmp_path, make_maps, view, color_scheme
):
    path = getattr(make_maps(), view)().save(tmp_path / "view.html")
    context = browser.new_context(color_scheme=color_scheme)
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("#vis svg text")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    fill = page.locator("#vis svg text").first.evaluate("text => getComputedStyle(text).fill")
    assert fill == "rgb(0, 0, 0)"
    context.close()


@pytest.mark.parametrize("view", ["head_view", "model_view"])
@pytest.mark.parametrize("n", [2, 30])
def test_the_given_height_shows_the_whole_view(page, tmp_path, make_maps, view, n):
    made = getattr(make_maps(n, n_layers=6, n_heads=12), view)()
    path = tmp_path / "view.html"
    # In a narrower page the model view shrinks.
    page.set_viewport_size({"width": 1024, "height": made.height})
    page.goto(made.save(path).as_uri())
    page.wait_for_selector("#vis svg")
    needed = page.evaluate("document.querySelector('#vis').getBoundingClientRect().bottom")
    assert made.height - 100 < needed <= made.height


def test_a_notebook_frame_draws_and_asks_for_nothing(page, tmp_path, make_maps):
    notebook = tmp_path / "notebook.html"
    frame = make_maps(4, n_heads=3).head_view()._repr_html_()
    notebook.write_text(f"<!DOCTYPE html><meta charset='utf-8'>{frame}", encoding="utf-8")
    requests, errors = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(notebook.as_uri())
    inner = page.frame_locator("iframe")
    inner.locator("#attention line").first.wait_for(state="attached")
    assert inner.locator("#attention line").count() == 3 * 4 * 4
    assert [url for url in requests if not url.startswith(("about:", "data:"))] == [
        notebook.as_uri()
    ]
    assert errors == []


def test_control_a_page_that_trusts_its_tokens_is_seen_to_misbehave(visit, page, make_maps):
    class Trusting:
        def save(self, path):
            path.write_text("<script>'</script><img src=x onerror=alert(1)>'</script>")
            return path

    visited = visit(Trusting())
    page.wait_for_function("document.querySelectorAll('img').length === 1")
    assert visited.dialogs == ["1"]
    assert len(visited.requests) == 2
    with pytest.raises(AssertionError):
        visited.check_clean()
