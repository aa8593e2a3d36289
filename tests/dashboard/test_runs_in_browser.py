"""A reader's own treebank in a real browser: uploaded, profiled, stopped, resumed, compared."""

import re

import pytest
from playwright.sync_api import expect
from support.browser.browser_reader import PATIENCE, Reader

from inspector.corpora import default_corpus, write_conllu

pytestmark = [pytest.mark.browser, pytest.mark.process]


@pytest.mark.parametrize(
    ("n", "model"),
    [(6, "small"), pytest.param(200, "minilm", marks=pytest.mark.full)],
)
def test_a_treebank_is_profiled_stopped_gone_on_with_and_compared(
    browser, server, small_model, tmp_path, n, model
):
    file = tmp_path / f"mine {n}.conllu"
    given = default_corpus().sentences[-n:]  # all generated: gold and generated trees do not mix
    file.write_text(write_conllu(given), encoding="utf-8")
    name = str(small_model) if model == "small" else model
    context, strangers = browser.new_context(), browser.new_context()
    reader = Reader(context.new_page(), server)
    page = reader.page
    reader.open(f"data?model={name}")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text(re.compile(f"^{n} sentences, "))).to_be_visible()
    if model == "small":
        page.get_by_text("With ablation", exact=True).click()
        reader.settle()
    page.get_by_role("button", name="Start", exact=True).click()
    card = page.locator("[class*='st-key-run-']").filter(has_text=file.name)
    expect(card.get_by_text("running", exact=True)).to_be_visible()
    if model != "small":
        left = re.compile(r"Computing: \d+ % · part \d+ of \d+ · \d+ min \d\d s left")
        expect(card.get_by_test_id("stProgress")).to_contain_text(left, timeout=PATIENCE)
    card.get_by_role("button", name="Stop").click()
    expect(card.get_by_text("stopped", exact=True)).to_be_visible(timeout=PATIENCE)
    # Another session sees the run, and not what it is made of.
    other = Reader(strangers.new_page(), server)
    other.open("data")
    theirs = other.page.locator("[class*='st-key-run-']").filter(has_text=file.name)
    expect(theirs.get_by_text("stopped", exact=True)).to_be_visible()
    assert given[0].surface.text not in other.page.locator("main").inner_text()
    theirs.get_by_role("button", name="Resume").click()
    # It goes on whoever stays: the tab that asked is closed.
    other.settle()
    other.check_clean()
    strangers.close()
    page.reload()
    expect(card.get_by_text("complete", exact=True)).to_be_visible(timeout=4 * PATIENCE)
    reader.settle()
    card.get_by_role("link", name="Open").click()
    reader.settle()
    expect(page.get_by_role("heading", level=1)).to_have_text("Specialization")
    run = reader.query["run"]
    assert run.startswith(f"mine-{n}-")
    page.go_back()
    reader.settle()
    expect(page.get_by_role("heading", level=1)).to_have_text("Data")
    reader.open(f"compare?one={run}")
    expect(page.get_by_role("heading", name="Two heads side by side")).to_be_visible()
    if model != "small":
        expect(page.get_by_role("heading", name="What heads do differently")).to_be_visible()
    else:
        expect(page.get_by_text("other numbers of layers or heads")).to_be_visible()
    reader.check_clean()
    context.close()
