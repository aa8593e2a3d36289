"""Meaning and logic whose other ends were dealt out at random: no head is said to follow them.

The real model reads the probes once; every deal is compared with the same predictions. Coreference
is dealt in a test of its own. Must not know: how claims are made.
"""

from dataclasses import replace
from random import Random

import pytest
from support.planted.dealt_relations import counted, in_the_of_test_split_alone, random_models, told
from support.slow.observers import attention_of, predictions

from inspector.corpora import Corpus, Relation, annotate, meaning_probes
from inspector.heads.specialization.claims import relation_claims
from inspector.heads.specialization.supported_heads import supported_heads

SEEDS = range(12)
KINDS = ("semantic", "logical")


@pytest.fixture(scope="module")
def predicted(minilm, one_thread):
    """Return (sentence, place of each word, what it looks at, what looks at it)."""
    found = []
    probes = Corpus("probes", meaning_probes(), [], "", "generated")
    for sentence in annotate(probes).sentences:
        beyond = tuple(r for r in sentence.relations if r.kind != "syntax")
        if beyond:
            maps, word_ids, _, _ = attention_of(minilm, sentence)
            words, to, back = predictions(maps, word_ids)
            place = {word: i for i, word in enumerate(words)}
            found.append((replace(sentence, relations=beyond), place, to, back))
    return found


def dealt(predicted, kind, seed=None):
    """Return the counts of a kind, each relation's target another word if there is a seed.

    Relations go by what stands before the colon, so that each has pairs enough.
    """
    draw, entries = Random(seed), []
    for sentence, *rest in predicted:
        relations = []
        for one in sentence.relations:
            words = [w for w in range(len(sentence.words)) if w not in (one.source, *one.targets)]
            if one.kind == kind:
                target = one.target if seed is None else draw.choice(words)
                name = one.label.partition(":")[0]
                relations.append(Relation(kind, name, one.source, target))
        entries.append((replace(sentence, relations=tuple(relations)), *rest))
    return counted(entries)


@pytest.mark.parametrize("kind", KINDS)
def test_no_claim_holds_where_ends_are_dealt_at_random(predicted, kind):
    with_any = 0
    for seed in SEEDS:
        counts = dealt(predicted, kind, seed)
        frame = relation_claims(counts, random_models(counts), seed)
        assert (frame["n"] >= 20).sum() >= 9
        assert (frame["verdict"] != "underpowered").any()
        with_any += (frame["verdict"] == "supported").any()
    assert with_any <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_no_head_is_supported_where_ends_are_dealt_at_random(predicted, kind):
    counts = dealt(predicted, kind, 99)
    assert supported_heads(counts, random_models(counts))["supported"].mean() < 0.001


@pytest.mark.parametrize("kind", KINDS)
def test_control_the_true_ends_have_lifts(predicted, kind):
    def largest(seed):
        counts = dealt(predicted, kind, seed)
        frame = relation_claims(counts, random_models(counts))
        return frame[frame["n"] >= 20]["lift"].max()

    assert largest(None) > 0.2
    assert largest(None) > largest(0) + 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_control_a_leak_between_the_splits_would_be_seen(predicted, kind, monkeypatch):
    """And a head that is told where relations lead is found: there are pairs enough."""

    def optimism():
        counts = [dealt(predicted, kind, seed) for seed in SEEDS]
        frames = [relation_claims(one, random_models(one)) for one in counts]
        return [frame[frame["n"] >= 20]["optimism"].mean() for frame in frames]

    assert min(optimism()) > 0.0
    counts = dealt(predicted, kind, 0)
    frame = relation_claims(told(counts, 0.6), random_models(counts))
    assert (frame["verdict"] == "supported").sum() >= 2
    in_the_of_test_split_alone(monkeypatch)
    assert max(optimism()) == 0.0
