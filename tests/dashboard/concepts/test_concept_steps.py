"""The Concepts page computes what the model computes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from inspector.attention import LayerWeights, multi_head_attention, repeat_key_value_heads
from inspector.dashboard import measure, walkthrough
from inspector.models import load

TEXT = "The animal didn't cross the street because it was too tired."


@pytest.fixture(scope="module")
def model():
    return load("minilm")


@pytest.mark.parametrize(("layer", "head"), [(0, 0), (2, 8), (5, 11)])
def test_one_head_is_the_models_own(model, layer, head):
    call, tokens = walkthrough.layer_call(model, TEXT, layer)
    hidden, weights = call.hidden_states[0], model.layer_weights(layer)
    score = walkthrough.score_function("scaled", weights)
    done = walkthrough.head_steps(hidden, hidden, weights, head, score)
    assert len(tokens) == len(hidden) == 16
    torch.testing.assert_close(done.query, call.attention.query[0, head])
    torch.testing.assert_close(done.probabilities, call.attention.probabilities[0, head])
    own = call.attention.context[0].unflatten(-1, (model.n_heads, -1))[:, head]
    torch.testing.assert_close(done.output, own)
    alone = walkthrough.one_position(done, 3, score)
    torch.testing.assert_close(alone.output[0], done.output[3])


def test_a_target_and_a_source_may_differ_in_length(model):
    looking, _ = walkthrough.layer_call(model, "She opened the bank account.", 1)
    seen, _ = walkthrough.layer_call(model, TEXT, 1)
    weights = model.layer_weights(1)
    for name in walkthrough.SCORES:
        done = walkthrough.head_steps(
            looking.hidden_states[0],
            seen.hidden_states[0],
            weights,
            0,
            walkthrough.score_function(name, weights),
        )
        assert done.probabilities.shape == (8, 16)
        torch.testing.assert_close(done.probabilities.sum(-1), torch.ones(8))


def test_parameters_of_a_score_are_the_same_each_time_and_leave_the_generator_alone(model):
    weights = model.layer_weights(0)
    state = torch.get_rng_state()
    first, second = (walkthrough.score_function("additive", weights) for _ in range(2))
    assert torch.equal(first.vector, second.vector)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("layer", [0, 5])
def test_the_heads_add_up_to_the_models_output(model, layer):
    call, _ = walkthrough.layer_call(model, TEXT, layer)
    done = walkthrough.layer_steps(call.hidden_states[0], model.layer_weights(layer))
    assert done.contributions.shape == (12, 16, 384)
    torch.testing.assert_close(done.total, done.stages.output[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(done.total, call.output[0], rtol=1e-4, atol=1e-5)
    assert walkthrough.largest_difference(done.total, call.output[0]) < 1e-5


def test_a_head_alone_takes_its_groups_keys_and_values():
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    weights = LayerWeights(
        draw(12, 5), draw(6, 5), draw(6, 5), draw(5, 12), draw(12), None, draw(6), draw(5),
        n_heads=4, n_kv_heads=2, scaling=0.5,
    )  # fmt: skip
    hidden = draw(7, 5)
    done = walkthrough.layer_steps(hidden, weights)
    torch.testing.assert_close(done.total, done.stages.output[0])
    shared = repeat_key_value_heads(done.stages.key, 4)
    alone = walkthrough.head_alone(weights, 3)
    key = multi_head_attention(hidden[None], hidden[None], alone).key
    torch.testing.assert_close(key[:, 0], shared[:, 3])


def test_a_word_is_found_where_it_stands():
    assert walkthrough.positions_of(["a", "b", "a", "b"], ["a", "b"]) == [0, 2]
    assert walkthrough.positions_of(["a"], ["a", "b"]) == []


def test_times_are_measured_for_each_length():
    frame = measure.attention_times(4, 2, lengths=(8, 16), repeats=1)
    assert list(frame.columns) == ["tokens", "seconds", "series"]
    assert frame["tokens"].tolist() == [8, 16]
    assert (frame["seconds"] > 0).all()


def test_many_sessions_share_one_model(model):
    """Each of eight readers at once gets what a single one gets."""
    sentences = [f"{TEXT} {'Really. ' * n}" for n in range(8)]

    def read(text):
        return walkthrough.layer_call(model, text, 3)[0].attention.probabilities

    alone = [read(text) for text in sentences]
    with ThreadPoolExecutor(8) as readers:
        together = list(readers.map(read, sentences))
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one, other)
