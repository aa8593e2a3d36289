"""What pages say in a language: one catalogue each, a YAML file beside this module.

The English one says which pages and sentences there are; a file beside it, with the same keys and
figures, is a further language without a line of Python.
Must not know: where a sentence stands on its page.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from inspector.errors import InputError
from inspector.words.catalogue import Catalogue, differences
from inspector.yaml_file import YamlError, read_own_yaml

Words = Mapping[str, str]

FOLDER = Path(__file__).parent
"""Where the catalogues lie."""
REFERENCE = "en"
"""The language that says which sentences there are."""

_MOST_NAMED = 5


def languages() -> dict[str, str]:
    """Return the code of each language and what it calls itself, English first.

    Raises:
        InputError: If a catalogue does not say what the English one says.

    Example:
        >>> languages()["zh"]
        '中文'
    """
    return {code: catalogue.language for code, catalogue in _catalogues(FOLDER).items()}


def of(page: str, language: str) -> Words:
    """Return what a page says in a language.

    Example:
        >>> of("shell", "zh")["model"]
        '模型'
    """
    return _catalogues(FOLDER)[language].pages[page]


def term(name: str, language: str) -> str:
    """Return what a term of the library is called, or the term itself.

    Example:
        >>> term("mask dropped", "zh"), term("no such", "zh")
        ('漏掉掩码', 'no such')
    """
    return of("library", language).get(name, name)


@cache
def _catalogues(folder: Path) -> Mapping[str, Catalogue]:
    reference = _read(folder / f"{REFERENCE}.yaml")
    others = {path.stem: _read(path) for path in sorted(folder.glob("*.yaml"))}
    for code, catalogue in others.items():
        wrong = differences(catalogue, reference)
        if wrong:
            more = f" and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
            raise InputError(
                f"language ({code}) must have the sentences and figures of {REFERENCE}.yaml: "
                f"{'; '.join(wrong[:_MOST_NAMED])}{more}. Fix {code}.yaml in {folder.name}/."
            )
    return {REFERENCE: reference, **others}


def _read(path: Path) -> Catalogue:
    try:
        return Catalogue.model_validate(read_own_yaml(path))
    except YamlError as error:
        raise InputError(f"language ({path.stem}) must be a YAML file: {error}.") from None
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}"
            for item in error.errors()[:_MOST_NAMED]
        )
        raise InputError(
            f"language ({path.stem}) must hold `language` and `pages`, page by page: {wrong}."
        ) from None
