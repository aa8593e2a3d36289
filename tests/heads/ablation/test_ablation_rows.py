"""The ablation frame equals plain loops; ablation hurts where a planted relation is."""

import math

import numpy as np
import pandas as pd
import pytest
from support.each import each
from support.slow.ablation import slow_ablation
from support.tiny.decoders import save_tiny_decoder

from inspector.corpora import Corpus, Relation, Sentence
from inspector.errors import InputError
from inspector.heads.ablation import (
    ABLATION_COLUMNS,
    ablate_heads,
    ablation_frame,
    ablation_over,
    corpus_batches,
    mean_outputs,
)
from inspector.heads.ablation.ablate_heads import ablate_each, ablate_together
from inspector.heads.ablation.state_change import UNIT, StateChangeSums
from inspector.heads.ablation.target_words import n_cells
from inspector.models import BatchSize, load, word_batches

WORDS = ("the", "cat", "dog", "rain", "old", "town", "table", "had", "could", "not", "that", ".")
CLASSES = ("DET", *["NOUN"] * 3, "ADJ", "NOUN", "NOUN", "VERB", "AUX", "PART", "PRON", "PUNCT")
TAGS = dict(zip(WORDS, CLASSES, strict=True))


def sentence(number, tagged=True):
    rng = np.random.default_rng(number)
    words = tuple(str(word) for word in rng.choice(WORDS, size=rng.integers(4, 12)))
    relations = []
    for source in range(len(words)):
        for label in ("nsubj", "det", "obj"):
            target = int(rng.integers(0, len(words)))
            if target != source and rng.random() < 0.25:
                relations.append(Relation("syntax", label, source, target))
    tags = tuple(TAGS[word] for word in words) if tagged else None
    return Sentence(f"s{number}", f"d{number % 5}", words, tags, tuple(relations))


@pytest.fixture(scope="module")
def model(tiny_folder):
    return load(str(tiny_folder("bert")), dtype="float64")


@pytest.fixture(scope="module", autouse=True)
def _fast(one_thread):
    """The model is tiny."""


def corpus(tagged=True, n=11):
    return Corpus("made", [sentence(i, tagged) for i in range(n)], [], "0" * 64, "generated")


def assert_frame_equals_loops(frame, slow):
    found = {(row.relation, row.word): row for row in frame.itertuples()}
    assert set(found) == set(slow)
    for key, (n, effect, matched, cosine, matched_cosine) in slow.items():
        row = found[key]
        assert row.n == n
        # Sums are rounded to 2⁻²⁴ once for each document and batch.
        for got, wanted in (
            (row.effect, effect),
            (row.matched_effect, matched),
            (row.cosine, cosine),
            (row.matched_cosine, matched_cosine),
        ):
            assert got == pytest.approx(wanted, abs=5 * UNIT, nan_ok=True)
        if not math.isnan(matched):
            assert row.difference == pytest.approx(effect - matched, abs=5 * UNIT)


@each("tagged", [True, False])
@each("how", ["zero", "mean", "uniform"])
def test_each_head_equals_plain_loops(model, how, tagged):
    made = corpus(tagged)
    words = word_batches(model, [one.surface for one in made.sentences], 4)
    means = mean_outputs(model, words.batches) if how == "mean" else None
    frame = ablation_frame(ablation_over(model, [(1, 2), (0, 3)], made, how=how), how)
    assert set(frame["heads"]) == {"0-3", "1-2"}
    for layer, head in [(0, 3), (1, 2)]:
        own = frame[frame["heads"] == f"{layer}-{head}"]
        assert (own[["layer", "head"]] == [layer, head]).all(axis=None)
        assert_frame_equals_loops(
            own, slow_ablation(model, made.sentences, [(layer, head)], how, means)
        )


def test_a_set_equals_plain_loops_and_is_no_single_head(model):
    heads = [(2, 0), (0, 3), (2, 1)]
    made = corpus()
    frame = ablation_frame(ablation_over(model, heads, made, together=True), "zero")
    assert set(frame["heads"]) == {"0-3,2-0,2-1"}
    assert (frame[["layer", "head"]] == -1).all(axis=None)
    assert_frame_equals_loops(frame, slow_ablation(model, made.sentences, heads))


def test_control_another_head_does_not_equal(model):
    made = corpus()
    frame = ablation_frame(ablation_over(model, [(1, 2)], made), "zero")
    with pytest.raises(AssertionError):
        assert_frame_equals_loops(frame, slow_ablation(model, made.sentences, [(1, 1)]))


def test_one_by_one_equals_together_for_single_heads(model):
    batches, documents, names = corpus_batches(model, corpus(), BatchSize(3))
    variants = [((layer, head),) for layer in range(3) for head in range(4)]
    sums = [StateChangeSums(documents, names, list(variants)) for _ in range(2)]
    ablate_each(model, batches, sums[0])
    ablate_together(model, batches, sums[1])
    for name, one in sums[0].state().items():
        assert np.abs(one - sums[1].state()[name]).max() <= 2


@pytest.mark.parametrize("how", ["zero", "mean", "uniform"])
def test_whole_passes_give_the_same_where_layers_run_one_by_one(model, monkeypatch, how):
    made = corpus()
    heads = [(0, 3), (1, 2), (2, 0)]
    fast = ablation_over(model, heads, made, how=how)
    monkeypatch.setattr(ablate_heads, "runs_in_parts", lambda model, batch: False)
    monkeypatch.setattr(ablate_heads, "partial_forward", None)
    slow = ablation_over(model, heads, made, how=how)
    for name, one in fast.state().items():
        assert np.abs(one - slow.state()[name]).max() <= 2


def test_a_model_whose_layers_hand_on_more_than_states_is_run_whole(tmp_path):
    """T5's hand on their position bias."""
    t5 = load(save_tiny_decoder(tmp_path / "t5", "t5"), dtype="float64")
    made = corpus()
    frame = ablation_frame(ablation_over(t5, [(0, 1), (1, 2)], made), "zero")
    for layer, head in [(0, 1), (1, 2)]:
        own = frame[frame["heads"] == f"{layer}-{head}"]
        assert_frame_equals_loops(own, slow_ablation(t5, made.sentences, [(layer, head)]))
        assert (own["effect"] > 0.001).all()


def test_columns_are_as_they_are_written(model):
    frame = ablation_frame(ablation_over(model, [(1, 2)], corpus()), "zero")
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == ABLATION_COLUMNS
    assert list(frame.columns) == list(ABLATION_COLUMNS)
    assert isinstance(frame.index, pd.RangeIndex)
    assert (frame["p_value"].dropna() > 0).all()
    inside = frame.dropna(subset="ci_low")
    assert (inside["ci_low"] <= inside["difference"]).all()
    assert (inside["difference"] <= inside["ci_high"]).all()


def test_sums_of_parts_are_the_sums_of_the_whole(model):
    made = corpus()
    whole = ablation_over(model, [(1, 2), (2, 3)], made)
    added = StateChangeSums(whole.documents, whole.names, whole.variants)
    for part in (made.sentences[:5], made.sentences[5:]):
        some = ablation_over(model, [(1, 2), (2, 3)], Corpus("part", list(part), [], "0" * 64, "g"))
        added.add_state(some.state(), some.documents, some.names)
    assert (added.n == whole.n).all()
    assert np.abs(added.effect - whole.effect).max() <= 2 * len(made.sentences)


def test_the_order_of_documents_changes_nothing(model):
    made = corpus()
    turned = Corpus("turned", made.sentences[::-1], [], "0" * 64, "generated")
    one, two = (ablation_frame(ablation_over(model, [(1, 2)], it), "zero") for it in (made, turned))
    pd.testing.assert_frame_equal(one, two, check_exact=False, rtol=1e-5)


def planted_sums(effect_at_relation):
    """Return 12 documents with ten words each, whose relation's dependents change as given."""
    sums = StateChangeSums([f"d{i}" for i in range(12)], ["x"], [((0, 0),), ((0, 1),)])
    rng = np.random.default_rng(0)
    sums.n[:, :] = 10
    for variant, extra in enumerate((effect_at_relation, 0.0)):
        for cell in range(n_cells(["x"])):
            noise = rng.normal(0, 0.02, size=(2, 12))
            sums.effect[:, cell, variant] = (0.2 + extra * (cell == 0) + noise[0]) * 10 / UNIT
            sums.matched[:, cell, variant] = (0.2 + noise[1]) * 10 / UNIT
    return sums


def test_a_planted_effect_is_found_and_chance_is_not():
    frame = ablation_frame(planted_sums(0.1), "zero").set_index(["head", "word"])
    assert frame.loc[(0, "dependent"), "p_value"] < 0.001
    assert frame.loc[(0, "dependent"), "ci_low"] > 0.05
    assert frame.loc[(0, "dependent"), "difference"] == pytest.approx(0.1, abs=0.03)
    for other in ((0, "head"), (1, "dependent"), (1, "head")):
        assert frame.loc[other, "p_value"] > 0.01
        assert frame.loc[other, "ci_low"] < 0.01


def test_a_corpus_without_a_sentence_is_refused(model):
    with pytest.raises(InputError) as caught:
        ablation_over(model, [(0, 0)], Corpus("nothing", [], [], "0" * 64, "gold"))
    assert str(caught.value) == ("corpus (nothing) has no sentence: give one that has some.")
