"""A batch shown in parts, each cut to its longest text: nothing that is kept changes."""

import numpy as np
import pytest

from inspector.corpora import default_corpus
from inspector.heads.observers import (
    Behaviour,
    HeadDistances,
    NormBehaviour,
    RelationScores,
    annotated_batches,
    batch,
    observe,
)
from inspector.models import word_batches


@pytest.fixture(scope="module")
def sentences():
    return default_corpus().sentences[:40:3]


def states(model, sentences):
    names = ["det", "nsubj", "obj"]
    made = word_batches(model, [sentence.surface for sentence in sentences], len(sentences))
    batches = annotated_batches(
        made.batches, sentences, [0] * len(sentences), {name: i for i, name in enumerate(names)}
    )
    shape = (model.n_layers, model.n_heads)
    observers = [
        Behaviour(*shape, model.max_tokens),
        NormBehaviour(model),
        RelationScores(*shape, ["all"], names),
        HeadDistances(*shape),
    ]
    observe(model, batches, observers)
    kept = {}
    for observer in observers:
        kept |= observer.state()
    return kept, [len(batch.parts) for batch in batches]


def test_parts_change_nothing_that_is_kept(minilm, sentences, monkeypatch):
    monkeypatch.setattr(batch, "_PART_CELLS", 10**9)
    whole, n_parts = states(minilm, sentences)
    assert n_parts == [1]
    monkeypatch.setattr(batch, "_PART_CELLS", 1_000)
    parted, n_parts = states(minilm, sentences)
    assert n_parts[0] > 3
    assert whole.keys() == parted.keys()
    for name, kept in whole.items():
        if kept.dtype.kind == "i":
            np.testing.assert_array_equal(parted[name], kept, err_msg=name)
        else:
            np.testing.assert_allclose(parted[name], kept, rtol=1e-6, err_msg=name)


def test_parts_are_runs_of_rows_cut_to_their_longest_text(minilm, sentences, monkeypatch):
    monkeypatch.setattr(batch, "_PART_CELLS", 1_000)
    made = word_batches(minilm, [sentence.surface for sentence in sentences], len(sentences))
    (one,) = annotated_batches(made.batches, sentences, list(range(len(sentences))), {})
    assert [row for part in one.parts for row in range(part.rows.start, part.rows.stop)] == list(
        range(len(sentences))
    )
    for part in one.parts:
        size = part.batch.attended.shape[1]
        assert size == int(part.batch.attended.sum(1).max())
        assert len(part.batch.sentences) * size**2 <= 1_000 or len(part.batch.sentences) == 1
        assert part.batch.sentences == one.sentences[part.rows]
        assert part.batch.documents == one.documents[part.rows]


def test_padding_on_the_left_is_cut_too(monkeypatch):
    monkeypatch.setattr(batch, "_PART_CELLS", 20)
    runs = batch._runs(first=[5, 4, 3, 0], last=[7, 7, 7, 7])
    assert runs == [slice(0, 1), slice(1, 2), slice(2, 3), slice(3, 4)]
    monkeypatch.setattr(batch, "_PART_CELLS", 32)
    assert batch._runs(first=[5, 4, 3, 0], last=[7, 7, 7, 7])[0] == slice(0, 2)
