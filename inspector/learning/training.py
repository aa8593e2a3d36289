"""The training, told as it goes; as a process of its own it prints what it tells."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from time import perf_counter

import torch
from torch.nn.functional import cross_entropy

from inspector.learning.patterns import LENGTH, LETTERS, Examples, draw
from inspector.learning.small_model import HEADS, LAYERS, SmallModel

SECONDS = 110.0
"""After which it ends, learnt or not."""
_ENOUGH = 0.985
TEXTS = 64
"""In a step, and of those that it is judged on."""
_RATES = {"previous": 1e-3, "repeat": 1e-2, "mirror": 1e-3}
"""The easy ones slowly enough to be watched."""
_EVERY_SECONDS = 0.5
_ROUNDED = 4


@dataclass(frozen=True)
class Snapshot:
    """Where a training stands, on texts that it is not trained on."""

    step: int
    seconds: float
    loss: float
    """Mean −log p of the right letter, in nats."""
    accuracy: float
    letters: str
    """One text, of which the maps are."""
    places: list[int]
    """Where each position's answer stands in it, or −1."""
    maps: list[list[list[float]]]
    """Layer by layer and head by head, query × key."""
    on_answer: list[float]
    """Of each head the mean probability on the answer's place, over all texts."""


def train(pattern: str, seed: int, seconds: float = SECONDS) -> Iterator[Snapshot]:
    """Yield where the training stands, twice a second, until it is learnt or the time is over.

    Args:
        pattern: One of `PATTERNS`.
        seed: Of the weights and the texts.
        seconds: That it may take.
    """
    model = SmallModel(len(LETTERS), LENGTH, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    kept = draw(pattern, TEXTS, generator)
    optimizer = torch.optim.Adam(model.parameters(), lr=_RATES[pattern])
    begun = told = perf_counter()
    step, snapshot = 0, measured(model, kept, 0, 0.0)
    yield snapshot
    while snapshot.accuracy < _ENOUGH and perf_counter() - begun < seconds:
        loss = loss_of(model, draw(pattern, TEXTS, generator))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if perf_counter() - told > _EVERY_SECONDS:
            told = perf_counter()
            snapshot = measured(model, kept, step, told - begun)
            yield snapshot


def loss_of(model: SmallModel, examples: Examples) -> torch.Tensor:
    """Return the mean −log p of the right letter, wherever one is asked."""
    scores, _ = model(examples.letters)
    return cross_entropy(scores.flatten(0, 1), examples.answers.flatten())


def measured(model: SmallModel, examples: Examples, step: int, seconds: float) -> Snapshot:
    """Return where a model stands on some texts."""
    with torch.no_grad():
        scores, probabilities = model(examples.letters)
    asked = examples.answers != -100
    right = scores.argmax(-1)[asked] == examples.answers[asked]
    maps = torch.stack(probabilities, 1).flatten(1, 2)
    places = examples.places.clamp(min=0)[:, None, :, None].expand(-1, maps.shape[1], -1, -1)
    on_answer = maps.gather(-1, places)[..., 0]
    loss = cross_entropy(scores.flatten(0, 1), examples.answers.flatten())
    return Snapshot(
        step,
        seconds,
        float(loss),
        float(right.float().mean()),
        "".join(LETTERS[letter] for letter in examples.letters[0].tolist()),
        examples.places[0].tolist(),
        [
            [[round(value, _ROUNDED) for value in row] for row in one]
            for one in maps[0].double().tolist()
        ],
        [float(on_answer[:, head][asked].mean()) for head in range(LAYERS * HEADS)],
    )


def main() -> None:
    """Train the pattern of the first word with the seed of the second; print each snapshot."""
    os.nice(10)  # readers come first
    torch.set_num_threads(1)
    for snapshot in train(sys.argv[1], int(sys.argv[2])):
        print(json.dumps(asdict(snapshot)), flush=True)
