"""Whether the model needs the heads of its claims: what the shards found, and sets of heads.

Which heads share a role is known only when all shards are there, so that these are ablated
together here, on some of the sentences.
"""

from collections.abc import Sequence

import pandas as pd

from inspector.corpora.text_set import TextSet
from inspector.head_names import Head
from inspector.heads.ablation import ablate_together, needed_heads
from inspector.heads.ablation.necessity import Relation, SharedRole
from inspector.heads.ablation.shared_roles import random_sets, shared_roles
from inspector.heads.observers.batch import batches_of
from inspector.models import PretrainedModel
from inspector.models.forward.one_thread import one_thread
from inspector.models.loading.language_head import LanguageHead, language_head
from inspector.runs.profile.ablation_worker import (
    DOCUMENTS,
    ablation_sums,
    empty_sums,
    spread,
)
from inspector.runs.profile.job import ProfileJob
from inspector.runs.store.shards import ShardResult

SHARE_TOGETHER = 8
"""Of the sentences that are read without each head one in as many is read without each set."""
LEAST_TOGETHER = max(DOCUMENTS)
"""Texts that are, where there are as many: the smallest p of six documents, 1/64, does not survive
a correction over four rows."""


def needed_frame(
    model: PretrainedModel,
    job: ProfileJob,
    shards: Sequence[ShardResult],
    claims: pd.DataFrame,
    supported: pd.DataFrame,
) -> pd.DataFrame:
    """Return the needed frame.

    Args:
        model: That was profiled.
        job: What was computed.
        shards: What was found without each head.
        claims: The claims of the profile.
        supported: Whether each head follows each relation × direction.
    """
    head = language_head(model) if job.has_loss else None
    seed, size = job.settings.seed, (model.n_layers, model.n_heads)
    sums = ablation_sums(shards, job.asked_names, *size, head)
    with one_thread():
        shared = [
            _ablated(model, job, [heads, *random_sets(heads, *size, seed)], relations, head)
            for heads, relations in shared_roles(claims, supported).items()
        ]
    return needed_heads(claims, sums, seed, shared=shared)


def _ablated(
    model: PretrainedModel,
    job: ProfileJob,
    variants: list[tuple[Head, ...]],
    relations: Sequence[Relation],
    head: LanguageHead | None,
) -> SharedRole:
    """Return what each set of heads does to some sentences that have one of the relations."""
    names = sorted({relation for relation, _ in relations})
    parts: list[TextSet] = []
    for places, read in zip((job.ablation_sentences, job.ablation_windows), job.texts, strict=True):
        holding = [
            place
            for place in places
            if any(one.label in names for one in read.scored(read.texts[place]))
        ]
        wanted = max(-(-len(places) // SHARE_TOGETHER), LEAST_TOGETHER)
        parts.append(read.at(spread(holding, wanted)))
    known = sorted({document for read in parts for document in read.documents})
    sums = empty_sums(known, names, variants, head)
    for read in parts:
        if not read.texts:
            continue
        size = job.settings.batch
        size = size._replace(texts=1) if read.is_windows else size
        _, batches = batches_of(model, read, known, names, size)
        ablate_together(model, batches, sums)
    return SharedRole(relations, sums)
