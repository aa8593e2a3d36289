"""Saving a page and showing it in a notebook."""

import pytest

from inspector.errors import InputError, OutputError
from inspector.views import Page

PAGE = Page('Title "quoted"', '<!DOCTYPE html><p title="a">é & b</p>', 240)


def test_a_saved_page_is_the_document_in_utf8(tmp_path):
    path = PAGE.save(str(tmp_path / "page.html"))
    assert path == tmp_path / "page.html"
    assert path.read_bytes() == PAGE.html.encode("utf-8")


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        PAGE.save("page.svg")
    assert str(caught.value) == (
        "output (page.svg) has the suffix '.svg', which cannot be written: "
        "end the name in an available one. Available: '.html'."
    )


def test_a_page_that_exists_is_replaced_only_with_force(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(OutputError) as caught:
        PAGE.save(path)
    assert str(caught.value) == (
        f"output ({path}) already exists: choose another name, "
        "or allow replacing it (force=True, --force on the command line)."
    )
    assert path.read_text() == "mine"
    PAGE.save(path, force=True)
    assert path.read_text() == PAGE.html


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(OutputError) as caught:
        PAGE.save(tmp_path / "missing" / "page.html")
    assert str(caught.value) == (
        f"folder ({tmp_path / 'missing'}) does not exist: make it first, or choose another place."
    )


def test_a_notebook_shows_the_page_in_a_closed_frame():
    assert PAGE._repr_html_() == (
        '<iframe srcdoc="&lt;!DOCTYPE html&gt;'
        '&lt;p title=&quot;a&quot;&gt;é &amp; b&lt;/p&gt;" '
        'sandbox="allow-scripts" title="Title &quot;quoted&quot;" width="100%" height="240" '
        'style="border: 0"></iframe>'
    )


def test_a_page_prints_without_its_text():
    assert repr(PAGE) == "Page(title='Title \"quoted\"', height=240)"
