"""A profile of the real model against a reference of its own: its maps, a sentence at a time.

The reference shares nothing with inspector but the model and the sentences: transformers'
`output_attentions`, numpy, integer counts. It is checked against plain loops in turn.
"""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.slow.numpy_behaviour import numpy_behaviour
from support.slow.observers import (
    attention_of,
    predictions,
    read_in_text,
    slow_behaviour,
    slow_relation_counts,
)

from inspector.corpora import read_conllu
from inspector.corpora.default import sample_files
from inspector.heads.counts import DIRECTIONS
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.shard_worker import ProfileSettings

_DATA = Path(os.environ.get("INSPECTOR_DATA", Path(__file__).parents[3] / "shared" / "data"))
EWT = _DATA / "ud-english-ewt" / "en_ewt-ud-dev.conllu"
SETTINGS = ProfileSettings(random_init_seeds=(), shard_size=64, coreference=False, ablation=False)


def reference(model, sentences):
    """Return n and correct, by relation; correct is [direction, layer, head]."""
    n, correct = Counter(), {}
    for sentence in sentences:
        maps, word_ids, _, _ = attention_of(model, sentence)
        words, looks_at, looked_from = predictions(maps, word_ids)
        place = {word: i for i, word in enumerate(words)}
        for relation in sentence.relations:
            if relation.source not in place or relation.target not in place:
                continue
            dependent, head = place[relation.source], place[relation.target]
            n[relation.label] += 1
            hits = np.stack(
                [
                    looks_at[:, :, dependent] == relation.target,
                    looks_at[:, :, head] == relation.source,
                    looked_from[:, :, dependent] == relation.target,
                ]
            )
            correct[relation.label] = correct.get(relation.label, 0) + hits.astype(int)
    return n, correct


def assert_equal(frame, n, correct):
    assert set(frame["relation"]) == set(n)
    for (label, direction), rows in frame.groupby(["relation", "direction"]):
        assert set(rows["n"]) == {n[label]}, label
        expected = correct[label][DIRECTIONS.index(direction)]
        found = rows.pivot(index="layer", columns="head", values="correct").to_numpy()
        wrong = np.argwhere(found != expected)
        assert not len(wrong), (label, direction, wrong.tolist())


@pytest.fixture(scope="module")
def sample():
    return read_conllu(sample_files(), strict=True)


@pytest.fixture(scope="module")
def of_sample(minilm, sample):
    return profile_corpus(minilm, sample, settings=SETTINGS)


def test_the_reference_equals_plain_loops(minilm, sample):
    few = sample.sentences[:3]
    n, correct = reference(minilm, few)
    slow_n, slow_correct, _, left_out = slow_relation_counts(minilm, few)
    assert n == slow_n
    assert left_out == 0
    for label, table in correct.items():
        for d, direction in enumerate(DIRECTIONS):
            for layer, head in np.ndindex(6, 12):
                assert table[d, layer, head] == slow_correct[layer, head, label, direction]


def test_counts_on_the_whole_sample(minilm, sample, of_sample):
    n, correct = reference(minilm, sample.sentences)
    assert_equal(of_sample.relations, n, correct)
    assert sum(n.values()) > 2000
    wrong = of_sample.relations.copy()
    wrong.loc[wrong.index[1234], "correct"] += 1
    with pytest.raises(AssertionError):
        assert_equal(wrong, n, correct)


@pytest.fixture(scope="module")
def gold(minilm):
    """Return 150 gold sentences and a profile of them."""
    if not EWT.exists():
        pytest.skip("needs ud-english-ewt of INSPECTOR_DATA")
    read = read_conllu([EWT])
    chosen = [s for s in read.sentences if len(s.words) > 3][::10][:150]
    assert len(chosen) == 150
    return chosen, profile_corpus(minilm, replace(read, sentences=chosen), settings=SETTINGS)


def test_counts_on_gold_sentences(minilm, gold):
    chosen, run = gold
    assert_equal(run.relations, *reference(minilm, chosen))


def assert_same_behaviour(frame, columns, queries):
    """Assert that every column but layer and head is as expected, to 1e-5."""
    assert set(frame.columns) == {"layer", "head", "queries", *columns}
    assert set(frame["queries"]) == {queries}
    for name, expected in columns.items():
        found = frame.pivot(index="layer", columns="head", values=name).to_numpy()
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5, err_msg=name)


def test_behaviour_in_numpy_equals_plain_loops(minilm, sample):
    few = sample.sentences[:3]
    columns, queries = numpy_behaviour(minilm, few)
    slow = slow_behaviour(minilm, few, lambda sentence: attention_of(minilm, sentence)[:3])
    for (layer, head), row in slow.items():
        assert row.pop("queries") == queries
        for name, value in row.items():
            assert columns[name][layer, head] == pytest.approx(value, abs=1e-12), name


def test_every_column_of_behaviour_on_gold_sentences(minilm, gold):
    chosen, run = gold
    columns, queries = numpy_behaviour(minilm, chosen)
    assert_same_behaviour(run.behaviour, columns, queries)
    wrong = run.behaviour.assign(norm_next_mass=run.behaviour["norm_next_mass"] + 2e-5)
    with pytest.raises(AssertionError, match="norm_next_mass"):
        assert_same_behaviour(wrong, columns, queries)


def test_every_column_of_behaviour_on_part_of_the_sample(minilm, sample):
    part = sample.sentences[::4]
    run = profile_corpus(minilm, replace(sample, sentences=part), settings=SETTINGS)
    assert_same_behaviour(run.behaviour, *numpy_behaviour(minilm, part))


def test_accuracies_follow_from_counts(minilm, of_sample, sample):
    frame = of_sample.relations
    assert np.array_equal(frame["accuracy"], frame["correct"] / frame["n"])
    offsets = {}
    for sentence in sample.sentences:
        present = set(read_in_text(minilm.tokenizer, sentence)[1])
        for relation in sentence.relations:
            if not {relation.source, relation.target} <= present:
                continue
            counted = offsets.setdefault(relation.label, Counter())
            counted[relation.target - relation.source] += 1
    for row in frame.drop_duplicates("relation").itertuples():
        counted = offsets[row.relation]
        assert counted[row.baseline_offset] == max(counted.values())
        assert row.baseline_accuracy == max(counted.values()) / row.n
