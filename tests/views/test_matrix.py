"""The table of a matrix: its numbers, its true shape, nothing unescaped."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from support.each import each

from inspector.errors import InputError
from inspector.views.matrix import matrix_html


def table_of(html: str) -> tuple[str, list[list[str]]]:
    """Return caption and cells, row by row."""
    table = ElementTree.fromstring(html).find("table")  # noqa: S314 - our own
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    return table.find("caption").text, rows


def shades(html: str) -> list[str]:
    return re.findall(r"background: (rgba\([^)]*\))", html)


def test_every_number_stands_under_its_labels():
    matrix = np.array([[1.0, -0.25, 0.0], [0.5, 0.125, 0.0004]])
    html = matrix_html(matrix, ["cat", "sat"], ["a", "b", "c"], "scores", ("query", "key"))
    assert table_of(html) == (
        "scores: query × key = 2 × 3",
        [
            ["", "a", "b", "c"],
            ["cat", "1.000", "−0.250", "0.000"],
            ["sat", "0.500", "0.125", "0.000"],
        ],
    )


def test_shades_follow_size_and_sign():
    html = matrix_html(np.array([[1.0, -0.5, 0.0]]), ["r"], ["a", "b", "c"], "m", ("row", "col"))
    assert shades(html) == [
        "rgba(230, 159, 0, 0.550)",
        "rgba(0, 114, 178, 0.275)",
        "rgba(230, 159, 0, 0.000)",
    ]


def test_a_large_matrix_shows_its_corner_and_says_its_shape():
    matrix = np.arange(13 * 384).reshape(13, 384)
    caption, rows = table_of(matrix_html(matrix, None, None, "X", ("token", "d_model")))
    assert caption == "X: token × d_model = 13 × 384, first 12 × 12 shown"
    assert len(rows) == 1 + 12 + 1
    assert {len(row) for row in rows} == {1 + 12 + 1}
    assert rows[0] == ["", *(str(i) for i in range(12)), "…"]
    assert rows[12] == ["11", *(str(11 * 384 + i) for i in range(12)), "…"]
    assert rows[13] == ["…"] * 14


@pytest.mark.parametrize("shape", [(12, 12), (13, 2), (2, 13)])
def test_an_ellipsis_stands_only_where_something_is_left_out(shape):
    caption, rows = table_of(matrix_html(np.zeros(shape), None, None, "m", ("a", "b")))
    assert ("shown" in caption) is (max(shape) > 12)
    assert (rows[-1][0] == "…") is (shape[0] > 12)
    assert all((row[-1] == "…") is (shape[1] > 12) for row in rows[:-1])


@each(
    ("matrix", "shown"),
    [
        (np.array([[True, False]]), ["1", "0"]),
        (np.array([[3, -4]]), ["3", "−4"]),
        (np.array([[-np.inf, np.inf]]), ["−∞", "∞"]),
        (np.array([[np.nan, 1.0]]), ["NaN", "1.000"]),
        (np.array([[12.0, 3.0]]), ["12.0", "3.0"]),
        (np.array([[2e-5, -1e-5]]), ["2.0e−05", "−1.0e−05"]),
        (np.array([[123456.0, 1.0]]), ["1.2e+05", "1.0e+00"]),
        (np.array([[0.0, 0.0]]), ["0.000", "0.000"]),
    ],
)
def test_numbers_are_written_as_their_matrix_needs(matrix, shown):
    _, rows = table_of(matrix_html(matrix, None, None, "m", ("a", "b")))
    assert rows[1][1:] == shown


def test_what_is_not_finite_has_no_shade_and_dims_nothing():
    html = matrix_html(np.array([[-np.inf, np.nan, 2.0]]), None, None, "m", ("a", "b"))
    assert shades(html) == ["rgba(230, 159, 0, 0.550)"]


def test_labels_and_captions_are_escaped(hostile):
    tokens = [token for token in hostile if token.isprintable()]
    matrix = np.zeros((len(tokens), len(tokens)))
    html = matrix_html(matrix, tokens, tokens, tokens[0], ("<b>", "&"))
    caption, rows = table_of(html)
    assert caption.startswith(f"{tokens[0]}: <b> × & = ")
    assert rows[0][1:] == tokens
    assert [row[0] for row in rows[1:]] == tokens
    assert "<img" not in html
    assert "<script" not in html


def test_no_colour_of_text_or_page_is_set():
    html = matrix_html(np.ones((2, 2)), None, None, "m", ("a", "b"))
    assert not re.findall(r"(?<![-\w])color\s*:", html)
    assert all(float(shade.split(",")[3].strip(" )")) <= 0.55 for shade in shades(html))


def test_labels_must_fit():
    with pytest.raises(InputError) as caught:
        matrix_html(np.ones((2, 3)), ["a", "b"], ["a"], "m", ("query", "key"))
    assert str(caught.value) == (
        "matrix has shape (2, 3), expected (query, key) = (2, 1), one label each."
    )
