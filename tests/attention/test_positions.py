"""Score terms of position against loops over floats, written from the papers."""

import math

import pytest
import torch
from support.each import each
from support.tolerances import FLOAT64

from inspector.attention import masked_softmax
from inspector.attention.positions import (
    alibi_bias,
    disentangled_bias,
    log_buckets,
    rotary_angles,
    rotated_pairs,
)


def slopes_of(n):
    """Return ALiBi's slopes as the paper gives them for a power of two, else by recursion."""
    if math.log2(n).is_integer():
        return [2.0 ** (-8.0 / n * (head + 1)) for head in range(n)]
    power = 2 ** int(math.log2(n))
    return slopes_of(power) + slopes_of(2 * power)[0::2][: n - power]


@each("n_heads", [1, 2, 3, 5, 8, 12])
def test_alibi_is_a_slope_times_the_distance(n_heads):
    n = 7
    bias = alibi_bias(n_heads, n)
    assert bias.shape == (n_heads, 1, n)
    for head, slope in enumerate(slopes_of(n_heads)):
        for query in range(n):
            ours = masked_softmax(bias[head, :, : query + 1])
            distances = [-slope * (query - key) for key in range(query + 1)]
            torch.testing.assert_close(
                ours[0], torch.tensor(distances, dtype=torch.float64).softmax(-1), **FLOAT64
            )


def test_control_other_slopes_are_noticed():
    wrong = alibi_bias(6, 5, most=4.0).softmax(-1)
    assert (wrong - alibi_bias(6, 5).softmax(-1)).abs().max() > 1e-2


def test_pairs_are_turned_as_complex_numbers():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 5, 11, generator=generator, dtype=torch.float64)
    angles = torch.randn(5, 4, generator=generator, dtype=torch.float64)
    turned = rotated_pairs(features, angles.cos(), angles.sin())
    for text, token, pair in torch.cartesian_prod(*map(torch.arange, (2, 5, 4))).tolist():
        x, y = features[text, token, 2 * pair : 2 * pair + 2].tolist()
        number = complex(x, y) * complex(
            math.cos(angles[token, pair]), math.sin(angles[token, pair])
        )
        ours = turned[text, token, 2 * pair : 2 * pair + 2].tolist()
        assert ours == pytest.approx([number.real, number.imag], rel=1e-12)
    assert torch.equal(turned[..., 8:], features[..., 8:])


def test_scores_of_turned_features_know_the_distance_alone():
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 1, 8, generator=generator, dtype=torch.float64)

    def score(i, j):
        places = rotary_angles(torch.tensor([i, j]), 8).double()
        return rotated_pairs(query, *both(places[:1])) @ rotated_pairs(key, *both(places[1:])).T

    def both(angles):
        return angles.cos(), angles.sin()

    # Angles are float32, as everywhere: 1e-6 at position 13.
    torch.testing.assert_close(score(3, 5), score(11, 13), rtol=0, atol=1e-5)
    assert (score(3, 5) - score(3, 6)).abs().item() > 1e-2


def test_rotary_angles():
    angles = rotary_angles(torch.tensor([0, 3]), 6)
    expected = [[0.0, 0.0, 0.0], [3.0 * 10000.0 ** (-2 * i / 6) for i in range(3)]]
    torch.testing.assert_close(angles, torch.tensor(expected))


def slow_bucket(distance, n_buckets, longest):
    middle = n_buckets // 2
    size = abs(distance)
    if size <= middle:
        return distance
    shrunk = math.ceil(math.log(size / middle) / math.log((longest - 1) / middle) * (middle - 1))
    return (shrunk + middle) * (1 if distance > 0 else -1)


@pytest.mark.parametrize(("n_buckets", "longest"), [(8, 64), (256, 512), (6, 20)])
def test_long_distances_are_made_shorter(n_buckets, longest):
    distances = torch.arange(-longest + 1, longest)
    expected = [slow_bucket(distance, n_buckets, longest) for distance in distances.tolist()]
    assert log_buckets(distances, n_buckets, longest).tolist() == expected
    assert max(expected) == n_buckets - 1


@pytest.mark.parametrize("terms", [("key", "query"), ("key",), ("query",), ()])
def test_disentangled_bias_in_loops(terms):
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    query, key = draw(2, 3, 5, 7), draw(2, 3, 5, 7)
    tables = {side: draw(3, 11, 7) for side in ("key", "query")}
    places = torch.randint(11, (5, 5), generator=generator)
    given = [tables[side] if side in terms else None for side in ("key", "query")]
    bias = disentangled_bias(query, key, *given, places, 0.3)
    for b, h, i, j in torch.cartesian_prod(*map(torch.arange, (2, 3, 5, 5))).tolist():
        expected = 0.0
        if "key" in terms:
            expected += float(query[b, h, i] @ tables["key"][h, places[i, j]])
        if "query" in terms:
            expected += float(key[b, h, j] @ tables["query"][h, places[i, j]])
        assert float(bias[b, h, i, j]) == pytest.approx(0.3 * expected, rel=1e-12, abs=1e-14)
