"""What holds for attention whatever the numbers, on inputs that hypothesis chooses."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tolerances import FLOAT64

from inspector.attention import (
    LayerWeights,
    attention,
    masked_softmax,
    merge_heads,
    multi_head_attention,
    split_heads,
)

SETTINGS = settings(max_examples=40, deadline=None, derandomize=True, database=None)
SIZES = st.integers(1, 9)
SEEDS = st.integers(0, 2**32 - 1)
# Sizes of numbers up to where the softmax is one-hot.
MAGNITUDES = st.sampled_from([0.0, 1e-6, 1.0, 30.0, 1e4])


def generator(seed):
    return torch.Generator().manual_seed(seed)


def drawn(source, *shape):
    return torch.randn(*shape, generator=source, dtype=torch.float64)


def drawn_mask(source, *shape):
    return torch.rand(*shape, generator=source) < 0.6


@SETTINGS
@given(SEEDS, SIZES, SIZES, MAGNITUDES)
def test_rows_sum_to_one_and_masked_keys_get_exactly_nothing(seed, n_query, n_key, magnitude):
    source = generator(seed)
    scores = magnitude * drawn(source, n_query, n_key)
    mask = drawn_mask(source, n_query, n_key)
    probabilities = masked_softmax(scores, mask)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert (probabilities[~mask] == 0.0).all()
    expected = mask.any(-1).double()
    torch.testing.assert_close(probabilities.sum(-1), expected, **FLOAT64)


@SETTINGS
@given(SEEDS, SIZES, SIZES, SIZES)
def test_output_lies_between_the_values(seed, n_query, n_key, d_value):
    source = generator(seed)
    value = drawn(source, n_key, d_value)
    output = attention(drawn(source, n_query, 3), drawn(source, n_key, 3), value).output
    assert (output <= value.amax(0) + FLOAT64["atol"]).all()
    assert (output >= value.amin(0) - FLOAT64["atol"]).all()


@SETTINGS
@given(SEEDS, SIZES, SIZES)
def test_permuting_keys_permutes_probabilities_and_keeps_the_output(seed, n_query, n_key):
    source = generator(seed)
    query, key = drawn(source, n_query, 5), drawn(source, n_key, 5)
    value, mask = drawn(source, n_key, 3), drawn_mask(source, n_query, n_key)
    order = torch.randperm(n_key, generator=source)
    one = attention(query, key, value, mask=mask)
    other = attention(query, key[order], value[order], mask=mask[:, order])
    torch.testing.assert_close(other.probabilities, one.probabilities[:, order], **FLOAT64)
    torch.testing.assert_close(other.output, one.output, **FLOAT64)


@SETTINGS
@given(SEEDS, SIZES, SIZES)
def test_permuting_queries_permutes_the_output(seed, n_query, n_key):
    source = generator(seed)
    query, key, value = (drawn(source, n, 5) for n in (n_query, n_key, n_key))
    order = torch.randperm(n_query, generator=source)
    one, other = attention(query, key, value), attention(query[order], key, value)
    torch.testing.assert_close(other.output, one.output[order], **FLOAT64)


@SETTINGS
@given(SEEDS, SIZES, SIZES, st.floats(-1e3, 1e3))
def test_a_constant_added_to_a_row_of_scores_changes_nothing(seed, n_query, n_key, constant):
    scores = drawn(generator(seed), n_query, n_key)
    torch.testing.assert_close(masked_softmax(scores + constant), masked_softmax(scores), **FLOAT64)


@SETTINGS
@given(SEEDS, SIZES, SIZES)
def test_masking_keys_is_leaving_them_out(seed, n_query, n_key):
    source = generator(seed)
    query, key, value = (drawn(source, n, 5) for n in (n_query, n_key, n_key))
    kept = drawn_mask(source, n_key)
    kept[0] = True
    masked = attention(query, key, value, mask=kept[None])
    without = attention(query, key[kept], value[kept])
    torch.testing.assert_close(masked.output, without.output, **FLOAT64)


@SETTINGS
@given(SEEDS, SIZES, SIZES, SIZES, SIZES)
def test_split_and_merge_undo_each_other(seed, n_batch, n_tokens, n_heads, d_head):
    features = drawn(generator(seed), n_batch, n_tokens, n_heads * d_head)
    heads = split_heads(features, n_heads)
    assert heads.shape == (n_batch, n_heads, n_tokens, d_head)
    assert torch.equal(merge_heads(heads), features)
    assert torch.equal(split_heads(merge_heads(heads), n_heads), heads)


@SETTINGS
@given(SEEDS, st.integers(1, 5), st.integers(1, 4), SIZES)
def test_permuting_heads_permutes_probabilities_and_keeps_the_output(seed, n_heads, d_head, n):
    source = generator(seed)
    wide, d_model = n_heads * d_head, 7
    order = torch.randperm(n_heads, generator=source)
    features = (order[:, None] * d_head + torch.arange(d_head)).flatten()
    matrices = [drawn(source, wide, d_model) for _ in range(3)]
    biases = [drawn(source, wide) for _ in range(3)]
    w_o, b_o = drawn(source, d_model, wide), drawn(source, d_model)
    sizes = {"n_heads": n_heads, "n_kv_heads": n_heads, "scaling": d_head**-0.5}
    weights = LayerWeights(*matrices, w_o, *biases, b_o, **sizes)
    permuted = LayerWeights(
        *(matrix[features] for matrix in matrices),
        w_o[:, features],
        *(bias[features] for bias in biases),
        b_o,
        **sizes,
    )
    hidden = drawn(source, 2, n, d_model)
    one, other = (multi_head_attention(hidden, hidden, each) for each in (weights, permuted))
    torch.testing.assert_close(other.probabilities, one.probabilities[:, order], **FLOAT64)
    torch.testing.assert_close(other.output, one.output, **FLOAT64)
