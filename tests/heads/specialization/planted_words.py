"""Heads that a test plants on real sentences, and the counts that they amount to.

Must not know: how any figure is computed from them.
"""

import numpy as np

from inspector.corpora import read_conllu
from inspector.corpora.default import sample_files
from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.specialization.ladder.words import word_table


def random_words(lengths, n_heads, seed):
    """Return a word of the same sentence, never itself, for each word and head, both sides."""
    rng = np.random.default_rng(seed)
    size = np.repeat(lengths, lengths)
    start = np.repeat(np.cumsum(lengths) - lengths, lengths)
    apart = rng.integers(1, np.maximum(size, 2), size=(2, n_heads, len(size)))
    word = np.arange(len(size)) - start
    return np.where(size > 1, start + (word + apart) % size, -1)


def tree_words(sentences, predicted):
    """Return the predictions, but each word that has a head looks at it."""
    start = 0
    for sentence in sentences:
        for pair in sentence.relations:
            if pair.kind == "syntax":
                predicted[start + pair.source] = start + pair.target
        start += len(sentence.words)
    return predicted


def counted(table, labels):
    """Return the counts that the table's predictions amount to, of one layer."""
    documents = tuple(dict.fromkeys(table.documents))
    place = {name: index for index, name in enumerate(documents)}
    of_word = np.repeat([place[name] for name in table.documents], table.lengths)
    n_heads = table.predicted.shape[1]
    n = np.zeros((len(documents), len(labels)), dtype=np.int32)
    correct = np.zeros((*n.shape, len(DIRECTIONS), 1, n_heads), dtype=np.int32)
    apart = {}
    for name, label in enumerate(labels):
        for rank, direction in enumerate(DIRECTIONS):
            pairs = table.pairs(label, direction)
            hits = table.predicted[pairs.side][:, pairs.asked] == pairs.expected
            np.add.at(correct[:, name, rank, 0], of_word[pairs.asked], hits.T.astype(np.int32))
            if rank == 0:
                np.add.at(n[:, name], of_word[pairs.asked], 1)
                apart[label] = (of_word[pairs.asked], pairs.expected - pairs.asked)
    offsets = tuple(sorted({int(o) for _, values in apart.values() for o in values}))
    at = np.zeros((*n.shape, len(offsets)), dtype=np.int32)
    for name, label in enumerate(labels):
        document, values = apart[label]
        np.add.at(at[:, name], (document, np.searchsorted(offsets, values)), 1)
    return RelationCounts(documents, tuple(labels), offsets, correct, n, at)


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
