"""Annotation that is none: hardly ever is anything said of it, on a real treebank and model."""

import numpy as np
import pytest
from support.each import each

from benchmarks import nulls


@pytest.fixture(scope="module")
def some(minilm):
    """Return 300 sentences of EWT dev, read once."""
    if nulls.gold() is None:
        pytest.skip("gold treebank not there: it is read from beside the checkout")
    return nulls.read(minilm, 300)


@each("name", [*nulls.NULLS, nulls.NETWORKS])
def test_nothing_is_claimed_of_what_says_nothing(minilm, some, name):
    drawn = [nulls.claims_anything(nulls.drawn(minilm, some, name, seed)) for seed in range(3)]
    assert sum(drawn) <= 1


def test_control_over_a_fixed_offset_alone_much_would_be_claimed_of_it(some):
    """What the rungs above it are for: a permuted head is still a verb or a noun."""
    _, claims = nulls.over_offset(nulls.dealt(some, "permuted heads", 0))
    assert (claims["verdict"] == "supported").sum() >= 2


@pytest.mark.full
@pytest.mark.parametrize("name", [*nulls.NULLS, nulls.NETWORKS])
def test_of_twenty_draws_on_the_whole_treebank_three_at_most_claim_anything(minilm, name):
    if nulls.gold() is None:
        pytest.skip("gold treebank not there: it is read from beside the checkout")
    table = nulls.read(minilm, nulls.THIRD if name == nulls.NETWORKS else None)
    claimed = sum(
        nulls.claims_anything(nulls.drawn(minilm, table, name, seed), seed)
        for seed in range(nulls.DRAWS)
    )
    assert claimed <= nulls.MOST


def test_what_is_dealt_keeps_what_a_null_is_to_keep(some):
    draw, others = np.random.default_rng(0), nulls.by_length(some.sentences)
    for sentence in some.sentences[:20]:
        pairs = [pair for pair in sentence.relations if pair.kind == "syntax"]
        permuted = nulls.permuted(sentence, others, draw).relations
        assert {pair.target for pair in permuted} <= {pair.target for pair in pairs}
        moved = nulls.slid(sentence, others, draw).relations
        assert sorted((one.label, one.target - one.source) for one in moved) == sorted(
            (one.label, one.target - one.source) for one in sentence.relations
        )
        swapped = nulls.swapped(sentence, others, draw).relations
        assert all(0 <= max(one.source, one.target) < len(sentence.words) for one in swapped)
