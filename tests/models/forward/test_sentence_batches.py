"""Batches of sentences: each once, sorted by length, small, next to no padding."""

import itertools
import math

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
from inspector.models.forward.sentence_batches import _cheapest_runs


@given(
    st.lists(st.integers(1, 700), max_size=9).map(sorted),
    st.integers(1, 6),
    st.sampled_from([0, 64, 10**6]),
)
@example([3] * 9, 6, 64)
@example([20, 21, 60, 61, 62, 190, 200, 210], 6, 64)
@example([100] * 6 + [512] * 3, 6, 10**6)
def test_no_other_runs_are_cheaper(lengths, size, batch_cost):
    """Against every way to cut the list."""

    def cost(runs):
        for run in runs:
            cells = len(run) * max(run)
            small = len(run) <= size and cells <= 1300 and cells * max(run) <= 40_000
            if not (small or len(run) == 1):
                return math.inf
        return sum(len(run) * max(run) + batch_cost for run in runs)

    def cut(places):
        ends = [0, *places, len(lengths)]
        return [lengths[start:end] for start, end in itertools.pairwise(ends)]

    runs = [lengths[run] for run in _cheapest_runs(lengths, BatchSize(size), batch_cost)]
    assert [length for run in runs for length in run] == lengths
    others = itertools.chain.from_iterable(
        itertools.combinations(range(1, len(lengths)), n) for n in range(len(lengths))
    )
    assert cost(runs) == min((cost(cut(places)) for places in others), default=0)


def test_a_batch_holds_no_more_tokens_than_asked(minilm):
    surfaces = [sentence.surface for sentence in default_corpus().sentences[:60]]
    for most in (60, 200, 5000):
        made = word_batches(minilm, surfaces, BatchSize(99, most), batch_cost=10**6).batches
        assert sorted(row for batch in made for row in batch.sentences) == [*range(60)]
        cells = [batch.batch.input_ids.numel() for batch in made if len(batch.sentences) > 1]
        assert most / 4 < max(cells) <= most


def test_even_batches_change_nothing_that_is_kept(minilm):
    sentences = default_corpus().sentences[:40:3]
    names = ["det", "nsubj", "obj"]
    kept, shapes = [], []
    for size, batch_cost in ((20, 10**6), (1, 64)):
        surfaces = [sentence.surface for sentence in sentences]
        made = word_batches(minilm, surfaces, size, batch_cost=batch_cost).batches
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
