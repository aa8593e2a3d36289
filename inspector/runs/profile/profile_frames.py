"""The frames of a profile, from what its shards kept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby

import pandas as pd

from inspector.corpora import Corpus
from inspector.corpora.annotation.document_windows import Windows
from inspector.corpora.annotation.matched_pairs import WITHOUT_CONTROLS
from inspector.corpora.battery.text import BY_DEFINITION
from inspector.head_names import Head
from inspector.heads.ablation import with_needed
from inspector.heads.counts import RelationCounts, added
from inspector.heads.observers import (
    Behaviour,
    HeadDistances,
    NormBehaviour,
    ProbeMasses,
    behaviour_frame,
    counts_from_state,
    probe_scores_frame,
)
from inspector.heads.relations_frame import relation_accuracies
from inspector.heads.specialization.claims import (
    relation_claims,
)
from inspector.heads.specialization.decoder_roles import PREVIOUS_SCORE
from inspector.heads.specialization.ladder.heads_on_ladder import on_ladder
from inspector.heads.specialization.ladder.simple_roles import strongest
from inspector.heads.specialization.ladder.words import WordTable
from inspector.heads.specialization.lift import MAX_UNKNOWN
from inspector.heads.specialization.power import documents_needed
from inspector.heads.specialization.profile_comparison import offsets_frame
from inspector.heads.specialization.roles import head_roles
from inspector.heads.specialization.semantic_controls import (
    semantic_controls,
)
from inspector.heads.specialization.split import documents_holding, is_for_selection
from inspector.heads.specialization.stability import split_shares
from inspector.heads.specialization.supported_heads import supported_heads
from inspector.heads.weights.vocabulary_circuits import circuits_if_any
from inspector.models import PretrainedModel
from inspector.runs.engines.engine import give_back_memory
from inspector.runs.profile.job import ProfileJob, Reading
from inspector.runs.profile.needed_frame import needed_frame
from inspector.runs.profile.plan import relation_kinds
from inspector.runs.profile.words_read import words_read
from inspector.runs.run_frames import (
    KINDS_COLUMNS,
    RANDOM_ROW,
    SKIPPED_COLUMNS,
    TOTALS_COLUMNS,
    UNSURE,
    VOCABULARY_ROWS,
)
from inspector.runs.store.shards import ShardResult
from inspector.vocabulary import Vocabulary

_NOTHING = Vocabulary()
_OF_RELATIONS = (
    *("relations", "claims", "controls", "offsets", "supported", "power", "semantic_controls"),
    "simple_roles",
)


def profile_frames(
    model: PretrainedModel,
    corpus: Corpus,
    job: ProfileJob,
    windows: Windows,
    shards: list[ShardResult],
) -> dict[str, pd.DataFrame]:
    """Return the frames by name.

    Each kind of relation is a family of its own: what is asked of meaning changes no q-value of
    syntax.

    Args:
        model: That was profiled.
        corpus: That it was profiled on.
        job: What was computed.
        windows: The windows of it.
        shards: What each shard gave, in order: the model's, then each random model's, then
            those read without each head. Emptied once added up: what they hold is large.
    """
    kinds, seen = relation_kinds(job), _Seen.of(model, corpus, job, windows, shards)
    shards.clear()
    give_back_memory()
    frames = {"behaviour": seen.behaviour, **_relation_frames(seen, kinds, job.settings.seed)}
    supported, simple = frames.pop("supported"), frames.pop("simple_roles")
    if seen.probes is not None:
        frames["probe_scores"] = seen.probes
    frames["roles"] = head_roles(
        *(seen.behaviour, frames["claims"], supported),
        kinds=kinds,
        controls=frames["semantic_controls"],
        simple=strongest(simple.to_dict("records")),
        scores=frames.get("probe_scores"),
        suppression=_suppression(model, job),
    )
    frames["kinds"] = pd.DataFrame(kinds.items(), columns=list(KINDS_COLUMNS)).astype(KINDS_COLUMNS)
    frames["totals"], frames["skipped"] = seen.totals, _skipped(corpus, windows, seen.unsure)
    if job.settings.ablation:
        frames["needed"] = needed_frame(model, job, seen.without, frames["claims"], supported)
        frames["claims"] = with_needed(frames["claims"], frames["needed"])
    if seen.distances is not None:
        frames["distances"] = seen.distances
    return frames


def _masses(model: PretrainedModel, job: ProfileJob, shards: Sequence[ShardResult]) -> ProbeMasses:
    """Return the attention at the probes' pairs, of all shards that have any."""
    masses = ProbeMasses(model, job.probe_names)
    for shard in shards:
        if f"{masses.name}.n" in shard.arrays:
            masses.add_state(shard.arrays)
    return masses


def _suppression(model: PretrainedModel, job: ProfileJob) -> Mapping[Head, float]:
    """Return the share of tokens that each head writes against; nothing without a battery."""
    circuits = circuits_if_any(model) if job.probe_names else None
    if circuits is None:
        return {}
    places = zip(circuits["layer"], circuits["head"], strict=True)
    return dict(zip(places, circuits["suppression_share"], strict=True))


@dataclass(frozen=True, eq=False)
class _Seen:
    """What the shards of a profile amount to."""

    behaviour: pd.DataFrame
    distances: pd.DataFrame | None
    totals: pd.DataFrame
    counts: RelationCounts
    random_models: list[RelationCounts]
    table: WordTable
    unknown: dict[str, float]
    """Relation → the share of its pairs with a word that the vocabulary does not know."""
    unsure: dict[str, int]
    """Relation about which nothing is claimed → how many such pairs it has."""
    without: Sequence[ShardResult]
    """What was found without each head."""
    probes: pd.DataFrame | None
    """The frame `probe_scores`, where there are probes."""

    @classmethod
    def of(
        cls,
        model: PretrainedModel,
        corpus: Corpus,
        job: ProfileJob,
        windows: Windows,
        shards: Sequence[ShardResult],
    ) -> "_Seen":
        (whole, own), *random_readings, (_, without) = by_reading(shards, job)
        described, size = own[: whole.n_sentence_shards], (model.n_layers, model.n_heads)
        behaviour, norms = Behaviour(*size, model.max_tokens), NormBehaviour(model)
        for shard in described:
            behaviour.add_state(shard.arrays)
            norms.add_state(shard.arrays)
        distances = None
        if job.settings.distances:
            distances = HeadDistances(*size)
            for shard in described:
                distances.add_state(shard.arrays)
        counts, unknown = counts_of(own, whole, job), unknown_pairs(own, whole, job)
        pairs = dict(zip(counts.relations, counts.n.sum(axis=0).tolist(), strict=True))
        shares = {name: unknown[name] / n for name, n in pairs.items() if n}
        unsure = {
            name: unknown[name]
            for name in relation_kinds(job)
            if shares.get(name, 0.0) > MAX_UNKNOWN
        }
        return cls(
            behaviour=behaviour_frame(behaviour, norms),
            distances=None if distances is None else distances.frame(),
            totals=_totals(corpus, job, windows, own, behaviour, unsure),
            counts=counts,
            random_models=[counts_of(some, reading, job) for reading, some in random_readings],
            table=words_read(job, own, model.n_layers * model.n_heads),
            unknown=shares,
            unsure=unsure,
            without=without,
            probes=probe_scores_frame(
                _masses(model, job, own),
                [_masses(model, job, some) for _, some in random_readings],
            )
            if job.probe_names
            else None,
        )


def _relation_frames(seen: _Seen, kinds: Mapping[str, str], seed: int) -> dict[str, pd.DataFrame]:
    """Return the frames about relations, kind by kind."""
    families = [list(labels) for _, labels in groupby(kinds, key=lambda label: kinds[label])]
    parts = []
    for labels in families or [[]]:
        parts.append(_family_frames(seen, labels, kinds[labels[0]] if labels else "", seed))
        give_back_memory()
    frames = {
        name: pd.concat([part[name] for part in parts], ignore_index=True) for name in _OF_RELATIONS
    }
    if len(families) > 1:
        order = ["layer", "head"]
        frames["relations"] = frames["relations"].sort_values(
            order, kind="stable", ignore_index=True
        )
    return frames


def _family_frames(
    seen: _Seen, labels: Sequence[str], kind: str, seed: int
) -> dict[str, pd.DataFrame]:
    """Return the frames about the relations of one kind."""
    unknown, table = seen.unknown, seen.table
    there = [random_model.of_relations(labels) for random_model in seen.random_models]
    here = replace(seen.counts.of_relations(labels), by_definition=kind == BY_DEFINITION)
    claims = relation_claims(here, there, seed, unknown=unknown)
    supported = supported_heads(here, there, seed, unknown=unknown)
    if here.by_definition:  # no baseline is taken away, so that a lift of a few points says little
        supported["supported"] &= supported["accuracy"] >= PREVIOUS_SCORE
    give_back_memory()
    judged = on_ladder(claims, supported, table, documents_holding(here), seed)
    give_back_memory()
    claims, supported = judged.claims, judged.supported
    stability = split_shares(claims, here, table, seed, max_p=judged.max_p)
    controlled = (claims, supported)
    if not labels or kind in WITHOUT_CONTROLS:
        controlled = (claims.iloc[:0], supported.iloc[:0])
    return {
        "relations": relation_accuracies(here),
        "offsets": offsets_frame(here),
        "controls": judged.controls,
        "simple_roles": judged.roles,
        "claims": claims,
        "supported": supported,
        "power": documents_needed(here).assign(stability=stability),
        "semantic_controls": semantic_controls(seen.counts, *controlled, seed),
    }


def by_reading(
    shards: Sequence[ShardResult], job: ProfileJob
) -> list[tuple[Reading, Sequence[ShardResult]]]:
    """Return each reading of a job with its shards."""
    found, start = [], 0
    for reading in job.readings:
        found.append((reading, shards[start : start + reading.n_shards]))
        start += reading.n_shards
    return found


def counts_of(shards: Sequence[ShardResult], reading: Reading, job: ProfileJob) -> RelationCounts:
    """Return the counts of one reading's shards, its sentences' and then its windows'."""
    named = [
        list(job.texts[place >= reading.n_sentence_shards].relations)
        for place in range(len(shards))
    ]
    # Each split's together, as `Split` has them: then neither is a copy.
    documents = sorted(
        {name for shard in shards for name in shard.labels["documents"]},
        key=lambda name: (not is_for_selection(name), name),
    )
    # One after the other: all at once they would take more memory than their sum.
    parts = (
        counts_from_state(shard.arrays, shard.labels["documents"], names)
        for shard, names in zip(shards, named, strict=True)
    )
    return added(parts, documents, sorted({name for names in named for name in names}))


def unknown_pairs(shards: Sequence[ShardResult], reading: Reading, job: ProfileJob) -> Counter[str]:
    """Return how many pairs of each relation have a word that the vocabulary does not know."""
    unknown: Counter[str] = Counter()
    for place, shard in enumerate(shards):
        names = job.texts[place >= reading.n_sentence_shards].relations
        pairs = shard.arrays["relations.unknown"].tolist()
        unknown.update(dict(zip(names, pairs, strict=True)))
    return unknown


def _totals(
    corpus: Corpus,
    job: ProfileJob,
    windows: Windows,
    shards: Sequence[ShardResult],
    behaviour: Behaviour,
    unsure: Mapping[str, int],
) -> pd.DataFrame:
    def added(name: str, among: Sequence[ShardResult]) -> int:
        return sum(int(shard.arrays[name].sum()) for shard in among)

    whole, *others, _ = job.readings
    of_sentences, of_windows = (
        shards[: whole.n_sentence_shards],
        shards[whole.n_sentence_shards :],
    )
    counted = {
        "sentences": len(corpus.sentences),
        "words": corpus.n_words,
        "documents": len(set(corpus.document_ids())),
        "queries": int(behaviour.counts[0]),
        "sentences skipped as malformed": len(corpus.skipped),
        "sentences longer than the model takes": added("too_long", of_sentences),
        "sentences of which the tokenizer makes no token": added("without_tokens", of_sentences),
        **_vocabulary_rows(of_sentences),
        "relations with a word that has no token": added("relations.left_out", shards),
    }
    if others and len(others[0].texts[0]) < job.n_sentences:
        counted[RANDOM_ROW] = len(others[0].texts[0])
    if job.n_windows:
        counted |= {
            "windows": job.n_windows,
            "windows longer than the model takes": added("too_long", of_windows),
        }
    if windows.n_mentions or windows.left_out:
        counted |= {
            "mentions": windows.n_mentions,
            "mentions that cannot be read": len(windows.left_out),
            "mentions whose antecedents are in earlier windows": windows.n_before,
            "documents without mentions": windows.documents_without,
        }
    for one in corpus.left_out:
        counted[f"{one.annotation}: {one.reason}"] = one.count
    counted |= {f"{name}: {UNSURE}": n for name, n in unsure.items()}
    return pd.DataFrame(counted.items(), columns=list(TOTALS_COLUMNS)).astype(TOTALS_COLUMNS)


def _vocabulary_rows(shards: Sequence[ShardResult]) -> dict[str, int]:
    """Return what was read of a corpus, and what of it the vocabulary does not know."""
    known = sum((Vocabulary(*shard.arrays["vocabulary"].tolist()) for shard in shards), _NOTHING)
    return {VOCABULARY_ROWS[name]: count for name, count in asdict(known).items()}


def _skipped(corpus: Corpus, windows: Windows, unsure: Mapping[str, int]) -> pd.DataFrame:
    rows = [
        (one.file, one.line, one.sentence or "", one.reason)
        for one in (*corpus.skipped, *windows.left_out)
    ]
    if windows.documents_without:
        reason = f"coreference: documents without mentions ({windows.documents_without})"
        rows.append(("", 0, ", ".join(windows.examples_without), reason))
    rows += [
        ("", 0, ", ".join(one.examples), f"{one.annotation}: {one.reason} ({one.count})")
        for one in corpus.left_out
    ]
    rows += [("", 0, "", f"{name}: {UNSURE} ({n})") for name, n in unsure.items()]
    return pd.DataFrame(rows, columns=list(SKIPPED_COLUMNS)).astype(SKIPPED_COLUMNS)
