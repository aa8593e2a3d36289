"""Roles of heads that a simpler rule explains: one position, one class of words, one word.

Each with evidence of its own: how often the head is where the rule leads, beside a fixed offset.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from inspector.heads.specialization.inference import Draws, ratio_intervals
from inspector.heads.specialization.ladder.keyword import Keyword
from inspector.heads.specialization.ladder.rules import (
    SIDES,
    ClassWords,
    best_position,
    position_name,
    position_words,
)
from inspector.heads.specialization.ladder.sums import by_document
from inspector.heads.specialization.ladder.words import NOTHING, Pairs, WordTable
from inspector.heads.specialization.lift import MIN_LIFT

EVERYWHERE = 0.90
"""Share of all words from which a head must look at one position of the sentence."""
_NAMED_SIDES = tuple(side for side in SIDES if side != "either")


class SimpleRoles:
    """What heads show of simpler rules, in one corpus."""

    def __init__(self, classes: ClassWords, weights: Draws) -> None:
        """Start with a corpus.

        Args:
            classes: Words of a class, in the corpus.
            weights: Resamples of the test documents.
        """
        self.classes, self.weights = classes, weights
        self.table: WordTable = classes.table

    def of(self, row: dict[Any, Any], n_heads: int) -> dict[str, Any] | None:
        """Return the role of a head and relation that a rung explains, None where it earns none.

        Args:
            row: With layer, head, relation, direction and explained_by.
            n_heads: Heads of a layer.
        """
        pairs = self.table.pairs(row["relation"], row["direction"])
        if not len(pairs.asked):
            return None
        head = row["layer"] * n_heads + row["head"]
        if row["explained_by"] == "position":
            return self._position(pairs, head, row)
        return self._class(pairs, head, row)

    def positions(self, n_heads: int) -> list[dict[str, Any]]:
        """Return the roles of heads that look at one position of the sentence nearly always.

        Of the words of the test split at least 90 %, as Voita et al. (2019), sec. 5.1, ask of an
        offset.

        Args:
            n_heads: Heads of a layer.
        """
        table = self.table
        asked = np.flatnonzero(table.is_read & table.in_sentence & (table.document != NOTHING))
        asked = asked[np.argsort(table.document[asked], kind="stable")]
        document, size = table.document[asked], len(table.test_documents)
        wholes = by_document(np.ones(len(asked), dtype=np.int64), document, size)
        rows = []
        for head, looks in enumerate(table.predicted[0][:, asked] if len(asked) else ()):
            ranks = ((1, looks - table.start[asked] + 1), (-1, table.end[asked] - looks))
            seen = looks != NOTHING  # a first word that sees only itself looks at no other
            if not seen.any():
                continue
            counts = [np.bincount(rank[seen]) for _, rank in ranks]
            side = int(counts[1].max() > counts[0].max())
            rank = int(counts[side].argmax())
            there = seen & (ranks[side][1] == rank)
            if there.mean() < EVERYWHERE:
                continue
            parts = by_document(there, document, size)
            low, high = ratio_intervals(parts[None], wholes, self.weights)[0]
            name = position_name(rank * ranks[side][0])
            evidence = (
                f"From {_percent(there.mean())} of {len(asked)} words it looks at the word at "
                f"position {name} of the sentence."
            )
            layer, number = divmod(head, n_heads)
            row = {"layer": layer, "head": number}
            rows.append(_row(row, f"position:{name}", evidence, (there.mean(), low, high)))
        return rows

    def _position(self, pairs: Pairs, head: int, row: dict[Any, Any]) -> dict[str, Any] | None:
        rank = best_position(pairs, self.table)
        words = position_words(rank, pairs.side, self.table)[pairs.asked]
        found = self.table.predicted[pairs.side, head][pairs.asked]
        differ = (words != pairs.expected) & pairs.is_test
        at_rule, right = (found == words) & differ, (found == pairs.expected) & differ
        if at_rule.sum() <= right.sum():
            return None
        named = f"the word at position {position_name(rank)} of the sentence"
        return self._role(f"position:{position_name(rank)}", named, words, pairs, head, row)

    def _class(self, pairs: Pairs, head: int, row: dict[Any, Any]) -> dict[str, Any] | None:
        found = self.table.predicted[pairs.side, head][pairs.asked]
        chosen = ~pairs.is_test
        best: tuple[int, str, str] | None = None
        for tag in self.table.tags:
            words = self.classes.of_class((tag,))[:, pairs.asked[chosen]]
            for side in _NAMED_SIDES:
                count = int((words[SIDES.index(side)] == found[chosen]).sum())
                if best is None or count > best[0]:
                    best = (count, tag, side)
        if best is None or not best[0]:
            return None
        _, tag, side = best
        words = self.classes.of_class((tag,))[SIDES.index(side), pairs.asked]
        direction, _, is_run = side.partition("-")
        end = "the far end of the first run" if is_run else "the nearest"
        named = f"{end} of {tag} to the {direction}"
        return self._role(f"word-class:{tag}:{direction}", named, words, pairs, head, row)

    def _role(
        self,
        role: str,
        named: str,
        words: Int[np.ndarray, " pair"],
        pairs: Pairs,
        head: int,
        row: dict[Any, Any],
    ) -> dict[str, Any] | None:
        """Return the role if the head is at the rule's words ten points above a fixed offset."""
        test = pairs.is_test
        known = words != NOTHING
        if not (known & test).any() or not (known & ~test).any():
            return None
        apart = words - pairs.asked
        values, counts = np.unique(apart[known & ~test], return_counts=True)
        at_offset = known & (apart == values[counts.argmax()])
        at_rule = self.table.predicted[pairs.side, head][pairs.asked] == words
        document, size = pairs.document[test], len(self.table.test_documents)
        parts = by_document(at_rule[test].astype(np.int8) - at_offset[test], document, size)
        wholes = by_document(np.ones(int(test.sum()), dtype=np.int64), document, size)
        low, high = ratio_intervals(parts[None], wholes, self.weights)[0]
        effect = parts.sum() / wholes.sum()
        if effect < MIN_LIFT or not low > 0:
            return None
        never = " (n = 0 pairs where rule and annotation differ)"
        differ = never if role.startswith("word-class") and not row["selectivity_n"] else ""
        evidence = (
            f"Asked for {row['relation']} ({row['direction']}) it is at {named} in "
            f"{_percent(at_rule[test].mean())} of {test.sum()} pairs, where the fixed offset "
            f"{values[counts.argmax()]:+d} is in {_percent(at_offset[test].mean())}; what it finds "
            f"of the relation is explained by {row['explained_by']}{differ}."
        )
        return _row(row, role, evidence, (effect, low, high))


def keyword_role(keyword: Keyword, row: dict[Any, Any]) -> dict[str, Any]:
    """Return the role of a head that looks at one word, whoever asks."""
    evidence = (
        f"From words at the same distance that stand in no relation to '{keyword.word}' it looks "
        f"at it in {_percent(keyword.unrelated_accuracy)} of {keyword.n} pairs, from those of "
        f"{row['relation']} ({row['direction']}) in {_percent(keyword.accuracy)}."
    )
    effect = (keyword.effect, keyword.ci_low, keyword.ci_high)
    return _row(row, f"keyword:{keyword.word}", evidence, effect)


def strongest(rows: Sequence[dict[Any, Any]]) -> pd.DataFrame:
    """Return one row for each head and role, that of the largest effect; the first of equals."""
    columns = ["layer", "head", "role", "evidence", "effect", "ci_low", "ci_high"]
    frame = pd.DataFrame(list(rows), columns=columns)
    frame = frame.sort_values("effect", ascending=False, kind="stable")
    return frame.drop_duplicates(["layer", "head", "role"]).reset_index(drop=True)


def _row(
    row: dict[Any, Any], role: str, evidence: str, effect: tuple[float, float, float]
) -> dict[str, Any]:
    return {
        "layer": row["layer"],
        "head": row["head"],
        "role": role,
        "evidence": evidence,
        "effect": float(effect[0]),
        "ci_low": float(effect[1]),
        "ci_high": float(effect[2]),
    }


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
