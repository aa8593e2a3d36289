"""Each deliberate mistake does what its name says, and is a mistake."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.each import each

from inspector.attention import LayerWeights, multi_head_attention
from inspector.verification import MUTATIONS
from inspector.verification.controls import plan_of
from inspector.verification.diagnosis import Layer

N_BATCH, N_TOKEN, N_HEADS, D_HEAD = 2, 7, 3, 5
D_MODEL = N_HEADS * D_HEAD
BY_NAME = {mutation.name: mutation for mutation in MUTATIONS}


@pytest.fixture(scope="module")
def layer():
    generator = torch.Generator().manual_seed(11)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    weights = LayerWeights(
        **{f"W_{letter}": draw(D_MODEL, D_MODEL) * 0.4 for letter in "QKVO"},
        **{f"b_{letter}": draw(D_MODEL) for letter in "QKVO"},
        n_heads=N_HEADS,
        n_kv_heads=N_HEADS,
        scaling=D_HEAD**-0.5,
    )
    mask = torch.ones(N_BATCH, 1, N_TOKEN, dtype=torch.bool)
    mask[1, 0, 4:] = False
    return draw(N_BATCH, N_TOKEN, D_MODEL), weights, mask


def slow(layer, *, scaling=D_HEAD**-0.5, axis=-1, mask=True, heads=None, q="Q", k="K", v="V",
         without="", w_o=None):  # fmt: skip
    """Return (probabilities, output) of attention in numpy, with one thing changed."""
    x, weights, allowed = layer[0].numpy(), layer[1], layer[2].numpy()

    def project(letter, bias):
        matrix = getattr(weights, f"W_{letter}").numpy()
        offset = 0 if bias in without else getattr(weights, f"b_{letter}").numpy()
        flat = x @ matrix.T + offset
        if heads == "interleaved":  # feature index first, head index fastest
            return flat.reshape(N_BATCH, N_TOKEN, D_HEAD, N_HEADS).transpose(0, 3, 1, 2)
        split = flat.reshape(N_BATCH, N_TOKEN, N_HEADS, D_HEAD).transpose(0, 2, 1, 3)
        return split[:, ::-1] if heads == "reversed" else split

    query, key, value = project(q, "Q"), project(k, "K"), project(v, "V")
    scores = query @ key.transpose(0, 1, 3, 2) * scaling
    if mask is True:
        mask = np.broadcast_to(allowed[:, None], scores.shape)
    if mask is not False:
        scores = np.where(mask, scores, -1e30)
    exponent = np.exp(scores - scores.max(axis, keepdims=True))
    probabilities = exponent / exponent.sum(axis, keepdims=True)
    if mask is not False and axis == -1:
        probabilities = np.where(mask.any(-1, keepdims=True), probabilities, 0)
    context = (probabilities @ value).transpose(0, 2, 1, 3).reshape(N_BATCH, N_TOKEN, D_MODEL)
    matrix = weights.W_O.numpy() if w_o is None else w_o
    offset = 0 if "O" in without else weights.b_O.numpy()
    return probabilities, context @ matrix.T + offset


def transposed_mask(layer):
    wide = np.broadcast_to(layer[2].numpy()[:, None], (N_BATCH, N_HEADS, N_TOKEN, N_TOKEN))
    return wide.transpose(0, 1, 3, 2)


def mistaken(name, layer):
    x, weights, mask = layer
    plan = plan_of(BY_NAME[name])
    return multi_head_attention(x, x, plan.weights_of(weights), mask=mask, steps=plan)


EXPECTED = {
    "scale omitted": lambda layer: slow(layer, scaling=1.0),
    "scale of d_model": lambda layer: slow(layer, scaling=D_MODEL**-0.5),
    "scale off by 0.01 %": lambda layer: slow(layer, scaling=1.0001 * D_HEAD**-0.5),
    "mask dropped": lambda layer: slow(layer, mask=False),
    "mask transposed": lambda layer: slow(layer, mask=transposed_mask(layer)),
    "softmax over queries": lambda layer: slow(layer, axis=-2),
    "heads reversed": lambda layer: slow(layer, heads="reversed"),
    "heads interleaved": lambda layer: slow(layer, heads="interleaved"),
    "query bias dropped": lambda layer: slow(layer, without="Q"),
    "key bias dropped": lambda layer: slow(layer, without="K"),
    "value bias dropped": lambda layer: slow(layer, without="V"),
    "output bias dropped": lambda layer: slow(layer, without="O"),
    "W_O transposed": lambda layer: slow(layer, w_o=layer[1].W_O.numpy().T),
    "query and key swapped": lambda layer: slow(layer, q="K", k="Q"),
    "value taken from key": lambda layer: slow(layer, v="K"),
}


def test_every_mutation_is_in_this_table():
    assert set(BY_NAME) == set(EXPECTED)
    assert len(BY_NAME) == len(MUTATIONS) == 15


def test_the_table_without_a_change_is_attention(layer):
    x, weights, mask = layer
    right = multi_head_attention(x, x, weights, mask=mask)
    probabilities, output = slow(layer)
    np.testing.assert_allclose(right.probabilities.numpy(), probabilities, atol=1e-14)
    np.testing.assert_allclose(right.output.numpy(), output, atol=1e-13)


@each("name", EXPECTED)
def test_a_mutation_does_what_its_name_says(layer, name):
    stages = mistaken(name, layer)
    probabilities, output = EXPECTED[name](layer)
    np.testing.assert_allclose(stages.probabilities.numpy(), probabilities, atol=1e-13)
    np.testing.assert_allclose(stages.output.numpy(), output, atol=1e-12)


@each("name", EXPECTED)
def test_a_mutation_changes_some_stage(layer, name):
    x, weights, mask = layer
    right = multi_head_attention(x, x, weights, mask=mask)
    wrong = mistaken(name, layer)
    largest = max((a - b).abs().max().item() for a, b in zip(right, wrong, strict=True))
    assert largest > 1e-6


def test_what_is_no_mistake_is_not_tried(layer):
    one_head = replace(layer[1], n_heads=1, n_kv_heads=1, scaling=D_MODEL**-0.5)
    no_bias = replace(layer[1], b_Q=None, b_K=None, b_V=None, b_O=None)
    left_out = {m.name for m in MUTATIONS if not m.applies(Layer(one_head))}
    assert left_out == {"scale of d_model", "heads reversed", "heads interleaved"}
    narrow = replace(layer[1], n_heads=D_MODEL, n_kv_heads=D_MODEL, scaling=1.0)
    left_out = {m.name for m in MUTATIONS if not m.applies(Layer(narrow))}
    assert left_out == {"scale omitted", "heads interleaved"}
    left_out = {m.name for m in MUTATIONS if not m.applies(Layer(no_bias))}
    assert left_out == {f"{side} bias dropped" for side in ("query", "key", "value", "output")}
    assert all(mutation.applies(Layer(layer[1])) for mutation in MUTATIONS)
