"""Composition equals dense numpy, rollout equals plain loops."""

import numpy as np
import pandas as pd
import pytest
import torch
from support.planted.llama import planted_model, random_weights

from inspector.errors import InputError
from inspector.heads.ablation import (
    COMPOSITION_COLUMNS,
    ROLLOUT_COLUMNS,
    attention_rollout,
    composition,
    rollout_frame,
)


def dense(weights, head):
    """Return M_QK and M_OV of one head as full matrices."""
    size, group = weights.d_head, weights.n_heads // weights.n_kv_heads
    rows = slice(head * size, (head + 1) * size)
    shared = slice(head // group * size, (head // group + 1) * size)
    query, key, value, output = (
        weights.W_Q[rows].numpy(),
        weights.W_K[shared].numpy(),
        weights.W_V[shared].numpy(),
        weights.W_O[:, rows].numpy(),
    )
    return query.T @ key, output @ value


@pytest.mark.parametrize("n_kv_heads", [4, 2])
def test_composition_equals_dense_matrices(n_kv_heads):
    layers = [random_weights(4, n_kv_heads, seed=seed) for seed in range(3)]
    frame = composition(planted_model(*layers))
    assert len(frame) == 3 * 4 * 4 * 3
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == COMPOSITION_COLUMNS
    for row in frame.itertuples():
        qk, ov = dense(layers[row.layer], row.head)
        _, earlier = dense(layers[row.from_layer], row.from_head)
        read = {"Q": qk.T, "K": qk, "V": ov}[row.kind]
        norms = np.linalg.norm(read) * np.linalg.norm(earlier)
        wanted = np.linalg.norm(read @ earlier) / norms
        assert row.score == pytest.approx(wanted, rel=1e-10)
        assert row.excess == pytest.approx(wanted - 17**-0.5, rel=1e-9)


def test_a_planted_path_stands_out():
    """Layer 1's head 2 reads its keys where layer 0's head 1 writes."""
    first, second = random_weights(4, seed=1), random_weights(4, seed=2)
    keys = second.W_K.clone()
    keys[10:15] = first.W_O[:, 5:10].T
    from dataclasses import replace

    frame = composition(planted_model(first, replace(second, W_K=keys)))
    best = frame.loc[frame["score"].idxmax()]
    assert best[["layer", "head", "from_layer", "from_head", "kind"]].tolist() == [1, 2, 0, 1, "K"]


def test_a_head_of_zeros_has_no_score():
    from dataclasses import replace

    first, second = random_weights(4, seed=1), random_weights(4, seed=2)
    nothing = replace(first, W_V=torch.zeros_like(first.W_V))
    frame = composition(planted_model(nothing, second))
    assert frame["score"].isna().all()


def test_one_layer_composes_with_nothing():
    frame = composition(planted_model(random_weights()))
    assert frame.empty
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == COMPOSITION_COLUMNS


def slow_rollout(maps, residual):
    n_layers, n_heads, size, _ = maps.shape
    before = [[float(i == j) for j in range(size)] for i in range(size)]
    layers = []
    for layer in range(n_layers):
        mixed = [
            [
                residual * (i == j)
                + (1 - residual) * sum(maps[layer, h, i, j] for h in range(n_heads)) / n_heads
                for j in range(size)
            ]
            for i in range(size)
        ]
        before = [
            [sum(mixed[i][k] * before[k][j] for k in range(size)) for j in range(size)]
            for i in range(size)
        ]
        layers.append(before)
    return np.array(layers)


@pytest.mark.parametrize("residual", [0.5, 0.0, 0.3])
def test_rollout_equals_plain_loops(residual):
    maps = np.random.default_rng(0).dirichlet(np.ones(5), size=(3, 2, 5))
    got = attention_rollout(maps, residual)
    np.testing.assert_allclose(got, slow_rollout(maps, residual), rtol=1e-12)
    np.testing.assert_allclose(got.sum(-1), 1.0, rtol=1e-12)


def test_the_rollout_frame_names_its_tokens():
    maps = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 2, 3))
    frame = rollout_frame(maps, ["[CLS]", "cat", "[SEP]"])
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == ROLLOUT_COLUMNS
    row = frame[(frame["layer"] == 1) & (frame["query"] == 1) & (frame["key"] == 2)].iloc[0]
    assert (row["query_token"], row["key_token"]) == ("cat", "[SEP]")
    assert row["rollout"] == attention_rollout(maps)[1, 1, 2]
    assert isinstance(frame.index, pd.RangeIndex)


def test_a_residual_that_is_no_share_is_refused():
    with pytest.raises(InputError) as caught:
        attention_rollout(np.ones((1, 1, 1, 1)), 1.5)
    assert str(caught.value) == (
        "residual (1.5) must be from 0 to 1: the share of a layer's output that passes it by."
    )
