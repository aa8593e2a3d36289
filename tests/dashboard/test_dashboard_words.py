"""Both languages say the same things."""

import string

import pytest

from inspector.dashboard import words
from inspector.dashboard.words.statistics import FORMULAS
from inspector.heads import WEIGHTS_COLUMNS
from inspector.heads.cause.marks import ENDS
from inspector.verification import MUTATIONS, STAGES
from inspector.verification.whole_model import NOISE, OURS_EAGER, OURS_SDPA

MUTATIONS_OF_LAYERS = [mutation.name for mutation in MUTATIONS]


def _places(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("page", words.PAGES)
def test_the_languages_have_the_same_sentences(page):
    english, chinese = words.of(page, "en"), words.of(page, "zh")
    assert set(words.PAGES[page]) == {"en", "zh"}
    assert list(english) == list(chinese)
    assert all(text.strip() for text in [*english.values(), *chinese.values()])


@pytest.mark.parametrize("page", [page for page in words.PAGES if page not in ("weights",)])
def test_the_languages_fill_in_the_same_figures(page):
    english, chinese = words.of(page, "en"), words.of(page, "zh")
    for key, text in english.items():
        if "$" not in text:
            assert _places(chinese[key]) == _places(text), key


def test_every_statistic_has_a_formula_and_a_meaning():
    statistics = [name for name in WEIGHTS_COLUMNS if name not in ("layer", "head")]
    assert list(FORMULAS) == statistics
    assert list(words.of("statistics", "en")) == statistics


def test_the_terms_of_a_verification_have_words_in_chinese():
    """Terms that come to the library later are shown as it has them."""
    for name in (*MUTATIONS_OF_LAYERS, *STAGES, *ENDS, OURS_EAGER, OURS_SDPA, NOISE):
        assert words.term(name, "en") == name
        assert words.term(name, "zh") != name
    assert words.term("<no term>", "zh") == "<no term>"
