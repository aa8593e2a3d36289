"""Every score function against its formula, one pair of vectors at a time."""

import math

import pytest
import support.slow.attention as slow
import torch
from support.each import each
from support.tolerances import TOLERANCE

from inspector.attention import (
    AdditiveScore,
    GeneralScore,
    additive_scores,
    dot_product_scores,
    general_scores,
    scaled_dot_product_scores,
)


def assert_scores(scores, query, key, formula):
    expected = slow.slow_scores(query, key, formula).to(scores.dtype)
    torch.testing.assert_close(scores, expected, **TOLERANCE[scores.dtype])


def test_dot_product(sequences):
    query, key = sequences.query, sequences.key
    assert_scores(dot_product_scores(query, key), query, key, slow.dot)


def test_scaled_dot_product(sequences):
    query, key = sequences.query, sequences.key
    assert_scores(scaled_dot_product_scores(query, key), query, key, slow.scaled_dot)


def test_scaled_dot_product_with_a_factor_of_its_own(sequences):
    query, key = sequences.query, sequences.key
    scores = scaled_dot_product_scores(query, key, scaling=0.3)
    assert_scores(scores, query, key, lambda q, k: 0.3 * slow.dot(q, k))


def test_a_factor_of_zero_is_not_taken_for_none(sequences):
    assert not scaled_dot_product_scores(sequences.query, sequences.key, scaling=0.0).any()


def test_scaling_leaves_its_arguments_alone(sequences):
    before = sequences.query.clone(), sequences.key.clone()
    scaled_dot_product_scores(sequences.query, sequences.key)
    assert torch.equal(sequences.query, before[0])
    assert torch.equal(sequences.key, before[1])


def test_general(sequences, draw):
    query, weight = draw(2, 3, 5, 17), draw(17, 11)
    scores = general_scores(query, sequences.key, weight)
    assert_scores(scores, query, sequences.key, slow.general(weight.tolist()))


def test_general_with_the_identity_is_the_dot_product(sequences, dtype):
    scores = general_scores(sequences.query, sequences.key, torch.eye(11, dtype=dtype))
    torch.testing.assert_close(
        scores, dot_product_scores(sequences.query, sequences.key), **TOLERANCE[dtype]
    )


def test_additive(sequences, draw):
    query, w, u, v = draw(2, 3, 5, 17), draw(19, 17) / 4, draw(19, 11) / 4, draw(19)
    scores = additive_scores(query, sequences.key, w, u, v)
    formula = slow.additive(w.tolist(), u.tolist(), v.tolist())
    assert_scores(scores, query, sequences.key, formula)


def test_modules_hold_the_parameters_of_the_functions(draw):
    query, key = draw(2, 5, 17).double(), draw(2, 7, 11).double()
    bilinear, additive = GeneralScore(17, 11).double(), AdditiveScore(17, 11, 19).double()
    assert torch.equal(bilinear(query, key), general_scores(query, key, bilinear.weight))
    assert torch.equal(
        additive(query, key),
        additive_scores(query, key, additive.query_weight, additive.key_weight, additive.vector),
    )
    assert [name for name, _ in bilinear.named_parameters()] == ["weight"]
    assert {name: tuple(p.shape) for name, p in additive.named_parameters()} == {
        "query_weight": (19, 17),
        "key_weight": (19, 11),
        "vector": (19,),
    }


def test_freshly_drawn_scores_have_about_unit_variance():
    torch.manual_seed(0)
    query, key = torch.randn(503, 61), torch.randn(499, 67)
    assert GeneralScore(61, 67)(query, key).std().item() == pytest.approx(1.0, rel=0.1)
    # tanh holds its output below 1: the variance stays of order one, not exactly one.
    assert 0.3 < AdditiveScore(61, 67, 71)(query, key).std().item() < 1.0


@each(
    "mistaken",
    [
        pytest.param(lambda q, k: slow.dot(q, k), id="scale omitted"),
        pytest.param(lambda q, k: slow.dot(q, k) / len(q), id="divided by d, not its root"),
        pytest.param(lambda q, k: slow.dot(q, k) / math.sqrt(33), id="scale of d_model"),
        pytest.param(lambda q, k: 1.0001 * slow.scaled_dot(q, k), id="scale off by 0.01 %"),
    ],
)
def test_control_a_wrong_scale_is_noticed(sequences, mistaken):
    scores = scaled_dot_product_scores(sequences.query, sequences.key)
    with pytest.raises(AssertionError, match="not close"):
        assert_scores(scores, sequences.query, sequences.key, mistaken)
