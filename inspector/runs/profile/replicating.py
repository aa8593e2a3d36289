"""A run's claims on other text: one more pass, with heads and rules as they stand.

Must not know: how a claim is scored, UI.
"""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from inspector.corpora import Corpus, Labels
from inspector.corpora.annotation.annotated_corpus import Given, read_annotated
from inspector.heads.specialization.ladder.judged import SUPPORTED
from inspector.heads.specialization.replication import (
    REPLICATION_COLUMNS,
    OtherText,
    replicated,
    selectivity_rules,
)
from inspector.models import PretrainedModel
from inspector.progress import Progress
from inspector.runs.profile.job import ProfileSettings
from inspector.runs.profile.reading import Readable, check_documents


def replication_frame(
    claims: pd.DataFrame,
    model: PretrainedModel,
    others: Sequence[Corpus],
    settings: ProfileSettings,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return a row for each claim and other text.

    Args:
        claims: With their rules.
        model: That they are about.
        others: The other text, each of enough documents.
        settings: Of the pass in which the claims were made.
        progress: Told how far it is.
    """
    asked = {*claims.loc[claims["verdict"] == SUPPORTED, "relation"]}
    frames = [no_replication()]
    for corpus in others:
        alone = replace(settings, random_init_seeds=(), ablation=False)
        readable = Readable.of(model, corpus, alone)
        read = readable.read(asked & {*readable.relations}, progress, all_tested=True)
        text = OtherText(corpus.name, read.counts, read.table, read.unknown)
        frames.append(replicated(claims, text, settings.seed))
    return pd.concat(frames, ignore_index=True)


def with_selectivity_rules(claims: pd.DataFrame, controls: pd.DataFrame) -> pd.DataFrame:
    """Return the claims with `selectivity_rule`: each one's least favourable rule of word class.

    Args:
        claims: The claims frame.
        controls: The controls frame of the same run and corpus.
    """
    return claims.assign(selectivity_rule=selectivity_rules(claims, controls))


def no_replication() -> pd.DataFrame:
    """Return the frame without a row."""
    return pd.DataFrame(columns=list(REPLICATION_COLUMNS)).astype(REPLICATION_COLUMNS)


def other_texts(given: Given | Sequence[Given], labels: Labels = "universal") -> list[Corpus]:
    """Return the other text that claims are scored on, none where none is given.

    Raises:
        InputError: If one cannot be used, or has fewer than 5 documents.
    """
    if isinstance(given, list | tuple) and not given:
        return []
    read = read_annotated(given, labels=labels)
    for corpus in read:
        check_documents(corpus, "replicate")
    return read
