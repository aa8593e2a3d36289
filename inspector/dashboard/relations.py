"""Relations, roles and verdicts in the reader's words: name, sentence and example of each.

`relations.yaml` has them; a path, or a relation of the reader's own, gets its words by a rule.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from inspector import words
from inspector.yaml_file import read_own_yaml

_FILE = Path(__file__).with_name("relations.yaml")
FOLLOWING = ("syntactic", "semantic", "logical")
"""Families of roles that say that a head follows a relation."""
_OF_RELATIONS = (*FOLLOWING, "discourse-cue")
MENTIONS = ":mentions"
"""What ends the name of a relation that is asked among mentions alone."""


@dataclass(frozen=True)
class Gloss:
    """A relation in words."""

    name: str
    says: str
    example: str


@cache
def gloss(relation: str, language: str) -> Gloss:
    """Return a relation in a language's words.

    Example:
        >>> gloss("obj", "en").name, gloss("obl+case", "en").name
        ('direct object', 'place or time of a verb → preposition or case mark')
        >>> gloss("coref:pronoun", "zh").name
        '同指（代词）'
    """
    t = words.of("relations", language)
    if "+" in relation:
        edges = " → ".join(gloss(edge, language).name for edge in relation.split("+"))
        return Gloss(edges, t["path"], "–")
    plain, among, _ = relation.partition(MENTIONS)
    for pattern, texts in _catalogue().items():
        if fnmatchcase(plain, pattern):
            rest = words.term(plain.removeprefix(pattern.rstrip("*")), language)
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
    said = f"{relation} – {found.name}"
    example = found.example.replace("*", "")
    t = words.of("relations", language)
    return said if example == "–" else t["with_example"].format(said=said, example=example)


def role(name: str, language: str) -> Gloss:
    """Return a role in a language's words.

    Example:
        >>> role("syntactic:obj", "en").name, role("positional:-1", "en").name
        ('follows direct object', 'token at −1')
    """
    family, _, rest = name.partition(":")
    texts = _terms("roles").get(family)
    if texts is None:
        return Gloss(name, words.of("relations", language)["own"], "–")
    shown = rest.replace("-", "−")
    if family in _OF_RELATIONS and rest:
        shown = gloss(rest, language).name
    called, says, example = texts.get(language, texts[words.REFERENCE])
    return Gloss(called.format(rest=shown), says, example)


def verdict(name: str, language: str) -> Gloss:
    """Return a verdict in a language's words.

    Example:
        >>> verdict("explained", "en").example
        'the nearest verb finds 91 % of objects'
    """
    texts = _terms("verdicts")[name]
    return Gloss(*texts.get(language, texts[words.REFERENCE]))


def verdicts(language: str) -> str:
    """Return what each verdict says, for a tooltip."""
    found = (verdict(name, language) for name in _terms("verdicts"))
    return "\n\n".join(f"**{one.name}**: {one.says} ({one.example})" for one in found)


def every(language: str) -> dict[str, Gloss]:
    """Return all that the catalogue explains, relations, roles, verdicts: code → its words."""
    own = {code: gloss(code.replace("*", "…"), language) for code in _catalogue()}
    roles = {code: role(f"{code}:…" if "{" in str(texts) else code, language)
             for code, texts in _terms("roles").items()}  # fmt: skip
    return {**own, **roles, **{code: verdict(code, language) for code in _terms("verdicts")}}


@cache
def _terms(kind: str) -> dict[str, dict[str, list[str]]]:
    """Return the entries of relations, of roles, or of verdicts."""
    entries: dict[str, dict[str, list[str]]] = read_own_yaml(_FILE)[kind]
    return entries


@cache
def _catalogue() -> dict[str, dict[str, list[str]]]:
    """Return the entries of relations, those without `*` before those that may stand for them."""
    return dict(sorted(_terms("relations").items(), key=lambda item: "*" in item[0]))
