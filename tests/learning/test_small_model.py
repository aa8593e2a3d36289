"""The small model computes the equations by plain loops, and learns its patterns."""

import math

import pytest
import torch

from inspector.learning import PATTERNS, SmallModel, draw, train
from inspector.learning.patterns import LENGTH, LETTERS
from inspector.learning.small_model import HEADS, LAYERS
from inspector.learning.training import SECONDS, loss_of, measured


def lists(tensor):
    return tensor.detach().double().tolist()


def times(vector, matrix):
    """Return matrix · vector, the matrix as torch.nn.Linear has it."""
    return [sum(a * b for a, b in zip(vector, row, strict=True)) for row in matrix]


def by_loops(model, letters):
    """Return the log-probabilities and the maps of one text."""
    states = [
        [a + b for a, b in zip(lists(model.letter)[letter], lists(model.position)[i], strict=True)]
        for i, letter in enumerate(letters)
    ]
    maps = []
    for layer in range(LAYERS):
        w = model.layer(layer)
        query, key, value = (
            [times(state, lists(matrix)) for state in states] for matrix in (w.W_Q, w.W_K, w.W_V)
        )
        width = len(query[0]) // HEADS
        context = [[0.0] * len(query[0]) for _ in states]
        for head in range(HEADS):
            columns = range(head * width, (head + 1) * width)
            rows = []
            for i in range(len(letters)):
                scores = [
                    sum(query[i][c] * key[j][c] for c in columns) / math.sqrt(width)
                    for j in range(i + 1)
                ]
                powers = [math.exp(score - max(scores)) for score in scores]
                row = [power / sum(powers) for power in powers]
                rows.append(row + [0.0] * (len(letters) - i - 1))
                for c in columns:
                    context[i][c] = sum(p * value[j][c] for j, p in enumerate(row))
            maps.append(rows)
        written = [times(one, lists(w.W_O)) for one in context]
        states = [
            [a + b for a, b in zip(state, more, strict=True)]
            for state, more in zip(states, written, strict=True)
        ]
    logs = []
    for state in states:
        scores = times(state, lists(model.says))
        total = math.log(sum(math.exp(score - max(scores)) for score in scores)) + max(scores)
        logs.append([score - total for score in scores])
    return logs, maps


@pytest.fixture(scope="module")
def trained():
    """Return a model that has begun to learn, so that its maps are not even."""
    model = SmallModel(len(LETTERS), LENGTH, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    generator = torch.Generator().manual_seed(0)
    for _ in range(60):
        optimizer.zero_grad()
        loss_of(model, draw("previous", 16, generator)).backward()
        optimizer.step()
    return model


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_told_is_so_by_plain_loops(trained, pattern):
    examples = draw(pattern, 2, torch.Generator().manual_seed(1))
    told = measured(trained, examples, 7, 1.5)
    assert (told.step, told.seconds) == (7, 1.5)
    letters, answers = examples.letters.tolist(), examples.answers.tolist()
    losses, right, on_answer = [], [], [[] for _ in range(LAYERS * HEADS)]
    for text in range(2):
        logs, maps = by_loops(trained, letters[text])
        if text == 0:
            for ours, theirs in zip(maps, told.maps, strict=True):
                for row, other in zip(ours, theirs, strict=True):
                    assert row == pytest.approx(other, abs=1e-4)
        for i, answer in enumerate(answers[text]):
            if answer == -100:
                continue
            losses.append(-logs[i][answer])
            right.append(max(range(len(LETTERS)), key=logs[i].__getitem__) == answer)
            for head, rows in enumerate(maps):
                on_answer[head].append(rows[i][examples.places[text][i]])
    assert told.loss == pytest.approx(sum(losses) / len(losses), rel=1e-4)
    assert told.accuracy == pytest.approx(sum(right) / len(right))
    assert told.on_answer == pytest.approx([sum(one) / len(one) for one in on_answer], abs=1e-4)
    assert told.letters == "".join(LETTERS[letter] for letter in letters[0])


@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_answer_stands_where_it_is_said_to(pattern):
    examples = draw(pattern, 50, torch.Generator().manual_seed(2))
    rows = (examples.letters.tolist(), examples.answers.tolist(), examples.places.tolist())
    for letters, answers, places in zip(*rows, strict=True):
        asked = 0
        for i, (answer, place) in enumerate(zip(answers, places, strict=True)):
            if answer == -100:
                assert place == -1
                continue
            asked += 1
            assert 0 <= place <= i  # causal: it can be seen
            assert letters[place] == answer
            if pattern == "previous":
                assert place == i - 1
            elif i + 1 < LENGTH:
                assert letters[i + 1] == answer
            if pattern == "repeat":
                assert letters[place - 1] == letters[i]
        assert asked >= LENGTH // 3


def test_a_pattern_is_learnt(trained):
    """Sixty steps are a beginning; what is learnt in two minutes is a longer test."""
    examples = draw("previous", 64, torch.Generator().manual_seed(3))
    before = measured(SmallModel(len(LETTERS), LENGTH, 3), examples, 0, 0.0)
    after = measured(trained, examples, 60, 1.0)
    assert before.loss == pytest.approx(math.log(len(LETTERS)), abs=0.5)
    assert after.loss < before.loss - 0.3
    assert after.accuracy > before.accuracy + 0.1


def test_the_time_is_kept():
    assert SECONDS < 120
    told = list(train("repeat", 0, seconds=0.6))
    assert (told[0].step, told[0].seconds) == (0, 0.0)
    assert told[-1].step > 0
    assert told[-1].seconds < 3.0
    assert told[-1].accuracy < 0.98


@pytest.mark.full
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_is_learnt_within_two_minutes(pattern, seed):
    *_, last = train(pattern, seed)
    assert last.accuracy > 0.98
    assert last.seconds < SECONDS
