"""What an operator may set: a small YAML file, read strictly.

`streamlit run app.py -- --config FILE`; what a file leaves out has the default given here.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from streamlit.navigation.page import StreamlitPage

from inspector import words
from inspector.errors import InputError
from inspector.yaml_file import YamlError, read_yaml

Sentence = Annotated[str, Field(min_length=1, max_length=2000)]
Name = Annotated[str, Field(min_length=1)]


class Settings(BaseModel):
    """The dashboard's settings; an unknown one is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: Annotated[str, Field(min_length=1, max_length=80)] = "inspector"
    """What the browser's tab says."""
    language: str = words.REFERENCE
    """Code of a catalogue in words/."""
    models: Annotated[list[Name], Field(min_length=1)] = ["minilm"]
    """Aliases, hub ids or folders; the pages choose among these only."""
    run: Name | list[Name] | None = None
    """The folder of a run that `inspector profile` made, or several; their models show them."""
    runs: Name | None = None
    """The folder below which runs can be opened and new ones are written; the user's cache folder
    if not given."""
    corpus: Annotated[list[Name], Field(min_length=1)] | None = None
    """The files that the run was made from, for example sentences; inspector's own if not given."""
    annotations: list[Name] = []
    """Further annotation of `corpus` or `corpora`: roles, names, relations of your own."""
    corpora: list[Name] = []
    """Files, each a corpus of its own, that can be profiled from the page Data."""
    most_upload_mb: Annotated[int, Field(ge=1, le=20)] = 10
    """Megabytes of a file that is uploaded."""
    most_words: Annotated[int, Field(ge=1)] = 200_000
    """Words of a text that is profiled from the page Data."""
    most_runs: Annotated[int, Field(ge=0, le=16)] = 2
    """Runs that are computed at once; 0: none can be started."""
    run_code: bool = False
    """Whether readers may run code of their own on the page Implementation, in a process apart."""
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

    @property
    def opened(self) -> list[str]:
        """Return the folders of the runs that are given."""
        return [self.run] if isinstance(self.run, str) else list(self.run or ())

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
    """Return what the server was started with; None or an empty list where it is not named.

    `config` is the settings file, `folder` where `inspector dashboard` was called; `run`, `model`,
    `corpus` and `annotate` are lists, `runs` is a folder.

    Args:
        arguments: What stands after `--`.

    Raises:
        InputError: If there is an argument of another name.

    Example:
        >>> read_arguments(["--config", "mine.yaml"]).config.name
        'mine.yaml'
    """
    parser = _Parser(prog="app.py", add_help=False, allow_abbrev=False)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--runs")
    for several in ("--run", "--model", "--corpus", "--annotate"):
        parser.add_argument(several, action="append", default=[])
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


def with_arguments(settings: Settings, arguments: argparse.Namespace) -> Settings:
    """Return settings in which what the command line names comes first.

    Example:
        >>> given = read_arguments(["--model", "mine", "--run", "a"])
        >>> changed = with_arguments(Settings(), given)
        >>> changed.models, changed.opened
        (['mine'], ['a'])
    """
    changes: dict[str, object] = {}
    if arguments.model:
        own = settings.models if "models" in settings.model_fields_set else []
        changes["models"] = list(dict.fromkeys([*arguments.model, *own]))
    if arguments.run:
        changes["run"] = list(dict.fromkeys([*arguments.run, *settings.opened]))
    if arguments.corpus:
        changes["corpora"] = list(dict.fromkeys([*arguments.corpus, *settings.corpora]))
    if arguments.annotate:
        changes["annotations"] = list(dict.fromkeys([*arguments.annotate, *settings.annotations]))
    if arguments.runs is not None:
        changes["runs"] = arguments.runs
    return settings.model_copy(update=changes)


@dataclass(frozen=True)
class Visit:
    """One run of one page for one reader."""

    settings: Settings
    language: str
    """Code of a catalogue, such as 'en'."""
    model: str
    """One of the settings' models."""
    run: Path | None = None
    """The folder of the run that is shown; the model's default run if None."""
    links: dict[str, StreamlitPage] = field(default_factory=dict)
    """The pages, by their names in the URL."""
