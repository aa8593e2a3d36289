"""A module's softmax and the product after it, seen where the module returns neither."""

import pytest
import torch
from support.tolerances import FLOAT32
from torch import nn
from torch.testing import assert_close

from inspector.models.custom_attention.observed_forward import WatchedProducts


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def by_hand(query, key, value):
    """Return probabilities and context, query by query in float64."""
    probabilities = torch.zeros(len(query), len(key), dtype=torch.float64)
    for i, q in enumerate(query.double()):
        scores = [float(sum(a * b for a, b in zip(q, k, strict=True))) for k in key.double()]
        scores = torch.tensor([score / len(q) ** 0.5 for score in scores], dtype=torch.float64)
        exponents = torch.exp(scores - scores.max())
        probabilities[i] = exponents / exponents.sum()
    context = torch.stack(
        [sum(p * v for p, v in zip(row, value.double(), strict=True)) for row in probabilities]
    )
    return probabilities.float(), context.float()


@torch.no_grad()
def test_a_fused_kernel_shows_its_softmax():
    query, key, value = draw(2, 3, 4, 5), draw(2, 3, 6, 5), draw(2, 3, 6, 7)
    with WatchedProducts() as watched:
        made = nn.functional.scaled_dot_product_attention(query, key, value)
    (product,) = watched.products
    for text in range(2):
        for head in range(3):
            probabilities, context = by_hand(query[text, head], key[text, head], value[text, head])
            assert_close(
                product.probabilities.view(2, 3, 4, 6)[text, head], probabilities, **FLOAT32
            )
            assert_close(product.context.view(2, 3, 4, 7)[text, head], context, **FLOAT32)
    assert_close(made.flatten(), product.context.flatten(), rtol=0.0, atol=0.0)


@torch.no_grad()
@pytest.mark.parametrize("need_weights", [True, False])
def test_pytorchs_module_shows_each_head(need_weights):
    module = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    hidden = draw(3, 5, 8)
    with WatchedProducts() as watched:
        module(hidden, hidden, hidden, need_weights=need_weights)
    (product,) = watched.products
    assert product.probabilities.numel() == 3 * 2 * 5 * 5
    assert product.context.numel() == 3 * 2 * 5 * 4
    mean = module(hidden, hidden, hidden)[1]
    assert_close(product.probabilities.reshape(3, 2, 5, 5).mean(1), mean, **FLOAT32)


@torch.no_grad()
def test_only_a_softmax_on_the_left_is_one():
    scores, values = draw(2, 3, 3), draw(2, 3, 3)
    with WatchedProducts() as watched:
        torch.bmm(values, scores.softmax(-1))
        torch.bmm(scores, values)
    assert watched.products == []
    with WatchedProducts() as watched:
        torch.bmm(scores.softmax(-1).double().float(), values)
    assert len(watched.products) == 1


@torch.no_grad()
def test_what_is_added_to_the_context_in_its_place_is_not_of_it():
    scores, values = draw(2, 3, 3), draw(2, 3, 3)
    with WatchedProducts() as watched:
        context = torch.bmm(scores.softmax(-1), values)
        before = context.clone()
        context += 1.0
    assert torch.equal(watched.products[0].context, before)


@torch.no_grad()
def test_nothing_is_watched_afterwards():
    scores, values = draw(2, 3, 3), draw(2, 3, 3)
    fast = torch.backends.mha.get_fastpath_enabled()
    with WatchedProducts() as watched:
        assert torch.backends.mha.get_fastpath_enabled() is False
    torch.bmm(scores.softmax(-1), values)
    assert watched.products == []
    assert torch.backends.mha.get_fastpath_enabled() is fast
