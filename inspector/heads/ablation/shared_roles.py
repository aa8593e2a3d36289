"""Heads that follow the same relation, and random sets of as many: what is ablated together."""

from collections import Counter, defaultdict
from collections.abc import Collection

import numpy as np
import pandas as pd

from inspector.head_names import Head
from inspector.heads.ablation.necessity import Relation

RANDOM_SETS = 5
"""Sets with which the heads of a role are compared."""
_DRAW = 4


def shared_roles(
    claims: pd.DataFrame, supported: pd.DataFrame
) -> dict[tuple[Head, ...], list[Relation]]:
    """Return each set of several heads that follow a claimed relation, with what they follow.

    Args:
        claims: The claims of a profile.
        supported: Whether each head follows each relation × direction, corrected over all heads.
    """
    holding: dict[Relation, set[Head]] = defaultdict(set)
    named = claims[claims["verdict"] == "supported"]
    for rows in (named, supported[supported["supported"]]):
        columns = (rows[name] for name in ("relation", "direction", "layer", "head"))
        for relation, direction, layer, head in zip(*columns, strict=True):
            holding[relation, direction].add((int(layer), int(head)))
    found: dict[tuple[Head, ...], list[Relation]] = defaultdict(list)
    for relation in zip(named["relation"], named["direction"], strict=True):
        if len(holding[relation]) > 1:
            found[tuple(sorted(holding[relation]))].append(relation)
    return dict(found)


def random_sets(
    heads: Collection[Head], n_layers: int, n_heads: int, seed: int
) -> list[tuple[Head, ...]]:
    """Return random sets of as many other heads, each of as many of each layer, none twice.

    Where a layer has too few others, those of the nearest layers stand in.

    Example:
        >>> random_sets([(0, 1), (1, 0)], 2, 2, seed=0)
        [((0, 0), (1, 1))]
    """
    rng = np.random.default_rng([seed, _DRAW, *(number for one in sorted(heads) for number in one)])
    others = [one for one in np.ndindex(n_layers, n_heads) if one not in heads]
    found: set[tuple[Head, ...]] = set()
    # Of small models there are fewer sets than are wanted: a few draws more find them.
    for _ in range(4 * RANDOM_SETS):
        drawn: list[Head] = []
        for layer, count in sorted(Counter(layer for layer, _ in heads).items()):
            left = [one for one in others if one not in drawn]
            order = [left[place] for place in rng.permutation(len(left))]
            drawn += sorted(order, key=lambda one: abs(one[0] - layer))[:count]
        if len(drawn) == len(heads) and len(found) < RANDOM_SETS:
            found.add(tuple(sorted(drawn)))
    return sorted(found)
