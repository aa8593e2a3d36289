"""Claims on other text: their heads and rules as they stand, scored again; nothing is chosen anew.

Must not know: models, attention maps, files, how the other text was read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int64

from inspector.frames import dtypes
from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.relations_frame import pairs_at
from inspector.heads.specialization.inference import (
    MIN_DOCUMENTS,
    Draws,
    bootstrap_weights,
    ratio_intervals,
)
from inspector.heads.specialization.ladder.judged import MIN_SELECTIVE, SUPPORTED
from inspector.heads.specialization.ladder.rules import (
    SIDES,
    ClassRule,
    ClassWords,
    Family,
    position_rank,
    position_words,
)
from inspector.heads.specialization.ladder.selectivity import selectivities
from inspector.heads.specialization.ladder.words import NOTHING, Pairs, WordTable
from inspector.heads.specialization.lift import MAX_UNKNOWN, MIN_LIFT, MIN_PAIRS

REPLICATION_COLUMNS = dtypes("replication")
"""Columns of the replication frame, in order: column → dtype."""
YES, NO, UNCLEAR, NOT_ASKED = "yes", "no", "unclear", "not asked"
_KEY = ["relation", "direction", "layer", "head"]


@dataclass(frozen=True, eq=False)
class OtherText:
    """What one model does on the text that claims are scored on again."""

    name: str
    counts: RelationCounts
    table: WordTable
    """All of its documents are of the test split."""
    unknown: Mapping[str, float]
    """Relation → the share of its pairs with a word that the vocabulary does not know."""


def replicated(claims: pd.DataFrame, other: OtherText, seed: int = 0) -> pd.DataFrame:
    """Return a row per claim: how its head and its rules, as they stand, do on other text.

    Columns, of all documents of the other text: n, documents: pairs, and documents with any;
    accuracy; baseline_accuracy: of the claim's own offset; lift: accuracy − that, ci_low, ci_high:
    its 95 % bootstrap interval over documents; position_accuracy: of the claim's own position;
    selectivity …: beside the claim's own rules of word class, the least favourable. Random weights
    and matched pairs are not asked again. `kept` is

    - 'not asked' where the claim is not supported where it was made, or the other text cannot say
      (`reason`): no such pair, no part of speech that the rule names, more than 20 % of the pairs
      with a word that the vocabulary does not know;
    - 'unclear' with fewer than 20 pairs or 5 documents, fewer than 30 pairs where rule and
      annotation differ, or an interval of lift or selectivity that holds 0 and 0.10;
    - 'yes' where lift and accuracy − position_accuracy are at least 0.10, ci_low is above 0, and so
      is selectivity_ci_low; else 'no'.

    Args:
        claims: With the columns of the claims frame, and selectivity_rule where it is known.
        other: The other text.
        seed: Of the bootstrap.
    """
    scored = _Scored(other, seed)
    rows = [scored.row(claim) for claim in claims.to_dict("records")]
    frame = pd.DataFrame(rows, columns=list(REPLICATION_COLUMNS))
    return frame.astype(REPLICATION_COLUMNS)


def with_replicates(claims: pd.DataFrame, replication: pd.DataFrame) -> pd.DataFrame:
    """Return the claims with `replicates`: in which share of other texts each is kept.

    Of the texts that decide, 'yes' / ('yes' + 'no'); NaN where none does.

    Example:
        >>> key = {"relation": ["det"], "direction": ["dependent_to_head"], "layer": 2, "head": 8}
        >>> again = pd.DataFrame(key | {"kept": "yes"})
        >>> with_replicates(pd.DataFrame(key), again)["replicates"].tolist()
        [1.0]
    """
    decided = replication[replication["kept"].isin([YES, NO])]
    shares = (decided["kept"] == YES).groupby([decided[name] for name in _KEY]).mean()
    places = claims[_KEY].itertuples(index=False, name=None)
    found = [float(shares.get(place, np.nan)) for place in places]
    return claims.assign(replicates=np.array(found, dtype=np.float64))


class _Scored:
    """The other text, with what all claims share on it."""

    def __init__(self, other: OtherText, seed: int) -> None:
        by_id = sorted(
            range(len(other.counts.documents)), key=lambda place: other.counts.documents[place]
        )
        self.other, self.counts = other, other.counts.of_documents(by_id)
        self.classes = ClassWords.of(other.table)
        self.weights: Draws = bootstrap_weights(len(by_id), seed)
        self.n_heads = self.counts.n_layers_and_heads[1]

    def row(self, claim: Mapping[Any, Any]) -> dict[str, Any]:
        """Return one claim's row."""
        found = {name: claim[name] for name in _KEY} | {"other_corpus": self.other.name}
        found |= {"n": 0, "documents": 0, "selectivity_n": 0}
        relation = claim["relation"]
        if relation in self.counts.relations:
            found |= self._figures(claim, self.counts.relations.index(relation))
        reason = self._not_asked(claim, found)
        if reason:
            return found | {"kept": NOT_ASKED, "reason": reason}
        kept, reason = _outcome(found, has_rule=bool(claim["class_rule"]))
        return found | {"kept": kept, "reason": reason}

    def _figures(self, claim: Mapping[Any, Any], relation: int) -> dict[str, Any]:
        place = (relation, DIRECTIONS.index(claim["direction"]))
        n = self.counts.pairs[:, *place].astype(np.int64)
        if not n.any():
            return {}
        right = self.counts.correct[:, *place, claim["layer"], claim["head"]]
        offsets = np.zeros((len(self.counts.relations), len(DIRECTIONS)), dtype=np.int64)
        offsets[place] = claim["baseline_offset"]
        baseline = pairs_at(self.counts, offsets)[:, *place]
        apart = right.astype(np.int64) - baseline
        low, high = ratio_intervals(apart[None], n, self.weights)[0]
        total = int(n.sum())
        figures = {
            "n": total,
            "documents": int((n > 0).sum()),
            "accuracy": right.sum() / total,
            "baseline_accuracy": baseline.sum() / total,
            "lift": apart.sum() / total,
            "ci_low": low,
            "ci_high": high,
        }
        pairs = self.other.table.pairs(claim["relation"], claim["direction"])
        if not len(pairs.asked):
            return figures
        return figures | self._position(claim, pairs) | self._selectivity(claim, pairs)

    def _position(self, claim: Mapping[Any, Any], pairs: Pairs) -> dict[str, Any]:
        if not claim["position_rule"]:
            return {}
        rank = position_rank(claim["position_rule"])
        words = pairs.found(position_words(rank, pairs.side, self.other.table))
        return {"position_accuracy": (words == pairs.expected).mean()}

    def _selectivity(self, claim: Mapping[Any, Any], pairs: Pairs) -> dict[str, Any]:
        rules = self._rules(claim)
        if not rules:
            return {}
        words = np.stack(
            [pairs.found(self.classes.of_class(one.tags)[SIDES.index(one.side)]) for one in rules]
        )
        forbidden = ~self.other.table.allowed(pairs.asked, words, pairs.side)
        family = Family(rules, np.where(forbidden, NOTHING, words))
        head = claim["layer"] * self.n_heads + claim["head"]
        predicted = self.other.table.predicted[pairs.side, head][None]
        found = selectivities(pairs, family, predicted, len(self.counts.documents))
        parts: Int64[np.ndarray, "head document"] = found.parts
        n = int(found.wholes.sum())
        low, high = ratio_intervals(parts, found.wholes[0], self.weights)[0]
        return {
            "selectivity": parts.sum() / n if n else np.nan,
            "selectivity_n": n,
            "selectivity_ci_low": low,
            "selectivity_ci_high": high,
        }

    def _rules(self, claim: Mapping[Any, Any]) -> tuple[ClassRule, ...]:
        """Return the claim's own rules of which the other text has any part of speech."""
        names = dict.fromkeys((claim["class_rule"], claim.get("selectivity_rule") or ""))
        rules = [ClassRule.named(name) for name in names if name]
        return tuple(one for one in rules if set(one.tags) & set(self.other.table.tags))

    def _not_asked(self, claim: Mapping[Any, Any], found: Mapping[str, Any]) -> str:
        """Return why a claim is not asked on this text, '' where it is."""
        if claim["verdict"] != SUPPORTED:
            return f"the claim is {claim['verdict']} where it was made"
        if not found["n"]:
            return f"{self.other.name} has no pair of {claim['relation']}"
        share = self.other.unknown.get(claim["relation"], 0.0)
        if share > MAX_UNKNOWN:
            return f"{share:.0%} of its pairs have a word that the vocabulary does not know"
        rule = claim["class_rule"]
        if rule and not self._rules({"class_rule": rule}):
            return f"{self.other.name} has none of the parts of speech of its rule {rule}"
        return ""


def _outcome(found: Mapping[str, Any], *, has_rule: bool) -> tuple[str, str]:
    """Return whether a claim is kept, and what stands against it."""
    if found["n"] < MIN_PAIRS or found["documents"] < MIN_DOCUMENTS:
        return UNCLEAR, f"{found['n']} pairs in {found['documents']} documents are too few"
    if found["ci_low"] <= 0 and found["ci_high"] >= MIN_LIFT:
        return UNCLEAR, "the interval of its lift holds 0 and ten points"
    if not (found["ci_low"] > 0 and found["lift"] >= MIN_LIFT):
        return NO, "its lift over the offset is below ten points"
    if found["accuracy"] - found.get("position_accuracy", -np.inf) < MIN_LIFT:
        return NO, "its lift over the position is below ten points"
    if has_rule:
        low = found["selectivity_ci_low"]
        if found["selectivity_n"] < MIN_SELECTIVE or np.isnan(low):
            return UNCLEAR, "too few pairs where the rule of word class and the annotation differ"
        if low <= 0:
            differ = "where the rule of word class and the annotation differ"
            if found["selectivity_ci_high"] >= MIN_LIFT:
                return UNCLEAR, f"{differ}, the interval holds 0 and ten points"
            return NO, f"{differ}, it follows the rule"
    return YES, ""


def selectivity_rules(claims: pd.DataFrame, controls: pd.DataFrame) -> Sequence[str]:
    """Return each claim's least favourable rule of word class, '' where none is recorded.

    Args:
        claims: The claims frame.
        controls: The controls frame of the same run.
    """
    rows = controls[controls["rung"] == "selectivity"]
    places = rows[_KEY].itertuples(index=False, name=None)
    named = dict(zip(places, rows["rule"], strict=True))
    return [named.get(place, "") for place in claims[_KEY].itertuples(index=False, name=None)]
