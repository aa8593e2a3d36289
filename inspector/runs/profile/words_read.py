"""What each head of a model predicts for each word of a profile's sentences, from its shards.

Must not know: how a shard is computed, relations, frames.
"""

from collections.abc import Collection, Sequence

import numpy as np

from inspector.heads.observers import predictions_from_state
from inspector.heads.specialization.ladder.words import WordTable, word_table
from inspector.runs.profile.job import ProfileJob, ShardPlace
from inspector.runs.store.shards import ShardResult


def words_read(
    job: ProfileJob,
    shards: Sequence[ShardResult],
    n_heads: int,
    tested: Collection[str] | None = None,
) -> WordTable:
    """Return the words of all sentences and windows, with what each head predicts for each.

    Args:
        job: What was computed.
        shards: Of the model's own reading, in order.
        n_heads: Heads of all layers together.
        tested: The documents of the test split, where that is not the usual one.
    """
    start, n_words = 0, sum(job.sentences.lengths) + sum(job.windows.lengths)
    # No wider than the last word's number needs: this is the largest of what is kept.
    found = np.empty((2, n_heads, n_words), dtype=np.min_scalar_type(-n_words - 1))
    for number, shard in enumerate(shards):
        lengths = ShardPlace.of([job], number).read.lengths
        predicted = predictions_from_state(shard.arrays, lengths, n_heads)
        end = start + sum(lengths)
        found[..., start:end] = np.where(predicted < 0, predicted, predicted + start)
        start = end
    sentences = job.sentences.texts + job.windows.texts
    documents = job.sentences.documents + job.windows.documents
    return word_table(sentences, documents, found, job.n_windows, tested)
