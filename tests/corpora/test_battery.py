"""The decoder battery: what its texts ask, recomputed from the words alone, and what it refuses."""

from collections import Counter
from itertools import pairwise

import pytest

from inspector.corpora.battery.battery import battery
from inspector.corpora.battery.words import LISTS, RESERVED, ProbeWords
from inspector.errors import InputError

DRAWN = tuple(f"w{a}{b}" for a in "abcdefgh" for b in "abcdefgh")


def words(drawn=DRAWN, known=lambda word: True, **given):
    return ProbeWords(drawn, lambda asked: [known(word) for word in asked], 64, **given)


def asked(corpus, label):
    """Yield (sentence, source, target) of every relation of a label."""
    for sentence in corpus:
        for one in sentence.relations:
            if one.label == label:
                yield sentence.words, one.source, one.target


@pytest.fixture(scope="module")
def corpus():
    return battery(words(), documents=12)


def test_repeats_ask_for_what_followed_and_their_control_for_what_did_not(corpus):
    periods = set()
    for text, source, target in asked(corpus, "induction"):
        assert text[target - 1] == text[source]
        assert target <= source
        assert text.count(text[source]) == 2, "a word that stands once more is no random text"
        periods.add(source - target + 1)
    assert len(periods) > 5, "a fixed period is a fixed offset"
    for text, source, target in asked(corpus, "induction|matched"):
        assert text[target - 1] != text[source]
        assert sorted(text[: len(text) // 2]) == sorted(text[len(text) // 2 :])
    for text, source, target in asked(corpus, "duplicate-token"):
        assert text[source] == text[target]
        assert target < source
    band = words().band
    for text, source, target in asked(corpus, "duplicate-token|matched"):
        assert text[source] not in text[max(0, target - 1) : target + 1]
        assert band[text[source]] == band[text[target]], "as frequent"
    assert all(source - target == 1 for _, source, target in asked(corpus, "previous-token"))


def test_orders_names_and_needles(corpus):
    following = {b: a for order in LISTS.orders.values() for a, b in pairwise(order)}
    for text, source, target in asked(corpus, "successor"):
        assert following[text[source]] == text[target]
    for text, source, target in asked(corpus, "successor|matched"):
        assert not {text[source], text[target]} & {
            word for o in LISTS.orders.values() for word in o
        }
    orders = Counter()
    for text, source, target in asked(corpus, "name-mover"):
        names = Counter(word for word in text if word in LISTS.names)
        assert source == len(text) - 1
        assert names[text[target]] == 1
        assert max(names.values()) == 2
        orders[target == min(i for i, word in enumerate(text) if word in names)] += 1
    assert min(orders.values()) > 5, "both orders"
    for text, _, target in asked(corpus, "s-inhibition"):
        assert text.count(text[target]) == 2
        assert text.index(text[target]) < target
    for name in ("name-mover", "s-inhibition"):
        for text, _, _ in asked(corpus, f"{name}|matched"):
            assert len(set(text) & set(LISTS.names)) == 3, "ABC"
    depths = Counter()
    for text, source, target in asked(corpus, "retrieval"):
        assert text[target - 2] == text[source - 1], "the needle of the name that is asked for"
        depths[sum(word == "." for word in text[target:])] += 1
    assert set(depths) == {1, 2, 3}
    kinds = Counter()
    for text, source, target in asked(corpus, "retrieval|matched"):
        assert text[target - 2] != text[source - 1]
        kinds[(text[target - 3], text[target - 1]) == ("of", "is")] += 1
    assert min(kinds[True], kinds[False]) > 5, "another needle, and the same in disorder"


def test_every_pair_has_a_control_and_looks_back(corpus):
    labels = Counter(one.label for sentence in corpus for one in sentence.relations)
    assert all(f"{label}|matched" in labels for label in labels if "|" not in label
               and label != "previous-token")  # fmt: skip
    for sentence in corpus:
        assert all(one.target < one.source for one in sentence.relations)
        for word, (start, end) in zip(sentence.words, sentence.surface.spans, strict=True):
            assert sentence.surface.text[start:end] == word
    assert battery(words(), documents=12).sha256 == corpus.sha256
    assert battery(words(), documents=12, seed=1).sha256 != corpus.sha256


def test_what_a_vocabulary_lacks_is_not_asked():
    left = {one.annotation: one.reason for one in battery(words(known=lambda _: False)).left_out}
    assert left == {
        "probe successor": "not asked: of no order (days, months, numbers) 5 words are one token "
        "each",
        "probe name-mover": "not asked: 0 names are one token each, and 4 are needed",
        "probe s-inhibition": "not asked: 0 names are one token each, and 4 are needed",
        "probe retrieval": "not asked: 0 names are one token each, and 4 are needed",
    }
    partly = battery(words(known=lambda word: word not in ("code", "to")))
    left = {one.annotation: one.reason for one in partly.left_out}
    assert left["probe retrieval"] == "not asked: 'code' is not one token"
    assert left["probe name-mover"].endswith("some word of each of its sentences is not one token")
    few = battery(words(DRAWN[:19]))
    reason = "not asked: the tokenizer makes one token of 19 words, and 20 are needed"
    assert not few.sentences
    assert {one.reason for one in few.left_out} == {reason}
    short = ProbeWords(DRAWN, lambda asked: [True] * len(asked), 12)
    reason = "not asked: the model takes 12 words, too few to repeat any"
    assert reason in {one.reason for one in battery(short).left_out}
    assert not RESERVED & set(DRAWN)


def test_without_a_mark_of_the_beginning_a_drawn_word_stands_there():
    made = battery(words(has_start=False), ["induction"], documents=4)
    assert made.left_out[-1].reason == "no token begins a text: a drawn word stands there"
    for sentence in made:
        assert sentence.words.count(sentence.words[0]) == 1
        assert all(0 not in (one.source, one.target) for one in sentence.relations)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"probes": ["inductoin"]},
            (
                "probes (inductoin) must be of the battery. Available: previous-token, "
                "duplicate-token, induction, successor, name-mover, s-inhibition, retrieval."
            ),
        ),
        (
            {"periods": [9, 9]},
            (
                "periods (9, 9) must be at least two different numbers: what repeats at one "
                "distance is found by a fixed offset."
            ),
        ),
        (
            {"periods": [9, 40]},
            (
                "periods (9, 40) must be whole numbers from 2 to 31: the model takes 64 words, and "
                "64 can be drawn."
            ),
        ),
        ({"documents": 0}, "documents (0) must be a whole number, at least 1."),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(given, sentence):
    with pytest.raises(InputError) as caught:
        battery(words(), **given)
    assert str(caught.value) == sentence
