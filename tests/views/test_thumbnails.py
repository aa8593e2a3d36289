"""The small pictures show the probabilities that they are given."""

import base64
import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from inspector.views.thumbnails import thumbnails_html

SVG = "{http://www.w3.org/2000/svg}"


def drawing(html: str) -> ElementTree.Element:
    """Return the SVG of the image in the figure."""
    source = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', html)[1]
    return ElementTree.fromstring(base64.b64decode(source))  # noqa: S314 - our own


def cells(html: str) -> list[dict[str, list[tuple[int, int]]]]:
    """Return for each map: opacity → the (query, key) of its cells."""
    svg = drawing(html)
    return [
        {
            path.get("opacity"): [
                (int(row), int(column))
                for column, row in re.findall(r"M(\d+) (\d+)h1v1h-1z", path.get("d"))
            ]
            for path in group.findall(f"{SVG}path")
        }
        for group in svg.findall(f"{SVG}g")
    ]


def test_each_cell_is_shaded_by_its_probability():
    maps = np.array([[[[0.09, 0.1], [0.3, 0.61]], [[0.0, 0.0], [1.0, 0.0]]]])
    assert cells(thumbnails_html(maps, "c")) == [
        {"0.35": [(0, 1)], "0.65": [(1, 0)], "1.0": [(1, 1)]},
        {"1.0": [(1, 0)]},
    ]


def test_a_long_text_shows_the_highest_of_each_block():
    maps = np.zeros((1, 1, 96, 96))
    maps[0, 0, 95, 3] = 0.9
    maps[0, 0, 94, 2] = 0.2
    assert cells(thumbnails_html(maps, "c")) == [{"1.0": [(47, 1)]}]


def test_the_picture_stays_small():
    uniform = np.full((12, 12, 200, 200), 1 / 200)
    assert len(thumbnails_html(uniform, "c")) < 60_000


def test_a_long_caption_is_cut():
    assert f"{'x' * 300}…;" in thumbnails_html(np.ones((1, 1, 1, 1)), "x" * 5000)


def test_rows_carry_the_numbers_of_their_layers():
    svg = drawing(thumbnails_html(np.ones((2, 1, 1, 1)), "c", layers=[3, 7]))
    labels = [text.text for text in svg.findall(f"{SVG}text")]
    assert labels == ["0", "head", "3", "7", "layer"]


def test_a_map_need_not_be_square():
    maps = np.array([[[[0.0, 0.0, 1.0], [0.4, 0.0, 0.0]]]])
    html = thumbnails_html(maps, "c")
    assert cells(html) == [{"0.65": [(1, 0)], "1.0": [(0, 2)]}]
    assert drawing(html).find(f"{SVG}g").get("transform") == "translate(36 30) scale(18.67 28)"
