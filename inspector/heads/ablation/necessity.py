"""Whether the model needs the heads of a claim: ablated, against random heads."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Int64

from inspector.frames import dtypes
from inspector.head_names import Head
from inspector.heads.ablation.ablation_rows import head_names
from inspector.heads.ablation.state_change import UNIT, StateChangeSums
from inspector.heads.ablation.target_words import ENDS
from inspector.heads.specialization.inference import (
    benjamini_hochberg,
    bootstrap_weights,
    flip_signs,
    ratio_intervals,
    sign_flip_p_values,
)

RANDOM_HEADS = 20
"""Heads that a claimed one is compared with."""
MIN_SHARE = 0.10
"""Share of the random heads' effect, below which a head's own is not said to be more."""
MAX_Q = 0.05
MIN_DOCUMENTS = 6
"""Documents below which an interval over them says nothing."""
NOT_ASKED, TOGETHER = "not asked", "together"
"""What stands in `needed` where a claim is not supported, or no word of it was measured; and where
only the heads that share the role are needed."""
LOSS, STATE_CHANGE = "loss", "state change"
"""What is measured: where a model has no loss, how far its states move, which is no loss."""
_DRAW = 3

NEEDED_COLUMNS = dtypes("needed")
"""Columns of the needed frame, in order: column → dtype."""
Relation = tuple[str, str]
"""A relation, and the direction in which it is claimed."""


@dataclass(frozen=True)
class SharedRole:
    """What ablating the heads that share a role did, and as many random ones for comparison."""

    relations: Collection[Relation]
    """That all these heads, and no others, follow."""
    sums: StateChangeSums
    """Its first variant lacks the heads, each other one as many random heads."""


def needed_heads(
    claims: pd.DataFrame,
    sums: StateChangeSums,
    seed: int = 0,
    *,
    shared: Sequence[SharedRole] = (),
) -> pd.DataFrame:
    """Return, for each supported claim, whether the model needs its head more than random ones.

    A row for the head by itself; where others follow the relation in this direction too, a second
    one for all of them ablated together: what one head does another may do in its stead. Columns:

    - relation, direction, layer, head: those of the claim; layer and head −1 for several heads.
    - heads: all that are ablated, as '2-8,3-1'.
    - word: the word that looks and so is measured: 'dependent' for dependent_to_head, else 'head'.
    - measure: 'loss' (nats) for a model with a language-modelling head; else 'state change', which
      is no loss: states may move without anything being lost.
    - n, documents, effect, matched_effect, difference: as in the ablation frame, by zero; for
      'loss' its loss_n, loss_increase, matched_loss_increase and loss_difference.
    - random_heads: with how many it is compared: 20 other heads, drawn from the claimed head's
      layer and those nearest to it, as few layers as have 20 (all others where the model has
      fewer); or sets of as many other heads of the same layers. None of them follows the relation
      in this direction. random_effect and random_difference: the means of their effects and
      differences.
    - least: a tenth of the mean size of their effects: a smaller contrast does not count.
    - contrast: difference − random_difference; ci_low, ci_high: its 95 % bootstrap interval over
      documents, 10,000 draws; p_value: one-sided paired sign-flip test of it over documents,
      10,000 flips: of each document the head's difference less the mean of the random ones'.
    - cosine, cosine_contrast, cosine_p_value: the mean cosine between the states with and without,
      and contrast and test of what it lacks to 1; NaN for 'loss'.
    - q_value: Benjamini–Hochberg over all rows, of the larger of the two p-values.
    - rank: 1 + random heads whose difference is at least as large. Said for description alone.
    - needed: 'yes' if ci_low is above 0, contrast at least `least`, effect above random_effect and
      q_value < 0.05; 'no' if ci_high is below `least`; 'not asked' where no word was measured;
      else, and with fewer than 6 documents, 'unclear'.

    Args:
        claims: The claims of a profile.
        sums: Of variants that lack one head each, all heads of the model among them, over
            documents of the test split.
        seed: Of the draws.
        shared: The roles that several heads share.
    """
    groups = {relation: one for one in shared for relation in one.relations}
    heads = [one[0] for one in sums.variants]
    alone = _Draws.of(sums, seed)
    of_group = {id(one): _Draws.of(one.sums, seed) for one in shared}
    rows = []
    for claim in claims[claims["verdict"] == "supported"].to_dict("records"):
        row = {name: claim[name] for name in ("relation", "direction", "layer", "head")}
        group = groups.get((claim["relation"], claim["direction"]))
        together = () if group is None else group.sums.variants[0]
        own = heads.index((claim["layer"], claim["head"]))
        drawn = random_heads(heads, own, seed, but=together)
        rows.append(row | _figures(alone, row, own, drawn))
        if group is not None:
            others = np.arange(1, len(group.sums.variants))
            row |= {"layer": -1, "head": -1}
            rows.append(row | _figures(of_group[id(group)], row, 0, others))
    frame = pd.DataFrame(rows, columns=list(NEEDED_COLUMNS)).astype(NEEDED_COLUMNS)
    p_values = frame[["p_value", "cosine_p_value"]].max(axis=1)
    asked = p_values.notna()
    frame.loc[asked, "q_value"] = benjamini_hochberg(p_values[asked].to_numpy())
    frame["needed"] = _verdicts(frame)
    return frame


def with_needed(claims: pd.DataFrame, needed: pd.DataFrame) -> pd.DataFrame:
    """Return the claims with the column `needed` as their last.

    What was found of the head by itself; 'together' where that is not 'yes' and all heads that
    follow the relation are needed.
    """
    found: dict[Relation, str] = {}
    for row in needed.to_dict("records"):
        key = (row["relation"], row["direction"])
        if key not in found:
            found[key] = row["needed"]
        elif row["needed"] == "yes" and found[key] != "yes":
            found[key] = TOGETHER
    keys = zip(claims["relation"], claims["direction"], strict=True)
    values = pd.Series([found.get(key, NOT_ASKED) for key in keys], dtype="str")
    return claims.assign(needed=values.to_numpy()).astype({"needed": "str"})


def random_heads(
    heads: Sequence[Head], own: int, seed: int, *, but: Collection[Head] = ()
) -> Int64[np.ndarray, " drawn"]:
    """Return places of random other heads of the nearest layers, sorted.

    Example:
        >>> random_heads([(layer, head) for layer in range(3) for head in range(2)], 2, 0).tolist()
        [0, 1, 3, 4, 5]
    """
    layer = heads[own][0]
    apart = np.array([abs(other - layer) for other, _ in heads])
    others = np.array(
        [place for place, one in enumerate(heads) if place != own and one not in but],
        dtype=np.int64,
    )
    for reach in range(int(apart.max()) + 1):
        near = others[apart[others] <= reach]
        if len(near) >= RANDOM_HEADS:
            drawn = np.random.default_rng([seed, _DRAW, own]).permutation(near)[:RANDOM_HEADS]
            return np.sort(drawn)
    return others


@dataclass(frozen=True)
class _Draws:
    """Sums, their documents in the order of the ids, and the draws over these."""

    sums: StateChangeSums
    by_id: list[int]
    weights: np.ndarray
    signs: np.ndarray

    @classmethod
    def of(cls, sums: StateChangeSums, seed: int) -> "_Draws":
        n_documents = len(sums.documents)
        by_id = sorted(range(n_documents), key=lambda place: sums.documents[place])
        return cls(sums, by_id, bootstrap_weights(n_documents, seed), flip_signs(n_documents, seed))

    def tables(self, cell: int, *names: str) -> list[Int64[np.ndarray, "... document"]]:
        """Return columns of the sums' tables, of the loss where that is measured."""
        source = self.sums if self.sums.losses is None else self.sums.losses
        return [getattr(source, name)[self.by_id, cell].T for name in names]


def _figures(
    draws: _Draws,
    claim: Mapping[str, object],
    own: int,
    drawn: Int64[np.ndarray, " drawn"],
) -> dict[str, object]:
    """Return what is found of one variant, against some others."""
    sums = draws.sums
    is_loss = sums.losses is not None
    word = ENDS[0] if claim["direction"] == "dependent_to_head" else ENDS[1]
    cell = 2 * sums.names.index(str(claim["relation"])) + ENDS.index(word)
    n, effect, matched = draws.tables(cell, "n", "increase" if is_loss else "effect", "matched")
    row: dict[str, object] = {
        "heads": head_names(sums.variants[own]),
        "word": word,
        "measure": LOSS if is_loss else STATE_CHANGE,
        "n": n.sum(),
        "documents": np.count_nonzero(n),
        "random_heads": len(drawn),
        "rank": 0,
    }
    whole, others = n.sum(), len(drawn)
    if not whole or not others:
        return row
    differences = (effect - matched).sum(axis=1) * UNIT / whole
    of_random = effect[drawn].sum(axis=1) * UNIT / whole
    row |= {
        "effect": effect[own].sum() * UNIT / whole,
        "matched_effect": matched[own].sum() * UNIT / whole,
        "difference": differences[own],
        "random_effect": of_random.mean(),
        "random_difference": differences[drawn].mean(),
        "least": MIN_SHARE * np.abs(of_random).mean(),
        "rank": 1 + np.count_nonzero(differences[drawn] >= differences[own]),
    }
    contrast = _contrast(effect - matched, own, drawn)
    interval = ratio_intervals(contrast, n, draws.weights)[0] * UNIT / others
    row |= {
        "contrast": contrast.sum() * UNIT / whole / others,
        "ci_low": interval[0],
        "ci_high": interval[1],
        "p_value": sign_flip_p_values(contrast, draws.signs)[0],
    }
    if not is_loss:
        cosine, matched_cosine = draws.tables(cell, "cosine", "matched_cosine")
        lacking = _contrast(matched_cosine - cosine, own, drawn)
        row |= {
            "cosine": cosine[own].sum() * UNIT / whole,
            "cosine_contrast": lacking.sum() * UNIT / whole / others,
            "cosine_p_value": sign_flip_p_values(lacking, draws.signs)[0],
        }
    return row


def _contrast(
    differences: Int64[np.ndarray, "variant document"],
    own: int,
    drawn: Int64[np.ndarray, " drawn"],
) -> Int64[np.ndarray, "1 document"]:
    """Return of each document others · own − Σ others: a whole number, so that sums are exact."""
    return len(drawn) * differences[own][None] - differences[drawn].sum(axis=0)[None]


def _verdicts(frame: pd.DataFrame) -> pd.Series:
    verdicts = pd.Series("unclear", index=frame.index, dtype="str")
    verdicts[frame["ci_high"] < frame["least"]] = "no"
    is_more = (frame["ci_low"] > 0) & (frame["contrast"] >= frame["least"])
    # Where random heads do less at the words than elsewhere, one that does nothing lacks less.
    is_more &= frame["effect"] > frame["random_effect"]
    verdicts[is_more & (frame["q_value"] < MAX_Q)] = "yes"
    verdicts[frame["documents"] < MIN_DOCUMENTS] = "unclear"
    verdicts[frame["n"] == 0] = NOT_ASKED
    return verdicts
