"""What runs, corpora, models and pages show in a notebook: escaped, without a script or a host."""

import re

import pytest

import inspector

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture
def shown(run, minilm):
    """Return the HTML of each type, with hostile data in what can hold it."""
    corpus = inspector.Corpus.from_texts([f"{HOSTILE} sat.", "It slept."] * 4)
    maps = inspector.attend(minilm, f"{HOSTILE}")
    return {
        "run": run.run._repr_html_(),
        "corpus": corpus._repr_html_(),
        "model": minilm._repr_html_(),
        "page": maps.head_view()._repr_html_(),
        "maps": maps._repr_html_(),
    }


def test_nothing_of_the_data_becomes_markup_and_no_host_is_asked(shown):
    for name, html in shown.items():
        outside = re.sub(r'srcdoc="[^"]*"', "", html)
        assert "<script" not in outside, name
        assert not re.search(r"\son\w+=[^&]", re.sub(r"&\w+;[^<]*", "", outside)), name
        assert not re.search(r'(?:src|href)="(?!data:)', outside), name


def test_each_says_what_it_is(shown, minilm, run):
    assert "tiny on texts &lt;x&gt;: 2 sentences, 9 words" in shown["run"]
    assert 'title="0-1: syntactic:obj, positional:-1"' in shown["run"]
    assert 'title="1-2: syntactic:&lt;script&gt;"' in shown["run"]
    assert shown["run"].count("<td") == 6
    assert shown["corpus"].count("<tr>") == 1 + 5
    assert "8 sentences" in shown["corpus"]
    assert "&lt;script&gt;alert(1)" in shown["corpus"]
    assert "6 × 12" in shown["model"]
    assert minilm.file_hashes["model.safetensors"] in shown["model"]


def test_a_page_keeps_a_picture_below_its_frame(shown):
    page = shown["page"]
    assert page.index("<figure") < page.index("<iframe")
    assert "position: absolute" in page[page.index("<iframe") :]
    assert 'src="data:image/svg+xml;base64,' in page
