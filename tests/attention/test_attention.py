"""Softmax and attention: every score, every mask, empty rows, half types, dropout."""

import math

import pytest
import support.slow.attention as slow
import torch
from support.each import each
from support.tolerances import TOLERANCE
from torch.nn.functional import dropout as torch_dropout
from torch.nn.functional import scaled_dot_product_attention

from inspector.attention import (
    additive_scores,
    attention,
    causal_mask,
    dot_product_scores,
    general_scores,
    masked_softmax,
)


def arbitrary_mask():
    mask = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(7)) < 0.5
    mask[..., 0] = True  # every query has a key; rows without are tested apart
    return mask


MASKS = {
    "none": lambda: None,
    "padding": lambda: (torch.arange(7) < torch.tensor([[4], [7]]))[:, None, None, :],
    "causal": lambda: causal_mask(5, 7),
    "arbitrary": arbitrary_mask,
    "per head": lambda: arbitrary_mask()[:1],
    "per query": lambda: arbitrary_mask()[:1, :1],
    "one row": lambda: arbitrary_mask()[0, 0, :1],
}


each_mask = each("mask", [make() for make in MASKS.values()], ids=MASKS)


def assert_attended(attended, output, probabilities):
    tolerance = TOLERANCE[attended.output.dtype]
    for ours, expected in ((attended.probabilities, probabilities), (attended.output, output)):
        torch.testing.assert_close(ours, expected.to(ours.dtype), **tolerance)


@each_mask
def test_attention_with_each_mask(sequences, mask):
    inputs = (sequences.query, sequences.key, sequences.value)
    assert_attended(attention(*inputs, mask=mask), *slow.slow_attention(*inputs, mask))


@each_mask
def test_attention_agrees_with_torch(sequences, mask, dtype):
    inputs = (sequences.query, sequences.key, sequences.value)
    torch.testing.assert_close(
        attention(*inputs, mask=mask).output,
        scaled_dot_product_attention(*inputs, attn_mask=mask),
        **TOLERANCE[dtype],
    )


@each("kind", ["dot", "general", "additive"])
@each_mask
def test_attention_with_each_score(sequences, draw, mask, kind):
    weight, w, u, v = draw(11, 11) / 3, draw(19, 11) / 3, draw(19, 11) / 3, draw(19)
    ours, formula = {
        "dot": (dot_product_scores, slow.dot),
        "general": (
            lambda q, k: general_scores(q, k, weight),
            slow.general(weight.tolist()),
        ),
        "additive": (
            lambda q, k: additive_scores(q, k, w, u, v),
            slow.additive(w.tolist(), u.tolist(), v.tolist()),
        ),
    }[kind]
    inputs = (sequences.query, sequences.key, sequences.value)
    assert_attended(
        attention(*inputs, mask=mask, score=ours), *slow.slow_attention(*inputs, mask, formula)
    )


def test_a_case_computed_by_hand():
    """Scores 0 and ln 3 / 2 · 2 = ln 3 give probabilities 1/4 and 3/4."""
    query = torch.tensor([[1.0, 1.0, 0.0, 0.0]], dtype=torch.float64)
    key = torch.tensor([[0.0] * 4, [math.log(3.0), math.log(3.0), 0.0, 9.0]], dtype=torch.float64)
    attended = attention(query, key, torch.tensor([[4.0], [8.0]], dtype=torch.float64))
    torch.testing.assert_close(
        attended.probabilities, torch.tensor([[0.25, 0.75]], dtype=torch.float64)
    )
    torch.testing.assert_close(attended.output, torch.tensor([[7.0]], dtype=torch.float64))


@each_mask
def test_probabilities_are_those_that_weighted_the_values(sequences, mask, dtype):
    attended = attention(sequences.query, sequences.key, sequences.value, mask=mask)
    torch.testing.assert_close(
        attended.output,
        torch.einsum("abij,abjd->abid", attended.probabilities, sequences.value),
        **TOLERANCE[dtype],
    )


def test_large_scores_overflow_nothing(dtype):
    scores = torch.tensor([[1e30, -1e30, 1e30], [700.0, 2000.0, 0.0]], dtype=dtype)
    assert masked_softmax(scores).tolist() == [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]


def test_what_stands_at_a_masked_key_has_no_influence_on_probabilities(sequences):
    mask = MASKS["padding"]()
    wild = sequences.key.clone()
    wild[0, :, 4:] = float("nan")
    clean = attention(sequences.query, sequences.key, sequences.value, mask=mask)
    assert torch.equal(
        attention(sequences.query, wild, sequences.value, mask=mask).probabilities,
        clean.probabilities,
    )


class TestRowWithoutAnAllowedKey:
    @pytest.fixture
    def holes(self):
        mask = arbitrary_mask()
        mask[0, 1, 2] = mask[1, 2, :] = False
        return mask

    def test_gives_zeros(self, sequences, holes):
        inputs = (sequences.query, sequences.key, sequences.value)
        attended = attention(*inputs, mask=holes)
        assert not attended.probabilities[0, 1, 2].any()
        assert not attended.output[1, 2].any()
        assert_attended(attended, *slow.slow_attention(*inputs, holes))

    def test_has_a_finite_gradient(self, sequences, holes):
        inputs = [sequences.query, sequences.key, sequences.value]
        for tensor in inputs:
            tensor.requires_grad_()
        attention(*inputs, mask=holes).output.square().sum().backward()
        assert all(bool(tensor.grad.isfinite().all()) for tensor in inputs)
        # What the empty rows look at has no part in the result.
        assert not sequences.query.grad[0, 1, 2].any()
        assert not sequences.value.grad[1, 2].any()
        assert sequences.query.grad[0, 1, 3].any()

    def test_everywhere(self, sequences):
        nothing = torch.zeros(5, 7, dtype=torch.bool)
        attended = attention(sequences.query, sequences.key, sequences.value, mask=nothing)
        assert not attended.probabilities.any()
        assert not attended.output.any()


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
class TestHalfTypes:
    def test_softmax_is_the_one_of_float32_rounded_once(self, half):
        scores = 3 * torch.randn(5, 101, generator=torch.Generator().manual_seed(0))
        scores = scores.to(half)
        mask = torch.rand(5, 101, generator=torch.Generator().manual_seed(1)) < 0.8
        expected = masked_softmax(scores.float(), mask).to(half)
        assert torch.equal(masked_softmax(scores, mask), expected)
        assert torch.equal(masked_softmax(scores), masked_softmax(scores.float()).to(half))

    def test_control_a_softmax_computed_in_the_half_type_differs(self, half):
        scores = 3 * torch.randn(5, 101, generator=torch.Generator().manual_seed(0))
        scores = scores.to(half)
        power = (scores - scores.amax(-1, keepdim=True)).exp()
        total = power[:, 0]
        for column in range(1, 101):
            total = total + power[:, column]
        assert not torch.equal(power / total[:, None], masked_softmax(scores))

    def test_attention_is_right_to_its_rounding(self, half):
        generator = torch.Generator().manual_seed(0)
        shapes = ((2, 5, 11), (2, 7, 11), (2, 7, 13))
        inputs = [torch.randn(*shape, generator=generator).to(half) for shape in shapes]
        attended = attention(*inputs, mask=causal_mask(5, 7))
        assert attended.output.dtype == attended.probabilities.dtype == half
        assert_attended(
            attended, *slow.slow_attention(*(x.double() for x in inputs), causal_mask(5, 7))
        )


class TestDropout:
    @each_mask
    def test_none_is_exactly_the_plain_result(self, sequences, mask):
        inputs = (sequences.query, sequences.key, sequences.value)
        state = torch.get_rng_state()
        zero, plain = attention(*inputs, mask=mask, dropout=0.0), attention(*inputs, mask=mask)
        assert torch.equal(zero.output, plain.output)
        assert torch.equal(torch.get_rng_state(), state)

    @each_mask
    def test_drops_what_torch_drops_with_the_same_seed(self, sequences, mask, dtype):
        inputs = (sequences.query, sequences.key, sequences.value)
        torch.manual_seed(5)
        attended = attention(*inputs, mask=mask, dropout=0.3)
        torch.manual_seed(5)
        expected = torch_dropout(attention(*inputs, mask=mask).probabilities, p=0.3)
        assert torch.equal(attended.probabilities, expected)
        torch.testing.assert_close(attended.output, expected @ sequences.value, **TOLERANCE[dtype])
        torch.manual_seed(6)
        other = attention(*inputs, mask=mask, dropout=0.3)
        assert not torch.equal(attended.probabilities, other.probabilities)

    def test_keeps_its_share_and_the_mean(self):
        n, p = 400_000, 0.3
        torch.manual_seed(0)
        scores = torch.randn(1, n // 100, 1), torch.randn(1, 100, 1)
        probabilities = attention(*scores, torch.ones(1, 100, 1), dropout=p).probabilities
        kept = (probabilities > 0).double().mean().item()
        deviation = math.sqrt(p * (1 - p) / n)
        assert abs(kept - (1 - p)) < 5 * deviation
        # Divided by 1 - p, so that a row sums to one in the mean. Measured: 0.9998.
        assert probabilities.sum(-1).mean().item() == pytest.approx(1.0, abs=5e-3)

    def test_of_everything_leaves_nothing(self, sequences):
        attended = attention(sequences.query, sequences.key, sequences.value, dropout=1.0)
        assert not attended.probabilities.any()
        assert not attended.output.any()

    @each("wrong", [-0.1, 1.5, math.nan])
    def test_outside_its_range_is_refused(self, sequences, wrong):
        with pytest.raises(ValueError, match="dropout") as caught:
            attention(sequences.query, sequences.key, sequences.value, dropout=wrong)
        assert str(caught.value) == (
            f"dropout ({wrong}) must lie in [0, 1]: it is the probability of dropping a weight."
        )


@each(
    "mistake",
    [
        pytest.param(lambda q, k, v, m: (q * 11**0.5, k, v, m), id="scale omitted"),
        pytest.param(lambda q, k, v, m: (q, k, v, None), id="mask dropped"),
        pytest.param(lambda q, k, v, m: (q, k, v, ~m), id="mask inverted"),
        pytest.param(lambda q, k, v, m: (q, k, v, m.flip(-1)), id="mask reversed"),
        pytest.param(lambda q, k, v, m: (q, k.flip(-2), v, m), id="keys reversed"),
        pytest.param(lambda q, k, v, m: (q, k, v.roll(1, 0), m), id="values of another text"),
    ],
)
def test_control_a_mistake_is_noticed(sequences, mistake):
    inputs = (sequences.query, sequences.key, sequences.value, arbitrary_mask())
    *wrong, mask = mistake(*inputs)
    with pytest.raises(AssertionError, match="not close"):
        assert_attended(attention(*wrong, mask=mask), *slow.slow_attention(*inputs))


class Holding:
    """A user's score function that keeps what it returned."""

    def __call__(self, query, key):
        self.scores = query @ key.transpose(-1, -2)
        return self.scores


def test_scores_that_somebody_else_holds_are_left_as_they_are():
    generator = torch.Generator().manual_seed(3)
    query, key, value = torch.randn(3, 2, 4, 8, generator=generator)
    mask = causal_mask(4)
    scores = query @ key.transpose(-1, -2)
    before = scores.clone()
    masked_softmax(scores, mask)
    assert torch.equal(scores, before)
    held = Holding()
    attention(query, key, value, mask=mask, score=held)
    assert torch.equal(held.scores, before)
    # Nor is what was given to be looked at.
    copies = [tensor.clone() for tensor in (query, key, value)]
    attention(query, key, value, mask=mask)
    for tensor, copy in zip((query, key, value), copies, strict=True):
        assert torch.equal(tensor, copy)
