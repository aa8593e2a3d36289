"""Every number that Concepts draws, computed anew by plain loops from the numbers beside it."""

import base64
import json
import math
import struct

import pytest
import torch
from support.tiny.decoders import save_tiny_decoder

from inspector.dashboard import drawing, walkthrough
from inspector.dashboard.drawing.panes import map_of, picture
from inspector.models import load

TEXT = "The animal didn't cross the street because it was too tired."
# float32 sums in another order.
CLOSE = {"rel": 2e-4, "abs": 2e-5}


def numbers(text):
    data = base64.b64decode(text)
    return struct.unpack(f"<{len(data) // 4}f", data)


class Matrix:
    """What the page's script has of a pane."""

    def __init__(self, pane):
        data = json.loads(json.dumps(pane.as_data(None)))
        self.name, self.n, self.made = data["name"], data["n"], data["made"]
        self.values = numbers(data["values"])

    def __getitem__(self, cell):
        return self.values[cell[0] * self.n[1] + cell[1]]


def by_loops(named, made, row, column):
    """Return what a cell must be, from the cells that it names."""
    kind = made["kind"]
    left, right = named.get(made.get("left")), named.get(made.get("right"))
    of = made.get("of")
    if kind == "product":
        total = numbers(made["bias"])[column] if made.get("bias") else 0.0
        for k in range(left.n[1]):
            other = right[column, k] if made["by"] == "row" else right[k, column]
            total += left[row, k] * other
        return total
    if kind == "scale":
        value = named[of][row, column]
        return value / math.sqrt(made["root"]) if made["root"] else value * made["factor"]
    if kind == "cap":
        return made["cap"] * math.tanh(named[of][row, column] / made["cap"])
    if kind == "add":
        return sum(named[name][row, column] for name in of)
    if kind == "mask":
        return named[of][row, column] if named[made["mask"]][row, column] == 1.0 else -math.inf
    if kind == "softmax":
        scores = [named[of][row, key] for key in range(named[of].n[1])]
        sink = made["sink"]
        largest = max(*scores, -math.inf if sink is None else sink)
        total = 0.0 if sink is None else math.exp(sink - largest)
        for score in scores:
            total += math.exp(score - largest)
        return math.exp(scores[column] - largest) / total
    if kind == "additive":
        total = 0.0
        for k, weight in enumerate(numbers(made["vector"])):
            total += weight * math.tanh(left[row, k] + right[column, k])
        return total
    if kind == "block":
        total = 0.0
        for k in range(left.n[1]):
            total += left[row, k] * right[column, row * left.n[1] + k]
        return total
    assert kind == "total"
    total = numbers(made["bias"])[column]
    for head in range(named[of].n[0]):
        total += named[of][head, column]
    return total


def check(steps):
    """Assert that all that is made is so, and that a matrix is the same wherever it stands."""
    everywhere = {}
    kinds = set()
    for step in steps:
        named = {}
        for pane in step.panes:
            matrix = named[pane.name] = Matrix(pane)
            before = everywhere.setdefault(pane.name, matrix)
            assert before.values == matrix.values, (step.name, pane.name)
        for matrix in named.values():
            if matrix.made is None:
                continue
            kinds.add(matrix.made["kind"])
            rows, columns = matrix.n
            for row in range(rows):
                # All columns of square maps and of narrow matrices, every ninth of wide ones.
                for column in range(0, columns, 1 if columns <= 40 else 9):
                    wanted = by_loops(named, matrix.made, row, column)
                    assert matrix[row, column] == pytest.approx(wanted, **CLOSE), (
                        step.name, matrix.name, row, column,
                    )  # fmt: skip
    return kinds


@pytest.fixture(scope="module")
def minilm():
    return load("minilm")


@pytest.fixture(scope="module")
def of_tiny(tmp_path_factory):
    """Return a function: name → model, call and tokens of a tiny decoder's layer 1."""

    def one(name):
        folder = tmp_path_factory.mktemp(name)
        save_tiny_decoder(folder, name)
        model = load(folder)
        return model, *walkthrough.layer_call(model, "The keys are on the table.", 1)

    return one


@pytest.mark.parametrize("causal", [False, True])
def test_a_head_of_minilm_by_plain_loops(minilm, causal):
    from dataclasses import replace

    call, tokens = walkthrough.layer_call(minilm, TEXT, 2)
    weights = replace(walkthrough.layer_weights(minilm, call), causal=causal)
    hidden = call.hidden_states[0]
    done = walkthrough.head_steps(hidden, hidden, weights, 8)
    steps = drawing.head_drawing(done, tokens, tokens)
    assert [step.name for step in steps] == [
        "hidden", "project", "products", "scale", "mask", "softmax", "output",
    ]  # fmt: skip
    assert check(steps) == {"product", "scale", "mask", "softmax"}
    # What the chain begins with is the model's, and so is what it ends with.
    weight = minilm.model.get_submodule("encoder.layer.2.attention.self.query").weight
    drawn = {pane.name: pane for step in steps for pane in step.panes}
    assert torch.equal(drawn["X"].values, hidden)
    assert torch.equal(drawn["W_Q"].values, weight[8 * 32 : 9 * 32])
    own = call.attention.probabilities[0, 8]
    assert torch.allclose(drawn["P"].values, own) is not causal
    mask = drawn["M"].values.tolist()
    assert mask == [
        [int(not causal or key <= query) for key in range(len(tokens))]
        for query in range(len(tokens))
    ]


@pytest.mark.parametrize("name", walkthrough.SCORES)
def test_attention_between_two_sentences_by_plain_loops(minilm, name):
    looking, target = walkthrough.layer_call(minilm, "She paid.", 1)
    seen, source = walkthrough.layer_call(minilm, "The bank was near.", 1)
    weights = walkthrough.between_sentences(walkthrough.layer_weights(minilm, seen))
    score = walkthrough.score_function(name, weights)
    states = looking.hidden_states[0], seen.hidden_states[0]
    done = walkthrough.head_steps(*states, weights, 0, score)
    steps = drawing.head_drawing(done, target, source, score, name)
    kinds = check(steps)
    assert ("additive" in kinds) == (name == "additive")
    assert ("scale" in kinds) == (name == "scaled")
    assert "mask" not in kinds
    assert steps[-1]["P"].values.shape == (len(target), len(source))


@pytest.mark.parametrize(
    ("name", "besides"),
    [("llama", set()), ("t5", {"add"}), ("gemma2", {"cap"}), ("gpt_oss", {"softmax"})],
)
def test_what_decoders_do_besides_by_plain_loops(of_tiny, name, besides):
    model, call, tokens = of_tiny(name)
    weights, hidden = walkthrough.layer_weights(model, call), call.hidden_states[0]
    done = walkthrough.head_steps(hidden, hidden, weights, 2)
    steps = drawing.head_drawing(done, tokens, tokens)
    assert besides <= check(steps)
    probabilities = next(step for step in steps if step.name == "softmax")["P"]
    torch.testing.assert_close(probabilities.values, call.attention.probabilities[0, 2])
    sinks = [step["P"].made["sink"] for step in steps if step.name == "softmax"]
    assert (sinks != [None]) == (name == "gpt_oss")


def test_a_layer_is_the_sum_of_what_its_heads_write(minilm):
    call, tokens = walkthrough.layer_call(minilm, "The cat sat.", 1)
    weights = walkthrough.layer_weights(minilm, call)
    done = walkthrough.layer_steps(call.hidden_states[0], weights)
    heads = [f"head {number}" for number in range(12)]
    steps = drawing.layer_drawing(done, weights, call.output[0], tokens, 3, 2, heads)
    *first, last = steps
    assert check(first) == {"product"}
    assert check([last]) == {"block", "total"}
    torch.testing.assert_close(last["Σ"].values[0], call.output[0, 2], rtol=1e-4, atol=1e-5)
    assert torch.equal(last["O"].values[0], call.output[0, 2])
    assert torch.equal(steps[0]["P"].values, done.stages.probabilities[0, 3])
    assert last["z"].values.flatten().tolist() == steps[1]["C"].values[2].tolist()


def test_pictures_keep_what_is_farthest_from_zero():
    values = torch.zeros(50, 30)
    values[37, 11], values[3, 29] = -8.0, 4.0
    small = picture(values)
    assert (len(small), len(small[0])) == (20, 20)
    flat = [shade for row in small for shade in row]
    assert sorted(shade for shade in flat if shade) == [-255, 128]
    probabilities = torch.zeros(300, 300)
    probabilities[299, 0] = 1.0
    pooled, labels = map_of(probabilities, ["t"] * 300)
    assert pooled.shape == (128, 128)
    assert len(labels) == 128
    assert pooled[127, 0] == pooled.sum() == 1.0
