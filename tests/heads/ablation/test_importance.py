"""Importance equals differences of real passes; the robustness curve equals ablated models."""

import numpy as np
import pytest
import torch

from inspector.corpora import Corpus, Sentence
from inspector.errors import InputError
from inspector.heads.ablation import (
    IMPORTANCE_COLUMNS,
    ROBUSTNESS_COLUMNS,
    head_importance,
    importance_over,
    robustness_over,
)
from inspector.heads.ablation.importance import rank_correlation
from inspector.heads.ablation.pruning_curve import ablated_sets, keep_counts
from inspector.models import load, word_batches
from inspector.models.forward.head_ablation import ablated, gated

WORDS = ("the", "cat", "dog", "rain", "old", "town", "table", "had", "could", "not", "that")
N_LAYERS, N_HEADS = 3, 4


@pytest.fixture(scope="module", autouse=True)
def _fast(one_thread):
    """The model is tiny."""


@pytest.fixture(scope="module")
def model(tiny_folder):
    return load(str(tiny_folder("bert")), dtype="float64")


@pytest.fixture(scope="module")
def corpus():
    rng = np.random.default_rng(1)
    made = [
        Sentence(f"s{i}", f"d{i % 5}", tuple(rng.choice(WORDS, size=3 + i).tolist()), None, ())
        for i in range(6)
    ]
    return Corpus("made", made, [], "0" * 64, "none")


def batches_of(model, corpus):
    return word_batches(model, [one.surface for one in corpus.sentences], 4).batches


def states(model, batch, gates):
    with gated(model, gates), torch.no_grad():
        return model.model(**batch.batch.inputs()).last_hidden_state


def slopes(model, batch, layer, head, step=1e-5):
    """Return ∂z/∂ξ of every token, by a central difference."""
    up, down = (torch.ones(N_LAYERS, 1, N_HEADS, dtype=torch.float64) for _ in range(2))
    up[layer, 0, head] += step
    down[layer, 0, head] -= step
    return (states(model, batch, up) - states(model, batch, down)) / (2 * step)


def test_gradients_equal_differences(model, corpus):
    batches = batches_of(model, corpus)
    ones = torch.ones(N_LAYERS, 1, N_HEADS, dtype=torch.float64)
    frames = [head_importance(model, batches, seed=seed) for seed in range(120)]
    estimated = np.mean([frame["importance"] ** 2 for frame in frames], axis=0)
    for row in frames[0].itertuples():
        squares, norms, tokens = 0.0, [], 0
        for batch in batches:
            state = states(model, batch, ones)
            slope = slopes(model, batch, row.layer, row.head)
            for text, word in enumerate(batch.word_of_token):
                kept = word >= 0
                tokens += int(kept.sum())
                z, dz = state[text, kept], slope[text, kept]
                squares += float((dz.norm(dim=1) / z.norm(dim=1)).square().sum())
                norms.append(abs(float(((z * dz).sum(1) / z.norm(dim=1)).mean())))
        assert row.norm_gradient == pytest.approx(np.mean(norms), rel=1e-5)
        # 120 draws of about 6 directions each: a standard error of a few per cent.
        assert estimated[row.layer * N_HEADS + row.head] == pytest.approx(
            squares / tokens, rel=0.35
        )


def test_the_frame_is_checked_against_true_ablation(model, corpus):
    frame = importance_over(model, corpus)
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == IMPORTANCE_COLUMNS
    assert frame.attrs["rank_correlation"] > 0.3
    assert frame["texts"].eq(6).all()
    row = frame.iloc[7]
    state_change = []
    for sentence in corpus.sentences:
        batch = word_batches(model, [sentence.surface], 1).batches[0]
        with torch.no_grad():
            before = model.model(**batch.batch.inputs()).last_hidden_state[0]
            with ablated(model, [(1, 3)]):
                after = model.model(**batch.batch.inputs()).last_hidden_state[0]
        moved = (after - before).norm(dim=1) / before.norm(dim=1)
        of_token = batch.word_of_token[0]
        state_change += [
            float(moved[of_token == word].mean()) for word in range(len(sentence.words))
        ]
    assert row["ablation_effect"] == pytest.approx(np.mean(state_change), rel=1e-6)
    plain = importance_over(model, corpus, check=False)
    assert plain["ablation_effect"].isna().all()
    assert np.isnan(plain.attrs["rank_correlation"])


def test_nothing_of_the_gradient_remains(model, corpus):
    head_importance(model, batches_of(model, corpus))
    assert all(one.grad is None and one.requires_grad for one in model.model.parameters())


def test_ranks_are_correlated_as_ranks():
    one = np.array([3.0, 1.0, 2.0, 2.0])
    assert rank_correlation(one, one**3) == pytest.approx(1.0)
    assert rank_correlation(one, -one) == pytest.approx(-1.0)
    assert np.isnan(rank_correlation(one, np.ones(4)))


def test_the_curve_equals_ablated_models(model, corpus):
    frame = robustness_over(model, corpus, kept=[1, 3], seeds=[0, 1])
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == ROBUSTNESS_COLUMNS
    assert len(frame) == 3 * 3
    sets = ablated_sets(importance_over(model, corpus, check=False), [1, 3], [0, 1])
    for (kept, order, seed), heads in sets.items():
        assert len(heads) == N_LAYERS * (N_HEADS - kept)
        assert {layer for layer, _ in heads} == set(range(N_LAYERS))
        state_change = []
        for sentence in corpus.sentences:
            batch = word_batches(model, [sentence.surface], 1).batches[0]
            with torch.no_grad():
                before = model.model(**batch.batch.inputs()).last_hidden_state[0]
                with ablated(model, heads):
                    after = model.model(**batch.batch.inputs()).last_hidden_state[0]
            moved = (after - before).norm(dim=1) / before.norm(dim=1)
            of_token = batch.word_of_token[0]
            state_change += [
                float(moved[of_token == word].mean()) for word in range(len(sentence.words))
            ]
        asked = (frame["kept"] == kept) & (frame["order"] == order) & (frame["seed"] == seed)
        row = frame[asked].iloc[0]
        assert row["state_change"] == pytest.approx(np.mean(state_change), rel=1e-6)
        assert row["n"] == len(state_change)
        assert row["ci_low"] <= row["state_change"] <= row["ci_high"]
    whole = frame[frame["kept"] == N_HEADS]
    assert (whole["state_change"] == 0.0).all()


def test_sets_grow_from_the_most_important(model, corpus):
    importance = importance_over(model, corpus, check=False)
    sets = ablated_sets(importance, [1, 2, 3], [0])
    for order, seed in (("importance", -1), ("random", 0)):
        one, two, three = (set(sets[kept, order, seed]) for kept in (1, 2, 3))
        assert three < two < one
    for layer in range(N_LAYERS):
        own = importance[importance["layer"] == layer]
        best = int(own.loc[own["importance"].idxmax(), "head"])
        assert (layer, best) not in sets[1, "importance", -1]


def test_numbers_that_cannot_be_kept_are_refused(model, corpus):
    with pytest.raises(InputError) as caught:
        robustness_over(model, corpus, kept=[4])
    assert str(caught.value) == (
        "kept (4) must be from 0 to 3: with all 4 heads of a layer nothing changes."
    )
    assert keep_counts(4) == (1, 2, 3)
    assert keep_counts(2) == (1,)
