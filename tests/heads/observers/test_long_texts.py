"""Attention on long texts, seen block by block of rows, against plain loops and whole maps."""

import math
import random

import numpy as np
import pytest
import torch
from support.each import each
from support.slow.observers import (
    attention_of,
    best_words,
    slow_behaviour,
    slow_js,
    slow_relation_counts,
    word_map,
)
from support.tiny.decoders import save_tiny_decoder
from torch.utils._python_dispatch import TorchDispatchMode

from inspector.corpora import Relation, Sentence
from inspector.errors import UnsupportedModelError
from inspector.heads.ablation import StateChangeSums, ablate_each
from inspector.heads.ablation.ablate_heads import ablate_together
from inspector.heads.counts import DIRECTIONS
from inspector.heads.observers import (
    Behaviour,
    HeadDistances,
    NormBehaviour,
    PredictedWords,
    RelationScores,
    annotated_batches,
    observe,
)
from inspector.heads.observers.first_largest import first_largest, first_of_columns
from inspector.models import load, running, word_batches
from inspector.models.forward import row_blocks
from inspector.runs.check.word_targets import words_predicted
from inspector.runs.profile.ablation_worker import every_head

N_LAYERS, N_HEADS = 2, 4
TEXT = "The keys to the old cabinet are on the kitchen table , and nobody saw them unflappable ."
# A window, a cap beside a window, a rule that looks both ways, sinks.
FAMILIES = ("gpt2", "llama", "mistral", "gemma2", "modernbert", "bert")


def long_sentence(n_words, seed=0):
    dice = random.Random(seed)
    words = tuple(dice.choice(TEXT.split()) for _ in range(n_words))
    apart = [(i, dice.randrange(n_words)) for i in range(0, n_words, 2)]
    return Sentence(
        "a",
        "d",
        words,
        tuple("PUNCT" if word in ",." else "NOUN" for word in words),
        tuple(Relation("syntax", "any", a, b) for a, b in apart if a != b),
    )


@pytest.fixture(scope="module")
def model_of(tmp_path_factory):
    root, models = tmp_path_factory.mktemp("long"), {}

    def loaded(name, **settings):
        folder = root / "-".join([name, *map(str, settings.values())])
        if folder not in models:
            models[folder] = load(save_tiny_decoder(folder, name, **settings))
        return models[folder]

    return loaded


@pytest.fixture
def by_rows(monkeypatch):
    """Return a function that sets what a long text is; blocks have eight rows."""
    monkeypatch.setattr(row_blocks, "CELLS", 1)
    monkeypatch.setattr(row_blocks, "_STEP", 12)

    def from_tokens(n):
        monkeypatch.setattr(row_blocks, "LONG", n)

    return from_tokens


@each("n_keys", [7, 511, 512, 600, 1153])
def test_the_first_of_the_largest_is_found_part_by_part(n_keys):
    rows = torch.randint(0, 40, (2, 9, n_keys), generator=torch.Generator().manual_seed(n_keys)) / 7
    rows[0, 0, -1], rows[1, 2, 3], rows[1, 3] = 9.0, 9.0, 0.0
    values, places = first_largest(rows)
    assert (places.numpy() == rows.numpy().argmax(-1)).all()
    assert (values == rows.amax(-1)).all()
    columns = torch.arange(0, n_keys, 3)
    known = torch.full((2, len(columns)), 5.5, dtype=torch.float64)
    better, most, by = first_of_columns(rows, columns, known)
    expected = rows.numpy()[:, :, columns]
    assert (better.numpy() == (expected.max(1) > 5.5)).all()
    assert (most.numpy() == expected.max(1)[better.numpy()]).all()
    assert (by.numpy() == expected.argmax(1)[better.numpy()]).all()


def seen(model, sentence, kinds=None):
    scores = RelationScores(N_LAYERS, N_HEADS, ["d"], ["any"])
    observers = {
        "relations": scores,
        "words": PredictedWords(scores, [len(sentence.words)]),
        "behaviour": Behaviour(N_LAYERS, N_HEADS, model.max_tokens),
        "norms": NormBehaviour(model),
        "distances": HeadDistances(N_LAYERS, N_HEADS),
    }
    (batch,) = word_batches(model, [sentence.surface], 1).batches
    chosen = [one for name, one in observers.items() if kinds is None or name in kinds]
    observe(model, annotated_batches([batch], [sentence], [0], {"any": 0}), chosen)
    return observers


def is_causal(maps):
    return not np.triu(maps, 1).any()


@pytest.mark.parametrize("name", FAMILIES)
def test_rows_give_what_plain_loops_over_the_models_own_maps_give(model_of, by_rows, name):
    model, sentence = model_of(name), long_sentence(18)
    by_rows(10)
    found = seen(model, sentence)
    maps, word_ids, ids, _ = attention_of(model, sentence)
    assert 30 < len(ids) <= model.max_tokens, "several blocks"
    slow = slow_behaviour(model, [sentence], lambda _: (maps, word_ids, ids))
    frame = found["behaviour"].frame()
    for row in frame.itertuples():
        for column, expected in slow[row.layer, row.head].items():
            value = getattr(row, column)
            if not (math.isnan(expected) and math.isnan(value)):
                assert value == pytest.approx(expected, abs=1e-5), (name, column, row)
    causal = is_causal(maps)
    n, correct, _, _ = slow_relation_counts(model, [sentence], causal=causal)
    counts = found["relations"].counts()
    for d, direction in enumerate(DIRECTIONS):
        asked = n["any", direction] if causal else n["any"]
        assert found["relations"].asked[0, 0, d] == asked
        for layer, head in np.ndindex(N_LAYERS, N_HEADS):
            expected = correct[layer, head, "any", direction]
            assert counts.correct[0, 0, d, layer, head] == expected, (direction, layer, head)
    assert sum(correct.values()) > 0
    apart = slow_js(lambda _: (maps, word_ids, ids), [sentence], model)
    for row in found["distances"].frame().itertuples():
        one, other = row.layer * N_HEADS + row.head, row.other_layer * N_HEADS + row.other_head
        assert row.distance_nats == pytest.approx(apart[one, other], abs=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_claims_about_words_are_of_all_rows_and_of_what_the_mask_shows(model_of, by_rows, name):
    model, sentence = model_of(name), long_sentence(18)
    maps, word_ids, *_ = attention_of(model, sentence)
    causal = is_causal(maps)
    for long in (10, 10**9):
        by_rows(long)
        table = words_predicted(model, [sentence], ["d"])
        for layer, head in np.ndindex(N_LAYERS, N_HEADS):
            words = word_map(maps[layer, head], word_ids, len(sentence.words))
            assert len(words) == len(sentence.words)
            found = table.predicted[:, layer * N_HEADS + head]
            for side, expected in zip(found, best_words(words, causal=causal), strict=True):
                expected = [expected[word] for word in sorted(words)]
                assert [None if word < 0 else word for word in side] == expected, (long, layer)
    assert table.is_causal == causal


@pytest.mark.parametrize("name", ["llama", "mistral"])
def test_rows_give_what_whole_maps_give(model_of, by_rows, monkeypatch, name):
    """At 700 tokens: sums to rounding, every argmax the same; by norm as by weight."""
    model = model_of(name, max_position_embeddings=900)
    sentence = long_sentence(380, seed=1)
    dense = seen(model, sentence)
    by_rows(300)
    monkeypatch.setattr(row_blocks, "CELLS", N_HEADS * 700 * 100)
    rows = seen(model, sentence)
    for kind, one in dense.items():
        expected, found = one.state(), rows[kind].state()
        for key, value in expected.items():
            if value.dtype.kind == "f":
                scale = np.abs(value).max(tuple(range(1, value.ndim)), keepdims=True)
                assert np.all(np.abs(found[key] - value) <= 1e-5 * scale), (kind, key)
            else:
                assert np.array_equal(found[key], value), (kind, key)
    assert dense["behaviour"].max_tokens > 512, "offsets grow with the text"


class _Largest(TorchDispatchMode):
    """Keeps the number of elements of the largest tensor that any operation returns."""

    elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for one in result if isinstance(result, tuple | list) else (result,):
            if isinstance(one, torch.Tensor):
                self.elements = max(self.elements, one.numel())
        return result


def test_no_map_is_made(model_of, by_rows, monkeypatch):
    model, sentence = model_of("mistral", max_position_embeddings=900), long_sentence(380)
    n_tokens = word_batches(model, [sentence.surface], 1).batches[0].batch.input_ids.shape[1]
    with _Largest() as dense:
        seen(model, sentence, ("relations", "words", "behaviour", "norms"))
    by_rows(300)
    monkeypatch.setattr(row_blocks, "CELLS", N_HEADS * n_tokens * 50)
    with _Largest() as rows:
        seen(model, sentence)
    assert rows.elements < n_tokens**2 / 2 < N_HEADS * n_tokens**2 <= dense.elements


def only_run(model, sentence):
    (batch,) = word_batches(model, [sentence.surface], 1).batches
    with running(model, row_blocks.backend_of(model)), torch.inference_mode():
        model.model(**batch.batch.inputs())


def without_a_head(output):
    output[:, :, 1] = 0.0
    return output


@each(
    "wrong",
    [
        lambda fused, terms, given: fused(*given, **{**terms, "is_causal": False}),
        lambda fused, terms, given: without_a_head(fused(*given, **terms)),
    ],
)
@each("look", [seen, only_run])
def test_a_kernel_that_drops_a_mask_or_a_term_is_found_out(
    model_of, by_rows, monkeypatch, wrong, look
):
    """Whether rows are shown, or a model only runs, as it does without a head."""
    model, sentence = model_of("gpt2"), long_sentence(18)
    fused = row_blocks._fused
    by_rows(10)
    monkeypatch.setattr(row_blocks, "_fused", lambda *given, **terms: wrong(fused, terms, given))
    with pytest.raises(UnsupportedModelError, match="the kernel leaves out a mask or a term"):
        look(model, sentence)


@pytest.mark.parametrize("name", ["gpt2", "gemma2"])
def test_a_long_text_is_read_without_heads_as_by_maps(model_of, by_rows, name):
    """By a kernel and by rows; each head's effect the same, whole or from its layer on."""
    model, sentence = model_of(name, max_position_embeddings=200), long_sentence(70)
    (batch,) = word_batches(model, [sentence.surface], 1).batches
    batches = annotated_batches([batch], [sentence], [0], {"any": 0})
    n_tokens = batch.batch.input_ids.shape[1]
    found = {}
    for long in (10**9, 30):
        by_rows(long)
        for ablate in (ablate_each, ablate_together):
            variants = every_head(N_LAYERS, N_HEADS)
            sums = StateChangeSums(["d"], ["any"], variants)
            with _Largest() as largest:
                ablate(model, batches, sums)
            state = {key: value for key, value in sums.state().items() if value.any()}
            found[long, ablate] = state
        assert (largest.elements >= n_tokens**2) == (long > n_tokens)
    expected = found[10**9, ablate_together]
    for state in found.values():
        assert state.keys() == expected.keys()
        for key, value in state.items():
            assert value == pytest.approx(expected[key], rel=1e-3, abs=1), key


def test_half_types_are_looked_at_in_float32(tmp_path, by_rows):
    folder = save_tiny_decoder(tmp_path / "llama", "llama")
    model, sentence = load(folder, dtype="bfloat16"), long_sentence(18)
    calls = []

    class Kept(Behaviour):
        def update(self, layer, call, batch):
            calls.append(call)

    by_rows(10)
    (batch,) = word_batches(model, [sentence.surface], 1).batches
    batches = annotated_batches([batch], [sentence], [0], {})
    observe(model, batches, [Kept(N_LAYERS, N_HEADS, 64)])
    assert {call.probabilities.dtype for call in calls} == {torch.float32}
    rows = torch.cat([call.probabilities.sum(-1) for call in calls], dim=-1)
    assert torch.allclose(rows, torch.ones_like(rows), atol=1e-6)
