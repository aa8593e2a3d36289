"""Every language says the same things, and a further one is a file and nothing else."""

import re
import shutil
import string
import sys
from pathlib import Path

import pytest
import yaml
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from inspector import words
from inspector.dashboard import mistakes
from inspector.dashboard.settings import Settings
from inspector.errors import InputError
from inspector.heads.ablation.target_words import ENDS
from inspector.heads.counts import DIRECTIONS
from inspector.heads.specialization import roles
from inspector.heads.specialization.head_description import PHRASES
from inspector.verification import MUTATIONS, STAGES
from inspector.verification.diagnosis import CATALOGUE
from inspector.verification.layers.whole_model import NOISE, OURS_EAGER, OURS_SDPA
from inspector.words import catalogue
from inspector.words.sentences import said as in_language

APP = Path(__file__).parents[2] / "app.py"
CATALOGUES = sorted(words.FOLDER.glob("*.yaml"))
TRANSLATED = [path.stem for path in CATALOGUES if path.stem != words.REFERENCE]


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the catalogues, which the dashboard reads in place of its own."""
    copy = tmp_path / "words"
    copy.mkdir()
    for path in CATALOGUES:
        shutil.copy(path, copy)
    monkeypatch.setattr(words, "FOLDER", copy)
    return copy


def third(folder, change=lambda data: None):
    """Write a German catalogue: English with a mark on every sentence."""
    data = read(words.FOLDER / "en.yaml")
    data["language"] = "Deutsch"
    for sentences in data["pages"].values():
        sentences.update({name: f"ß {text}" for name, text in sentences.items()})
    change(data)
    path = folder / "de.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_no_sentence_is_empty(path):
    for sentences in read(path)["pages"].values():
        assert all(text.strip() for text in sentences.values())


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_languages_have_the_same_sentences_in_the_same_order(language):
    english, other = (read(words.FOLDER / f"{code}.yaml")["pages"] for code in ("en", language))
    assert list(english) == list(other)
    for page, sentences in english.items():
        assert list(sentences) == list(other[page])


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_languages_fill_in_the_same_figures(language):
    """By Python's own reader of formats; formulas, whose braces are LaTeX's, set aside."""
    english, other = (read(words.FOLDER / f"{code}.yaml")["pages"] for code in ("en", language))
    compared = 0
    for page, sentences in english.items():
        for name, text in sentences.items():
            if "$" not in text:
                figures, theirs = (
                    {figure for _, figure, _, _ in string.Formatter().parse(one) if figure}
                    for one in (text, other[page][name])
                )
                assert figures == theirs == catalogue.figures(text), (page, name)
                compared += bool(figures)
    assert compared > 50


def test_a_third_language_is_a_file_and_nothing_else(folder, monkeypatch):
    third(folder)
    assert words.languages() == {"en": "English", "de": "Deutsch", "zh": "中文"}
    assert words.of("shell", "de")["model"] == "ß Model"
    assert Settings(language="de").language == "de"
    monkeypatch.setattr(sys, "argv", ["app.py"])
    app = AppTest.from_file(APP, default_timeout=60)
    app._page_hash = calc_hash("attention")
    app.query_params["lang"] = "de"
    app.run()
    assert not app.exception
    assert app.title[0].value == "ß Attention"
    assert "Deutsch" in app.sidebar.get("button_group")[0].options


def figure_dropped(data):
    data["pages"]["shell"]["ignored"] = "{key}"


def sentences_renamed(data):
    shell = data["pages"]["shell"]
    shell["modell"] = shell.pop("model")


def page_dropped(data):
    del data["pages"]["shell"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (figure_dropped, "shell.ignored must have {available}, {given}, {key}, {taken}. Fix"),
        (sentences_renamed, "no shell.model; unknown shell.modell. Fix de.yaml in words/."),
        (
            page_dropped,
            "no shell.ablation; no shell.attention; no shell.choose; no shell.compare; ",
        ),
    ],
)
def test_a_language_that_says_other_things_is_refused(folder, change, sentence):
    third(folder, change)
    with pytest.raises(InputError) as error:
        words.languages()
    said = f"language (de) must have the sentences and figures of en.yaml: {sentence}"
    assert str(error.value).startswith(said)


def empty(data):
    data["pages"]["shell"]["model"] = " "


def another_kind(data):
    data["pages"]["shell"]["model"] = 3


def with_more(data):
    data["page"] = {}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (empty, "pages.shell.model: String should match pattern"),
        (another_kind, "pages.shell.model: Input should be a valid string"),
        (with_more, "page: Extra inputs are not permitted"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(folder, change, wrong):
    third(folder, change)
    with pytest.raises(InputError) as error:
        words.of("shell", "en")
    said = "language (de) must hold `language` and `pages`, page by page: "
    assert str(error.value).startswith(said + wrong)


def test_a_catalogue_that_is_no_yaml_stands_on_the_page(folder, monkeypatch):
    (folder / "de.yaml").write_text("pages: [")
    monkeypatch.setattr(sys, "argv", ["app.py"])
    app = AppTest.from_file(APP, default_timeout=60).run()
    assert not app.exception
    assert app.error[0].value.startswith("language \\(de\\) must be a YAML file\\: while parsing")


def test_a_language_that_nobody_wrote_is_no_setting():
    with pytest.raises(ValueError, match="must be one of en, zh, not 'fr'"):
        Settings(language="fr")


def test_in_english_a_description_says_what_the_library_says():
    said = words.of("head", "en")
    assert {name: said[f"said_{name}"] for name in PHRASES} == PHRASES


def test_in_english_the_terms_and_the_words_of_charts_are_themselves():
    for name, text in words.of("library", "en").items():
        assert name == text


def test_the_terms_of_a_verification_have_words_in_chinese():
    """Terms that come to the library later are shown as it has them."""
    layers = [*(mutation.name for mutation in MUTATIONS), *(mistake.name for mistake in CATALOGUE)]
    for name in (*layers, *STAGES, *ENDS, OURS_EAGER, OURS_SDPA, NOISE):
        assert mistakes.called(name, "en") == name
        assert mistakes.called(name, "zh") != name
    assert words.term("<no term>", "zh") == "<no term>"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_no_bold_ends_where_markdown_sees_no_end(path):
    """Behind a full stop `**` ends nothing unless a space or a further stop follows it."""
    opened = re.compile(r"(?<=[^\w\s*$`])\*\*(?=\w)")
    for sentences in read(path)["pages"].values():
        for text in sentences.values():
            bold = [match.start() for match in re.finditer(r"\*\*", text)]
            wrong = {match.start() for match in opened.finditer(text)}
            assert not wrong & set(bold[1::2]), text


def test_evidence_is_said_in_chinese_with_the_same_figures():
    """Of every role of the battery's figures, made by the library itself."""
    following = {
        "relation": "obj", "kind": "syntax", "accuracy": 0.4821, "n": 1489, "baseline_offset": -1,
        "baseline_accuracy": 0.123, "lift": 0.22, "ci_low": -0.01, "ci_high": 0.26,
        "q_value": 1e-4, "corrected": "over all heads", "random_init_accuracy": 0.1,
        "apart_lift": 0.05, "matched_accuracy": 0.51,
    }  # fmt: skip
    behaviour = dict.fromkeys(roles._IN_SENTENCES, 0.954)
    evidence = [
        roles._SENTENCES[role]({**behaviour, "offset_mode": offset, "first_mass": first})
        for role in ("positional", "special-token", "no-op", "broad", "duplicate-token")
        for offset in (-3, -1, 0, 1, 2)
        for first in (0.1, 0.99)
    ]
    for direction in DIRECTIONS:
        for kind in ("syntax", "semantic"):
            row = {**following, "direction": direction, "kind": kind}
            evidence.append(roles._following(row, [DIRECTIONS[0]]) + roles._surviving(row))
    for text in evidence:
        said = in_language(text, "evidence", "zh")
        assert re.search("[a-z]{3,} [a-z]{3,}", said) is None, said
        assert sorted(re.findall(r"\d+\.\d", said)) == sorted(re.findall(r"\d+\.\d", text)), said
        assert in_language(text, "evidence", "en") == text
    assert in_language("Nobody wrote this.", "evidence", "zh") == "Nobody wrote this."
