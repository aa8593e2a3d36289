"""Whether a shard that lies in a folder can be what a worker gives: its arrays, and their sums.

A seal says that a shard is whole, not who made it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple

import numpy as np

from inspector.errors import InputError
from inspector.heads.observers import (
    AcrossScores,
    Behaviour,
    HeadDistances,
    NormBehaviour,
    PredictedWords,
    ProbeMasses,
    RelationScores,
    predictions_from_state,
)
from inspector.models import PretrainedModel
from inspector.runs.profile.ablation_worker import empty_sums, every_head
from inspector.runs.profile.job import ProfileJob, ShardPlace
from inspector.runs.store.shards import ShardResult
from inspector.vocabulary import Vocabulary

State = Mapping[str, np.ndarray]
_PACKED = "predicted_words.packed"
_LOOKS = "behaviour.offsets"
_SIGNED = ("cosine", "loss.increase", "loss.matched")
_OFFSETS, _OFFSET_COUNTS = "relations.offsets", "relations.offset_counts"


def shard_fits(
    model: PretrainedModel, jobs: Sequence[ProfileJob]
) -> Callable[[int, ShardResult], bool]:
    """Return a function from a shard's number and what it holds to whether it fits these jobs.

    Args:
        model: Whose heads.
        jobs: What is computed, one for each corpus.
    """

    def fits(shard_id: int, result: ShardResult) -> bool:
        place = ShardPlace.of(jobs, shard_id)
        documents = place.documents
        if result.labels != {"documents": documents}:
            return False
        return (
            _has_shapes(result.arrays, _empty(model, place, documents))
            and _adds_up(result.arrays)
            and (not place.is_own or _unpacks(model, place, result.arrays))
        )

    return fits


def _empty(model: PretrainedModel, place: ShardPlace, documents: list[str]) -> State:
    """Return the state of observers that have seen nothing, as a worker would have them."""
    size, job = (model.n_layers, model.n_heads), place.job
    if place.reading.is_ablation:
        changes = empty_sums(documents, job.asked_names, every_head(*size), None).state()
        n, effect = changes["ablation.n"], changes["ablation.effect"]
        losses = {"loss.n": n, "loss.loss": n, "loss.increase": effect, "loss.matched": effect}
        return changes | losses if job.has_loss else changes
    kind = AcrossScores if place.read.is_windows else RelationScores
    arrays = {
        "too_long": np.array(0),
        "without_tokens": np.array(0),
        "vocabulary": np.array(astuple(Vocabulary())),
        **kind(*size, documents, list(place.read.relations)).state(),
    }
    if place.is_own:
        scores = kind(*size, documents, list(place.read.relations))
        arrays |= PredictedWords(scores, place.read.lengths).state()
    if place.has_probes:
        arrays |= ProbeMasses(model, job.probe_names).state()
    if place.is_whole:
        looks = Behaviour(*size, model.max_tokens).state()
        norms = {name.replace(Behaviour.name, NormBehaviour.name, 1): looks[name] for name in looks}
        arrays |= looks | norms
        if job.settings.distances:
            arrays |= HeadDistances(*size).state()
    return arrays


def _has_shapes(arrays: State, expected: State) -> bool:
    """Return whether all arrays are there, of their shapes; how many offsets there are is open."""
    for name, empty in expected.items():
        found = arrays.get(name)
        if found is None or found.dtype != empty.dtype:
            return False
        shape = empty.shape
        if name in (_OFFSETS, _OFFSET_COUNTS):
            shape = (*shape[:-1], arrays[_OFFSETS].size) if _OFFSETS in arrays else shape
        if name.endswith(_LOOKS) and found.ndim == len(shape):
            width = found.shape[-1]  # as wide as the longest text needs
            shape = (*shape[:-1], width if width % 2 and width >= shape[-1] else 0)
        if name == _PACKED:
            shape = (found.size,)
        if found.shape != shape or not np.isfinite(found).all():
            return False
    return True


def _unpacks(model: PretrainedModel, place: ShardPlace, arrays: State) -> bool:
    """Return whether predicted words are of this shard's sentences, each in its own."""
    lengths = place.read.lengths
    try:
        predicted = predictions_from_state(arrays, lengths, model.n_layers * model.n_heads)
    except InputError:
        return False
    end = np.cumsum(lengths)
    start = np.repeat(end - lengths, lengths)
    inside = (predicted >= start) & (predicted < np.repeat(end, lengths))
    return bool((inside | (predicted < 0)).all())


def _adds_up(arrays: State) -> bool:
    """Return whether counts are counts: none below 0, no more right than asked."""
    counts = [array for name, array in arrays.items() if not name.endswith(_SIGNED)]
    if any((array < 0).any() for array in counts if array.dtype.kind == "i" and array.ndim != 1):
        return False
    if _OFFSETS not in arrays:
        return True
    n = arrays["relations.n"]
    enough = (arrays[_OFFSET_COUNTS].sum(axis=-1) >= n).all()
    asked = arrays["relations.asked"]
    right = (arrays["relations.correct"] <= asked[..., None, None]).all()
    return bool(enough and right and (asked <= n[..., None]).all())
