"""Inputs of distinct prime sizes, so that no two axes can be taken for one another."""

from types import SimpleNamespace

import pytest
import torch

from inspector.attention import LayerWeights


@pytest.fixture(params=[torch.float64, torch.float32], ids=["float64", "float32"])
def dtype(request):
    return request.param


@pytest.fixture
def draw(dtype):
    """Return a function: shape → a standard normal tensor, the same in every run."""
    generator = torch.Generator().manual_seed(1706_03762)

    def drawn(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    return drawn


@pytest.fixture
def sequences(draw):
    """Return query, key and value: 2 × 3 batches, 5 queries, 7 keys, width 11, values of 13."""
    return SimpleNamespace(query=draw(2, 3, 5, 11), key=draw(2, 3, 7, 11), value=draw(2, 3, 7, 13))


@pytest.fixture(params=["bias", "no bias", "grouped heads"])
def layer(request, draw):
    """Return target, source and weights: 2 texts, 7 queries, 11 keys, d_head 5, d_model 17."""
    n_heads, n_kv_heads = (6, 2) if request.param == "grouped heads" else (3, 3)
    bias = request.param != "no bias"
    wide, narrow = 5 * n_heads, 5 * n_kv_heads
    weights = LayerWeights(
        W_Q=draw(wide, 17) / 3,
        W_K=draw(narrow, 17) / 3,
        W_V=draw(narrow, 17) / 3,
        W_O=draw(17, wide) / 3,
        b_Q=draw(wide) if bias else None,
        b_K=draw(narrow) if bias else None,
        b_V=draw(narrow) if bias else None,
        b_O=draw(17) if bias else None,
        n_heads=n_heads,
        n_kv_heads=n_kv_heads,
        scaling=5**-0.5,
    )
    return SimpleNamespace(target=draw(2, 7, 17), source=draw(2, 11, 17), weights=weights)
