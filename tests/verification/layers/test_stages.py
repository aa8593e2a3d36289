"""Our stages against the equations in plain loops, on a real layer's real input."""

import math

import numpy as np
import pytest
import torch

from inspector.models import watch
from inspector.verification import STAGES
from inspector.verification.layers.stages import judge_stages, our_stages, query_rows, their_stages


@pytest.fixture(scope="module")
def calls(minilm):
    collected = []
    watch(minilm, minilm.encode(["Rain fell.", "Snow."]), collected.append)
    return collected


def slow_stages(call, weights):
    """Return every stage by the equations, one number at a time, in float64."""
    x = call.hidden_states.double().numpy()
    mask = call.attention.mask.numpy()
    n_batch, n_token, d_model = x.shape
    n_heads, d_head = weights.n_heads, weights.d_head
    matrices = {name: getattr(weights, name).double().numpy() for name in ("W_Q", "W_K", "W_V")}
    biases = {name: getattr(weights, f"b_{name[-1]}").double().numpy() for name in matrices}
    w_o, b_o = weights.W_O.double().numpy(), weights.b_O.double().numpy()
    q, k, v = (np.zeros((n_batch, n_heads, n_token, d_head)) for _ in range(3))
    for out, name in ((q, "W_Q"), (k, "W_K"), (v, "W_V")):
        for b in range(n_batch):
            for h in range(n_heads):
                for i in range(n_token):
                    for d in range(d_head):
                        row = h * d_head + d
                        out[b, h, i, d] = math.fsum(matrices[name][row] * x[b, i]) + float(
                            biases[name][row]
                        )
    p = np.zeros((n_batch, n_heads, n_token, n_token))
    context = np.zeros((n_batch, n_token, n_heads * d_head))
    output = np.zeros((n_batch, n_token, d_model))
    for b in range(n_batch):
        for i in range(n_token):
            for h in range(n_heads):
                keys = [j for j in range(n_token) if mask[b, 0, min(i, mask.shape[2] - 1), j]]
                scores = {j: math.fsum(q[b, h, i] * k[b, h, j]) / math.sqrt(d_head) for j in keys}
                top = max(scores.values())
                weights_of = {j: math.exp(score - top) for j, score in scores.items()}
                total = math.fsum(weights_of.values())
                for j in keys:
                    p[b, h, i, j] = weights_of[j] / total
                for d in range(d_head):
                    context[b, i, h * d_head + d] = math.fsum(
                        p[b, h, i, j] * v[b, h, j, d] for j in keys
                    )
            for m in range(d_model):
                output[b, i, m] = math.fsum(w_o[m] * context[b, i]) + b_o[m]
    return dict(zip(STAGES, (q, k, v, p, context, output), strict=True))


@pytest.mark.parametrize("layer", [0, 3])
def test_the_truth_equals_the_equations_in_plain_loops(minilm, calls, layer):
    weights = minilm.layer_weights(layer)
    truth = our_stages(calls[layer], weights, torch.float64)
    for stage, slow in slow_stages(calls[layer], weights).items():
        # float64 rounding over 384 terms: measured at most 3e-14 of the largest value
        np.testing.assert_allclose(
            getattr(truth, stage).numpy(), slow, rtol=0, atol=1e-12 * np.abs(slow).max()
        )


def test_the_slow_reference_notices_a_wrong_scale(minilm, calls):
    from dataclasses import replace

    weights = minilm.layer_weights(0)
    wrong = our_stages(calls[0], replace(weights, scaling=1.001 * weights.scaling), torch.float64)
    slow = slow_stages(calls[0], weights)
    assert np.abs(wrong.probabilities.numpy() - slow["probabilities"]).max() > 1e-5


def test_theirs_are_the_layers_own_tensors(minilm, calls):
    theirs = their_stages(calls[2])
    batch, tokens = calls[2].hidden_states.shape[:2]
    assert theirs.query.shape == (batch, 12, tokens, 32)
    assert theirs.probabilities.shape == (batch, 12, tokens, tokens)
    assert theirs.context.shape == theirs.output.shape == (batch, tokens, 384)
    assert (theirs.probabilities[1, :, :, 4:] == 0).all(), "padding of the shorter text"


def test_stages_are_judged_in_order_and_all(minilm, calls):
    weights = minilm.layer_weights(1)
    truth = our_stages(calls[1], weights, torch.float64)
    judged = judge_stages(calls[1], our_stages(calls[1], weights, torch.float32), truth)
    assert tuple(judged) == STAGES
    assert all(judgement.passed for judgement in judged.values())


def test_a_row_without_an_allowed_key_is_left_out(minilm):
    """Theirs is uniform there and ours zero: neither is right, as there is nothing to look at."""
    from dataclasses import replace

    batch = minilm.encode(["Rain fell on the roof.", "Snow fell on the roof."])
    attended = batch.attention_mask.clone()
    attended[1] = 0
    collected = []
    watch(minilm, replace(batch, attention_mask=attended), collected.append)
    call = collected[0]
    assert query_rows(call).sum(1).tolist() == [batch.input_ids.shape[1], 0]
    weights = minilm.layer_weights(0)
    truth = our_stages(call, weights, torch.float64)
    ours = our_stages(call, weights, torch.float32)
    assert (ours.probabilities[1] == 0).all()
    assert (their_stages(call).probabilities[1] > 0).all()
    assert all(judgement.passed for judgement in judge_stages(call, ours, truth).values())


def test_in_training_the_same_weights_are_dropped(minilm):
    collected = []
    state = torch.get_rng_state()
    batch = minilm.encode(["Rain fell on the roof.", "Snow."])
    watch(minilm, batch, collected.append, seed=7)
    assert torch.equal(torch.get_rng_state(), state)
    assert not minilm.model.training
    call = collected[4]
    ours = our_stages(call, minilm.layer_weights(4), torch.float64)
    theirs = their_stages(call)
    dropped = theirs.probabilities == 0
    kept_by_mask = call.attention.mask.expand_as(dropped)
    share = dropped[kept_by_mask].float().mean().item()
    assert 0.05 < share < 0.15, "a tenth is dropped"
    assert torch.equal(ours.probabilities == 0, dropped)
