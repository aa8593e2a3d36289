"""Frames of a small made-up run, one for all tests of charts."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from inspector.plot.one_head import MASSES

DIRECTIONS = ("dependent_to_head", "head_to_dependent", "attended_by_head")


def pairs_of(matrix, n_heads):
    """Return a matrix of distances as the frame `distances` has it."""
    one, other = np.triu_indices(len(matrix), k=1)
    return pd.DataFrame(
        {
            "layer": one // n_heads,
            "head": one % n_heads,
            "other_layer": other // n_heads,
            "other_head": other % n_heads,
            "distance_nats": matrix[one, other],
        }
    )


@pytest.fixture(scope="session")
def run():
    """Return a run of 2 layers × 3 heads."""
    from inspector.runs.run import Run
    from inspector.runs.store.manifest import Manifest

    random = np.random.default_rng(0)
    heads = [(layer, head) for layer in range(2) for head in range(3)]
    behaviour = pd.DataFrame(heads, columns=["layer", "head"])
    for name in ("entropy_nats", *MASSES, *(f"norm_{mass}" for mass in MASSES)):
        behaviour[name] = random.random(6)
    relations = pd.DataFrame(
        [
            (*head, relation, direction, 10, 3, random.random(), -2, 0.25)
            for head in heads
            for relation in ("obj", "det")
            for direction in DIRECTIONS
        ],
        columns=["layer", "head", "relation", "direction", "n", "correct", "accuracy",
                 "baseline_offset", "baseline_accuracy"],
    )  # fmt: skip
    roles = pd.DataFrame(
        [
            (0, 1, "syntactic:obj", "Follows <b>obj</b>.", 0.4, 0.3, 0.5),
            (0, 1, "positional:-1", "Looks back.", 0.9, 0.8, 1.0),
            (1, 2, "syntactic:<script>", "Hostile.", 0.4, 0.3, 0.5),
        ],
        columns=["layer", "head", "role", "evidence", "effect", "ci_low", "ci_high"],
    )
    points = random.random((6, 2))
    matrix = np.linalg.norm(points[:, None] - points[None], axis=-1)
    claims = pd.DataFrame(
        [
            ("obj", "dependent_to_head", 0, 1, 50, 0.8, 0.4, 0.4, 0.3, 0.5, 0.001, "supported"),
            ("det", "dependent_to_head", 1, 0, 50, 0.3, 0.4, -0.1, -0.2, 0.0, 0.9,
             "not supported"),
        ],
        columns=["relation", "direction", "layer", "head", "n", "accuracy", "baseline_accuracy",
                 "lift", "ci_low", "ci_high", "q_value", "verdict"],
    )  # fmt: skip
    frames = {
        "behaviour": behaviour, "relations": relations, "claims": claims, "roles": roles,
        "distances": pairs_of(matrix, 3),
        "totals": pd.DataFrame({"what": ["sentences", "words"], "count": [2, 9]}),
    }  # fmt: skip
    manifest = Manifest(
        model="tiny", model_files={}, corpus="texts <x>", corpus_sha256="0", settings={},
        versions={}, shard_size=1, batch_size=1, n_shards=1,
    )  # fmt: skip
    return SimpleNamespace(run=Run(manifest, frames), matrix=matrix, points=points)
