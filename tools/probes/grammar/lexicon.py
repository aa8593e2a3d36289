"""The words of generated probes, as lexicon.yaml has them."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from inspector.yaml_file import read_own_yaml


class _Lexicon(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    nouns: dict[str, tuple[str, ...]]
    adjectives: dict[str, tuple[tuple[str, ...], ...]]
    same_adjectives: dict[str, str]
    ungradable: frozenset[str]
    degrees: tuple[str, ...]
    compounds: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    parts: dict[str, tuple[str, ...]]
    part_adjectives: tuple[str, ...]
    ageless: frozenset[str]
    clashes: frozenset[frozenset[str]]


_WORDS = _Lexicon.model_validate(read_own_yaml(Path(__file__).with_name("lexicon.yaml")))

NOUNS = _WORDS.nouns
"""Class → nouns; "singular/plural" where the plural is irregular."""
ADJECTIVES = _WORDS.adjectives | {
    kind: _WORDS.adjectives[like] for kind, like in _WORDS.same_adjectives.items()
}
"""Class → adjectives by rank in a row of adjectives."""
UNGRADABLE, DEGREES = _WORDS.ungradable, _WORDS.degrees
COMPOUNDS = _WORDS.compounds
"""Head noun → nouns that modify it by use, and by material."""
MADE_OF = frozenset(head for head, (_, materials) in COMPOUNDS.items() if materials)
"""Nouns whose material a compound names."""
PARTS, PART_ADJECTIVES = _WORDS.parts, _WORDS.part_adjectives
AGELESS, CLASHES = _WORDS.ageless, _WORDS.clashes
