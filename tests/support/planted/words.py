"""Heads that a test plants on real sentences; how they are counted is the benchmarks'.

Must not know: how any figure is computed from them.
"""

import numpy as np

from benchmarks.nulls import counted as counted
from benchmarks.nulls import random_words as random_words
from benchmarks.truths import tree_words
from inspector.corpora import read_conllu
from inspector.corpora.default import sample_files
from inspector.heads.specialization.ladder.words import word_table


def sample_table(tested=None):
    """Return inspector's own treebank: head 0 follows the tree, 1 half of it, 2 the next word."""
    corpus = read_conllu(sample_files())
    lengths = np.array([len(one.words) for one in corpus.sentences])
    predicted = random_words(lengths, 4, 0)
    predicted[0, 0] = tree_words(corpus.sentences, predicted[0, 0])
    half = np.random.default_rng(1).random(predicted.shape[2]) < 0.5
    predicted[0, 1] = np.where(half, predicted[0, 0], predicted[0, 1])
    word = np.arange(predicted.shape[2])
    is_last = np.isin(word + 1, np.cumsum(lengths))
    predicted[0, 2] = np.where(is_last, predicted[0, 2], word + 1)
    documents = corpus.document_ids()
    return word_table(corpus.sentences, documents, predicted, tested=tested and set(documents))
