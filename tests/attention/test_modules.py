"""The modules: parameters of their own on the functions, and how they stand to one another."""

import pytest
import torch
from support.tolerances import FLOAT64

from inspector.attention import (
    AdditiveScore,
    Attention,
    GeneralScore,
    MultiHeadAttention,
    SelfAttention,
    attention,
    causal_mask,
    multi_head_attention,
)


@pytest.fixture(autouse=True)
def _double_and_seeded():
    torch.manual_seed(20170612)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def assert_close(ours, expected):
    torch.testing.assert_close(ours, expected, **FLOAT64)


def test_attention_projects_target_and_source():
    module = Attention(17, 5, d_source=13)
    target, source = torch.randn(2, 7, 17), torch.randn(2, 11, 13)
    mask = causal_mask(7, 11)
    expected = attention(
        target @ module.W_Q.weight.T + module.W_Q.bias,
        source @ module.W_K.weight.T + module.W_K.bias,
        source @ module.W_V.weight.T + module.W_V.bias,
        mask=mask,
    )
    attended = module(target, source, mask)
    assert_close(attended.output, expected.output)
    assert_close(attended.probabilities, expected.probabilities)


def test_without_bias_there_is_none():
    assert [name for name, _ in Attention(17, 5, bias=False).named_parameters()] == [
        "W_Q.weight",
        "W_K.weight",
        "W_V.weight",
    ]
    assert not any(
        name.endswith("bias")
        for name, _ in MultiHeadAttention(15, 3, bias=False).named_parameters()
    )


def test_self_attention_is_attention_with_target_and_source_the_same():
    module = SelfAttention(17, 5)
    hidden, mask = torch.randn(2, 7, 17), causal_mask(7)
    attended, expected = module(hidden, mask), module.attention(hidden, hidden, mask)
    assert torch.equal(attended.output, expected.output)
    assert torch.equal(attended.probabilities, expected.probabilities)
    # Not so with another source: the control of this comparison.
    other = module.attention(hidden, hidden.flip(1), mask)
    assert not torch.allclose(attended.output, other.output)


@pytest.mark.parametrize("score", [GeneralScore(5, 5), AdditiveScore(5, 5, 3)], ids=["W", "v"])
def test_a_score_module_is_trained_with_the_attention(score):
    score = score.double()
    module = SelfAttention(17, 5, score=score)
    assert any(name.startswith("attention.score.") for name, _ in module.named_parameters())
    module(torch.randn(2, 7, 17)).output.sum().backward()
    assert all(bool(parameter.grad.any()) for parameter in score.parameters())


def test_multi_head_equals_single_self_attentions_concatenated_then_w_o():
    whole = MultiHeadAttention(15, 3)
    hidden, mask = torch.randn(2, 7, 15), causal_mask(7)
    heads = []
    for head in range(3):
        single, rows = SelfAttention(15, 5), slice(5 * head, 5 * head + 5)
        with torch.no_grad():
            for letter in ("W_Q", "W_K", "W_V"):
                mine, theirs = getattr(single.attention, letter), getattr(whole, letter)
                mine.weight.copy_(theirs.weight[rows])
                mine.bias.copy_(theirs.bias[rows])
        heads.append(single(hidden, mask))
    stages = whole(hidden, mask=mask[None])
    assert_close(stages.output, whole.W_O(torch.cat([head.output for head in heads], dim=-1)))
    assert_close(stages.probabilities, torch.stack([head.probabilities for head in heads], dim=1))


def test_multi_head_equals_single_cross_attentions_concatenated_then_w_o():
    whole = MultiHeadAttention(15, 3)
    target, source = torch.randn(2, 7, 15), torch.randn(2, 11, 15)
    contexts = []
    for head in range(3):
        single, rows = Attention(15, 5), slice(5 * head, 5 * head + 5)
        with torch.no_grad():
            for letter in ("W_Q", "W_K", "W_V"):
                mine, theirs = getattr(single, letter), getattr(whole, letter)
                mine.weight.copy_(theirs.weight[rows])
                mine.bias.copy_(theirs.bias[rows])
        contexts.append(single(target, source).output)
    assert_close(whole(target, source).output, whole.W_O(torch.cat(contexts, dim=-1)))


def test_multi_head_equals_torch_multi_head_attention():
    ours = MultiHeadAttention(15, 3)
    theirs = torch.nn.MultiheadAttention(15, 3, batch_first=True)
    with torch.no_grad():
        projections = (ours.W_Q, ours.W_K, ours.W_V)
        theirs.in_proj_weight.copy_(torch.cat([linear.weight for linear in projections]))
        theirs.in_proj_bias.copy_(torch.cat([linear.bias for linear in projections]))
        theirs.out_proj.weight.copy_(ours.W_O.weight)
        theirs.out_proj.bias.copy_(ours.W_O.bias)
    hidden = torch.randn(2, 7, 15)
    mask = causal_mask(7)
    expected, probabilities = theirs(
        hidden, hidden, hidden, attn_mask=~mask, average_attn_weights=False
    )
    stages = ours(hidden, mask=mask[None])
    assert_close(stages.output, expected)
    assert_close(stages.probabilities, probabilities)


def test_grouped_heads_have_smaller_keys_and_values():
    module = MultiHeadAttention(30, 6, n_kv_heads=2)
    assert module.W_K.weight.shape == module.W_V.weight.shape == (10, 30)
    hidden = torch.randn(2, 7, 30)
    expected = multi_head_attention(hidden, hidden, module.weights)
    assert torch.equal(module(hidden).output, expected.output)


def test_weights_are_the_parameters_themselves():
    module = MultiHeadAttention(15, 3)
    assert module.weights.W_O is module.W_O.weight
    assert module.weights.b_K is module.W_K.bias
    assert module.weights.scaling == 5**-0.5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"d_model": 770, "n_heads": 12},
            (
                "d_model (770) must be divisible by n_heads (12): "
                "every head gets d_model / n_heads features."
            ),
        ),
        (
            {"d_model": 15, "n_heads": 3, "n_kv_heads": 2},
            (
                "n_heads (3) must be divisible by n_kv_heads (2): "
                "every key/value head serves the same number of query heads."
            ),
        ),
    ],
)
def test_head_counts_that_do_not_divide_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match="divisible") as caught:
        MultiHeadAttention(**arguments)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "make",
    [
        lambda p: SelfAttention(15, 5, dropout=p),
        lambda p: MultiHeadAttention(15, 3, dropout=p),
    ],
    ids=["one head", "heads"],
)
def test_dropout_is_for_training_only(make):
    module, hidden = make(0.5), torch.randn(2, 7, 15)
    module.eval()
    still = module(hidden)
    assert torch.equal(module(hidden).output, still.output)
    torch.testing.assert_close(
        still.probabilities.sum(-1), torch.ones_like(still.probabilities[..., 0]), **FLOAT64
    )
    module.train()
    assert not torch.equal(module(hidden).output, still.output)
    module.dropout = 0.0
    if isinstance(module, SelfAttention):
        module.attention.dropout = 0.0
    assert torch.equal(module(hidden).output, still.output)


def test_a_mask_of_two_three_or_four_axes_is_the_same_mask():
    # As many tokens as heads: a (query, key) mask must not be read as (head, 1, key).
    module, hidden = MultiHeadAttention(20, 5), torch.randn(2, 5, 20)
    causal = causal_mask(5)
    expected = torch.nn.functional.scaled_dot_product_attention(
        *module(hidden)[:3], is_causal=True
    ).transpose(1, 2)
    for mask in (causal, causal[None], causal.expand(2, -1, -1), causal[None, None]):
        assert_close(module(hidden, mask=mask).context, expected.flatten(-2))


def test_each_head_may_have_a_mask_of_its_own():
    module, hidden = MultiHeadAttention(12, 3), torch.randn(2, 5, 12)
    mask = torch.rand(2, 3, 5, 5) < 0.6
    mask[..., 0] = True
    probabilities = module(hidden, mask=mask).probabilities
    assert torch.equal(probabilities > 0.0, mask)
