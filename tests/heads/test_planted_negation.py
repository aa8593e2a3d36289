"""Planted heads that go from a negation to the next verb are found, and not called logical.

Of two clauses of a sentence one is denied; the planted model knows words and places, no trees.
Must not know: how scope is read from trees, how claims are made.
"""

import random

import pytest
import torch
from support.planted.bert import N_POSITIONS, plant
from support.tiny.models import tiny_tokenizer

from inspector.corpora import Corpus, annotate, tree_sentence
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.shard_worker import ProfileSettings

NOUNS, VERBS = ("cat", "dog", "rain", "town", "table"), ("had", "could")
OTHERS = ("uniform", "previous")
KINDS = ("uniform", "scope", "predicate", "previous")
# Planted head → from which words it looks at the next of which.
LOOKS = {"scope": {"not": VERBS, "no": NOUNS}, "predicate": {"no": VERBS}}


@pytest.fixture(scope="module", autouse=True)
def negation():
    """Let `plant` know heads that look from a word at the next one of a kind."""
    import support.planted.bert as planted_bert

    others = planted_bert.scores

    def scores(kind, tokenizer):
        if kind not in LOOKS:
            return others(kind, tokenizer)
        content = torch.zeros(len(tokenizer), len(tokenizer))
        for cue, sought in LOOKS[kind].items():
            for token in tokenizer.convert_tokens_to_ids(tokenizer.tokenize(cue)):
                content[token, tokenizer.convert_tokens_to_ids(list(sought))] = 2.0
        apart = torch.arange(N_POSITIONS) - torch.arange(N_POSITIONS)[:, None]
        # place[query, key]: nearer is better, what comes after is better than what does not.
        place = torch.where(apart > 0, 1 - 0.02 * apart, torch.full_like(apart, -1.0, dtype=float))
        return content, place.float()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planted_bert, "scores", scores)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return profiled(tmp_path_factory.mktemp("negation") / "bert", KINDS)


def clause(draw, cue):
    """Return rows (word, tag, head, label) of a clause, and its verb; "not" may stand afar."""
    determiner = "no" if cue == "no" else draw.choice(("the", "every"))
    noun = 1 + draw.randint(0, 2)
    phrase, between = draw.random() < 0.4, draw.randint(0, 2) if cue == "not" else 0
    verb = noun + 1 + 3 * phrase + (cue == "not") + between
    rows = [(determiner, "DET", noun, "det"), *[("old", "ADJ", noun, "amod")] * (noun - 1)]
    rows.append((draw.choice(NOUNS), "NOUN", verb, "nsubj"))
    if phrase:
        rows += [("in", "ADP", noun + 3, "case"), ("the", "DET", noun + 3, "det")]
        rows.append((draw.choice(NOUNS), "NOUN", noun, "nmod"))
    rows += [("not", "PART", verb, "advmod")] * (cue == "not")
    rows += [("that", "PRON", verb, "obl")] * between
    return [*rows, (draw.choice(VERBS), "VERB", -1, "root"), ("rain", "NOUN", verb, "obj")], verb


def corpus():
    """Return documents of sentences with a clause that is denied and one that is not."""
    draw, sentences = random.Random(3), []
    for number in range(240):
        cues = ["not" if number % 3 else "no", None]
        draw.shuffle(cues)
        (rows, root), (second, verb) = (clause(draw, cue) for cue in cues)
        start = len(rows) + 1
        rows.append(("and", "CCONJ", start + verb, "cc"))
        rows += [
            (word, tag, root if head < 0 else start + head, "conj" if head < 0 else label)
            for word, tag, head, label in second
        ]
        words, tags, heads, labels = zip(*rows, strict=True)
        document = f"d{number // 4}"
        sentences.append(
            tree_sentence(f"s{number}", words, heads, labels, upos=tags, document=document)
        )
    return annotate(Corpus("planted", sentences, [], "0" * 64, "generated"))


def profiled(folder, kinds):
    return profile_corpus(plant(folder, kinds), corpus(), settings=ProfileSettings(ablation=False))


def test_they_are_found_for_negation_and_for_nothing_else(run):
    claims = run.claims.set_index(["relation", "direction"])
    for kind in LOOKS:
        claim = claims.loc[f"neg:{kind}", "dependent_to_head"]
        assert (claim["head"], claim["accuracy"]) == (KINDS.index(kind), 1.0)
        # The next word of a class is always the same one: nothing tells the two apart.
        assert (claim["class_accuracy"], claim["selectivity_n"]) == (1.0, 0)
        assert (claim["verdict"], claim["explained_by"]) == ("explained", "word-class")
        assert claim["baseline_accuracy"] < 0.5
        assert claim["n"] > 30
    rest = run.claims[~run.claims["relation"].str.startswith("neg:")]
    # In the tree "not" is an adverbial modifier, and there is no other.
    assert set(rest[rest["verdict"] == "supported"]["relation"]) <= {"advmod"}
    assert {"coordination:and", "quantifier:noun", "quantifier:scope", "det"} <= set(
        rest[rest["n"] > 50]["relation"]
    )


def test_what_a_rule_of_word_class_finds_too_is_its_role_and_no_logical_one(run):
    assert not run.roles["role"].str.startswith(("logical", "semantic", "syntactic")).any()
    for kind in LOOKS:
        earned = run.roles[run.roles["head"] == KINDS.index(kind)].set_index("role")["evidence"]
        assert set(earned.index) == {"positional:1", "word-class:VERB:right"}
        assert "explained by word-class (n = 0 pairs" in earned["word-class:VERB:right"]


def test_control_without_the_planted_heads_nothing_is_found(tmp_path):
    run = profiled(tmp_path / "bert", OTHERS)
    negations = run.claims[run.claims["relation"].str.startswith("neg:")]
    assert len(negations) == 6
    assert "supported" not in set(negations["verdict"])


def test_words_and_tokens_are_as_planted():
    assert tiny_tokenizer("bert").tokenize("no not in") == ["n", "##o", "not", "i", "##n"]
    counts = corpus().relation_counts()
    assert counts["logical", "neg:scope"] == 240
    assert counts["logical", "neg:predicate"] == 80
