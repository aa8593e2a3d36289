"""Whether the model needs the head of a claim: ablated, against random heads."""

import numpy as np
import pandas as pd
from jaxtyping import Int64

from inspector.frames import dtypes
from inspector.heads.ablation.state_change import UNIT, StateChangeSums
from inspector.heads.ablation.target_words import ENDS
from inspector.heads.specialization.inference import bootstrap_weights, ratio_intervals

RANDOM_HEADS = 20
"""Heads that a claimed one is compared with."""
MIN_SHARE = 0.10
"""Share of the random heads' effect, below which a head's own is not said to be more."""
MAX_P = 0.05
MIN_DOCUMENTS = 6
"""Documents below which an interval over them says nothing."""
NOT_ASKED = "not asked"
"""What stands in `needed` where a claim is not supported, or no word of it was measured."""
_DRAW = 3

NEEDED_COLUMNS = dtypes("needed")
"""Columns of the needed frame, in order: column → dtype."""


def needed_heads(claims: pd.DataFrame, sums: StateChangeSums, seed: int = 0) -> pd.DataFrame:
    """Return, for each supported claim, whether the model needs its head more than random ones.

    Columns:

    - relation, direction, layer, head: those of the claim.
    - word: the word that looks and so is measured: 'dependent' for dependent_to_head, else 'head'.
    - n, documents, effect, matched_effect, difference: as in the ablation frame, by zero.
    - random_heads: 20 other heads, drawn from the claimed head's layer and those nearest to it, as
      few layers as have 20; all others where the model has fewer. random_effect and
      random_difference: the means of their effects and differences.
    - contrast: difference − random_difference; ci_low, ci_high: its 95 % bootstrap interval over
      documents, 10,000 draws.
    - p_value: (1 + random heads whose difference is at least the claimed head's) /
      (1 + random_heads): above 0.05 with fewer than 20.
    - needed: 'yes' if difference and ci_low are above 0, contrast is at least a tenth of
      random_effect and p_value < 0.05; 'no' if ci_high is below a tenth of random_effect; 'not
      asked' where no word was measured; else, and with fewer than 6 documents, 'unclear'.

    Args:
        claims: The claims of a profile.
        sums: Of variants that lack one head each, all heads of the model among them, over
            documents of the test split.
        seed: Of the draws.
    """
    heads = [one[0] for one in sums.variants]
    weights = bootstrap_weights(len(sums.documents), seed)
    by_id = sorted(range(len(sums.documents)), key=lambda place: sums.documents[place])
    rows = []
    for claim in claims[claims["verdict"] == "supported"].to_dict("records"):
        own = heads.index((claim["layer"], claim["head"]))
        word = ENDS[0] if claim["direction"] == "dependent_to_head" else ENDS[1]
        cell = 2 * sums.names.index(claim["relation"]) + ENDS.index(word)
        n = sums.n[by_id, cell]
        effect, matched = sums.effect[by_id, cell].T, sums.matched[by_id, cell].T
        drawn = random_heads(heads, own, seed)
        row = {name: claim[name] for name in ("relation", "direction", "layer", "head")}
        row |= {"word": word, "n": n.sum(), "documents": np.count_nonzero(n)}
        rows.append(row | _compared(effect, matched, n, own, drawn, weights))
    frame = pd.DataFrame(rows, columns=list(NEEDED_COLUMNS)).astype(NEEDED_COLUMNS)
    frame["needed"] = _verdicts(frame)
    return frame


def with_needed(claims: pd.DataFrame, needed: pd.DataFrame) -> pd.DataFrame:
    """Return the claims with the column `needed` as their last: yes, no, unclear, or not asked."""
    found = {
        (row["relation"], row["direction"]): row["needed"] for row in needed.to_dict("records")
    }
    keys = zip(claims["relation"], claims["direction"], strict=True)
    values = pd.Series([found.get(key, NOT_ASKED) for key in keys], dtype="str")
    return claims.assign(needed=values.to_numpy()).astype({"needed": "str"})


def random_heads(heads: list[tuple[int, int]], own: int, seed: int) -> Int64[np.ndarray, " drawn"]:
    """Return places of random other heads of the nearest layers, sorted.

    Example:
        >>> random_heads([(layer, head) for layer in range(3) for head in range(2)], 2, 0).tolist()
        [0, 1, 3, 4, 5]
    """
    layer = heads[own][0]
    apart = np.array([abs(other - layer) for other, _ in heads])
    others = np.array([place for place in range(len(heads)) if place != own], dtype=np.int64)
    for reach in range(int(apart.max()) + 1):
        near = others[apart[others] <= reach]
        if len(near) >= RANDOM_HEADS:
            drawn = np.random.default_rng([seed, _DRAW, own]).permutation(near)[:RANDOM_HEADS]
            return np.sort(drawn)
    return others


def _compared(
    effect: Int64[np.ndarray, "variant document"],
    matched: Int64[np.ndarray, "variant document"],
    n: Int64[np.ndarray, " document"],
    own: int,
    drawn: Int64[np.ndarray, " drawn"],
    weights: np.ndarray,
) -> dict[str, float]:
    whole, others = n.sum(), len(drawn)
    if not whole or not others:
        figures = [name for name, kind in NEEDED_COLUMNS.items() if kind == "float64"]
        return dict.fromkeys(figures, np.nan) | {"random_heads": others}
    apart = effect - matched
    differences = apart.sum(axis=1) * UNIT / whole
    # A whole number for each document: others · own − Σ others.
    contrast = others * apart[own] - apart[drawn].sum(axis=0)
    interval = ratio_intervals(contrast[None], n, weights)[0] * UNIT / others
    return {
        "effect": effect[own].sum() * UNIT / whole,
        "matched_effect": matched[own].sum() * UNIT / whole,
        "difference": differences[own],
        "random_heads": others,
        "random_effect": effect[drawn].sum() * UNIT / whole / others,
        "random_difference": differences[drawn].mean(),
        "contrast": contrast.sum() * UNIT / whole / others,
        "ci_low": interval[0],
        "ci_high": interval[1],
        "p_value": (1 + np.count_nonzero(differences[drawn] >= differences[own])) / (1 + others),
    }


def _verdicts(frame: pd.DataFrame) -> pd.Series:
    least = MIN_SHARE * frame["random_effect"]
    verdicts = pd.Series("unclear", index=frame.index, dtype="str")
    verdicts[frame["ci_high"] < least] = "no"
    is_more = (frame["ci_low"] > 0) & (frame["difference"] > 0) & (frame["contrast"] >= least)
    verdicts[is_more & (frame["p_value"] < MAX_P)] = "yes"
    verdicts[frame["documents"] < MIN_DOCUMENTS] = "unclear"
    verdicts[frame["n"] == 0] = NOT_ASKED
    return verdicts
