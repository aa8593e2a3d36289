"""The picture of specialization in README is what the public API draws, of minilm's own roles."""

import html
import re
from pathlib import Path

import pandas as pd
import pytest

import inspector
from inspector.plot.run_plots import RunPlots

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "specialization.svg"


def written():
    pytest.importorskip("vl_convert", reason="pictures are drawn by vl-convert-python")
    return PICTURE.read_text(encoding="utf-8")


def roles_in(picture):
    """Return the roles that a picture's cells are labelled with, as the frame has them."""
    labels = re.findall(r'aria-label="layer: (\d+); head: (\d+); ([^"]+)"', picture)
    return {
        (int(layer), int(head), role)
        for layer, head, listed in labels
        for role in html.unescape(listed).split(", ")
        if role != "none"
    }


def cells(picture):
    """Return label, outline and colour of every cell: letters are as wide as a machine's fonts."""
    pattern = r'aria-label="(layer: [^"]+)"[^>]* d="([^"]+)" fill="([^"]+)"'
    found = re.findall(pattern, picture)
    assert len(found) >= 72
    return found


def test_the_picture_is_drawn_by_the_public_api():
    picture = written()
    found = roles_in(picture)
    families = {role.partition(":")[0] for *_, role in found}
    assert {"syntactic", "positional"} <= families
    heads = pd.DataFrame(
        [(layer, head) for layer in range(6) for head in range(12)], columns=["layer", "head"]
    )
    roles = pd.DataFrame(sorted(found), columns=["layer", "head", "role"])
    # As the frame has them: of a family the largest effect first, which is the picture's order.
    order = re.findall(r'aria-label="layer: (\d+); head: (\d+); ([^"]+)"', picture)
    places = {
        (int(layer), int(head), role): place
        for layer, head, listed in order
        for place, role in enumerate(html.unescape(listed).split(", "))
    }
    effect = [-places[place] for place in roles.itertuples(index=False, name=None)]
    roles = roles.assign(effect=effect, evidence="")
    again = RunPlots("minilm", corpus_of(picture), {"roles": roles, "behaviour": heads}).roles()
    assert cells(inspector.plot.svg(again)) == cells(picture)
    assert "<script" not in picture
    assert not re.search(r'(?:href|src)="(?!#|data:)', picture)


def corpus_of(picture):
    return html.unescape(re.search(r">Roles: minilm on ([^<]+)<", picture)[1])


@pytest.mark.full
def test_the_picture_shows_the_roles_of_minilm(minilm):
    run = inspector.profile(minilm, ablation=False)
    found = set(run.roles[["layer", "head", "role"]].itertuples(index=False, name=None))
    assert roles_in(written()) == found
    assert cells(inspector.plot.svg(run.plot.roles())) == cells(written())
