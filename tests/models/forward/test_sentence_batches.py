"""Batches of sentences: each once, sorted by length, small, next to no padding."""

import itertools

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from inspector.corpora import default_corpus
from inspector.heads.observers import (
    Behaviour,
    HeadDistances,
    NormBehaviour,
    RelationScores,
    annotated_batches,
    observe,
)
from inspector.models import BatchSize, word_batches
from inspector.models.forward.sentence_batches import _even_runs


@given(
    st.lists(st.integers(1, 700), max_size=80).map(sorted),
    st.integers(1, 40),
    st.sampled_from([0.0, 0.1, 1.0]),
)
@example([3] * 40, 32, 0.1)
@example([100] * 9 + [512] * 3, 32, 1.0)
def test_runs_are_small_and_even_and_no_larger_ones_are(lengths, size, padding):
    def holds(run):
        cells = len(run) * max(run)
        return len(run) == 1 or (
            len(run) <= size
            and cells <= 1300
            and cells * max(run) <= 40_000
            and cells - sum(run) <= max(padding * cells, 64)
        )

    runs = [lengths[run] for run in _even_runs(lengths, BatchSize(size), padding)]
    assert [length for run in runs for length in run] == lengths
    assert all(map(holds, runs))
    assert not any(holds([*one, two[0]]) for one, two in itertools.pairwise(runs))


def test_a_batch_holds_no_more_tokens_than_asked(minilm):
    surfaces = [sentence.surface for sentence in default_corpus().sentences[:60]]
    for most in (60, 200, 5000):
        made = word_batches(minilm, surfaces, BatchSize(99, most), padding=1.0).batches
        assert sorted(row for batch in made for row in batch.sentences) == [*range(60)]
        cells = [batch.batch.input_ids.numel() for batch in made if len(batch.sentences) > 1]
        assert most / 4 < max(cells) <= most


def test_even_batches_change_nothing_that_is_kept(minilm):
    sentences = default_corpus().sentences[:40:3]
    names = ["det", "nsubj", "obj"]
    kept, shapes = [], []
    for size, padding in ((20, 1.0), (1, 0.1)):
        surfaces = [sentence.surface for sentence in sentences]
        made = word_batches(minilm, surfaces, size, padding=padding).batches
        shapes.append([batch.batch.attention_mask for batch in made])
        shape = (minilm.n_layers, minilm.n_heads)
        observers = [
            Behaviour(*shape, minilm.max_tokens),
            NormBehaviour(minilm),
            RelationScores(*shape, ["all"], names),
            HeadDistances(*shape),
        ]
        places = {name: i for i, name in enumerate(names)}
        observe(minilm, annotated_batches(made, sentences, [0] * len(sentences), places), observers)
        kept.append({name: array for one in observers for name, array in one.state().items()})
    padded, even = (sum(int((mask == 0).sum()) for mask in masks) for masks in shapes)
    assert even == 0
    assert padded > 0.1 * sum(mask.numel() for mask in shapes[1])  # control: there was some
    assert kept[0].keys() == kept[1].keys()
    for name, array in kept[0].items():
        if array.dtype.kind == "i":
            np.testing.assert_array_equal(kept[1][name], array, err_msg=name)
        else:
            np.testing.assert_allclose(kept[1][name], array, rtol=1e-6, err_msg=name)
