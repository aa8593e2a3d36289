"""What an operator may set: a small YAML file, read strictly.

`streamlit run app.py -- --config FILE`; what a file leaves out has the default given here.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from streamlit.navigation.page import StreamlitPage

from inspector.dashboard import words
from inspector.errors import InputError
from inspector.yaml_file import YamlError, read_yaml

Sentence = Annotated[str, Field(min_length=1, max_length=2000)]


class Settings(BaseModel):
    """The dashboard's settings; an unknown one is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: Annotated[str, Field(min_length=1, max_length=80)] = "inspector"
    """What the browser's tab says."""
    language: str = words.REFERENCE
    """Code of a catalogue in words/."""
    models: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)] = ["minilm"]
    """Aliases, hub ids or folders; the pages choose among these only."""
    run: Annotated[str, Field(min_length=1)] | None = None
    """The folder of a run that `inspector profile` made; its model shows it."""
    runs: Annotated[str, Field(min_length=1)] | None = None
    """Where default runs are kept; the user's cache folder if not given."""
    corpus: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)] | None = None
    """The files that the run was made from, for example sentences; inspector's own if not given."""
    sentence: Sentence = "The animal didn't cross the street because it was too tired."
    second_sentence: Annotated[str, Field(max_length=2000)] = ""
    """Of a pair; empty for a single sentence."""
    target: Sentence = "She opened the bank account."
    source: Sentence = "The money was safe at the bank near the river."
    word: Annotated[str, Field(min_length=1, max_length=60)] = "bank"
    contexts: Annotated[list[Sentence], Field(min_length=2, max_length=2)] = [
        "He deposited the money at the bank.",
        "He sat on the bank of the river.",
    ]

    @field_validator("language")
    @classmethod
    def _spoken(cls, code: str) -> str:
        if code not in words.languages():
            raise ValueError(f"must be one of {', '.join(words.languages())}, not {code!r}")
        return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise instead of ending the server's process."""
        raise InputError(f"app.py was started with other arguments than it knows: {message}.")


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return `config`, the settings file, and `folder`, where `inspector dashboard` was called.

    Either is None where the command line does not name it.

    Args:
        arguments: What stands after `--`.

    Raises:
        InputError: If there is an argument other than `--config FILE` and `--folder FOLDER`.

    Example:
        >>> read_arguments(["--config", "mine.yaml"]).config.name
        'mine.yaml'
    """
    parser = _Parser(prog="app.py", add_help=False, allow_abbrev=False)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--folder", type=Path)
    return parser.parse_args(arguments)


def read_settings(path: Path) -> Settings:
    """Return the settings of a file.

    Raises:
        InputError: If it cannot be read, is not YAML, or has a setting that is unknown or wrong.
    """
    try:
        data = read_yaml(path)
    except OSError as error:
        raise InputError(
            f"settings ({path.name}) could not be read: {error.strerror}. "
            "Start with `streamlit run app.py -- --config configs/minilm.yaml`."
        ) from None
    except YamlError as error:
        raise InputError(f"settings ({path.name}) must be YAML: {error}.") from None
    try:
        return Settings.model_validate({} if data is None else data)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}"
            for item in error.errors()
        )
        raise InputError(
            f"settings ({path.name}) must hold what the dashboard knows: {wrong}. "
            f"Available: {', '.join(Settings.model_fields)}."
        ) from None


@dataclass(frozen=True)
class Visit:
    """One run of one page for one reader."""

    settings: Settings
    language: str
    """Code of a catalogue, such as 'en'."""
    model: str
    """One of the settings' models."""
    links: dict[str, StreamlitPage] = field(default_factory=dict)
    """The pages, by their names in the URL."""
