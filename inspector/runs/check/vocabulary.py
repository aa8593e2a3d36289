"""The words of claims: names of relations and directions, and what people say instead.

Must not know: how a sentence is taken apart, models.
"""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from inspector.yaml_file import read_own_yaml

_FILE = Path(__file__).with_name("words.yaml")


@dataclass(frozen=True)
class Meant:
    """A relation, and the direction in which a sentence speaks of it; '' where in none."""

    relation: str
    direction: str = ""


@dataclass(frozen=True)
class Target:
    """Where a head may look that is no relation: an offset in tokens, or a column of behaviour."""

    name: str
    offset: int | None = None
    column: str = ""


@dataclass(frozen=True)
class Words:
    """All of the vocabulary."""

    dependents: dict[str, tuple[str, ...]]
    """Relation → what its dependents are called."""
    heads: dict[str, tuple[str, ...]]
    other_names: tuple[str, ...]
    stanford: dict[str, tuple[str, bool]]
    """Name → relation, and whether head and dependent change places."""
    directions: dict[str, str]
    """How a direction is written → its name."""
    targets: dict[str, Target]
    """How a target is written → the target."""
    marks: dict[str, str]
    """How a mark of punctuation is called → the mark."""
    classes: dict[str, tuple[str, ...]]
    """Part of speech → what its words are called."""

    @property
    def relations(self) -> tuple[str, ...]:
        """Return the names of Universal Dependencies, sorted."""
        return tuple(sorted((*self.dependents, *self.other_names)))

    @cached_property
    def ends(self) -> tuple[str, ...]:
        """Return what the dependents and heads of any relation are called."""
        every = (*self.dependents.values(), *self.heads.values())
        return tuple(sorted({word for one in every for word in one}))

    @property
    def target_names(self) -> tuple[str, ...]:
        """Return the names of targets, in their order."""
        return tuple(dict.fromkeys(target.name for target in self.targets.values()))


@cache
def words() -> Words:
    """Return the vocabulary that ships with inspector.

    Example:
        >>> words().targets["following word"]
        Target(name='next token', offset=1, column='')
    """
    table = read_own_yaml(_FILE)
    relations = table["relations"]
    return Words(
        dependents={name: tuple(one["dependent"]) for name, one in relations.items()},
        heads={name: tuple(one["head"]) for name, one in relations.items()},
        other_names=tuple(table["other_names"]),
        stanford={
            name: (one["relation"], one.get("turned", False))
            for name, one in table["stanford"].items()
        },
        directions={
            written: name for name, ways in table["directions"].items() for written in ways
        },
        targets={
            written: Target(name, one.get("offset"), one.get("column", ""))
            for name, one in table["targets"].items()
            for written in (name, *one["words"])
        },
        marks=table["marks"],
        classes={tag: tuple(ways) for tag, ways in table["classes"].items()},
    )


def token_target(name: str) -> Target | None:
    """Return the target in tokens of a name; None where it is one of words.

    Example:
        >>> token_target("offset:-2")
        Target(name='offset:-2', offset=-2, column='')
    """
    kind, _, apart = name.partition(":")
    return Target(name, int(apart)) if kind == "offset" else words().targets.get(name)


def found_in(text: str, phrases: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """Return where phrases stand in a text, singular or plural: start, end, phrase.

    Longer ones first; a phrase inside another that was found is not counted.

    Example:
        >>> found_in("determiners look at their nouns", ("noun", "determiner"))
        [(0, 11, 'determiner'), (26, 31, 'noun')]
    """
    found: list[tuple[int, int, str]] = []
    for phrase in sorted(phrases, key=len, reverse=True):
        written = re.escape(phrase).replace(r"\ ", "[ -]")
        ending = f"{written[:-1]}(?:ys?|ies)" if written.endswith("y") else f"{written}(?:e?s)?"
        pattern = rf"(?<![\w\[<]){ending}(?![\w\]>])"
        for match in re.finditer(pattern, text):
            if all(match.end() <= start or match.start() >= end for start, end, _ in found):
                found.append((match.start(), match.end(), phrase))
    return sorted(found)
