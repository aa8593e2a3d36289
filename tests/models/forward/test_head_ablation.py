"""Ablated heads: equal to a model without them, and nothing of it remains."""

from hashlib import sha256

import pytest
import torch
from support.each import each
from support.tiny.models import D_MODEL, FAMILIES, N_HEADS, N_LAYERS, TEXTS

from inspector.errors import InputError
from inspector.models import attention_probabilities, last_hidden_state
from inspector.models.forward.backend import OURS, running
from inspector.models.forward.head_ablation import ablated, check_heads, gated
from inspector.models.forward.partial_forward import partial_forward

D_HEAD = D_MODEL // N_HEADS


def state_of(model, batch):
    with torch.no_grad():
        return model.model(**batch.inputs()).last_hidden_state


def fail_on_purpose(model, batch):
    state_of(model, batch)
    raise RuntimeError("on purpose")


def hashes(model):
    return {
        name: sha256(tensor.cpu().numpy().tobytes()).hexdigest()
        for name, tensor in model.model.state_dict().items()
    }


def without_columns(model, batch, heads):
    """Return the state of the model with W_O's columns of the heads at zero, then mended."""
    kept = {}
    with torch.no_grad():
        for layer, head in heads:
            weight = model.linear(layer, "output").weight
            kept.setdefault(layer, weight.clone())
            weight[:, head * D_HEAD : (head + 1) * D_HEAD] = 0.0
        try:
            with running(model, OURS):
                return state_of(model, batch)
        finally:
            for layer, weight in kept.items():
                model.linear(layer, "output").weight.copy_(weight)


@each("family", [name for name in FAMILIES if name != "albert"])
@each("heads", [[(0, 1)], [(2, 3)], [(0, 0), (1, 2), (1, 3)]])
def test_ablation_equals_zeroed_columns_to_the_last_bit(tiny, family, heads):
    model = tiny(family, "float64")
    batch = model.encode(TEXTS)
    with ablated(model, heads):
        ours = state_of(model, batch)
    assert torch.equal(ours, without_columns(model, batch, heads))
    assert (ours - last_hidden_state(model, batch, OURS)).abs().max() > 0.01


def test_layers_that_share_their_weights_are_ablated_one_by_one(tiny):
    """ALBERT's W_O is one for all layers: zeroed columns would ablate a head in each."""
    model = tiny("albert", "float64")
    batch = model.encode(TEXTS)
    every = [(layer, 1) for layer in range(N_LAYERS)]
    with ablated(model, every):
        all_layers = state_of(model, batch)
    with ablated(model, [(1, 1)]):
        one_layer = state_of(model, batch)
    zeroed = without_columns(model, batch, [(0, 1)])
    assert torch.equal(all_layers, zeroed)
    assert (one_layer - zeroed).abs().max() > 0.01


@each("family", FAMILIES)
def test_uniform_attention_equals_a_slow_mean_of_values(tiny, family):
    model = tiny(family, "float64")
    batch = model.encode(TEXTS)
    seen = []
    with ablated(model, [(1, 2)], "uniform"), running(model, OURS, seen.append):
        state_of(model, batch)
    call = seen[1]
    for row, kept in enumerate(batch.attention_mask.sum(1).tolist()):
        mean = sum(call.value[row, 2, key] for key in range(kept)) / kept
        given = call.context[row, 0, 2 * D_HEAD : 3 * D_HEAD]
        torch.testing.assert_close(given, mean, rtol=1e-12, atol=1e-13)


def test_mean_gives_what_was_given(bert, padded):
    means = torch.arange(N_LAYERS * N_HEADS * D_HEAD).view(N_LAYERS, N_HEADS, D_HEAD).double()
    seen = []
    with ablated(bert, [(2, 0)], "mean", means), running(bert, OURS, seen.append):
        state_of(bert, padded)
    assert (seen[2].context[:, :, :D_HEAD] == means[2, 0].float()).all()
    assert not (seen[2].context[:, :, D_HEAD : 2 * D_HEAD] == means[2, 1].float()).any()


def test_gates_of_one_change_nothing_and_of_zero_ablate(bert, padded):
    plain = last_hidden_state(bert, padded, OURS)
    gates = torch.ones(N_LAYERS, 1, N_HEADS)
    with gated(bert, gates):
        assert torch.equal(state_of(bert, padded), plain)
    gates[1, 0, 3] = 0.0
    with gated(bert, gates):
        closed = state_of(bert, padded)
    with ablated(bert, [(1, 3)]):
        assert torch.equal(closed, state_of(bert, padded))


def test_nothing_remains_changed(bert, padded):
    before, own = hashes(bert), state_of(bert, padded)
    maps = attention_probabilities(bert, padded)
    forwards = {name: module.forward for name, module in bert.model.named_modules()}
    ways = [
        lambda: ablated(bert, [(0, 0), (2, 1)]),
        lambda: ablated(bert, [(0, 0)], "uniform"),
        lambda: gated(bert, torch.zeros(N_LAYERS, 1, N_HEADS)),
        lambda: partial_forward(bert),
    ]
    for way in ways:
        with way():
            state_of(bert, padded)
        with pytest.raises(RuntimeError, match="on purpose"), way():
            fail_on_purpose(bert, padded)
        assert hashes(bert) == before
        assert torch.equal(state_of(bert, padded), own)
        assert torch.equal(attention_probabilities(bert, padded), maps)
        assert {name: m.forward for name, m in bert.model.named_modules()} == forwards


@each("family", FAMILIES)
def test_running_again_from_a_layer_equals_running_the_whole_model(tiny, family):
    model = tiny(family, "float64")
    batch = model.encode(TEXTS)
    with partial_forward(model) as partial:
        clean = partial.clean(batch)
        again = {}
        for layer in range(N_LAYERS):
            heads = clean.layers[layer].heads
            given = torch.zeros(N_HEADS + 1, *heads[:, :, 0].shape, dtype=heads.dtype)
            given[-1] = heads[:, :, 2]
            again[layer] = partial.states(clean, layer, [*range(N_HEADS), 2], given)
    attended = batch.attention_mask.bool()
    plain = last_hidden_state(model, batch, OURS)
    assert torch.equal(clean.state, plain)
    for layer in range(N_LAYERS):
        # The last variant has its head as it was.
        torch.testing.assert_close(again[layer][-1], plain, rtol=1e-11, atol=1e-12)
        for head in range(N_HEADS):
            with ablated(model, [(layer, head)]):
                slow = state_of(model, batch)
            got = again[layer][head]
            torch.testing.assert_close(got[attended], slow[attended], rtol=1e-11, atol=1e-12)
            assert (got - plain)[attended].abs().max() > 0.01


def test_an_error_in_the_middle_leaves_the_next_run_alone(bert, padded):
    with partial_forward(bert) as partial:
        clean = partial.clean(padded)
        with pytest.raises(IndexError):
            partial.states(clean, 1, [N_HEADS], clean.layers[1].heads[None, :, :, 0])
        assert torch.equal(partial.clean(padded).state, clean.state)


RANGE = "must be one that the model has: layers count from 0 to 2, heads from 0 to 3."


@pytest.mark.parametrize(
    ("heads", "words"),
    [
        ([(9, 40)], f"head (9-40) {RANGE}"),
        ([(0, 0), (0, -1)], f"head (0--1) {RANGE}"),
        ([], "heads ([]) must hold at least one, such as (2, 8): layer 2, head 8."),
    ],
)
def test_heads_that_are_not_there_are_named(bert, heads, words):
    with pytest.raises(InputError) as caught:
        check_heads(bert, heads)
    assert str(caught.value) == words


def test_ways_that_are_not_there_are_named(bert):
    with pytest.raises(InputError) as caught, ablated(bert, [(0, 0)], "loudly"):
        pass
    assert str(caught.value) == (
        "how (loudly) must be a way to ablate a head. Available: zero, mean, uniform."
    )
    with pytest.raises(InputError) as caught, ablated(bert, [(0, 0)], "mean"):
        pass
    assert str(caught.value) == (
        "how (mean) needs what each head gives on average: "
        "give means, as inspector.heads.ablation.mean_outputs finds them."
    )
