"""Claims about tokens and words that are no relation: judged, and asked again of other text.

Must not know: how claims are written, relations, UI.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from inspector.corpora import Corpus
from inspector.heads.specialization.inference import MIN_DOCUMENTS
from inspector.heads.specialization.ladder.judged import SUPPORTED
from inspector.heads.specialization.lift import MIN_LIFT, MIN_PAIRS
from inspector.heads.specialization.replication import (
    NO,
    NOT_ASKED,
    REPLICATION_COLUMNS,
    UNCLEAR,
    YES,
)
from inspector.models import PretrainedModel
from inspector.runs.check.described_words import WordTarget
from inspector.runs.check.token_targets import MOST, Looks
from inspector.runs.check.vocabulary import token_target
from inspector.runs.check.word_targets import WordLooks
from inspector.runs.profile.job import ProfileSettings

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Targets:
    """What one pass over a corpus shows of tokens and of words; None where nobody asks."""

    model: str
    corpus: str
    tokens: Looks | None
    words: WordLooks | None

    @classmethod
    def of(
        cls,
        names: Collection[str],
        model: PretrainedModel,
        corpus: Corpus,
        settings: ProfileSettings,
        *,
        all_tested: bool = False,
    ) -> "Targets":
        """Return what the model shows of the targets of these names.

        Args:
            names: As claims have them.
            model: Whose heads.
            corpus: What is read.
            settings: Of the pass.
            all_tested: Whether every document is judged on, where nothing is chosen.
        """
        are_tokens = {token_target(name) is not None for name in names}
        tokens = Looks.of(model, corpus, settings) if True in are_tokens else None
        of_words = None
        if False in are_tokens:
            of_words = WordLooks.of(model, corpus, settings, all_tested=all_tested)
        return cls(model.name, corpus.name, tokens, of_words)

    def row(self, name: str, head: tuple[int, int] | None) -> Row:
        """Return what a head shows of a target; None for the best one on the selection split.

        'not asked' where there is no word that could show it, or the mask hides the target from
        all of them.
        """
        token, is_hidden = token_target(name), False
        if self.tokens is not None and token is not None:
            is_hidden = self.tokens.hides(token)
            found = {} if is_hidden else self.tokens.row(token, head)
        elif self.words is not None:
            is_hidden = self.words.hides(WordTarget.named(name))
            found = {} if is_hidden else self.words.row(WordTarget.named(name), head)
        if is_hidden:
            reason = f"the mask of {self.model} lets no head look there: {name}"
            return {"verdict": NOT_ASKED, "reason": reason}
        return found if found["n"] else found | {"verdict": NOT_ASKED, "reason": self._none(name)}

    def again(self, claim: Mapping[str, Any]) -> Row:
        """Return the row of a judged claim on this text: its head and its offset, as they stand.

        `kept` is 'yes' where, of tokens, at least one half of its looks or attention go to the
        target, with an interval above one half; of words, ten points more than lie at the claim's
        own offset, with an interval above 0. 'unclear' where the interval holds one half, or 0 and
        ten points, or with fewer than 20 words or 5 documents; 'not asked' where it is not
        supported where it was made, or there is no such word; else 'no'.
        """
        name = claim["target"]
        row: Row = {key: claim[key] for key in ("layer", "head")}
        row |= {"relation": name, "direction": "", "other_corpus": self.corpus}
        row |= {"n": 0, "documents": 0, "selectivity_n": 0}
        if claim["verdict"] != SUPPORTED:
            reason = f"the claim is {claim['verdict']} where it was made"
            return row | {"kept": NOT_ASKED, "reason": reason}
        token = token_target(name)
        if self.tokens is not None and token is not None:
            row |= self.tokens.again(token, claim)
        elif self.words is not None:
            row |= self.words.again(WordTarget.named(name), claim)
        if not row["n"]:
            return row | {"kept": NOT_ASKED, "reason": self._none(name)}
        kept, reason = _outcome(row)
        return row | {"kept": kept, "reason": reason}

    def _none(self, name: str) -> str:
        return f"{self.corpus} has no word from which {self.model} can look at {name}"


def targets_again(
    claims: Sequence[Row],
    model: PretrainedModel,
    others: Sequence[Corpus],
    settings: ProfileSettings,
) -> tuple[list[Row], pd.DataFrame]:
    """Return judged claims about targets with `replicates`, and a row for each and other text.

    Args:
        claims: Rows with what the ladder of targets says of each.
        model: That they are about.
        others: The other text, each of enough documents.
        settings: Of the pass in which they were judged.
    """
    alone = replace(settings, random_init_seeds=())
    asked = [claim["target"] for claim in claims if claim["verdict"] == SUPPORTED]
    texts = [Targets.of(asked, model, one, alone, all_tested=True) for one in others]
    found = [[text.again(claim) for text in texts] for claim in claims]
    rows = []
    for claim, again in zip(claims, found, strict=True):
        decided = [row["kept"] == YES for row in again if row["kept"] in (YES, NO)]
        rows.append(claim | {"replicates": np.mean(decided) if decided else np.nan})
    flat = pd.DataFrame([row for some in found for row in some], columns=list(REPLICATION_COLUMNS))
    return rows, flat.astype(REPLICATION_COLUMNS)


def _outcome(found: Mapping[str, Any]) -> tuple[str, str]:
    """Return whether a claim is kept, and what stands against it."""
    if found["n"] < MIN_PAIRS or found["documents"] < MIN_DOCUMENTS:
        return UNCLEAR, f"{found['n']} words in {found['documents']} documents are too few"
    if "lift" in found:
        if found["lift"] >= MIN_LIFT and found["lift_low"] > 0:
            return YES, ""
        if found["lift_low"] <= 0 and found["lift_high"] >= MIN_LIFT:
            return UNCLEAR, "the interval of its lift holds 0 and ten points"
        return NO, "its lift over the offset is below ten points"
    if found["ci_low"] > MOST:
        return YES, ""
    if found["ci_high"] >= MOST:
        return UNCLEAR, "the interval of its share holds one half"
    return NO, "it looks there in less than one half"
