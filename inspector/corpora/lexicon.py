"""The English words that readers of logic and of texts go by, as lexicon.yaml has them."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from inspector.yaml_file import read_own_yaml


class Lexicon(BaseModel):
    """Lists of words, lower case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    negating_words: frozenset[str]
    negating_pronouns: frozenset[str]
    conditions: frozenset[str]
    comparing_words: frozenset[str]
    equal_degrees: frozenset[str]
    quantifiers: frozenset[str]
    counting_nouns: frozenset[str]
    conjunctions: dict[str, str]
    """Conjunction → its operator."""
    pronouns_of_persons: frozenset[str]
    abbreviations: frozenset[str]


LEXICON = Lexicon.model_validate(read_own_yaml(Path(__file__).with_name("lexicon.yaml")))
