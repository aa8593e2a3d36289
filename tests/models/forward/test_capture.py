"""A forward pass watched: what each layer was given, what it did, in order."""

import pytest
import torch
from support.each import each
from support.tiny.models import FAMILIES, N_HEADS, N_LAYERS, TEXTS
from support.tolerances import FLOAT32

from inspector.models import attention_probabilities, last_hidden_state, watch


def watched(model, batch, **options):
    calls = []
    state = watch(model, batch, calls.append, **options)
    return state, calls


@each("family", FAMILIES)
def test_layers_are_shown_once_each_in_order(tiny, family):
    model = tiny(family)
    _, calls = watched(model, model.encode(TEXTS))
    assert [(call.layer, call.module) for call in calls] == [
        (site.layer, site.attention) for site in model.sites
    ]


@each("family", FAMILIES)
def test_what_is_watched_is_the_models_own_eager_computation(tiny, family):
    model = tiny(family)
    batch = model.encode(TEXTS)
    state, calls = watched(model, batch)
    assert torch.equal(state, last_hidden_state(model, batch, "eager"))
    with torch.no_grad():
        outputs = model.model(**batch.inputs(), output_attentions=True, output_hidden_states=True)
    assert len(outputs.attentions) == N_LAYERS
    for call, probabilities, hidden in zip(
        calls, outputs.attentions, outputs.hidden_states, strict=False
    ):
        assert torch.equal(call.attention.probabilities, probabilities)
        assert torch.equal(call.hidden_states, hidden)


def test_the_parts_of_a_call_fit_together(bert, padded):
    _, calls = watched(bert, padded)
    for call in calls:
        seen, weights = call.attention, bert.layer_weights(call.layer)
        heads = (seen.probabilities @ seen.value).transpose(1, 2).flatten(-2)
        torch.testing.assert_close(seen.context, heads, **FLOAT32)
        output = seen.context @ weights.W_O.T + weights.b_O
        torch.testing.assert_close(call.output, output, **FLOAT32)
        assert seen.scaling == pytest.approx(8**-0.5)
        assert (seen.dropout, seen.random_state) == (0.0, None)
        real = padded.attention_mask.bool()[:, None, None]
        assert torch.equal(seen.mask.expand(3, 1, -1, -1)[:, :, :1], real)


def test_training_mode_drops_the_same_weights_with_the_same_seed(bert, padded):
    (one, calls), (two, _), (other, _) = (watched(bert, padded, seed=s) for s in (5, 5, 6))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert all(call.attention.dropout == 0.1 for call in calls)
    kept = calls[0].attention.probabilities[padded.attention_mask.bool()[:, None].expand(3, 4, -1)]
    assert ((kept == 0.0).double().mean() > 0.05).item()


@each("family", FAMILIES)
def test_probabilities_sum_to_one_and_leave_padding_out(tiny, family):
    model = tiny(family)
    batch = model.encode(TEXTS)
    probabilities = attention_probabilities(model, batch)
    n = batch.input_ids.shape[1]
    assert probabilities.shape == (N_LAYERS, len(TEXTS), N_HEADS, n, n)
    torch.testing.assert_close(
        probabilities.sum(-1), torch.ones(N_LAYERS, len(TEXTS), N_HEADS, n), **FLOAT32
    )
    padding = ~batch.attention_mask.bool()
    assert padding.any()
    assert not probabilities[:, padding[:, None, None].expand(-1, N_HEADS, n, -1)].any()
    _, calls = watched(model, batch)
    theirs = torch.stack([call.attention.probabilities for call in calls])
    torch.testing.assert_close(probabilities, theirs, **FLOAT32)
