"""The attention view: its numbers against the model's own, and what a reader does with it."""

import re
from base64 import b64decode

import numpy as np
import pytest
import torch
import yaml
from playwright.sync_api import expect
from support.tiny.decoders import save_tiny_decoder

from inspector import api
from inspector.corpora.formats.plain_text import text_surface
from inspector.dashboard.parts import attention_view
from inspector.dashboard.parts.head_reading import (
    NORM,
    PUNCTUATION,
    SPECIAL,
    read_head,
    with_word,
    words_in,
)
from inspector.errors import InputError
from inspector.models import load

TEXT = "The animal didn't cross the street, because it was unaffable."


@pytest.fixture(scope="module")
def model():
    return load("minilm")


def test_weights_of_tokens_and_words_are_those_of_attend(model):
    for words in (False, True):
        reading = read_head(model, TEXT, (3, 1), words=words)
        maps = api.attend(model, TEXT, words=words)
        assert reading.tokens == maps.tokens
        np.testing.assert_allclose(reading.weights, maps[3, 1], atol=1e-6)
        assert [token for token, kind in zip(reading.tokens, reading.kinds, strict=True)
                if kind == SPECIAL] == ["[CLS]", "[SEP]"]  # fmt: skip
        marks = {token for token, kind in zip(reading.tokens, reading.kinds, strict=True)
                 if kind == PUNCTUATION}  # fmt: skip
        assert {",", "."} <= marks


def test_norms_are_the_shares_of_what_is_moved(model):
    reading = read_head(model, TEXT, (2, 5), by=NORM)
    plain = read_head(model, TEXT, (2, 5))
    network = model.model
    states = network(**model.encode([TEXT]).inputs(), output_hidden_states=True).hidden_states
    block = network.encoder.layer[2].attention
    rows = slice(5 * 32, 6 * 32)
    with torch.no_grad():
        value = states[2][0] @ block.self.value.weight[rows].T + block.self.value.bias[rows]
        moved = (value @ block.output.dense.weight[:, rows].T).numpy()
    n = len(reading.tokens)
    lengths = [[plain.weights[i, j] * np.sqrt((moved[j] ** 2).sum()) for j in range(n)]
               for i in range(n)]  # fmt: skip
    expected = np.array([[one / sum(row) for one in row] for row in lengths])
    np.testing.assert_allclose(reading.weights, expected, atol=1e-5)
    assert abs(reading.weights - plain.weights).max() > 0.05


@pytest.mark.parametrize("kind", ["minilm", "gemma2", "t5"])
def test_scores_of_products_give_the_weights(kind, model, tmp_path):
    """Of rotated, grouped, masked, capped and biased scores too."""
    read = model if kind == "minilm" else load(str(save_tiny_decoder(tmp_path / kind, kind)))
    layer, head = read.n_layers - 1, read.n_heads - 1
    reading = read_head(read, "the cat sat", (layer, head))
    given = reading.products
    for place in range(len(reading.tokens)):
        scores = given.scores[place].astype(float)
        assert (np.isneginf(scores) == (reading.weights[place] == 0)).all()
        expected = np.exp(scores - max(scores))
        np.testing.assert_allclose(reading.weights[place], expected / expected.sum(), atol=1e-5)
        products = [
            sum(float(q) * float(k) for q, k in zip(given.query[place], key, strict=True))
            for key in given.key
        ]
        if kind == "minilm":
            np.testing.assert_allclose(scores, np.array(products) / np.sqrt(32), atol=1e-5)


def test_a_replaced_word_is_one_word_and_the_mask_where_none_is_given(model):
    masked = with_word(model, TEXT, 1, "")
    assert masked.text == TEXT.replace("animal", "[MASK]")
    longer = with_word(model, TEXT, 1, "old dog")
    for changed in (masked, longer):
        reading = read_head(model, changed, (3, 1), words=True)
        before = read_head(model, TEXT, (3, 1), words=True)
        assert len(reading.tokens) == len(before.tokens)
        start, end = changed.spans[1]
        assert reading.tokens[2] == changed.text[start:end]
        assert reading.tokens[3:] == before.tokens[3:]
    assert words_in(TEXT)[1] == "animal"
    with pytest.raises(InputError, match=r"^word \(99\) must be from 0 to 1: choose one\.$"):
        with_word(model, "Hi.", 99, "")


def test_a_weight_travels_as_a_65535th(model):
    reading = read_head(model, TEXT, (3, 1))
    sent = attention_view._panel("3-1", reading)
    steps = np.frombuffer(b64decode(sent["map"]), dtype="<u2").reshape(reading.weights.shape)
    assert abs(steps / 65535 - reading.weights).max() <= 0.5 / 65535 + 1e-9
    assert text_surface(TEXT).spans  # the words are of the same text


def said(reader):
    return reader.page.locator(".st-key-attention-view .said")


def canvas(reader, number=0):
    return reader.page.locator(".st-key-attention-view canvas").nth(number)


@pytest.mark.browser
def test_lines_are_pointed_at_walked_hidden_and_renormalised(reader, model):
    reader.open("attention?layer=3&head=1")
    reader.page.get_by_label("Sentence", exact=True).fill("The cat sat.")
    reader.page.get_by_label("Sentence", exact=True).press("Control+Enter")
    reader.settle()
    maps = api.attend(model, "The cat sat.")
    weights, tokens = maps[3, 1], maps.tokens
    canvas(reader).focus()
    for _ in range(3):  # [CLS], the, cat
        reader.page.keyboard.press("ArrowDown")
    most = int(weights[2].argmax())
    expect(said(reader)).to_have_text(
        re.compile(rf"^2 “cat” looks at: {re.escape(tokens[most])} {weights[2, most]:.3f}")
    )
    reader.page.keyboard.press("Enter")
    expect(said(reader)).to_contain_text("“cat” is looked at by:")
    reader.page.keyboard.press("Escape")
    reader.page.get_by_label("Hide special tokens").check()
    kept = weights[1:-1, 1:-1] / weights[1:-1, 1:-1].sum(-1, keepdims=True)
    canvas(reader).hover(position={"x": 12, "y": 4 + 21 + 10})  # the second of what is left
    most = int(kept[1].argmax())
    expect(said(reader)).to_contain_text(f"looks at: {tokens[1 + most]} {kept[1, most]:.3f}")
    reader.page.get_by_label("Renormalise").uncheck()
    canvas(reader).hover(position={"x": 12, "y": 4 + 21 + 11})
    expect(said(reader)).to_contain_text(f"{tokens[1 + most]} {weights[2, 1 + most]:.3f}")
    with reader.page.expect_download() as download:
        reader.page.get_by_role("button", name="Download as SVG").click()
    picture = download.value.path().read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert picture.count("<text") == 2 * 4
    with reader.page.expect_download() as download:
        reader.page.get_by_role("button", name="Download as PNG").click()
    assert download.value.path().read_bytes()[:4] == b"\x89PNG"


@pytest.mark.browser
def test_a_masked_word_stands_beside_with_the_difference(reader, model):
    reader.open("attention?view=matrix&layer=3&head=1&beside=word&unit=words")
    expect(canvas(reader, 1)).to_be_visible()
    expect(reader.page.get_by_role("heading", name="3-1: The [MASK]")).to_be_visible()
    reader.page.get_by_label("Difference").check()
    expect(canvas(reader, 2)).to_be_visible()
    text = "The animal didn't cross the street because it was too tired."
    one = read_head(model, text, (3, 1), words=True).weights
    other = read_head(model, with_word(model, text, 1, ""), (3, 1), words=True).weights
    box = canvas(reader, 2).bounding_box()
    cell, n = 24, len(one)
    place = canvas(reader, 2)
    # From the lower right corner: 6 pixels, then the cells.
    place.hover(position={"x": box["width"] - 6 - cell / 2, "y": box["height"] - 6 - cell / 2})
    shown = float(said(reader).inner_text().rsplit(":")[1])
    assert abs(shown - (other - one)[n - 1, n - 1]) < 0.0006


def test_another_model_stands_beside(open_page, model, small_model, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(attention_view, "show", lambda view, text, given, _: shown.append(given))
    config = tmp_path / "two.yaml"
    config.write_text(yaml.safe_dump({"models": ["minilm", str(small_model)]}))
    chosen = {"layer": "3", "head": "11", "layer_b": "1", "head_b": "2"}
    app = open_page("attention", config=config, beside="model", sentence="The cat sat.", **chosen)
    assert not app.exception
    assert not app.error
    ((own, other),) = [tuple(given.items()) for given in shown]
    assert (own[0], other[0]) == ("3-11", f"{small_model.name} 1-2 ")
    for (_, found), who, head in ((own, model, (3, 11)), (other, load(str(small_model)), (1, 2))):
        np.testing.assert_array_equal(found.weights, read_head(who, "The cat sat.", head).weights)
    assert app.query_params == {"beside": "model", **chosen}
    # With one model there is no other.
    app = open_page("attention", beside="model")
    assert "beside" in app.warning[0].value


@pytest.mark.browser
@pytest.mark.full
def test_a_head_stands_beside_another_and_chinese_lies_down(reader):
    reader.open("attention?beside=head&layer=1&head=2&layer_b=4&head_b=5")
    for name in ("1-2", "4-5"):
        expect(reader.page.locator(".attention-view h4", has_text=name)).to_be_visible()
    assert reader.query["layer_b"] == "4"
    reader.open("attention")
    reader.type("Sentence", "银行在河边，他把钱存进了银行。")
    expect(reader.page.get_by_label("Horizontal")).to_be_checked()
    box = canvas(reader).bounding_box()
    assert box["width"] > box["height"]


@pytest.mark.browser
def test_query_and_key_are_multiplied_dimension_by_dimension(reader, model):
    reader.open("attention?view=products&layer=3&head=1")
    text = "The animal didn't cross the street because it was too tired."
    given = read_head(model, text, (3, 1)).products
    reader.page.get_by_role("combobox", name="Query", exact=True).select_option("2")
    canvas(reader).hover(position={"x": 20, "y": 46 + 19 * 1 + 9})
    total = float(given.query[2] @ given.key[1])
    expect(said(reader)).to_contain_text(
        f"animal → the: q · k {total:.3f}, score {total / 32**0.5:.3f}"
    )


@pytest.mark.browser
def test_a_hostile_token_is_drawn_and_saved_as_text(reader):
    reader.open("attention")
    reader.type("Sentence", "</script><img src=x onerror=alert(1)>")
    with reader.page.expect_download() as download:
        reader.page.get_by_role("button", name="Download as SVG").click()
    picture = download.value.path().read_text(encoding="utf-8")
    assert "<img" not in picture
    assert "&#60;" in picture
    assert reader.page.locator("[src=x]").count() == 0
