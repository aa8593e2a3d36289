"""The observers against plain loops over the model's own maps."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import torch
from support.slow.observers import (
    attention_of,
    norm_weights,
    slow_behaviour,
    slow_js,
    slow_relation_counts,
)
from support.tolerances import BATCHING

from inspector.corpora import Relation, Sentence, read_conllu
from inspector.corpora.default import sample_files
from inspector.heads.observers import (
    BEHAVIOUR_COLUMNS,
    DISTANCES_COLUMNS,
    Behaviour,
    HeadDistances,
    NormBehaviour,
    RelationScores,
    annotated_batches,
    behaviour_frame,
    observe,
)
from inspector.models import BatchSize, last_hidden_state, watch, word_batches

DIRECTIONS = ("dependent_to_head", "head_to_dependent", "attended_by_head")


def sentence(name, text, tags, arcs, document=None):
    relations = tuple(Relation("syntax", label, a, b) for label, a, b in arcs)
    return Sentence(name, document, tuple(text.split(" ")), tuple(tags.split()), relations)


SENTENCES = [
    sentence(
        "a",
        "The unflappable zookeeper fed the giraffe .",
        "DET ADJ NOUN VERB DET NOUN PUNCT",
        [("det", 0, 2), ("amod", 1, 2), ("nsubj", 2, 3), ("det", 4, 5), ("obj", 5, 3)],
        "one",
    ),
    sentence("b", "Rain .", "NOUN PUNCT", [], "one"),
    # a word without tokens (a zero-width space) in the middle: no other word may shift
    sentence(
        "c",
        "Big \u200b dogs bark , and big dogs sleep .",
        "ADJ X NOUN VERB PUNCT CCONJ ADJ NOUN VERB PUNCT",
        [
            ("amod", 0, 2),
            ("dep", 1, 2),
            ("nsubj", 2, 3),
            ("cc", 5, 8),
            ("amod", 6, 7),
            ("nsubj", 7, 8),
            ("conj", 8, 3),
        ],
        "two",
    ),
    sentence("d", "She sang", "PRON VERB", [("nsubj", 0, 1)], "two"),
]
NAMES = ["amod", "cc", "conj", "dep", "det", "nsubj", "obj"]


def run(model, sentences, observers, batch_size=2, names=NAMES):
    documents = {d: i for i, d in enumerate(dict.fromkeys(s.document for s in sentences))}
    batches = word_batches(model, [s.surface for s in sentences], batch_size, batch_cost=10**6)
    annotated = annotated_batches(
        batches.batches,
        sentences,
        [documents[s.document] for s in sentences],
        {name: i for i, name in enumerate(names)},
    )
    observe(model, annotated, observers)
    return list(documents)


def scores(model, sentences, batch_size=2, names=NAMES):
    documents = list(dict.fromkeys(s.document for s in sentences))
    observer = RelationScores(model.n_layers, model.n_heads, documents, names)
    run(model, sentences, [observer], batch_size, names)
    return observer


@pytest.fixture(scope="module")
def maps_of(minilm):
    cache = {}

    def maps(sentence):
        if sentence.id not in cache:
            cache[sentence.id] = attention_of(minilm, sentence)[:3]
        return cache[sentence.id]

    return maps


@pytest.fixture(scope="module")
def norm_maps_of(minilm, maps_of):
    cache = {}

    def maps(sentence):
        if sentence.id not in cache:
            plain, word_ids, ids = maps_of(sentence)
            batch = word_batches(minilm, [sentence.surface], 1).batches[0].batch
            calls = []
            watch(minilm, batch, calls.append)
            by_norm = [
                norm_weights(minilm, layer, plain[layer], call.hidden_states[0])
                for layer, call in enumerate(calls)
            ]
            cache[sentence.id] = (np.stack(by_norm), word_ids, ids)
        return cache[sentence.id]

    return maps


def test_relation_counts_equal_plain_loops(minilm):
    found = scores(minilm, SENTENCES).counts()
    n, correct, offsets, left_out = slow_relation_counts(minilm, SENTENCES)
    assert found.documents == ("one", "two")
    assert {name: int(found.n[:, i].sum()) for i, name in enumerate(NAMES)} == {
        name: n[name] for name in NAMES
    }
    assert n["dep"] == 0
    assert left_out == 1, "its word has no token"
    total = found.correct.sum(0)
    for r, name in enumerate(NAMES):
        for d, direction in enumerate(DIRECTIONS):
            for layer in range(6):
                for head in range(12):
                    expected = correct[layer, head, name, direction]
                    assert total[r, d, layer, head] == expected, (name, direction, layer, head)
    assert correct[0, 0, "nsubj", "dependent_to_head"] <= 4
    assert total.sum() == sum(correct.values()) > 0
    for r, name in enumerate(NAMES):
        for o, offset in enumerate(found.offsets):
            assert found.offset_counts[:, r, o].sum() == offsets[name, offset]


def test_documents_are_counted_apart(minilm):
    found = scores(minilm, SENTENCES)
    first = scores(minilm, SENTENCES[:2])
    assert np.array_equal(found.correct[0], first.correct[0])
    assert np.array_equal(found.n[0], first.n[0])
    assert found.left_out == 1


@pytest.mark.parametrize("batch_size", [1, 3, 4])
def test_batch_size_and_order_change_no_count(minilm, batch_size):
    expected = scores(minilm, SENTENCES)
    again = scores(minilm, SENTENCES[::-1], batch_size)
    assert again.documents == ["two", "one"]
    assert np.array_equal(expected.correct, again.correct[::-1])
    assert np.array_equal(expected.n, again.n[::-1])


def test_a_sentence_that_is_too_long_is_left_out_and_said(minilm):
    long = ("dog",) * 511
    batches = word_batches(minilm, [("a", "cat"), long, ("a", "dog")], 2)
    assert batches.too_long == (1,)
    assert [batch.sentences for batch in batches.batches] == [(0, 2)]


def test_tokens_know_their_words(minilm):
    sentences = [SENTENCES[2].words, SENTENCES[0].words]
    (batch,) = word_batches(minilm, sentences, 2, batch_cost=10**6).batches
    assert batch.sentences == (0, 1) or batch.sentences == (1, 0)
    row = batch.sentences.index(0)
    words = batch.word_of_token[row]
    assert words[words >= 0].tolist() == [0, 2, 3, 4, 5, 6, 7, 8, 9], "word 1 has no token"
    assert batch.special[row].sum() == 2
    assert batch.separator[row].sum() == 1
    assert not batch.special[batch.batch.attention_mask == 0].any()


def test_nothing_is_computed_that_no_observer_sees(minilm):
    """The last layer's attention is seen, and what comes after it is left out."""
    before = last_hidden_state(minilm, minilm.encode(["A cat."]), "sdpa")
    seen, run_on = [], []
    last = minilm.model.encoder.layer[-1]
    handles = [
        last.attention.self.query.register_forward_hook(lambda *_: seen.append(1)),
        last.attention.output.register_forward_pre_hook(lambda *_: run_on.append(1)),
    ]
    try:
        run(minilm, SENTENCES, [Behaviour(6, 12, minilm.max_tokens)])
        assert seen
        assert not run_on
        after = last_hidden_state(minilm, minilm.encode(["A cat."]), "sdpa")
        assert run_on  # control
    finally:
        for handle in handles:
            handle.remove()
    assert torch.equal(before, after)


@pytest.fixture(scope="module")
def behaviour(minilm):
    plain, norms = Behaviour(6, 12, minilm.max_tokens), NormBehaviour(minilm)
    run(minilm, SENTENCES, [plain, norms])
    return behaviour_frame(plain, norms)


def test_behaviour_equals_plain_loops(minilm, behaviour, maps_of):
    slow = slow_behaviour(minilm, SENTENCES, maps_of)
    assert_equal(behaviour, slow, "")


def test_behaviour_by_norm_equals_plain_loops(minilm, behaviour, norm_maps_of):
    slow = slow_behaviour(minilm, SENTENCES, norm_maps_of)
    assert_equal(behaviour, slow, "norm_")
    assert (behaviour["norm_special_mass"] - behaviour["special_mass"]).abs().max() > 0.05


def test_where_batches_are_cut_moves_behaviour_by_rounding_alone(minilm):
    """Sums of another order in each layer: argmaxes and counts are equal, means nearly."""
    sentences = read_conllu(sample_files()).sentences[:24]

    def seen(size):
        plain, norms = Behaviour(6, 12, minilm.max_tokens), NormBehaviour(minilm)
        run(minilm, sentences, [plain, norms], size)
        return behaviour_frame(plain, norms)

    alone = seen(1)
    for size in (8, BatchSize(24, 200)):
        other = seen(size)
        for column in alone:
            if alone[column].dtype.kind == "f":
                np.testing.assert_allclose(other[column], alone[column], **BATCHING)
            else:
                assert other[column].equals(alone[column]), column


def assert_equal(frame, slow, prefix):
    for row in frame.to_dict("records"):
        expected = slow[row["layer"], row["head"]]
        for name, value in expected.items():
            found = row["queries"] if name == "queries" else row[prefix + name]
            assert found == pytest.approx(value, abs=1e-5), (row["layer"], row["head"], name)


def test_the_comparison_notices_a_wrong_column(behaviour, minilm, maps_of):
    wrong = behaviour.assign(next_mass=behaviour["previous_mass"])
    with pytest.raises(AssertionError, match="next_mass"):
        assert_equal(wrong, slow_behaviour(minilm, SENTENCES, maps_of), "")


def test_the_behaviour_frame_has_its_columns(behaviour):
    assert {name: str(dtype) for name, dtype in behaviour.dtypes.items()} == BEHAVIOUR_COLUMNS
    assert list(behaviour.columns) == list(BEHAVIOUR_COLUMNS)
    assert isinstance(behaviour.index, pd.RangeIndex)
    assert len(behaviour) == 72


def test_without_tags_the_punctuation_is_unknown(minilm):
    plain, norms = Behaviour(6, 12, minilm.max_tokens), NormBehaviour(minilm)
    bare = [Sentence("x", "d", ("Rain", "fell", "."), None, ())]
    run(minilm, bare, [plain, norms])
    frame = behaviour_frame(plain, norms)
    assert frame["punctuation_mass"].isna().all()
    assert frame["duplicate_mass"].isna().all(), "no token occurs twice"
    assert frame["special_mass"].notna().all()


def test_merging_equals_seeing_all(minilm):
    whole = Behaviour(6, 12, minilm.max_tokens)
    run(minilm, SENTENCES, [whole], batch_size=1)
    parts = [Behaviour(6, 12, minilm.max_tokens) for _ in range(2)]
    run(minilm, SENTENCES[:2], [parts[0]], batch_size=1)
    run(minilm, SENTENCES[2:], [parts[1]], batch_size=1)
    parts[0].merge(parts[1])
    np.testing.assert_allclose(parts[0].sums, whole.sums, rtol=1e-13)
    assert np.array_equal(parts[0].offsets, whole.offsets)
    assert np.array_equal(parts[0].counts, whole.counts)


def test_scores_and_distances_merge_too(minilm):
    whole, parts = (
        scores(minilm, SENTENCES),
        [RelationScores(6, 12, ["one", "two"], NAMES) for _ in range(2)],
    )
    distances = [HeadDistances(6, 12) for _ in range(3)]
    for part, span in zip(parts, (slice(0, 2), slice(2, 4)), strict=True):
        batches = word_batches(minilm, [s.surface for s in SENTENCES[span]], 2).batches
        names = {name: i for i, name in enumerate(NAMES)}
        known = [0 if s.document == "one" else 1 for s in SENTENCES[span]]
        observe(minilm, annotated_batches(batches, SENTENCES[span], known, names), [part])
    parts[0].merge(parts[1])
    pd.testing.assert_frame_equal(parts[0].frame(), whole.frame())
    assert parts[0].left_out == whole.left_out
    run(minilm, SENTENCES[:2], [distances[0]])
    run(minilm, SENTENCES[2:], [distances[1]])
    run(minilm, SENTENCES, [distances[2]])
    distances[0].merge(distances[1])
    np.testing.assert_allclose(distances[0].sums, distances[2].sums, atol=1e-5)
    assert distances[0].queries == distances[2].queries


def test_distances_equal_plain_loops(minilm, maps_of):
    observer = HeadDistances(6, 12)
    run(minilm, [SENTENCES[3]], [observer])
    slow = slow_js(maps_of, [SENTENCES[3]], minilm)
    frame = observer.frame()
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DISTANCES_COLUMNS
    assert len(frame) == 72 * 71 // 2
    for row in frame.itertuples():
        expected = slow[row.layer * 12 + row.head, row.other_layer * 12 + row.other_head]
        assert row.distance_nats == pytest.approx(expected, abs=1e-5)
    assert frame["distance_nats"].between(-1e-6, np.log(2)).all()


def test_observers_keep_no_map(minilm):
    observers = [
        Behaviour(6, 12, minilm.max_tokens),
        NormBehaviour(minilm),
        HeadDistances(6, 12),
        RelationScores(6, 12, ["one", "two"], NAMES),
    ]
    run(minilm, SENTENCES, observers)
    for observer in observers:
        kept = [v for v in vars(observer).values() if isinstance(v, torch.Tensor)]
        assert kept == []
    assert observers[2]._rows == {}


def test_of_words_looked_at_alike_the_first_is_the_prediction(minilm):
    """Both ways: which word a word looks at, and which word looks at it."""
    pairs = list(permutations(range(4), 2))
    arcs = [(f"{dependent}-{head}", dependent, head) for dependent, head in pairs]
    one = sentence("e", "cat dog sun red", "X X X X", arcs, "one")
    names = [name for name, *_ in arcs]
    (batch,) = annotated_batches(
        word_batches(minilm, [one.surface], 1).batches,
        [one],
        [0],
        {name: place for place, name in enumerate(names)},
    )

    class Alike(RelationScores):
        def update(self, layer, call, batch):
            alike = torch.full_like(call.probabilities, 0.125)
            super().update(layer, replace(call, probabilities=alike), batch)

    scores = Alike(6, 12, ["one"], names)
    observe(minilm, [batch], [scores])
    for place, (dependent, head) in enumerate(pairs):
        # The first of all words but the one that looks, or is looked at.
        expected = [head == (dependent == 0), dependent == (head == 0), head == (dependent == 0)]
        found = scores.correct[0, place] == np.array(expected)[:, None, None]
        assert found.all(), (dependent, head)


def test_a_control_with_a_word_without_tokens_is_no_relation_left_out(minilm):
    """What is left out is said once: the pair that stands beside a relation is none of them."""
    arcs = [("dep", 0, 1), ("dep|matched", 2, 1)]
    one = sentence("f", "cat \u200b dog", "X X X", arcs, "one")
    names = [name for name, *_ in arcs]
    found = RelationScores(6, 12, ["one"], names)
    run(minilm, [one], [found], names=names)
    assert found.left_out == 1
