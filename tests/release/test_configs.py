"""Every file in configs/ opens the dashboard, or the page says why the model cannot be had."""

import sys
from pathlib import Path

import pytest
import yaml
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
from support.each import each

from inspector.dashboard.settings import Settings, read_arguments, read_settings
from inspector.errors import InputError

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))


def test_there_are_configs():
    assert {path.stem for path in CONFIGS} >= {"minilm", "bert-base-uncased"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_opens_the_dashboard(path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["app.py", "--config", str(path)])
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    assert not app.exception
    assert app.sidebar.selectbox(key="model").options == read_settings(path).models
    if app.error:
        assert len(app.error) == 1
        assert "Available without a network\\: minilm\\." in app.error[0].value
    else:
        assert any("Verified" in element.value for element in app.markdown)


def test_every_setting_has_a_default():
    assert Settings().models == ["minilm"]


def test_a_wrong_setting_is_named(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"models": [], "tilte": "x"}))
    with pytest.raises(InputError) as error:
        read_settings(path)
    assert str(error.value) == (
        "settings (mine.yaml) must hold what the dashboard knows: models: List should have at "
        "least 1 item after validation, not 0; tilte: Extra inputs are not permitted. "
        f"Available: {', '.join(Settings.model_fields)}."
    )


@each(
    ("content", "sentence"),
    [
        (None, "settings (mine.yaml) could not be read: No such file or directory."),
        (b"\xff\xfe", "settings (mine.yaml) must be YAML: it is not UTF-8 text."),
        (b"models: [", "settings (mine.yaml) must be YAML: while parsing a flow node: "),
        (b"- 1", "settings (mine.yaml) must hold what the dashboard knows: the file: "),
        (b"models: minilm", "settings (mine.yaml) must hold what the dashboard knows: models: "),
        (b"language: fr", "settings (mine.yaml) must hold what the dashboard knows: language: "),
        (b"!!python/object/apply:os.getcwd []", "settings (mine.yaml) must be YAML: could not"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path, content, sentence):
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_settings(path)
    assert str(error.value).startswith(sentence)


def test_an_unknown_argument_is_refused():
    with pytest.raises(InputError) as error:
        read_arguments(["--cofnig", "x"])
    assert str(error.value) == (
        "app.py was started with other arguments than it knows: unrecognized arguments: --cofnig x."
    )


def test_the_first_words_on_the_page_are_the_settings(tmp_path, monkeypatch):
    path = tmp_path / "mine.yaml"
    mine = {"language": "zh", "sentence": "One.", "second_sentence": "Two."}
    path.write_text(yaml.safe_dump(mine))
    monkeypatch.setattr(sys, "argv", ["app.py", "--config", str(path)])
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app._page_hash = calc_hash("attention")
    app.run()
    assert app.title[0].value == "注意力"
    assert app.text_area(key="sentence").value == "One."
    assert app.text_area(key="second").value == "Two."
    assert set(app.query_params) == {"layer", "head"}, "of the settings nothing"
