"""Shapes in signatures are checked while tests run: in every test, at the first calls at least."""

import pytest
import torch
from jaxtyping import Float, TypeCheckError
from support import shapes

import inspector.attention
from inspector.verification.judge import unit_roundoff


def doubled(x: Float[torch.Tensor, "n d"]) -> Float[torch.Tensor, "n d"]:
    return torch.cat([x, x]) if len(x) == 3 else 2 * x


def checker():
    """Return the type checker that pyproject.toml gives to jaxtyping."""
    from beartype import beartype

    return beartype


def test_the_rooms_are_checked():
    """On the public functions, in each test anew."""
    flat = torch.zeros(4)
    for _ in range(shapes.FIRST):
        with pytest.raises(TypeCheckError):
            inspector.attention.attention(flat, flat, flat)
    with pytest.raises(TypeCheckError):
        unit_roundoff("float32")


def test_arguments_and_results_of_the_first_calls_of_each_test_then_of_one_in_many():
    checked = shapes.jaxtyped(doubled, typechecker=checker())
    for wrong in (torch.zeros(3), torch.zeros(3, 2)):  # no matrix; a result of other shape
        shapes.begin()
        refused = []
        for number in range(1, 2 * shapes.ONE_IN + 1):
            try:
                checked(wrong)
            except TypeCheckError:
                refused.append(number)
        assert refused == [*range(1, shapes.FIRST + 1), shapes.ONE_IN, 2 * shapes.ONE_IN]
    shapes.begin()
    assert torch.equal(checked(torch.ones(2, 2)), 2 * torch.ones(2, 2))


def test_the_fields_of_a_dataclass_are_checked():
    from dataclasses import dataclass

    @dataclass
    class Pair:
        left: Float[torch.Tensor, " n"]
        right: Float[torch.Tensor, " n"]

    checked = shapes.jaxtyped(Pair, typechecker=checker())
    with pytest.raises(TypeCheckError):
        checked(torch.zeros(2), torch.zeros(3))
    assert len(checked(torch.zeros(2), torch.ones(2)).right) == 2
