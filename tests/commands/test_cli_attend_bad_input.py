"""Texts, files and layers that `inspector attend` cannot use: the whole sentence, nothing lost."""

import json

import pytest
from support.each import each
from support.terminal import assert_refused

pytestmark = pytest.mark.usefixtures("one_thread")

BAD_INPUT, BAD_FILE = 2, 4


@pytest.fixture
def attend(command, tiny_folder, tmp_path):
    """Return a function: text and more arguments → what became of `attend`, and its file."""
    output = tmp_path / "maps.html"

    def run(text, *more):
        return command("attend", tiny_folder("bert"), "--text", text, "-o", output, *more), output

    return run


NOT_UNICODE = (
    "text is not valid Unicode: the character at position 3 is half of a pair. "
    "Save the text as UTF-8."
)


@each(
    ("text", "sentence"),
    [
        ("", "text ('') must not be empty: give at least one word."),
        (" \n", r"text (' \n') must not be empty: give at least one word."),
        (
            "\u200b\u200d",
            (
                r"text ('\u200b\u200d') has no token that this tokenizer knows: "
                "give a text with at least one word."
            ),
        ),
        (
            "\ue000\U000f0000",
            (
                r"text ('\ue000\U000f0000') has no token that this tokenizer knows: "
                "give a text with at least one word."
            ),
        ),
        ("cat\ud800", NOT_UNICODE),
        (
            "a" * 1_000_001,
            "text (1000001 characters) must have at most 1000000 characters: shorten it.",
        ),
    ],
    ids=["empty", "spaces", "zero width", "private use", "lone surrogate", "too long"],
)
def test_a_text_that_cannot_be_read(attend, text, sentence):
    result, output = attend(text)
    assert_refused(result, BAD_INPUT, sentence)
    assert not output.exists()


def test_a_text_over_the_models_length(attend, tiny_folder):
    result, output = attend("the " * 95)
    assert_refused(
        result,
        BAD_INPUT,
        "text (97 tokens) must have at most 96 tokens, special ones included, for model "
        f"{tiny_folder('bert')}: shorten it.",
    )
    assert not output.exists()


def test_an_empty_second_text(attend):
    result, _ = attend("cat", "--pair", "")
    assert_refused(result, BAD_INPUT, "text ('') must not be empty: give at least one word.")


@pytest.mark.parametrize(
    ("text", "n_tokens"),
    [
        ("ca\0t", 3),
        ("שלום cat", 4),
        ("👩‍👩‍👧 cat", 4),
        ("é", 3),
        ("red \x1b[31m", 7),
        ("[CLS] cat", 4),
    ],
    ids=["NUL", "right to left", "emoji", "accent", "escape", "special token"],
)
def test_odd_texts_work(attend, text, n_tokens):
    result, output = attend(text, "--json")
    assert (result.code, result.err) == (0, "")
    assert len(json.loads(result.out)["tokens"]) == n_tokens
    assert output.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_markup_in_a_text_stays_text(attend):
    result, output = attend("</script><img src=x onerror=alert(1)>")
    assert (result.code, result.err) == (0, "")
    page = output.read_text(encoding="utf-8")
    # Every element of markup that stands in the page is the page's own.
    assert "<img" not in page
    assert "onerror=alert" not in page.replace("&lt;img src=x onerror=alert(1)&gt;", "")
    clean, other = attend("cat", "--force")
    assert clean.code == 0
    assert page.count("</script") == other.read_text(encoding="utf-8").count("</script")


def test_an_output_that_exists_is_left_alone_without_force(attend, tmp_path):
    (tmp_path / "maps.html").write_text("mine")
    result, output = attend("cat")
    assert_refused(
        result,
        BAD_FILE,
        f"output ({output}) already exists: choose another name, or allow replacing it "
        "(force=True, --force on the command line).",
    )
    assert output.read_text() == "mine"
    result, output = attend("cat", "--force")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"head view of 3 tokens written to {output}\n")
    assert output.read_text().startswith("<!")


def test_a_layer_that_the_model_does_not_have(attend):
    result, output = attend("cat", "--layers", "1,9")
    assert_refused(
        result,
        BAD_INPUT,
        "layers (1, 9) must name at least one of the model's 3 layers: give numbers from 0 to 2.",
    )
    assert not output.exists()
