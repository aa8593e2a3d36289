"""Score terms of position: ALiBi, rotated queries and keys, disentangled attention.

Each is a bias to be added to the scores, or a change of queries and keys before them.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor


def alibi_bias(n_heads: int, n_key: int, *, most: float = 8.0) -> Float[Tensor, "head 1 key"]:
    r"""Return ALiBi's bias of each head and key, in float64; the same for all queries.

    $b_{hj} = m_h (j - n + 1)$. Press et al. take $-m_h (i - j)$, which differs from it by what is
    the same for all keys of a query, and so gives the same softmax. For a power of two n,
    $m_h = 2^{-most (h + 1) / n}$; else those of the power below, then every other one of the
    power above.

    Args:
        n_heads: Number of heads.
        n_key: Number of keys.
        most: Minus the exponent of the last slope.

    Source: Press, Smith & Lewis (2022), arXiv:2108.12409, sec. 3, and their released code for
        other numbers of heads.

    Example:
        >>> alibi_bias(2, 3).squeeze(1).tolist()
        [[-0.125, -0.0625, 0.0], [-0.0078125, -0.00390625, 0.0]]
    """
    power = 2 ** math.floor(math.log2(n_heads))
    exponents = [most * (head + 1) / power for head in range(power)]
    exponents += [most * (2 * head + 1) / (2 * power) for head in range(n_heads - power)]
    slopes = torch.tensor([2.0**-exponent for exponent in exponents], dtype=torch.float64)
    places = torch.arange(n_key, dtype=torch.float64) - (n_key - 1)
    return slopes[:, None, None] * places


def rotated_pairs(
    features: Float[Tensor, "*batch token d_head"],
    cos: Float[Tensor, "*#batch token half"],
    sin: Float[Tensor, "*#batch token half"],
) -> Float[Tensor, "*batch token d_head"]:
    r"""Return features of which each pair (2i, 2i + 1) is turned by its angle.

    $(x, y) \mapsto (x\cos\theta - y\sin\theta,\; x\sin\theta + y\cos\theta)$. Features beyond
    twice the number of angles stay as they are.

    Args:
        features: Queries or keys.
        cos: Of the angles; those of `rotary_angles`, as a rule.
        sin: The same.

    Source: Su et al. (2021), arXiv:2104.09864, eq. 34.

    Example:
        >>> zero, one = torch.zeros(1, 1), torch.ones(1, 1)
        >>> rotated_pairs(torch.tensor([[3.0, 2.0, 5.0]]), zero, one)
        tensor([[-2.,  3.,  5.]])
    """
    width = 2 * cos.shape[-1]
    pairs = features[..., :width].unflatten(-1, (-1, 2))
    first, second = pairs[..., 0], pairs[..., 1]
    cos, sin = cos.to(features.dtype), sin.to(features.dtype)
    turned = torch.stack((first * cos - second * sin, first * sin + second * cos), dim=-1)
    return torch.cat((turned.flatten(-2), features[..., width:]), dim=-1)


def rotary_angles(
    positions: Int[Tensor, "*batch token"], width: int, base: float = 10000.0
) -> Float[Tensor, "*batch token half"]:
    r"""Return the angle of each position and pair of features, in radians.

    $\theta_{pi} = p \cdot base^{-2i / width}$.

    Args:
        positions: Of the tokens, from 0.
        width: Number of features that are turned; even.
        base: The longest wave length, divided by 2π.

    Source: Su et al. (2021), arXiv:2104.09864, sec. 3.2.2.
    """
    exponents = torch.arange(0, width, 2, dtype=torch.float32, device=positions.device) / width
    return positions[..., None].float() * base**-exponents


class Rotation(NamedTuple):
    """The angles of tokens, and which features are turned together."""

    cos: Float[Tensor, "token rotary"]
    sin: Float[Tensor, "token rotary"]
    neighbours: bool = False
    """Features 2i and 2i + 1, not i and i + rotary/2."""

    def turn(
        self, heads: Float[Tensor, "*batch last d_head"]
    ) -> Float[Tensor, "*batch last d_head"]:
        """Return heads turned by their tokens' angles; features beyond the angles stay.

        Where there are more angles than tokens, the tokens are the last.

        Source: Su et al. (2021), arXiv:2104.09864, eq. 34; in the order of features of Llama, or,
            of neighbours, of the paper.
        """
        width, first = self.cos.shape[-1], len(self.cos) - heads.shape[-2]
        turned, rest = heads.split([width, heads.shape[-1] - width], dim=-1)
        half = rotate_neighbours(turned) if self.neighbours else rotate_half(turned)
        return torch.cat([turned * self.cos[first:] + half * self.sin[first:], rest], dim=-1)


def rotate_half(heads: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch width"]:
    """Return (−second half, first half) of the features.

    Example:
        >>> rotate_half(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        tensor([-3., -4.,  1.,  2.])
    """
    first, second = heads.chunk(2, dim=-1)
    return torch.cat([-second, first], dim=-1)


def rotate_neighbours(heads: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch width"]:
    """Return each pair of neighbours (a, b) as (−b, a).

    Example:
        >>> rotate_neighbours(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        tensor([-2.,  1., -4.,  3.])
    """
    return torch.stack([-heads[..., 1::2], heads[..., ::2]], dim=-1).flatten(-2)


def log_buckets(
    distances: Int[Tensor, "*shape"], n_buckets: int, longest: int
) -> Int[Tensor, "*shape"]:
    """Return distances of which the long ones are made shorter, by their logarithm.

    Args:
        distances: In tokens, of either sign.
        n_buckets: Twice the distance up to which nothing is changed; the most that comes out, and
            a half.
        longest: The distance that comes out as n_buckets − 1.

    Source: He et al. (2021), DeBERTaV3, arXiv:2111.09543, and the released code.

    Example:
        >>> log_buckets(torch.tensor([-3, 2, 40]), 8, 64).tolist()
        [-3, 2, 7]
    """
    middle = n_buckets // 2
    size = distances.abs().clamp(min=middle).double()
    shrunk = torch.ceil(
        (size / middle).log() / math.log((longest - 1) / middle) * (middle - 1)
    ).long() + middle  # fmt: skip
    return torch.where(distances.abs() <= middle, distances, shrunk * distances.sign())


def disentangled_bias(
    query: Float[Tensor, "batch head query d_head"],
    key: Float[Tensor, "batch head key d_head"],
    position_key: Float[Tensor, "head place d_head"] | None,
    position_query: Float[Tensor, "head place d_head"] | None,
    places: Int[Tensor, "query key"],
    scaling: float,
) -> Float[Tensor, "batch head query key"]:
    r"""Return what a query's and a key's distance adds to their score, besides their contents.

    $b_{ij} = (q_i \cdot k^r_{\delta(i,j)} + k_j \cdot q^r_{\delta(i,j)}) \cdot scaling$.

    Args:
        query: Queries of the content.
        key: Keys of the content.
        position_key: $k^r$: a key of each place; its term is left out where not given.
        position_query: $q^r$: a query of each place; its term is left out where not given.
        places: δ: which place the distance of a query and a key has.
        scaling: 1/√(d_head · number of terms, the content's included).

    Source: He et al. (2021), arXiv:2006.03654, eq. 4; with one table of distances for both, as
        δ(j, i) is read backwards in the released code.
    """
    scores = query.new_zeros(*query.shape[:3], key.shape[2])
    rows = torch.arange(query.shape[2], device=query.device)[:, None]
    columns = torch.arange(key.shape[2], device=query.device)[None, :]
    if position_key is not None:
        scores = scores + (query @ position_key.mT)[:, :, rows, places]
    if position_query is not None:
        scores = scores + (key @ position_query.mT)[:, :, columns, places]
    return scores * scaling
