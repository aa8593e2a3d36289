"""A decoder's pages: its roles, its probes' claims, one head, attention, and the vocabulary."""

from urllib.parse import quote

import pytest
import yaml
from playwright.sync_api import expect
from support.browser.dashboard_driver import texts
from support.decoders import drawn_words


@pytest.fixture(scope="module")
def config(tmp_path_factory, decoder):
    """Return the settings of a planted decoder and its run on two probes."""
    file = tmp_path_factory.mktemp("decoder") / "settings.yaml"
    file.write_text(yaml.safe_dump({"models": [str(decoder[0])], "run": str(decoder[1])}))
    return file


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("overview", "induction"),
        ("specialization", "Head 1-2"),
        ("head", "looks at what followed the same token before"),
        ("attention", "Attention"),
        ("weights", "In the vocabulary"),
    ],
)
def test_a_page_of_a_decoder(open_page, config, page, shown):
    app = open_page(page, config=config, layer="1", head="2")
    assert not app.exception
    assert shown in texts(app)
    if page == "weights":
        assert "copying_score" in texts(app)


@pytest.mark.browser
@pytest.mark.full  # verifying the planted model takes a minute; the pages' own tests are above
def test_a_decoders_pages_work_in_a_browser(reader, decoder):
    """One walk: the head that looks back to what followed, as a reader meets it on each page."""
    page, words = reader.page, drawn_words(4)
    reader.open(f"overview?model={quote(str(decoder[0]))}&run=decoder&layer=1&head=2")
    expect(reader.page.get_by_text("induction").first).to_be_visible()
    reader.turn_to("Head")
    expect(page.get_by_role("heading", name="Roles of head 1-2")).to_be_visible()
    said = "looks at what followed the same token before"
    expect(page.get_by_text(said, exact=False).first).to_be_visible()
    reader.turn_to("Attention")
    reader.type("Sentence", " ".join([*words, *words]))
    reader.choose("Matrix")
    expect(page.locator(".st-key-attention-view canvas")).to_be_visible()
    reader.turn_to("Weights")
    expect(page.get_by_role("heading", name="In the vocabulary")).to_be_visible()
    expect(page.get_by_text("copying_score").first).to_be_visible()
    reader.open(
        f"concepts?model={quote(str(decoder[0]))}&mode=self-attention&step=5&layer=1&head=2"
    )
    expect(page.get_by_role("heading", name="5 · Mask")).to_be_visible()
    expect(page.get_by_text("causal").first).to_be_visible()
    expect(page.locator(".drawing canvas").first).to_be_visible()
    assert page.get_by_test_id("stAlertContentError").count() == 0
