"""Every head on the ladder of simpler explanations, for every relation and direction.

Rules are chosen on the selection split and judged, as the heads are, on the test split.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int, Int64

from inspector.heads.counts import DIRECTIONS
from inspector.heads.relations_frame import share
from inspector.heads.specialization.claims import ADDED_COLUMNS
from inspector.heads.specialization.inference import (
    Draws,
    benjamini_hochberg,
    bootstrap_weights,
    exact_sign_flip_p_values,
    ratio_intervals,
)
from inspector.heads.specialization.ladder.matched import (
    PARTS,
    other_sources,
    other_targets,
    source_differences,
    target_differences,
)
from inspector.heads.specialization.ladder.rules import (
    ClassWords,
    best_position,
    best_rule,
    position_name,
    position_words,
)
from inspector.heads.specialization.ladder.selectivity import selectivities
from inspector.heads.specialization.ladder.sums import by_document
from inspector.heads.specialization.ladder.words import Pairs, WordTable

HEAD_COLUMNS: dict[str, str] = {
    "layer": "int64",
    "head": "int64",
    "relation": "str",
    "direction": "str",
}
JUDGEMENTS = ("explained_by", "replicates")
LADDER_COLUMNS = {name: kind for name, kind in ADDED_COLUMNS.items() if name not in JUDGEMENTS}
"""The figures that the ladder adds to a claim, in order: column → dtype."""
FURTHER_COLUMNS: dict[str, str] = {
    "position_ci_low": "float64",
    "position_ci_high": "float64",
    "matched_source_ci_low": "float64",
    "matched_source_ci_high": "float64",
    "matched_target_ci_low": "float64",
    "matched_target_ci_high": "float64",
    "selectivity_rule": "str",
    "selectivity_p": "float64",
}
"""What only the frame of controls shows."""
RUNGS_COLUMNS = HEAD_COLUMNS | LADDER_COLUMNS | FURTHER_COLUMNS


def head_rungs(
    table: WordTable,
    relations: Sequence[str],
    asked: Bool[np.ndarray, "relation direction head"],
    n_heads: int,
    seed: int = 0,
) -> pd.DataFrame:
    """Return a row for each relation, direction and head, in this order: RUNGS_COLUMNS.

    Figures are of the test split, from 0 to 1; NaN, and 'n' 0, where a rung is not asked.

    - position_rule: the commonest position of the right word in the selection split.
    - class_rule: the member of the family (`ClassWords.family`) that is right most often there;
      class_lift: accuracy − its accuracy.
    - matched_source_difference, matched_target_difference: hit − the share of matched words that
      are found, over the pairs that have a match.
    - selectivity: of the pairs where a member is not at the annotated word, the share of the
      head's predictions at the annotated word − the share at the member's, for the member that is
      least favourable to this head (selectivity_rule); selectivity_p: one-sided, over all sign
      flips of documents, 1 where selectivity is not above 0; selectivity_q: Benjamini–Hochberg
      over all rows of the frame.
    - intervals: 95 % bootstrap over documents, for the heads that are asked about alone.

    Args:
        table: The corpus, with what each head predicts.
        relations: Names, all of one kind.
        asked: Of which heads intervals are needed.
        n_heads: Heads of a layer.
        seed: Of the bootstrap.
    """
    ladder = _Ladder(table, seed)
    layer, head = np.divmod(np.arange(asked.shape[-1]), n_heads)
    parts = [
        {"layer": layer, "head": head, "relation": relation, "direction": direction}
        | ladder.columns(table.pairs(relation, direction), asked[place, rank])
        for place, relation in enumerate(relations)
        for rank, direction in enumerate(DIRECTIONS)
    ]
    if not parts:
        return pd.DataFrame(columns=list(RUNGS_COLUMNS)).astype(RUNGS_COLUMNS)
    ladder.draw()
    frame = pd.concat([pd.DataFrame(columns) for columns in parts], ignore_index=True)
    known = frame["selectivity_n"].to_numpy() > 0
    q_values = np.full(len(frame), np.nan)
    q_values[known] = benjamini_hochberg(frame["selectivity_p"].to_numpy()[known])
    frame["selectivity_q"] = q_values
    return frame[list(RUNGS_COLUMNS)].astype(RUNGS_COLUMNS)


@dataclass(frozen=True, eq=False)
class _Test:
    """One relation and direction in the test split."""

    pairs: Pairs
    predicted: Int[np.ndarray, "head word"]
    asked: Bool[np.ndarray, " head"]
    """Heads whose intervals are needed."""

    @property
    def hits(self) -> Bool[np.ndarray, "head pair"]:
        return self.pairs.found(self.predicted) == self.pairs.expected


class _Ladder:
    """The rungs of one corpus; draws and rules are shared by all relations."""

    def __init__(self, table: WordTable, seed: int) -> None:
        self.table = table
        self.classes = ClassWords.of(table)
        self.n_documents = len(table.test_documents)
        self.weights: Draws = bootstrap_weights(self.n_documents, seed)
        self._waiting: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

    def columns(self, pairs: Pairs, asked: Bool[np.ndarray, " head"]) -> dict[str, object]:
        """Return the rungs of one relation and direction, a value for each head."""
        test = _Test(pairs.of(pairs.is_test), self.table.predicted[pairs.side], asked)
        return (
            self._position(pairs, test)
            | self._classes(pairs, test)
            | self._matched("source", test)
            | self._matched("target", test)
        )

    def _position(self, pairs: Pairs, test: _Test) -> dict[str, object]:
        rank = best_position(pairs, self.table)
        if not rank or not len(test.pairs.asked):
            return _not_asked("position_rule", "position_accuracy") | _unknown("position")
        right = test.pairs.found(position_words(rank, pairs.side, self.table))
        right = right == test.pairs.expected
        low, high = self._lift_interval(right, test)
        return {
            "position_rule": position_name(rank),
            "position_accuracy": right.mean(),
            "position_ci_low": low,
            "position_ci_high": high,
        }

    def _classes(self, pairs: Pairs, test: _Test) -> dict[str, object]:
        family = self.classes.family(pairs)
        rule = best_rule(family, pairs)
        if rule is None or not len(test.pairs.asked):
            return (
                _not_asked("class_rule", "class_accuracy", "class_lift", "selectivity_rule")
                | _unknown("class", "selectivity")
                | {"selectivity": np.nan, "selectivity_n": 0, "selectivity_p": np.nan}
            )
        of_test = type(family)(family.rules, family.words[:, pairs.is_test])
        right = of_test.words[rule] == test.pairs.expected
        low, high = self._lift_interval(right, test)
        found = selectivities(test.pairs, of_test, test.predicted, self.n_documents)
        total, n = found.parts.sum(axis=1), found.wholes.sum(axis=1)
        p_values = np.ones(len(total))
        p_values[total > 0] = exact_sign_flip_p_values(found.parts[total > 0])
        own_low, own_high = self._intervals(found.parts, found.wholes, test.asked)
        return {
            "class_rule": str(of_test.rules[rule]),
            "class_accuracy": right.mean(),
            "class_lift": test.hits.mean(axis=1) - right.mean(),
            "class_ci_low": low,
            "class_ci_high": high,
            "selectivity_rule": [str(of_test.rules[place]) for place in found.rule],
            "selectivity": share(total, n),
            "selectivity_n": n,
            "selectivity_p": np.where(n > 0, p_values, np.nan),
            "selectivity_ci_low": own_low,
            "selectivity_ci_high": own_high,
        }

    def _matched(self, what: str, test: _Test) -> dict[str, object]:
        find, differ = MATCHED[what]
        matches = find(test.pairs, self.table)
        n = int(matches.has_any.sum())
        name = f"matched_{what}"
        if not n:
            return {f"{name}_n": 0, f"{name}_difference": np.nan} | _unknown(name)
        twelfths = differ(test.pairs, matches, test.predicted)
        parts = by_document(twelfths, test.pairs.document, self.n_documents)
        wholes = by_document(PARTS * matches.has_any, test.pairs.document, self.n_documents)
        low, high = self._intervals(parts, np.broadcast_to(wholes, parts.shape), test.asked)
        return {
            f"{name}_n": n,
            f"{name}_difference": parts.sum(axis=1) / (PARTS * n),
            f"{name}_ci_low": low,
            f"{name}_ci_high": high,
        }

    def _lift_interval(
        self, right: Bool[np.ndarray, " pair"], test: _Test
    ) -> Float64[np.ndarray, "2 head"]:
        apart = test.hits.astype(np.int8) - right
        parts = by_document(apart, test.pairs.document, self.n_documents)
        wholes = by_document(np.ones_like(right), test.pairs.document, self.n_documents)
        return self._intervals(parts, np.broadcast_to(wholes, parts.shape), test.asked)

    def _intervals(
        self,
        parts: Int64[np.ndarray, "head document"],
        wholes: Int64[np.ndarray, "head document"],
        asked: Bool[np.ndarray, " head"],
    ) -> Float64[np.ndarray, "2 head"]:
        """Return where `draw` puts low and high ends, for the heads asked; NaN for the others."""
        ends, heads = np.full((2, len(parts)), np.nan), np.flatnonzero(asked)
        self._waiting.append((ends, heads, parts[heads], wholes[heads]))
        return ends

    def draw(self) -> None:
        """Fill in all intervals: together, as each product with the draws costs."""
        none = np.zeros((0, self.n_documents), dtype=np.int64)
        parts = np.concatenate([none, *(one[2] for one in self._waiting)])
        wholes = np.concatenate([none, *(one[3] for one in self._waiting)])
        found, start = ratio_intervals(parts, wholes, self.weights), 0
        for ends, heads, *_ in self._waiting:
            ends[:, heads] = found[start : start + len(heads)].T
            start += len(heads)


MATCHED = {
    "source": (other_sources, source_differences),
    "target": (other_targets, target_differences),
}
"""What is matched → how its matches are found, and how a pair differs from them."""


def _not_asked(*names: str) -> dict[str, object]:
    return {name: "" if name.endswith("_rule") else np.nan for name in names}


def _unknown(*names: str) -> dict[str, object]:
    return {f"{name}_ci_{end}": np.nan for name in names for end in ("low", "high")}
