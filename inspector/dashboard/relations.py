"""Relations in the reader's words: a name, a sentence and an example, in each language.

`relations.yaml` has them; a path, or a relation of the reader's own, gets its words by a rule.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from inspector.dashboard import words
from inspector.yaml_file import read_own_yaml

_FILE = Path(__file__).with_name("relations.yaml")
MENTIONS = ":mentions"
"""What ends the name of a relation that is asked among mentions alone."""


@dataclass(frozen=True)
class Gloss:
    """A relation in words."""

    name: str
    says: str
    example: str


def gloss(relation: str, language: str) -> Gloss:
    """Return a relation in a language's words.

    Example:
        >>> gloss("obj", "en").name, gloss("obl+case", "en").name
        ('direct object', 'place or time of a verb → preposition or case mark')
    """
    t = words.of("relations", language)
    if "+" in relation:
        edges = " → ".join(gloss(edge, language).name for edge in relation.split("+"))
        return Gloss(edges, t["path"], "–")
    plain, among, _ = relation.partition(MENTIONS)
    for pattern, texts in _catalogue().items():
        if fnmatchcase(plain, pattern):
            rest = plain.removeprefix(pattern.rstrip("*"))
            name, says, example = (
                text.format(rest=rest) for text in texts.get(language, texts[words.REFERENCE])
            )
            return Gloss(f"{name}{t['mentions'] if among else ''}", says, example)
    base, _, subtype = relation.partition(":")
    if subtype and base in _catalogue():
        of_base = gloss(base, language)
        return Gloss(f"{of_base.name} ({subtype})", of_base.says, of_base.example)
    return Gloss(relation, t["own"], "–")


def label(relation: str, language: str) -> str:
    """Return a relation's code with its name and example, as boxes list it.

    Example:
        >>> label("obj", "en")
        'obj – direct object (eat an egg)'
    """
    found = gloss(relation, language)
    if found.name == relation:
        return relation
    example = found.example.replace("*", "")
    return f"{relation} – {found.name}" + (f" ({example})" if example != "–" else "")


@cache
def _catalogue() -> dict[str, dict[str, list[str]]]:
    """Return the entries, those without `*` before those that may stand for them."""
    entries: dict[str, dict[str, list[str]]] = read_own_yaml(_FILE)
    return dict(sorted(entries.items(), key=lambda item: "*" in item[0]))
