"""The word lists of the readers: words, lower case, and none that YAML takes for something else."""

import pytest
from pydantic import ValidationError

from inspector.corpora.lexicon import LEXICON, Lexicon

DATA = LEXICON.model_dump()


def test_every_list_holds_words_in_lower_case():
    for name, words in DATA.items():
        assert words, name
        assert all(word == word.lower().strip() != "" for word in words), name


def test_a_bare_no_is_a_boolean_in_yaml_and_refused():
    assert "no" in LEXICON.negating_words
    with pytest.raises(ValidationError, match="negating_words"):
        Lexicon.model_validate(DATA | {"negating_words": ["not", False]})


def test_a_list_that_nobody_reads_is_refused():
    with pytest.raises(ValidationError, match="nouns"):
        Lexicon.model_validate(DATA | {"nouns": ["dog"]})
