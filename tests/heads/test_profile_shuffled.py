"""Trees whose ends were dealt out at random: what follows no relation is not said to follow one.

The real model reads the sample once; its predictions are then compared with dealt trees. Both ends
are dealt: a head that looks at nouns finds many an object even if only its verb was dealt.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.planted.dealt_relations import counted, in_the_of_test_split_alone, random_models, told
from support.slow.observers import attention_of, predictions

from inspector.corpora import read_conllu
from inspector.corpora.default import sample_files
from inspector.heads.specialization.claims import relation_claims
from inspector.heads.specialization.supported_heads import supported_heads

SEEDS = 20


@pytest.fixture(scope="module")
def predicted(minilm, one_thread):
    """Return (sentence, place of each word, what it looks at, what looks at it) of the sample.

    Four sentences are a document: of the sample's own, 13 are judged, and over thousands of heads
    nothing could hold in these.
    """
    found = []
    for place, sentence in enumerate(read_conllu(sample_files()).sentences):
        sentence = replace(sentence, document=f"{sentence.document}/{place // 4}")
        maps, word_ids, _, _ = attention_of(minilm, sentence)
        words, to, back = predictions(maps, word_ids)
        found.append((sentence, {word: i for i, word in enumerate(words)}, to, back))
    return found


def dealt_claims(predicted):
    for seed in range(SEEDS):
        counts = counted(predicted, np.random.default_rng(seed))
        yield relation_claims(counts, random_models(counts), seed)


def figures(frames):
    """Return the mean lift, the share of p below 0.05 and the mean optimism; 20 pairs or more."""
    rows = pd.concat([frame[frame["n"] >= 20] for frame in frames])
    assert len(rows) > 800
    return rows["lift"].mean(), (rows["p_value"] < 0.05).mean(), rows["optimism"].mean()


def test_no_claim_holds_on_dealt_trees(predicted):
    frames = list(dealt_claims(predicted))
    assert sum((frame["verdict"] == "supported").any() for frame in frames) <= 0.05 * SEEDS
    assert sum((frame["q_value"] < 0.05).any() for frame in frames) <= 0.05 * SEEDS
    lift, small_p, optimism = figures(frames)
    assert lift < 0.03
    assert small_p < 0.05
    assert optimism > 0.05  # what the choice of a head promises, and does not keep


def test_control_a_leak_between_the_splits_would_be_seen(predicted, monkeypatch):
    in_the_of_test_split_alone(monkeypatch)
    lift, _, optimism = figures(dealt_claims(predicted))
    assert lift > 0.04
    assert optimism == 0.0


def test_control_a_head_that_is_told_is_found(predicted):
    """The sample is large enough for what passes there to mean something."""
    counts = counted(predicted, np.random.default_rng(0))
    frame = relation_claims(told(counts), random_models(counts))
    found = frame[(frame["verdict"] == "supported")]
    assert len(found) >= 8
    assert set(zip(found["layer"], found["head"], found["direction"], strict=True)) == {
        (2, 3, "dependent_to_head")
    }
    heads = supported_heads(told(counts), random_models(counts)).query("supported")
    assert {(2, 3)} == set(zip(heads["layer"], heads["head"], strict=True))


def test_no_head_is_supported_on_dealt_trees(predicted):
    counts = counted(predicted, np.random.default_rng(99))
    assert not supported_heads(counts, random_models(counts))["supported"].any()


def test_the_true_trees_have_lifts(predicted):
    """The control: the same predictions on the true trees beat the baseline by far."""
    true = relation_claims(counted(predicted), random_models(counted(predicted)))
    other = next(dealt_claims(predicted))
    big = true[true["n"] >= 20]
    assert big["lift"].max() > 0.2
    assert big["lift"].max() > other[other["n"] >= 20]["lift"].max() + 0.1
    assert (true["verdict"] == "supported").sum() >= 5
