"""The head grid: what its cells say, and that mouse and keys choose one head for all pages."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from playwright.sync_api import expect
from support.browser.browser_reader import PATIENCE

from inspector import words
from inspector.dashboard.parts import head_grid
from inspector.plot.colors import FAMILY_COLORS
from inspector.runs.run import Run

LIGHTEST, DARKEST = "#fde725", "#440154"


def frame_of(numbers):
    layers, heads = np.indices(numbers.shape)
    return pd.DataFrame({"layer": layers.ravel(), "head": heads.ravel(), "figure": numbers.ravel()})


def colors_of(shown):
    return [[cell[0] for cell in row] for row in shown.cells]


def test_the_least_and_the_largest_number_have_the_ends_of_the_scale():
    shown = head_grid.of_numbers(frame_of(np.array([[3.0, 1.0], [2.0, 5.0]])), "figure", "n")
    colors = colors_of(shown)
    assert (colors[0][1], colors[1][1]) == (DARKEST, LIGHTEST)
    assert [cell[3] for row in shown.cells for cell in row] == ["3", "1", "2", "5"]
    # 3 stands in the middle of 1 … 5: the middle stop of the nine.
    assert colors[0][0] == "#21918c"
    assert (shown.legend[0]["before"], shown.legend[0]["name"]) == ("1", "5 · n")


def test_numbers_around_zero_are_coloured_around_zero_and_none_has_no_colour():
    shown = head_grid.of_numbers(frame_of(np.array([[-0.5, 0.0, 4.0, np.nan]])), "figure", "n")
    first, zero, last, none = colors_of(shown)[0]
    assert zero == "#f7f7f7"
    assert last == "#b2182b"
    assert int(first[5:], 16) > int(first[1:3], 16)  # blue
    assert none == shown.legend[-1]["fill"]
    assert shown.cells[0][3][3] == "–"


def test_every_head_of_one_number_and_of_many_heads_is_shown():
    same = head_grid.of_numbers(frame_of(np.full((2, 2), 0.25)), "figure", "n")
    assert len({color for row in colors_of(same) for color in row}) == 1
    large = head_grid.of_numbers(frame_of(np.arange(48.0 * 64).reshape(48, 64)), "figure", "n")
    assert (len(large.cells), {len(row) for row in large.cells}) == (48, {64})
    assert len(json.dumps(large.cells)) < 250_000  # what a browser is sent


def test_roles_are_stripes_of_their_families_and_none_is_coloured_as_the_legend_says():
    roles = pd.DataFrame(
        {
            "layer": [0, 0, 1],
            "head": [0, 0, 1],
            "role": ["syntactic:obj", "positional:-1", "broad"],
            "evidence": ["a", "b", "c"],
            "effect": [0.5, 0.9, 1.0],
        }
    )
    heads = pd.DataFrame({"layer": [0, 0, 1, 1], "head": [0, 1, 0, 1]})
    named = words.of("specialization", "en")
    shown = head_grid.of_roles(roles, heads, named, {(1, 0): True, (0, 1): False})
    both, none, follows, broad = (cell for row in shown.cells for cell in row)
    # The stronger first, as a stripe and in words.
    assert both[0].index(FAMILY_COLORS["positional"]) < both[0].index(FAMILY_COLORS["syntactic"])
    assert both[3] == "positional:-1 90 %; syntactic:obj 50 %"
    assert none[0] == shown.legend[-1]["fill"]
    assert shown.legend[-1]["name"] == "none"
    assert (follows[1], none[1]) == ("●", "◯")
    assert f"{FAMILY_COLORS['broad']} 100%" in broad[0]
    symbols = [one["symbol"] for one in shown.legend[:-1]]
    assert len(set(symbols)) == len(symbols) == 3


def test_every_family_has_a_symbol_of_its_own():
    assert set(head_grid._SYMBOLS) == set(FAMILY_COLORS)
    known = [*head_grid._SYMBOLS.values(), head_grid._FOLLOWS, head_grid._FAILED]
    assert len(set(known)) == len(known)


@pytest.mark.browser
def test_arrows_walk_the_grid_and_enter_chooses_the_head_of_all_pages(reader):
    reader.open("weights?layer=2&head=3")
    grid = reader.page.get_by_role("grid")
    expect(grid.get_by_role("row")).to_have_count(1 + 6)
    assert grid.get_by_role("gridcell").count() == 72
    assert grid.locator("[tabindex='0']").count() == 1  # one stop of Tab
    grid.get_by_role("gridcell", selected=True).focus()
    for key in ("ArrowRight", "ArrowDown", "End", "ArrowLeft"):
        reader.page.keyboard.press(key)
    expect(reader.cell("weights-grid", 3, 10)).to_be_focused()
    assert reader.query == {"layer": "2", "head": "3"}  # walking chooses nothing
    reader.page.keyboard.press("Enter")
    expect(reader.page.get_by_role("heading", name="Head 3-10")).to_be_visible()
    reader.settle()
    assert reader.query == {"layer": "3", "head": "10"}
    expect(reader.cell("weights-grid", 3, 10)).to_have_attribute("aria-selected", "true")
    assert grid.get_by_role("gridcell", selected=True).count() == 1
    sidebar = reader.page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_label("Head", exact=True)).to_have_value("10")
    for page in ("Head", "Attention", "Ablation", "Weights"):
        sidebar.locator(".st-key-head-links").get_by_role("link", name=page).click()
        reader.settle()
        expect(reader.page.get_by_role("heading", level=1)).to_have_text(page)
        assert reader.query == {"layer": "3", "head": "10"}


@pytest.mark.browser
def test_the_grid_shows_any_statistic_with_the_figures_of_the_frames(reader, profiled):
    run = Run.open(yaml.safe_load(profiled.read_text())["run"])
    reader.open("head?grid=entropy_nats&layer=1&head=2")
    one = run.behaviour[(run.behaviour["layer"] == 1) & (run.behaviour["head"] == 2)].iloc[0]
    cell = reader.cell("head-grid", 1, 2)
    expect(cell).to_have_attribute("aria-label", f"1-2: {one['entropy_nats']:.4g}")
    cell.hover()
    shown = reader.page.locator(".st-key-head-grid .said")
    expect(shown).to_have_text(f"1-2: {one['entropy_nats']:.4g}")
    rows = run.relations.query("relation == 'det' and direction == 'dependent_to_head'")
    row = rows[(rows["layer"] == 3) & (rows["head"] == 1)].iloc[0]
    lead = f"{row['accuracy'] - row['baseline_accuracy']:.4g}".replace("-", "−")
    reader.open("head?grid=det.dependent_to_head&layer=3&head=1")
    expect(reader.cell("head-grid", 3, 1)).to_have_attribute("aria-label", f"3-1: {lead}")


@pytest.mark.browser
def test_the_grid_is_legible_on_a_phone(reader):
    reader.page.set_viewport_size({"width": 420, "height": 900})
    reader.open("weights")
    box = reader.cell("weights-grid", 0, 11).bounding_box(timeout=PATIENCE)
    assert box["width"] >= 22
    assert box["x"] + box["width"] <= 420
    wide = reader.page.evaluate("document.documentElement.scrollWidth")
    reader.page.set_viewport_size({"width": 1440, "height": 900})
    assert wide <= 420


@pytest.mark.browser
def test_a_heads_roles_beside_the_grid_are_read_whole(reader, profiled):
    """A head with a long role opens there, and the ends of its intervals were cut off."""
    roles = Run.open(yaml.safe_load(profiled.read_text())["run"]).roles
    row = roles.loc[roles["role"].str.len().idxmax()]
    reader.open(f"specialization?lang=zh&layer={row['layer']}&head={row['head']}")
    table = reader.page.locator(".st-key-head-beside .inspector-table")
    expect(table.get_by_text(row["role"])).to_be_visible(timeout=PATIENCE)
    for width in (1440, 420):
        reader.page.set_viewport_size({"width": width, "height": 900})
        reader.settle()
        beyond = table.evaluate("one => one.scrollWidth - one.clientWidth")
        reader.page.set_viewport_size({"width": 1440, "height": 900})
        assert beyond <= 0, width
