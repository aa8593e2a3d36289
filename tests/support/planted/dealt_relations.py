"""Counts of relations whose ends may be dealt out at random, and what they are judged beside."""

from dataclasses import replace

import numpy as np

from inspector.heads.counts import RelationCounts
from inspector.heads.specialization.split import Split


def pairs(sentence, draw):
    """Return (label, dependent, head); two words of the sentence if `draw` is given."""
    for relation in sentence.relations:
        source, target = relation.source, relation.target
        if draw is not None:
            source, target = draw.permutation(len(sentence.words))[:2].tolist()
        yield relation.label, source, target


def counted(predicted, draw=None):
    documents = tuple(dict.fromkeys(sentence.document for sentence, *_ in predicted))
    names = tuple(sorted({r.label for sentence, *_ in predicted for r in sentence.relations}))
    drawn = [
        (entry, *pair)
        for entry in predicted
        for pair in pairs(entry[0], draw)
        if {*pair[1:]} <= entry[1].keys()  # a word may have no token
    ]
    offsets = tuple(sorted({head - dependent for _, _, dependent, head in drawn}))
    correct = np.zeros((len(documents), len(names), 3, 6, 12), dtype=np.int32)
    n = np.zeros(correct.shape[:2], dtype=np.int32)
    at_offset = np.zeros((*n.shape, len(offsets)), dtype=np.int32)
    for (sentence, place, to, back), label, dependent, head in drawn:
        here = documents.index(sentence.document), names.index(label)
        n[here] += 1
        at_offset[(*here, offsets.index(head - dependent))] += 1
        correct[(*here, 0)] += to[..., place[dependent]] == head
        correct[(*here, 1)] += to[..., place[head]] == dependent
        correct[(*here, 2)] += back[..., place[dependent]] == head
    return RelationCounts(documents, names, offsets, correct, n, at_offset)


def random_models(counts):
    """Return random models that find nothing, the weakest control there is."""
    nothing = RelationCounts(
        counts.documents,
        counts.relations,
        counts.offsets,
        np.zeros_like(counts.correct),
        counts.n,
        counts.offset_counts,
    )
    return [nothing] * 3


def told(counts, share=0.35):
    """Return the counts as if head 2-3 were told where a share of the pairs of a document lead."""
    correct = counts.correct.copy()
    right = np.ceil(share * counts.n).astype(np.int32)
    correct[:, :, 0, 2, 3] = np.maximum(correct[:, :, 0, 2, 3], right)
    return replace(counts, correct=correct)


def in_the_of_test_split_alone(monkeypatch):
    """Plant a leak: heads and baselines are chosen on the split that they are judged on."""
    honest = Split.of
    monkeypatch.setattr(Split, "of", lambda counts: Split(honest(counts).test, honest(counts).test))
