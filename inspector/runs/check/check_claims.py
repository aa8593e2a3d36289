"""Claims asked of a corpus: one pass a model, a row for each claim and direction.

Must not know: how claims are written, UI.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from inspector.corpora import Corpus
from inspector.frames import dtypes
from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.specialization.lift import MAX_Q
from inspector.heads.specialization.named_heads import Named, named_heads
from inspector.heads.specialization.replication import NOT_ASKED, with_replicates
from inspector.heads.specialization.stability import split_shares
from inspector.models import PretrainedModel
from inspector.progress import Progress
from inspector.runs.check.claim import ANY, Claim
from inspector.runs.check.targets import Targets, targets_again
from inspector.runs.check.vocabulary import words
from inspector.runs.profile.job import ProfileSettings
from inspector.runs.profile.reading import Asked, Readable
from inspector.runs.profile.replicating import no_replication, replication_frame

CHECKS_COLUMNS = dtypes("checks")
"""Columns of the frame of checked claims, in order: column → dtype."""


@dataclass(frozen=True, eq=False)
class Checked:
    """What became of claims."""

    frame: pd.DataFrame
    """A row for each claim and direction: CHECKS_COLUMNS."""
    replication: pd.DataFrame
    """A row for each of these and other text: REPLICATION_COLUMNS."""

    @property
    def holding(self) -> list[int]:
        """Return the numbers of the claims that hold: supported in a direction that they allow."""
        return sorted({*self.frame.loc[self.frame["verdict"] == "supported", "claim"]})

    @property
    def n_claims(self) -> int:
        """Return how many claims there are."""
        return int(self.frame["claim"].nunique())


def check_claims(
    claims: Sequence[tuple[int, Claim]],
    model: PretrainedModel,
    corpus: Corpus,
    replicate: Sequence[Corpus] = (),
    *,
    settings: ProfileSettings,
    progress: Progress | None = None,
) -> Checked:
    """Return the verdicts of claims about one model on one corpus.

    Args:
        claims: With their numbers.
        model: That they are about.
        corpus: On which they are judged, of enough documents; rules are chosen on its selection
            split.
        replicate: Other text, on which heads and rules are scored as they stand.
        settings: Of the pass.
        progress: Told how far it is.

    Raises:
        InputError: If a head, a relation or a corpus is none that can be asked.
    """
    for _, claim in claims:
        _check_head(claim, model)
    of_relations = [(number, claim) for number, claim in claims if claim.relation]
    of_targets = [(number, claim) for number, claim in claims if claim.target]
    rows: list[dict[str, Any]] = []
    frames: list[pd.DataFrame] = []
    again = no_replication()
    if of_relations:
        readable = Readable.of(model, corpus, settings)
        for _, claim in of_relations:
            _check_relation(claim, readable.relations, corpus.name)
        known = [pair for pair in of_relations if pair[1].relation in readable.relations]
        rows += [
            _head_of(number, claim, model)
            | {"verdict": NOT_ASKED, "reason": f"{corpus.name} has no pair of {claim.relation}"}
            for number, claim in of_relations
            if claim.relation not in readable.relations
        ]
        if known:
            read = readable.read({claim.relation for _, claim in known}, progress)
            hidden = _hidden(known, model, read.counts)
            rows += hidden
            those = {(row["claim"], row["direction"]) for row in hidden}
            frames = _judged(known, model, read, settings, those)
        if frames:
            rows_asked = pd.concat(frames, ignore_index=True)
            again = replication_frame(rows_asked, model, replicate, settings)
            frames = [with_replicates(frame, again) for frame in frames]
    if of_targets:
        if progress is not None:
            progress("Reading", 0.0)
        looks = Targets.of([one.target for _, one in of_targets], model, corpus, settings)
        of_heads = [
            _head_of(number, one, model)
            | {"direction": ""}
            | looks.row(one.target, None if one.head == ANY else (one.layer, one.head))
            for number, one in of_targets
        ]
        judged, others = targets_again(of_heads, model, replicate, settings)
        rows, again = rows + judged, pd.concat([again, others], ignore_index=True)
    found = pd.concat([*frames, _frame(rows)], ignore_index=True)
    return Checked(_frame(found.to_dict("records")), again)


def joined(parts: Sequence[Checked], rows: Sequence[dict[str, Any]] = ()) -> Checked:
    """Return what became of claims about several models, and of those not asked, as one."""
    frames = [part.frame for part in parts] + [_frame(rows)]
    found = _frame(pd.concat(frames, ignore_index=True).to_dict("records"))
    again = [part.replication for part in parts if len(part.replication)] or [no_replication()]
    return Checked(found, pd.concat(again, ignore_index=True))


def not_asked(number: int, claim: Claim, model: str, reason: str) -> dict[str, Any]:
    """Return the row of a claim that cannot be asked, and why."""
    return {
        "claim": number,
        "said": claim.said,
        "source": claim.source,
        "model": model,
        "layer": claim.layer,
        "head": claim.head,
        "relation": claim.relation,
        "target": claim.target,
        "direction": claim.direction,
        "verdict": NOT_ASKED,
        "reason": reason,
    }


def _head_of(number: int, claim: Claim, model: PretrainedModel) -> dict[str, Any]:
    return not_asked(number, claim, model.name, "")


def _judged(
    claims: Sequence[tuple[int, Claim]],
    model: PretrainedModel,
    read: Asked,
    settings: ProfileSettings,
    hidden: Collection[tuple[int, str]],
) -> list[pd.DataFrame]:
    """Return the rows of each claim, in the directions that the mask does not hide."""
    named, asked = [], []
    for number, claim in claims:
        directions = tuple(one for one in _directions(claim) if (number, one) not in hidden)
        if not directions:
            continue
        asked.append((number, claim))
        head = ((claim.layer, claim.head),) * len(directions)
        named.append(Named(claim.relation, directions, None if claim.head == ANY else head))
    judged = named_heads(
        named, read.counts, read.random_init_counts, read.table, read.unknown, settings.seed
    )
    frames = []
    for (number, claim), frame in zip(asked, judged, strict=True):
        chosen = claim.head == ANY
        stable = split_shares(
            frame,
            read.counts,
            read.table,
            settings.seed,
            chosen=chosen,
            max_p=MAX_Q / len(frame),
        )
        frames.append(
            frame.assign(
                claim=number,
                said=claim.said,
                source=claim.source,
                model=model.name,
                target="",
                stability=stable,
            )
        )
    return frames


def _directions(claim: Claim) -> tuple[str, ...]:
    return (claim.direction,) if claim.direction else DIRECTIONS


def _hidden(
    claims: Sequence[tuple[int, Claim]], model: PretrainedModel, counts: RelationCounts
) -> list[dict[str, Any]]:
    """Return a row for each claim and direction in which the mask hides the right word always.

    No question is left there, so that the others are corrected for as many fewer.
    """
    pairs, every = counts.pairs.sum(axis=0), counts.n.sum(axis=0)
    rows = []
    for number, claim in claims:
        place = counts.relations.index(claim.relation)
        for direction in _directions(claim):
            if every[place] and not pairs[place, DIRECTIONS.index(direction)]:
                reason = (
                    f"the mask of {model.name} hides the right word of every pair: "
                    f"{claim.relation}, {direction}"
                )
                row = {"direction": direction, "verdict": NOT_ASKED, "reason": reason}
                rows.append(_head_of(number, claim, model) | row)
    return rows


def _check_head(claim: Claim, model: PretrainedModel) -> None:
    if claim.head == ANY:
        return
    sizes = {"layer": model.n_layers, "head": model.n_heads}
    for name, size in sizes.items():
        number = getattr(claim, name)
        if number >= size:
            first = claim.counting
            ranges = ", ".join(
                f"{which}s {first} to {most - 1 + first}" for which, most in sizes.items()
            )
            raise claim.refused(
                f"{name} ({number + first}) must be one of {model.name}, counted from {first}: "
                f"give one that it has. Available: {ranges}."
            )


def _check_relation(claim: Claim, relations: Sequence[str], corpus: str) -> None:
    """Refuse a name that is neither of Universal Dependencies nor of the corpus."""
    base = claim.relation.split(":")[0]
    if claim.relation in relations or base in words().relations:
        return
    raise claim.refused(
        f"relation ({claim.relation}) must be one that {corpus} has, or one of Universal "
        f"Dependencies. Available: {', '.join(relations)}."
    )


def _frame(rows: Sequence[dict[Any, Any]]) -> pd.DataFrame:
    """Return rows as the frame, in the order of the claims; what was not asked is empty."""
    frame = pd.DataFrame(list(rows), columns=list(CHECKS_COLUMNS))
    for name, dtype in CHECKS_COLUMNS.items():
        empty = {"str": "", "int64": 0}.get(dtype, np.nan)
        frame[name] = frame[name].where(frame[name].notna(), empty)
    frame = frame.astype(CHECKS_COLUMNS)
    return frame.sort_values("claim", kind="stable", ignore_index=True)
