"""Roles on one text, against loops that know the text, its tree and the model's own maps alone."""

import pandas as pd
import pytest
from support.slow.observers import attention_of, word_map

from inspector.corpora import Sentence, default_corpus
from inspector.errors import InputError
from inspector.heads.search import acting_roles
from inspector.heads.specialization.roles import role_rules

OBJ = (
    "From the dependent of obj it looks most at its head in 48.2 % of 9 pairs (dependent_to_head);"
)
ASKED = (
    "Asked for det (head_to_dependent) it is at the nearest of NOUN to the right in 9 % of 9 pairs"
)
HEADS = [(layer, head) for layer in range(6) for head in range(12)]


def roles_of(*rows):
    columns = ["layer", "head", "role", "evidence", "effect"]
    return pd.DataFrame([(*row, 0.5) for row in rows], columns=columns)


def best(weights, word):
    """Return the word that one looks at most, of equals the first; None without any."""
    row = {at: weight for at, weight in weights[word].items() if at != word}
    return max(row, key=lambda at: (row[at], -at))


def test_roles_of_words_are_those_of_a_loop(minilm):
    """Relations from their tree, keywords and positions from the words, for all heads at once."""
    sentence = next(
        one for one in default_corpus().sentences
        if sum(pair.label == "obj" for pair in one.relations) >= 2 and len(one.words) < 20
        and any(pair.label == "det" for pair in one.relations)
    )  # fmt: skip
    maps, word_ids, *_ = attention_of(minilm, sentence)
    word = sentence.words[3].lower()
    rows = [
        (layer, head, role, evidence)
        for layer, head in HEADS
        for role, evidence in (
            ("syntactic:obj", OBJ), (f"keyword:{word}", ""), ("position:last", ""),
            ("word-class:NOUN:right", ASKED),
        )
    ]  # fmt: skip
    found = acting_roles(minilm, sentence, roles_of(*rows))
    assert [(one.layer, one.head, one.role) for one in found] == [row[:3] for row in rows]
    n, hits = len(sentence.words), set()
    for one in found:
        weights = word_map(maps[one.layer][one.head], word_ids, len(sentence.words))
        if one.role == "syntactic:obj":
            expected = {p.source: {p.target} for p in sentence.relations if p.label == "obj"}
        elif one.role == "position:last":
            expected = {at: {n - 1} for at in range(n - 1)}
        elif one.role.startswith("keyword"):
            same = {at for at in range(n) if sentence.words[at].lower() == word}
            expected = {at: same - {at} for at in range(n) if same - {at}}
        else:
            nouns = [at for at in range(n) if sentence.upos[at] == "NOUN"]
            asked = {p.target for p in sentence.relations if p.label == "det"}
            expected = {
                at: {min(noun for noun in nouns if noun > at)}
                for at in asked if any(noun > at for noun in nouns)
            }  # fmt: skip
        assert {place.asked: set(place.expected) for place in one.places} == expected, one.role
        looked = {at: best(weights, at) for at in expected}
        assert {place.asked: place.looked for place in one.places} == looked, one.role
        right = sum(looked[at] in expected[at] for at in expected)
        assert one.hits == right
        if expected:
            assert one.acts == (right >= len(expected) / 2)
            hits.add(one.acts)
        else:
            assert (one.acts, one.needs) == (None, "place")
    assert hits == {True, False}


def test_roles_of_tokens_are_those_of_a_loop_and_need_no_tree(minilm):
    text = "the dog saw the dog , and the dog ran away ."
    plain = Sentence("text", None, tuple(text.split()), None, (), text)
    names = ("positional:-1", "previous-token", "duplicate-token", "induction")
    rows = [(layer, head, role, "") for layer, head in HEADS for role in names]
    found = acting_roles(minilm, plain, roles_of(*rows))
    tokens = minilm.encode([text]).tokens[0]
    n, acts = len(tokens), set()
    maps = attention_of(minilm, plain)[0]
    for one in found:
        expected = {}
        for at in range(1, n - 1):
            others = [k for k in range(1, n - 1) if k != at and tokens[k] == tokens[at]]
            right = {
                "duplicate-token": others,
                "induction": [k + 1 for k in others if k < at and k + 1 < n - 1],
            }.get(one.role, [at - 1] if at > 1 else [])
            if right:
                expected[at] = set(right)
        assert {place.asked: set(place.expected) for place in one.places} == expected, one.role
        weights = maps[one.layer][one.head]
        for place in one.places:
            row = [float(weights[place.asked][k]) if 0 < k < n - 1 else -1.0 for k in range(n)]
            assert row[place.looked] == pytest.approx(max(row), abs=1e-6)
        assert one.of_tokens
        acts.add(one.acts)
    assert acts == {True, False}


def test_masses_are_judged_by_the_roles_own_figures_of_this_text(minilm):
    text = "The animal did not cross the street because it was too tired ."
    plain = Sentence("text", None, tuple(text.split()), None, (), text)
    rows = [(layer, head, role, "") for layer, head in HEADS for role in ("special-token", "broad")]
    least = role_rules()["special-token"].at_least["special_mass"]
    acts = []
    maps = attention_of(minilm, plain)[0]
    for one in acting_roles(minilm, plain, roles_of(*rows)):
        if one.role == "special-token":
            weights = maps[one.layer][one.head][1:-1]
            mass = float((weights[:, 0] + weights[:, -1]).mean())
            assert one.share == pytest.approx(mass, abs=1e-6)
            assert not one.acts or mass >= least
            acts.append(one.acts)
    assert {True, False} == set(acts)


def test_what_cannot_be_judged_says_why(minilm):
    plain = Sentence("text", None, ("A", "cat", "sat"), None, (), "A cat sat")
    rows = [
        (0, 0, "syntactic:obj", OBJ), (0, 0, "word-class:NOUN:right", ASKED),
        (0, 0, "duplicate-token", ""), (0, 0, "name-mover", ""), (0, 0, "position:9", ""),
        (0, 0, "keyword:but", ""),
    ]  # fmt: skip
    found = acting_roles(minilm, plain, roles_of(*rows))
    assert [one.needs for one in found] == ["tree", "tree", "repeat", "probe", "place", "place"]
    assert [one.acts for one in found] == [None] * 6
    assert acting_roles(minilm, plain, roles_of()) == ()
    blank = Sentence("text", None, ("\u200b",), None, (), "\u200b")
    with pytest.raises(InputError, match=r"text \(1 words\) must have a token that the model know"):
        acting_roles(minilm, blank, roles_of((0, 0, "broad", "")))
