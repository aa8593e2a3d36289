"""The clustering of heads against scipy's, and its plane against points that were planted."""

import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from inspector.errors import InputError
from inspector.plot import dendrogram, head_map
from inspector.plot.clustering import average_linkage, head_matrix, leaf_order, plane


@pytest.mark.parametrize("n", [2, 3, 12, 40])
def test_heads_are_joined_as_scipy_joins_them(n):
    points = np.random.default_rng(n).random((n, 5))
    matrix = np.linalg.norm(points[:, None] - points[None], axis=-1)
    steps = average_linkage(matrix)
    expected = hierarchy.average(squareform(matrix, checks=False))
    np.testing.assert_allclose(steps, expected, atol=1e-12)
    # No two lines cross if each cluster's leaves stand together.
    order = leaf_order(steps).tolist()
    members = {place: {place} for place in range(n)}
    for step, (one, other, *_) in enumerate(steps):
        members[n + step] = members[int(one)] | members[int(other)]
        places = sorted(order.index(leaf) for leaf in members[n + step])
        assert places == list(range(places[0], places[0] + len(places)))


def test_the_plane_finds_points_again_up_to_a_turn(run):
    places = plane(run.matrix)
    again = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.testing.assert_allclose(again, run.matrix, atol=1e-9)
    np.testing.assert_allclose(places.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(plane(run.matrix), places)


def test_the_charts_hold_the_steps_and_the_places(run):
    distances = run.run.frames["distances"]
    heads, matrix = head_matrix(distances)
    assert heads == [(layer, head) for layer in range(2) for head in range(3)]
    np.testing.assert_allclose(matrix, run.matrix)
    spec = dendrogram(distances, run.run.roles).to_dict()
    rows = spec["datasets"][spec["layer"][0]["data"]["name"]]
    tops = sorted(row["distance_nats"] for row in rows if row["corner"] == 1)
    np.testing.assert_allclose(tops, average_linkage(run.matrix)[:, 2])
    leaves = spec["datasets"][spec["layer"][1]["data"]["name"]]
    assert sorted(leaf["name"] for leaf in leaves) == ["0-0", "0-1", "0-2", "1-0", "1-1", "1-2"]
    assert {leaf["name"]: leaf["roles"] for leaf in leaves}["0-1"] == "syntactic:obj, positional:-1"
    # A line ends at the leaf whose name stands there.
    ends = {row["place"] for row in rows if row["distance_nats"] == 0}
    assert ends == {leaf["place"] for leaf in leaves}
    spec = head_map(distances).to_dict()
    drawn = spec["datasets"][(spec["layer"][0].get("data") or spec["data"])["name"]]
    np.testing.assert_allclose([[row["x"], row["y"]] for row in drawn], plane(run.matrix))


@pytest.mark.parametrize("lacking", ["a pair", "a number", "all"])
def test_a_pair_that_lacks_is_named(run, lacking):
    distances = run.run.frames["distances"].copy()
    if lacking == "a number":
        distances.loc[0, "distance_nats"] = np.nan
    else:
        distances = distances.iloc[1:] if lacking == "a pair" else distances.iloc[:0]
    with pytest.raises(InputError) as caught:
        head_map(distances)
    assert str(caught.value) == (
        f"distances ({len(distances)} rows) must have a number for each pair of at least two "
        "heads: profile with distances=True."
    )
