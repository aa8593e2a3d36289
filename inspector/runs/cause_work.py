"""What a profile asks of cause: which sentences are read without each head, and one shard of that.

The sentences are of the report half, on which no head was chosen, spread over all of it.
Must not know: folders, claims, UI.
"""

from collections.abc import Sequence

import numpy as np

from inspector.corpora import Sentence
from inspector.corpora.sentence import SUBSET
from inspector.heads.cause import DriftSums, silence_each
from inspector.heads.halves import is_for_selection
from inspector.heads.observers import annotated_batches
from inspector.models import PretrainedModel, word_batches
from inspector.runs.shards import ShardResult

SENTENCES_A_SHARD, WINDOWS_A_SHARD = 32, 1
"""Sentences, and windows, whose shard costs about as much as one of the profile itself."""


def sample(sentences: Sequence[Sentence], documents: Sequence[str], size: int) -> tuple[int, ...]:
    """Return places of sentences of the report half that have relations, evenly spread.

    Args:
        sentences: All there are.
        documents: The document of each.
        size: How many, at most.
    """
    places = [
        place
        for place, (sentence, document) in enumerate(zip(sentences, documents, strict=True))
        if sentence.relations and not is_for_selection(document)
    ]
    taken = min(size, len(places))
    return tuple(places[number * len(places) // taken] for number in range(taken))


def asked_names(*names: Sequence[str]) -> list[str]:
    """Return the relations that are asked about, sorted: all but the subsets for controls."""
    return sorted({name for some in names for name in some if SUBSET not in name})


def cause_shard(
    model: PretrainedModel,
    sentences: Sequence[Sentence],
    documents: Sequence[str],
    names: Sequence[str],
    batch_size: int,
    *,
    across: bool,
) -> ShardResult:
    """Return the drift of some sentences without each of the model's heads.

    Args:
        model: Whose heads.
        sentences: What is read.
        documents: The document of each.
        names: Relations that are asked about.
        batch_size: Sentences in a batch.
        across: Whether the sentences are windows.
    """
    known = list(dict.fromkeys(documents))
    made = word_batches(model, [sentence.words for sentence in sentences], batch_size)
    batches = annotated_batches(
        made.batches,
        sentences,
        [known.index(document) for document in documents],
        {name: place for place, name in enumerate(names)},
        across=across,
    )
    sums = DriftSums(known, list(names), every_head(model.n_layers, model.n_heads))
    silence_each(model, batches, sums)
    return ShardResult(sums.state(), {"documents": known})


def every_head(n_layers: int, n_heads: int) -> list[tuple[tuple[int, int], ...]]:
    """Return the variants of a model that lack one head each.

    Example:
        >>> every_head(1, 2)
        [((0, 0),), ((0, 1),)]
    """
    return [((layer, head),) for layer, head in np.ndindex(n_layers, n_heads)]


def cause_sums(
    shards: Sequence[ShardResult], names: Sequence[str], n_layers: int, n_heads: int
) -> DriftSums:
    """Return what the shards found, added up."""
    documents = sorted({one for shard in shards for one in shard.labels["documents"]})
    sums = DriftSums(documents, list(names), every_head(n_layers, n_heads))
    for shard in shards:
        sums.add_state(shard.arrays, shard.labels["documents"], names)
    return sums
