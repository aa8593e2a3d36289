"""Which query may look at which key."""

import pytest
import torch
from support.each import each

from inspector.attention import causal_mask, padding_mask
from inspector.attention.masks import check_mask


@each("kind", [torch.int64, torch.int32, torch.bool])
def test_padding_mask_lets_every_query_see_the_real_tokens(kind):
    attended = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0, 1, 1, 0, 0]]).to(kind)
    mask = padding_mask(attended)
    assert mask.dtype == torch.bool
    assert mask.shape == (3, 1, 5)
    assert torch.equal(mask[:, 0].int(), attended.int())


@each(("n_query", "n_key"), [(5, 5), (5, 7), (1, 11), (1, 1)])
def test_causal_mask_lets_a_query_see_itself_and_what_stands_before(n_query, n_key):
    mask = causal_mask(n_query, n_key)
    expected = [[j <= i + n_key - n_query for j in range(n_key)] for i in range(n_query)]
    assert mask.tolist() == expected


def test_causal_mask_is_square_where_no_keys_are_given():
    assert torch.equal(causal_mask(5), causal_mask(5, 5))


def test_causal_mask_with_fewer_keys_than_queries_is_refused():
    with pytest.raises(ValueError, match="n_key") as caught:
        causal_mask(5, 3)
    assert str(caught.value) == (
        "n_key (3) must be at least n_query (5): "
        "the queries are the last tokens of the sequence that the keys cover."
    )


def test_masks_join():
    joined = padding_mask(torch.tensor([[1, 1, 0], [1, 1, 1]])) & causal_mask(3)
    assert joined.int().tolist() == [
        [[1, 0, 0], [1, 1, 0], [1, 1, 0]],
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]],
    ]


@each("shape", [(5, 7), (1, 7), (3, 1, 7), (2, 1, 5, 7), (2, 3, 5, 7)])
def test_a_mask_that_broadcasts_is_taken(shape):
    check_mask(torch.ones(shape, dtype=torch.bool), torch.Size([2, 3, 5, 7]))


@each("shape", [(7, 5), (2, 5, 7), (2, 1, 1, 5, 7), (4, 3, 5, 7)])
def test_a_mask_that_does_not_broadcast_is_refused(shape):
    with pytest.raises(ValueError, match="broadcast") as caught:
        check_mask(torch.ones(shape, dtype=torch.bool), torch.Size([2, 3, 5, 7]))
    assert str(caught.value) == (
        f"mask has shape {shape}, which does not broadcast to (…, query, key) = (2, 3, 5, 7)."
    )


def test_a_mask_that_does_not_say_yes_or_no_is_refused():
    with pytest.raises(ValueError, match="dtype") as caught:
        check_mask(torch.ones(5, 7, dtype=torch.int64), torch.Size([5, 7]))
    assert str(caught.value) == (
        "mask has dtype torch.int64, expected torch.bool: True where the query may look at the "
        "key. A tokenizer's attention_mask becomes one by padding_mask()."
    )
